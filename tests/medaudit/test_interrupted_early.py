"""Interrupted while it loads, the command ends as quietly as later: one line, 130 or 143."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from auditor.degrade.encode import png

ROOT = Path(__file__).parents[2]
STRUCK = """
import os, runpy, signal, sys

at, number, calls = int(sys.argv[1]), int(sys.argv[2]), -1
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
first = os.path.join("medaudit", "__main__.py")

def struck(frame, event, argument):
    global calls
    if calls < 0 and not frame.f_code.co_filename.endswith(first):
        return
    calls += 1
    if calls == at:
        sys.setprofile(None)
        os.kill(os.getpid(), number)

sys.argv = ["medaudit", *sys.argv[3:]]
sys.setprofile(struck)
try:
    runpy.run_module("medaudit", run_name="__main__", alter_sys=True)
finally:
    if calls < at:
        os.write(1, b"never struck")
"""
HELP = (3, 40, 700, 9_000, 30_000)
"""Calls of functions, of Python's and of ours, from the first line on."""


def struck(where: Path, at: int, number: int, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """The command, sent a signal at its so many-th call: on every machine at the same place."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MEDAUDIT_CACHE": str(where / "cache"), "XDG_STATE_HOME": str(where)}
    return subprocess.run(
        [sys.executable, "-c", STRUCK, str(at), str(int(number)), *command], cwd=where, env=environment, check=False,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def ends_quietly(done: subprocess.CompletedProcess[str], number: int) -> None:
    if "never struck" in done.stdout:  # it had ended: the places below were chosen so that most of them do strike
        pytest.skip("the command had ended before")
    assert done.stderr == "interrupted; nothing was written\n", done.stderr[-900:]
    assert done.returncode == 128 + number


@pytest.mark.parametrize(
    ("number", "at"),
    # until the first modules are there SIGTERM ends Python itself
    [(signal.SIGINT, at) for at in HELP] + [(signal.SIGTERM, at) for at in HELP if at > 1000],
)
def test_help_that_is_interrupted_says_one_line(tmp_path: Path, at: int, number: int) -> None:
    ends_quietly(struck(tmp_path, at, number, ["--help"]), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_inside_text_that_python_runs_ends_with_our_code(tmp_path: Path, number: int) -> None:
    (tmp_path / "ended.py").write_text(
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background starts with it ignored
        "from medaudit import __main__, cli\n"
        f'cli.main = lambda: eval(\'__import__("os").kill(__import__("os").getpid(), {int(number)})\') or 0\n'
        "sys.exit(__main__.run())"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-m", "ended"], env=environment, check=False, capture_output=True, text=True, timeout=120
    )
    ends_quietly(done, number)


@pytest.mark.slow
@pytest.mark.parametrize("at", [60_000, 100_000, 170_000, 290_000, 500_000, 900_000, 1_600_000])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "command", ["scan data -q --workers 1 -o r.json", "fix data -q --workers 1 --strategy resplit -o fixed"]
)
def test_a_command_that_is_interrupted_while_it_loads_leaves_nothing(
    tmp_path: Path, at: int, number: int, command: str
) -> None:
    import numpy as np

    for i in range(8):
        folder = tmp_path / "data" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i}.png").write_bytes(png(np.random.default_rng(i).integers(0, 255, (40, 40)).astype(np.uint8)))
    ends_quietly(struck(tmp_path, at, number, command.split()), number)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name not in ("cache", "medaudit")) in (
        ["data"],
        ["data", ".medaudit"],
    )
