"""Modules that lie in the folder which the user stands in are no part of the program, nor of the processes that it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.degrade.encode import png

ROOT = Path(__file__).parents[2]
PLANTED = (
    "auditor", "cv2", "grp", "json", "multiprocessing", "numpy", "pandas", "pickle", "pydantic", "pydicom", "reports",
    "secrets", "selectors", "signal", "socket", "subprocess", "torch", "trainers", "typer", "unittest", "zipfile",
)  # fmt: skip
SCRIPT = "import sys\nfrom medaudit.__main__ import run\nsys.exit(run())\n"


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A data set with Python files in it; each says when it is run."""
    import numpy as np

    folder = tmp_path / "data"
    for i in range(8):
        place = folder / "ab"[i % 2] / f"{i}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(np.random.default_rng(i).integers(0, 255, (40, 40)).astype(np.uint8)))
    for name in PLANTED:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / f'run-{name}')!r}, 'w').close()\nraise SystemExit(0)\n")
    return folder


def standing_in(folder: Path, start: list[str], path: str) -> subprocess.CompletedProcess[str]:
    """A scan by who stands in the data set."""
    environment = {**os.environ, "PYTHONPATH": path, "MEDAUDIT_CACHE": str(folder.parent / "cache")}
    environment.pop("PYTHONSAFEPATH", None)
    return subprocess.run(
        [sys.executable, *start, "scan", ".", "-q", "--select", "IN001,IN003", "-o", str(folder.parent / "r.json")], cwd=folder,
        env=environment, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("how", "path"),
    [
        ("module", str(ROOT)),
        pytest.param("module", f".{os.pathsep}{ROOT}", marks=pytest.mark.slow),
        pytest.param("script", f"{os.pathsep}{ROOT}", marks=pytest.mark.slow),
        pytest.param("script", str(ROOT), marks=pytest.mark.slow),
    ],
)
def test_modules_in_the_data_set_are_not_run(trap: Path, how: str, path: str) -> None:
    script = trap.parent / "medaudit-script"
    script.write_text(SCRIPT)
    done = standing_in(trap, ["-m", "medaudit"] if how == "module" else [str(script)], path)
    assert [place.name for place in trap.parent.glob("run-*")] in (
        [],
        ["run-usercustomize"],
    )  # Python's own, before all of ours
    assert (trap.parent / "r.json").is_file(), done.stderr[-500:]
    assert done.returncode in (0, 1)


def test_a_working_folder_that_is_named_in_full_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    code = "import sys; sys.argv = ['medaudit', '--version']; import medaudit.__main__, mine; print(mine.__file__)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    assert str(tmp_path / "mine.py") in done.stdout


def test_the_processes_that_are_started_do_not_look_in_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("print('run')")
    code = (
        "import medaudit.__main__, subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'import importlib.util as u; print(u.find_spec(\"mine\"))'], check=True)"
    )
    environment = {**os.environ, "PYTHONPATH": f"{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "None\n"
