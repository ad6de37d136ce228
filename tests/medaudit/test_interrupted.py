"""Scans that are killed, interrupted, run twice at once, or cannot write: the old file or none, and nothing done twice."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor.degrade.encode import png
from medaudit.cli import EXIT_INTERRUPTED, main

COUNT = 160
COMMAND = [sys.executable, "-m", "medaudit", "scan"]

OLD = '{"schema_version": 2}'
"""A result of an earlier scan, as far as the first bytes tell."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for i in range(COUNT):
        folder = root / "ab"[i % 2]
        folder.mkdir(exist_ok=True)
        (folder / f"{i:03d}.png").write_bytes(png(rng.integers(0, 255, (128, 128)).astype(np.uint8)))
    return root


def start(root: Path, where: Path, name: str = "r.json") -> subprocess.Popen[bytes]:
    environment = {**os.environ, "MEDAUDIT_CACHE": str(where / "cache"), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [*COMMAND, str(root), "-q", "--select", "IN001,SP002", "--workers", "1", "-o", name]
    # A shell that runs these tests in the background hands on an ignored SIGINT; a terminal would not.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(
            command, cwd=where, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    finally:
        signal.signal(signal.SIGINT, before)


def known(where: Path) -> int:
    file = where / "cache" / "facts-2.sqlite"
    if not file.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM facts").fetchone()[0])
    except sqlite3.Error:
        return 0


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    for _ in range(9000):  # a busy machine takes its time; the test does not depend on it
        if condition():
            return
        assert process.poll() is None, "the scan ended before it could be disturbed"
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def result(where: Path, name: str = "r.json") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((where / name).read_text())
    return content


def test_a_killed_scan_goes_on_where_it_stopped(pictures: Path, tmp_path: Path) -> None:
    first = start(pictures, tmp_path)
    children = Path(f"/proc/{first.pid}/task/{first.pid}/children")
    wait_for(lambda: known(tmp_path) >= 64, first)
    workers = children.read_text().split() if children.exists() else []
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert not list(tmp_path.glob("*.json")) + list(tmp_path.glob("*.tmp"))
    stored = known(tmp_path)
    assert 64 <= stored < COUNT
    second = start(pictures, tmp_path)
    second.communicate()
    assert second.returncode == 0
    cache = result(tmp_path)["run"]["cache"]
    assert cache["cached"] >= stored
    assert cache["cached"] + cache["decoded"] == COUNT
    assert not any(Path(f"/proc/{worker}").exists() and not is_zombie(worker) for worker in workers), "no worker is left over"


def is_zombie(process: str) -> bool:
    return "\nState:\tZ" in Path(f"/proc/{process}/status").read_text()


def test_ctrl_c_leaves_the_old_file(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(OLD)
    process = start(pictures, tmp_path)
    wait_for(lambda: known(tmp_path) >= 64, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to the workers as well
    out, err = process.communicate(timeout=20)
    assert process.returncode == EXIT_INTERRUPTED
    assert (tmp_path / "r.json").read_text() == OLD
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "r.json"]
    assert "Traceback" not in (out + err).decode()
    assert "nothing was written" in err.decode()


@pytest.mark.slow
def test_two_scans_at_once_share_a_cache(pictures: Path, tmp_path: Path) -> None:
    both = [start(pictures, tmp_path, f"{name}.json") for name in ("one", "two")]
    for process in both:
        process.communicate()
        assert process.returncode == 0
    one, two = ({k: v for k, v in result(tmp_path, f"{name}.json").items() if k != "run"} for name in ("one", "two"))
    assert one == two
    assert known(tmp_path) == COUNT


def few(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    for i in range(4):
        (root / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        (root / "ab"[i % 2] / f"{i}.png").write_bytes(png(np.full((8, 8), i, np.uint8)))
    return root


def test_a_full_disk_leaves_the_old_file_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = few(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("r.json").write_text(OLD)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["scan", str(root), "--no-cache", "--workers", "0", "-q", "-o", "r.json"]) == 2
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert "No space left on device" in told
    assert Path("r.json").read_text() == OLD
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.json", "set"]


@pytest.mark.slow
def test_a_file_that_the_system_cuts_short_leaves_the_old_one(tmp_path: Path) -> None:
    """A real failing write: the process may write 2 kB per file, and the result is larger."""
    root = few(tmp_path)
    (tmp_path / "r.json").write_text(OLD)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.run(
        [*COMMAND, str(root), "--no-cache", "--workers", "0", "-q", "-o", "r.json"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)),
    )  # fmt: skip
    assert process.returncode == 2, process.stderr
    assert len(process.stderr.splitlines()) == 1
    assert (tmp_path / "r.json").read_text() == OLD
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.json", "set"]


def test_a_place_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = few(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("old")
    assert main(["scan", str(root), "--no-cache", "--workers", "0", "-q", "-o", "file/r.json"]) == 2
    assert capfd.readouterr().err.count("\n") == 1
    assert Path("file").read_text() == "old"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = few(tmp_path)
    locked = tmp_path / "locked"
    locked.mkdir()
    (locked / "r.json").write_text(OLD)
    locked.chmod(0o500)
    assert main(["scan", str(root), "--no-cache", "--workers", "0", "-q", "-o", str(locked / "r.json")]) == 2
    assert capfd.readouterr().err.count("\n") == 1
    assert (locked / "r.json").read_text() == OLD


def test_a_hostile_name_in_an_error_is_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["scan", "no\x1b[31m\nsuch\u202efolder"]) == 2
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert "\x1b" not in told
    assert "\u202e" not in told
