"""`medaudit degrade` and `medaudit score` at the terminal: what is planted is scored, and nobody is named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medaudit.cli import main
from tests.medaudit.test_canary import assert_clean, plant


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))


def pictures(root: Path) -> Path:
    """Two classes that a linear model tells, by the side on which they are bright."""
    rng = np.random.default_rng(0)
    ramp = np.tile(np.linspace(-1, 1, 64), (64, 1))
    for name, sign in (("scar", -1), ("nodule", 1)):
        (root / name).mkdir(parents=True)
        for number in range(80):
            picture = (125 + 60 * sign * ramp + rng.normal(0, 25, (64, 64))).clip(0, 255).astype(np.uint8)
            Image.fromarray(picture).save(root / name / f"{name}{number:02d}.png")
    return root


def test_what_is_planted_is_scored_after_a_scan(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = pictures(tmp_path / "set")
    worse = tmp_path / "worse"
    assert main(["degrade", str(source), "--output", str(worse), "--label-flips", ".1", "--near-copies", ".05",
                 "--workers", "0"]) == 0  # fmt: skip
    told = capfd.readouterr().out
    assert "16 × label-flip" in told
    assert "8 × near-copy" in told
    assert main(["scan", str(worse / "dataset"), "--workers", "0", "-q", "-o", "r.json"]) in (0, 1)
    capfd.readouterr()
    assert main(["score", "r.json", str(worse / "truth.csv"), "-o", "score.json"]) == 0
    told = capfd.readouterr().out
    rows = {row["kind"]: row for row in json.loads(Path("score.json").read_text())["rows"]}
    assert rows["label-flip"]["recall"]["hits"] >= 12
    assert rows["label-flip"]["alarms"]["value"] < 0.1
    assert rows["near-copy"]["recall"]["total"] == 8
    assert rows["near-copy"]["recall"]["hits"] >= 4
    assert all(kind in told for kind in rows)
    assert main(["score", "r.json", str(worse / "truth.csv"), "-o", "score.json"]) == 0  # ours is replaced
    Path("mine.json").write_text("[1]")
    assert main(["score", "r.json", str(worse / "truth.csv"), "-o", "mine.json"]) == 2
    assert Path("mine.json").read_text() == "[1]"


def test_a_depth_that_tells_the_class_is_found(tmp_path: Path) -> None:
    source, worse = pictures(tmp_path / "set"), tmp_path / "worse"
    assert main(["degrade", str(source), "--output", str(worse), "--bit-depth", "scar=16", "--workers", "0"]) == 0
    assert main(["scan", str(worse / "dataset"), "--workers", "0", "-q", "-o", "r.json", "--select", "LK001"]) == 1
    assert main(["score", "r.json", str(worse / "truth.csv"), "-o", "score.json"]) == 0
    (row,) = json.loads(Path("score.json").read_text())["rows"]
    assert (row["kind"], row["recall"]["hits"], row["recall"]["total"]) == ("bit-depth", 1, 1)


def test_a_result_of_another_dataset_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source, worse = pictures(tmp_path / "set"), tmp_path / "worse"
    assert main(["degrade", str(source), "--output", str(worse), "--near-copies", ".1", "--workers", "0"]) == 0
    assert main(["scan", str(source), "--workers", "0", "-q", "-o", "r.json", "--select", "SZ001"]) == 0
    capfd.readouterr()
    assert main(["score", "r.json", str(worse / "truth.csv")]) == 2
    assert "of this copy" in capfd.readouterr().err
    Path("odd.csv").write_text("a,b\n1,2\n")
    assert main(["score", "r.json", "odd.csv"]) == 2
    assert main(["score", "odd.csv", str(worse / "truth.csv")]) == 2


@pytest.mark.parametrize(
    "harm", [["--label-flips", ".2"], ["--label-flips", ".2:site"], ["--near-copies", ".1"], ["--missing", ".5"],
             ["--bit-depth", "ill=8"], ["--mix-patients", ".3"]],
)  # fmt: skip
def test_nobody_is_named_in_the_truth_nor_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], harm: list[str]
) -> None:
    root = plant(tmp_path / "set")
    code = main(["degrade", str(root), "--output", "worse", "--workers", "0", *harm])
    told = capfd.readouterr()
    assert_clean(told.out.encode() + told.err.encode(), "the terminal")
    if harm == ["--label-flips", ".2"]:
        assert code == 0
    assert Path("worse").exists() == (code == 0)
    if code == 0:
        content = Path("worse", "truth.csv").read_bytes()
        assert_clean(content, "the truth")
        assert b"withheld-" in content
    else:
        assert code == 2
        assert told.err.strip().splitlines()[-1].startswith("medaudit: ")


def test_help_of_both_imports_nothing_heavy() -> None:
    program = "import sys; from medaudit.cli import main; main(['degrade', '--help']); main(['score', '--help']); " \
              "print({'pandas', 'numpy', 'torch', 'scipy'} & set(sys.modules))"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("set()")
