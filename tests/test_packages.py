"""An audit of packages that could ask nobody is not run, and never clean."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

from benchmarks.packages import judged, main

ROOT = Path(__file__).parents[1]
GOOD = {"name": "a", "version": "1", "vulns": []}
WEAK = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.1"]}]}
UNASKED = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "why", "word", "here", "in_ci"),
    [
        ([GOOD, GOOD, UNASKED], "", "no known weakness in 2 of 3", 0, 0),
        ([UNASKED, UNASKED, GOOD], "", "NOT RUN: only 1 of 3", 0, 1),
        ([], "TimeoutExpired", "NOT RUN: TimeoutExpired", 0, 1),
        ([WEAK, UNASKED, UNASKED, UNASKED], "", "1 known weaknesses", 1, 1),
    ],
)  # fmt: skip
def test_what_is_said_and_with_which_exit_code(packages: list[dict], why: str, word: str, here: int, in_ci: int) -> None:
    for strict, code in ((False, here), (True, in_ci)):
        lines, found = judged(packages, why, strict=strict)
        assert word in lines[-1]
        assert found == code
    if WEAK in packages:
        assert "PYSEC-2026-1 (mended in 2.1)" in lines[0]


def test_a_tool_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert main("/nowhere/pip-audit", "/nowhere") == 0
    assert "NOT RUN: FileNotFoundError" in capsys.readouterr().out


def sbom_command() -> list[str]:
    """What `make sbom` runs in the end; nothing is installed or asked."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    told = subprocess.run(["make", "-n", "-C", str(ROOT), "sbom"], capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in told.splitlines() if "cyclonedx-py" in line]
    return line.split()


def test_make_sbom_writes_the_environment_of_the_release_and_validates_it() -> None:
    command = sbom_command()
    assert command[1] == "environment"
    assert "--validate" in command
    given = {command[i]: command[i + 1] for i in range(1, len(command) - 1) if command[i].startswith("-")}
    assert given["--pyproject"] == "pyproject.toml"
    assert given["--of"] == "JSON"
    assert given["--sv"] == "1.6"
    assert given["-o"] == "sbom.json"
    assert "sbom.json" in (ROOT / ".gitignore").read_text().split()


def test_the_bill_of_materials_names_every_package_with_its_version(tmp_path: Path) -> None:
    tool = shutil.which("cyclonedx-py", path=f"{ROOT / '.venv-supply' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    if tool is None:
        pytest.skip("cyclonedx-bom is not installed (`make sbom` installs it): the command was looked at, and not run")
    command = sbom_command()
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    (site,) = environment.rglob("site-packages")
    for name, version in (("alpha", "1.2"), ("beta", "3")):
        info = site / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: MIT\n")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    done = subprocess.run(
        [tool, "environment", str(environment), *command[3:]],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-500:]
    bill = json.loads((tmp_path / "sbom.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert {(part["name"], part["version"]) for part in bill["components"]} >= {("alpha", "1.2"), ("beta", "3")}
    assert bill["metadata"]["component"]["name"] == "medaudit"
