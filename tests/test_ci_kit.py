"""What other people's CI runs of us: the shell of the action is run here as it stands, the rest is read."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step.get("name", step.get("uses", "")): step for step in ACTION["runs"]["steps"]}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Two folders of pictures; one of them holds a class that its bit depth gives away."""
    rng = np.random.default_rng(0)
    for name, depth in (("plain", np.uint8), ("leak", np.uint16)):
        for label, kind in (("benign", np.uint8), ("malignant", depth)):
            folder = tmp_path / name / label
            folder.mkdir(parents=True)
            for number in range(60):
                pixels = rng.integers(0, np.iinfo(kind).max, (16, 16), kind)
                Image.fromarray(pixels).save(folder / f"{label[0]}{number}.png")
    return tmp_path


def step(workspace: Path, dataset: str, *, options: str = "--select\nLK001", **inputs: str) -> tuple[int, dict[str, str]]:
    """Run the step Scan as GitHub does; its exit code and outputs."""
    command = workspace / "bin" / "medaudit"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m medaudit "$@"\n')
    command.chmod(0o755)
    told, summary = workspace / "output.txt", workspace / "summary.txt"
    told.write_text("")
    given = {"DATASET": dataset, "CONFIG": "", "FAIL_ON": "error", "OPTIONS": options, "OUTPUT": "out", **inputs}
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        **os.environ, **given, "PATH": path, "GITHUB_OUTPUT": str(told), "GITHUB_STEP_SUMMARY": str(summary),
        "PYTHONPATH": str(ROOT), "MEDAUDIT_CACHE": str(workspace / "cache"), "RUNNER_TEMP": str(workspace),
    }  # fmt: skip
    # as GitHub runs `shell: bash`
    run = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["Scan"]["run"]], cwd=workspace, env=environment,
        capture_output=True, text=True,
    )  # fmt: skip
    (workspace / "annotations.txt").write_text(run.stdout)
    return run.returncode, dict(line.split("=", 1) for line in told.read_text().splitlines())


def test_a_leak_fails_the_gate_and_all_reports_are_there(workspace: Path) -> None:
    code, outputs = step(workspace, "leak")
    assert (code, outputs) == (0, {"verdict": "failed", "exit-code": "1"})
    assert {p.name for p in (workspace / "out").iterdir()} >= {
        "report.html", "result.json", "findings.csv", "audit.xml", "audit.sarif", "summary.md",
    }  # fmt: skip
    assert "FAILED" in (workspace / "summary.txt").read_text().splitlines()[0]
    assert any(line.startswith("::error ") for line in (workspace / "annotations.txt").read_text().splitlines())
    assert json.loads((workspace / "out" / "audit.sarif").read_text())["runs"][0]["results"]


def test_hostile_inputs_are_words_and_no_program(workspace: Path) -> None:
    (workspace / "$(touch ran) `touch ran`; touch ran").mkdir()
    code, outputs = step(workspace, "$(touch ran) `touch ran`; touch ran", OPTIONS="--select\n$(touch ran)")
    assert (code, outputs["exit-code"]) == (0, "2")
    assert outputs["verdict"] == ""
    assert not (workspace / "ran").exists()


def test_what_lies_in_the_output_folder_from_before_is_no_answer(workspace: Path) -> None:
    (workspace / "out").mkdir()
    sent = {"written_by": "medaudit", "schema_version": 2, "gate": {"verdict": "passed\nexit-code=0"}}
    (workspace / "out" / "result.json").write_text(json.dumps(sent))
    (workspace / "out" / "summary.md").write_text("PASSED")
    code, outputs = step(workspace, "nothing-is-called-so")
    assert (code, outputs) == (0, {"verdict": "", "exit-code": "2"})
    assert not (workspace / "summary.txt").exists()


def test_a_module_in_the_workspace_is_not_taken_for_one_of_python(workspace: Path) -> None:
    (workspace / "json.py").write_text("open('ran', 'w')\nraise SystemExit(1)\n")
    started = [line for step in ACTION["runs"]["steps"] for line in step.get("run", "").splitlines() if "python" in line]
    assert all(" -I " in line for line in started if re.search(r"python\"? -", line))
    verdict = next(line for line in STEPS["Scan"]["run"].splitlines() if "python" in line)
    (workspace / "own").mkdir()
    (workspace / "own" / "result.json").write_text('{"gate": {"verdict": "failed"}}')
    run = subprocess.run(["bash", "-c", f'own=own\n{verdict}\necho "$verdict"'], cwd=workspace, capture_output=True, text=True)
    assert run.stdout == "failed\n"
    assert not (workspace / "ran").exists()


def test_a_data_set_called_like_an_option_is_a_data_set(workspace: Path) -> None:
    (workspace / "leak").rename(workspace / "--help")
    assert step(workspace, "--help")[1]["exit-code"] == "1"


@pytest.mark.parametrize("code", ["0", "1", "2", "3", ""])
def test_the_last_step_ends_as_the_scan_did(code: str) -> None:
    gate = ACTION["runs"]["steps"][-1]
    assert gate["env"]["CODE"] == "${{ steps.scan.outputs.exit-code }}"
    assert subprocess.run(["bash", "-c", gate["run"]], env={"CODE": code}).returncode == int(code or "2")


def test_no_input_stands_in_a_script() -> None:
    assert not any("${{" in step.get("run", "") for step in ACTION["runs"]["steps"])
    text = (ROOT / "action.yml").read_text("utf-8")
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])


def test_templates_call_options_that_exist(workspace: Path) -> None:
    gitlab = yaml.safe_load((ROOT / "examples" / "gitlab-ci.yml").read_text("utf-8"))["medaudit"]
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    command = gitlab["script"][-1].replace("$MEDAUDIT_FAIL_ON", "error").replace("$MEDAUDIT_DATASET", "leak")
    for words in (command, f"{hook['entry']} leak"):
        narrowed = words.replace(" scan ", " scan --select LK001 ")
        run = subprocess.run(
            f"{sys.executable} -m {narrowed}", shell=True, cwd=workspace, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "MEDAUDIT_CACHE": str(workspace / "cache")},
        )  # fmt: skip
        assert run.returncode == 1, run.stderr
    assert (workspace / gitlab["artifacts"]["reports"]["junit"]).is_file()
    workflow = yaml.safe_load((ROOT / "examples" / "github-workflow.yml").read_text("utf-8"))
    used = workflow["jobs"]["medaudit"]["steps"][-1]["with"]
    assert set(used) <= set(ACTION["inputs"])


def test_the_image_runs_as_nobody_in_particular() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    assert "USER 10001" in lines
    assert lines.index("USER 10001") > max(n for n, line in enumerate(lines) if line.startswith("FROM"))
