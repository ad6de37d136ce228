"""Killed at any moment, nothing is lost and nothing is left: `python benchmarks/kills.py --kills 50`. Linux.

`medaudit scan` and `medaudit fix` run over a small set of pictures, each time until a random moment; then the process, one of
its workers or all of them together are killed (SIGKILL). The run after it, which takes up what the killed one had kept, must
give the result of one that nobody disturbed (but for `run`), and beside it nothing may lie: no temporary file, no folder, no
process. What the killed run itself leaves is its unfinished work in the folders that the next run tidies up.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from auditor.degrade.encode import png

ROOT = Path(__file__).resolve().parents[1]
PICTURES = 36
PARTS = ("process", "worker", "all")
VOLATILE = frozenset(("run", "seconds", "cached", "decoded", "duration", "train_seconds"))
KEPT = re.compile(r"cache/own|cache/results-\d+(/[0-9a-f]+)?$")
"""What a run may leave in its private folder: which folders are the user's own, and results for the next run of the same."""
COMMANDS = {
    "scan": ["scan", "data", "-q", "--select", "IN,SP,LK", "-o", "out/r.json"],
    "fix": ["fix", "data", "-q", "--strategy", "deduplicate,resplit", "--output", "out/fixed"],
}


def pictures(folder: Path) -> None:
    """Two classes of noise, some pictures twice."""
    rng = np.random.default_rng(0)
    for number in range(PICTURES):
        place = folder / ("train", "test")[number % 3 == 0] / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        content = png(rng.integers(0, 255, (48, 48)).astype(np.uint8))
        (place / f"{number:03d}.png").write_bytes(content)
        if number % 10 == 0:
            (place / f"{number:03d}-again.png").write_bytes(content)


def started(command: str, where: Path) -> subprocess.Popen[bytes]:
    """One run in a session of its own."""
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "MEDAUDIT_CACHE": str(where / "cache"), "XDG_STATE_HOME": str(where / "state"),
        "TMPDIR": str(where / "tmp"), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "medaudit", *COMMANDS[command], "--workers", "2"], cwd=where, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def members(session: int) -> list[int]:
    """Processes of a session that live."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def kill(process: subprocess.Popen[bytes], part: str, rng: random.Random) -> None:
    """Kill a part of a run, and wait until nothing of it lives where its first process went."""
    workers = [one for one in members(process.pid) if one != process.pid]
    chosen = {"process": [process.pid], "worker": workers and [rng.choice(workers)], "all": [process.pid, *workers]}[part]
    for one in chosen:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    process.communicate()
    for _ in range(200):
        if not members(process.pid):
            return
        time.sleep(0.05)


def steady(value: Any) -> Any:
    """A result without what may differ between two runs."""
    if isinstance(value, Mapping):
        return {key: steady(inner) for key, inner in value.items() if key not in VOLATILE}
    return [steady(inner) for inner in value] if isinstance(value, list) else value


def outcome(where: Path) -> dict[str, Any]:
    """Every file below `out`: name → content, of results what is steady."""
    found: dict[str, Any] = {}
    for path in sorted((where / "out").rglob("*")):
        name = path.relative_to(where).as_posix()
        if path.is_dir():
            found[name + "/"] = None
        elif path.suffix == ".json":
            found[name] = steady(json.loads(path.read_text("utf-8")))
        elif path.suffix != ".html":  # it shows the seconds of the run
            found[name] = path.read_bytes()
        else:
            found[name] = ""
    return found


def left(where: Path, session: int) -> list[str]:
    """What lies or lives where nothing should."""
    odd = [f"process {one}" for one in members(session)] if session else []
    odd += [str(path.relative_to(where)) for path in (where / "tmp").rglob("*")]
    odd += [str(path.relative_to(where)) for path in where.rglob(".medaudit-*")]
    odd += [str(path.relative_to(where)) for path in (where / "cache").rglob("*") if not path.name.startswith("facts-")]
    odd = [
        name for name in odd if not name.startswith("cache/own") and not re.fullmatch(r"cache/results-\d+(/[0-9a-f]+)?", name)
    ]
    return odd + [path.name for path in where.iterdir() if path.name not in ("data", "out", "cache", "state", "tmp")]


def fresh(folder: Path, data: Path) -> Path:
    """A working folder."""
    for name in ("tmp", "out"):
        (folder / name).mkdir(parents=True)
    (folder / "data").symlink_to(data)
    return folder


def whole(command: str, where: Path) -> tuple[float, int, str]:
    """A run to its end: seconds, exit code, the last it said."""
    start = time.monotonic()
    process = started(command, where)
    told = process.communicate()[1].decode("utf-8", "replace")
    return time.monotonic() - start, process.returncode, told[-500:]


def run(kills: int, seed: int, commands: Sequence[str]) -> list[str]:
    """All kills of all commands: what went wrong."""
    rng, wrong = random.Random(seed), []
    with tempfile.TemporaryDirectory(prefix="kills-") as temporary:
        base = Path(temporary)
        pictures(base / "data")
        for command in commands:
            calm = fresh(base / f"{command}-calm", base / "data")
            seconds, code, told = whole(command, calm)
            expected, done = outcome(calm), 0
            print(f"{command}: undisturbed {seconds:.1f} s, exit {code}, {len(expected)} files {told}", flush=True)
            if (odd := left(calm, 0)) or code not in (0, 1):
                wrong.append(f"{command} undisturbed: exit {code}, left {odd}")
            for number in range(kills):
                where, part = fresh(base / f"{command}-{number}", base / "data"), PARTS[number % len(PARTS)]
                moment = rng.uniform(0.02, 0.95) * seconds
                process = started(command, where)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(moment)
                done += process.poll() is not None
                kill(process, part, rng)
                living = members(process.pid)
                _, again, told = whole(command, where)
                found, odd = outcome(where), left(where, process.pid)
                name = f"{command} {number}: {part} after {moment:.1f} s"
                if again != code:
                    wrong.append(f"{name}: exit {again}: {told}")
                if found != expected:
                    differing = [key for key in {*found, *expected} if found.get(key, "-") != expected.get(key, "-")]
                    wrong.append(f"{name}: another result: {differing[:5]}")
                if odd or living:
                    wrong.append(f"{name}: left {odd[:5]} {living}")
            print(f"{command}: {kills} kills ({done} came after its end), wrong so far: {len(wrong)}", flush=True)
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", nargs="*", default=list(COMMANDS), choices=list(COMMANDS))
    chosen = parser.parse_args(arguments)
    wrong = run(chosen.kills, chosen.seed, chosen.commands)
    for line in wrong:
        print(f"WRONG {line}")
    print("OK" if not wrong else f"NOT OK: {len(wrong)}")
    return 0 if not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
