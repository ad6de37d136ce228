"""A copy is built beside its place: whole or not at all, and what a killed run left is cleared away by the next one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trainers.copying.place import built

ROOT = Path(__file__).parents[3]
DIES = """
import os, signal, sys
from pathlib import Path
from trainers.copying import place
output = Path(sys.argv[1])
if sys.argv[2] == "moved":
    rename = Path.rename
    def stopped(self, goal):
        rename(self, goal)
        os.kill(os.getpid(), signal.SIGKILL)
    Path.rename = stopped
with place.built(output) as folder:
    (folder / "half.csv").write_text("half")
    if sys.argv[2] == "built":
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def _private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def killed(output: Path, moment: str) -> None:
    run = subprocess.run([sys.executable, "-c", DIES, str(output), moment], cwd=ROOT, capture_output=True, check=False)
    assert run.returncode == -9, run.stderr.decode()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="a folder cannot be held there")
def test_what_a_killed_run_built_is_cleared_away_by_the_next_one(tmp_path: Path) -> None:
    home = tmp_path / "out"
    home.mkdir()
    killed(home / "fixed", "built")
    (left,) = names_in(home)
    assert left.startswith(".medaudit-")
    (home / ".medaudit-of-another").mkdir()
    with built(home / "fixed") as folder:
        (folder / "labels.csv").write_text("whole")
    assert names_in(home) == [".medaudit-of-another", "fixed"]
    assert names_in(home / "fixed") == ["labels.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="a folder cannot be held there")
def test_a_copy_that_was_put_aside_when_the_run_was_killed_comes_back(tmp_path: Path) -> None:
    home = tmp_path / "out"
    with built(home / "fixed") as folder:
        (folder / "labels.csv").write_text("earlier")
    killed(home / "fixed", "moved")
    assert not (home / "fixed").exists()
    with pytest.raises(RuntimeError, match="on purpose"), built(home / "fixed"):
        raise RuntimeError("on purpose")
    assert names_in(home) == ["fixed"]
    assert (home / "fixed/labels.csv").read_text() == "earlier"


def test_what_another_run_is_building_stays(tmp_path: Path) -> None:
    home = tmp_path / "out"
    with built(home / "fixed") as first:
        (first / "labels.csv").write_text("first")
        with built(home / "fixed") as second:
            assert first.is_dir()
            (second / "labels.csv").write_text("second")
        assert (first / "labels.csv").read_text() == "first"
    assert names_in(home) == ["fixed"]
    assert (home / "fixed/labels.csv").read_text() == "first"


def test_without_a_key_nothing_that_lies_there_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.abandoned.user_key", lambda: None)
    home = tmp_path / "out"
    (home / ".medaudit-sent/copy").mkdir(parents=True)
    with built(home / "fixed"):
        pass
    assert names_in(home) == [".medaudit-sent", "fixed"]
    assert names_in(home / ".medaudit-sent") == ["copy"]
