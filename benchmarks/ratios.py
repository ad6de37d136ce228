"""Processor seconds of commands, and ratios held against recorded ones: ratios, because seconds are a machine's own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
RECORDED = Path(__file__).resolve().parent / "recorded"
SCANNED = (0, 1, 3)
"""How a scan ends: passed, failed, not enough seen."""
WORSE = 1.3
"""A ratio that is so many times the recorded one fails."""


def own_environment(private: Path) -> dict[str, str]:
    """This tree's medaudit, one thread per process, a cache of its own, its bytecode kept as an installed one's is."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    own = {"PYTHONPATH": str(HOME), "MEDAUDIT_CACHE": str(private / "cache"), "PYTHONPYCACHEPREFIX": str(private / "bytecode")}
    return {**kept, **own, "OMP_NUM_THREADS": "1"}


def processor_seconds(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None, *, ends: Sequence[int] = (0,)
) -> float:
    """Of a process and of all processes that it has waited for.

    Args:
        ends: exit codes of a run that did what it was asked to; a program that breaks down ends with 1, and is quick.

    Raises:
        SystemExit: it ended with another code.
    """
    process = subprocess.Popen(
        command, env=dict(environment), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    if code not in ends:
        raise SystemExit(f"{' '.join(command[:4])} … ended with {code}")
    return used.ru_utime + used.ru_stime


def shown(values: Sequence[float], unit: float = 1.0) -> str:
    """Minimum–maximum."""
    return f"{min(values) * unit:.2f}–{max(values) * unit:.2f}"


def held(name: str, ratios: Mapping[str, float], *, record: bool, check: bool) -> int:
    """Record the ratios, or hold them against the recorded ones: 1 where one is worse by more than 30 %, or not recorded."""
    file = RECORDED / f"{name}.json"
    if record:
        RECORDED.mkdir(exist_ok=True)
        file.write_text(json.dumps({key: round(value, 3) for key, value in ratios.items()}, indent=1) + "\n", "utf-8")
    if not check:
        return 0
    known = json.loads(file.read_text("utf-8"))
    failed = 0
    for key, value in ratios.items():
        bad = key not in known or value > WORSE * known[key]
        failed |= bad
        print(f"  {'WORSE' if bad else 'holds'}  {key}: {value:.2f}, recorded {known.get(key, 'never')}")
    return int(failed)
