"""What the process of the command does with its streams and with interruptions."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from medaudit import process
from medaudit.process import one_interruption, say

ROOT = Path(__file__).parents[2]


def ended(line: str, tmp_path: Path) -> int:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MEDAUDIT_CACHE": str(tmp_path / "cache")}
    command = f'"{sys.executable}" -m medaudit {line}'
    return subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment, check=False).returncode


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
@pytest.mark.parametrize("streams", [">/dev/full 2>/dev/full", ">&- 2>/dev/full", ">/dev/null 2>&-"])
def test_a_mistake_is_one_whoever_can_hear_of_it(streams: str, tmp_path: Path) -> None:
    assert ended(f"scan nowhere {streams}", tmp_path) == 2


def test_what_is_opened_first_never_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "from medaudit.process import open_streams; open_streams(); f = open('out', 'w'); print('to nobody'); f.close(); "
        "import sys; sys.stdout.flush()"
    )
    subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -c "{code}" >&- 2>&- <&-'], cwd=tmp_path, check=True, env={"PYTHONPATH": str(ROOT)}
    )
    assert (tmp_path / "out").read_text() == ""


def interrupted_twice(tidied: list[str]) -> None:
    with one_interruption():
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            tidied.append("all of it")


def test_a_second_interruption_waits_until_the_first_has_tidied_up(capfd: pytest.CaptureFixture[str]) -> None:
    before, tidied = signal.signal(signal.SIGINT, signal.default_int_handler), list[str]()
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted_twice(tidied)
        assert tidied == ["all of it"]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert "once more ends it" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt), one_interruption():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_ignored_interruption_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with one_interruption():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_last_word_never_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    closed = (tmp_path / "f").open("w")
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    say("nobody hears this")


def test_memory_is_kept_where_the_c_library_can(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(mallopt=lambda what, size: asked.append((what, size))))
    process.keep_memory()
    assert [what for what, _ in asked] == [-1, -2, -3]
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    process.keep_memory()  # no glibc
    monkeypatch.setattr(sys, "platform", "darwin")
    process.keep_memory()
    assert len(asked) == 3


class Struck:
    """Is interrupted while it is taken away."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


def lost_interruption() -> None:
    with one_interruption():
        one = Struck()
        del one
        for _ in range(500):
            time.sleep(0.01)


def test_an_interruption_that_python_loses_in_a_finaliser_is_sent_again(capfd: pytest.CaptureFixture[str]) -> None:
    before, handler = sys.unraisablehook, signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            lost_interruption()
    finally:
        signal.signal(signal.SIGINT, handler)
    assert sys.unraisablehook is before
    assert capfd.readouterr().err == ""
