"""docs/python.md and the scripts in examples/ do what they say."""

import doctest
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_the_page_says_what_happens(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for label, kind in (("benign", np.uint8), ("malignant", np.uint16)):
        (folder / "dataset" / label).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, np.iinfo(kind).max, (24, 24)).astype(kind)
            Image.fromarray(pixels).save(folder / "dataset" / label / f"{number}.png")
    (folder / "dataset" / "malignant" / "copy.png").write_bytes((folder / "dataset" / "benign" / "0.png").read_bytes())
    page = doctest.DocTestParser().get_doctest((ROOT / "docs" / "python.md").read_text("utf-8"), {}, "python.md", None, 0)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    outcome = runner.run(page, out=told.append)
    assert outcome.attempted > 20
    assert outcome.failed == 0, "".join(told)


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(
    script: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [str(script)])
    runpy.run_path(str(script), run_name="__main__")
    assert "FAILED" in capsys.readouterr().out
    assert (folder / "report.html").is_file()


def test_there_is_an_example() -> None:
    assert EXAMPLES


def test_the_page_names_everything_that_a_caller_calls() -> None:
    import medaudit

    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    functions = [name for name in medaudit.__all__ if name.islower() and not name.startswith("_")]
    unnamed = [name for name in functions if f"medaudit.{name}" not in page]
    assert unnamed == []
