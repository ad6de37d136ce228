from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medaudit.cli import main


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")


def table(tmp_path: Path, rows: str) -> str:
    path = tmp_path / "readings.csv"
    path.write_text(rows, "utf-8")
    return str(path)


def long(labels: dict[str, list[str]]) -> str:
    rows = [f"{item},reader {r},{label}" for item, said in labels.items() for r, label in enumerate(said)]
    return "\n".join(["item,reader,answer", *rows]) + "\n"


def read(path: str = "consensus.csv") -> pd.DataFrame:
    return pd.read_csv(path, dtype={"record": str, "label": str}, keep_default_na=False).set_index("record")


def test_a_long_table_becomes_one_label_per_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = {f"{i:03d}": ["NA", "NA", "yes"] if i % 3 else ["yes", "yes", "yes"] for i in range(30)}
    assert main(["consensus", table(tmp_path, long(given)), "--method", "majority", "-o", "consensus.csv"]) == 0
    found = read()
    assert len(found) == 30
    assert found.loc["001", "label"] == "NA"
    assert found.loc["000", "label"] == "yes"
    assert found.loc["001", "p_NA"] == pytest.approx(2 / 3, abs=1e-6)
    assert found.loc["000", "confidence"] > found.loc["001", "confidence"]
    assert found.loc["001", "gain"] > found.loc["000", "gain"]
    said = capsys.readouterr().out
    assert "method majority (asked for)" in said
    assert "one more reading is worth it for" in said
    assert main(["consensus", table(tmp_path, long(given)), "-o", "consensus.csv"]) == 0
    assert (read()["label"] == found["label"]).all()
    assert "method dawid-skene (3.0 readings per record; it learns how each rater errs" in capsys.readouterr().out


def test_a_wide_table_is_read_too(tmp_path: Path) -> None:
    rows = "case,reader_1,reader_2,reader_3\n" + "".join(f"c{i},a,{'b' if i % 2 else 'a'},a\n" for i in range(20))
    assert main(["consensus", table(tmp_path, rows), "-o", "out.tsv"]) == 0
    found = pd.read_csv("out.tsv", sep="\t", dtype=str)
    assert found["label"].tolist() == ["a"] * 20


def test_the_method_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = {f"{i:03d}": ["x", "x", "y"] if i % 2 else ["y", "y", "y"] for i in range(30)}
    for method in ("majority", "dawid-skene", "glad", "mace"):
        assert main(["consensus", table(tmp_path, long(given)), "--method", method]) == 0
        assert f"method {method} (asked for)" in capsys.readouterr().out
        assert set(read()["label"]) <= {"x", "y"}


def test_sets_of_findings_are_decided_finding_by_finding(tmp_path: Path) -> None:
    given = {f"{i:03d}": ["edema|mass", "mass", "edema"] if i % 2 else ["none", "none", "mass"] for i in range(30)}
    assert main(["consensus", table(tmp_path, long(given))]) == 0
    found = read()
    assert found.loc["001", "label"] == "edema|mass"
    assert found.loc["000", "label"] == "none"


def test_measurements_become_their_mean(tmp_path: Path) -> None:
    given = {f"{i:03d}": [f"{i + d / 10:.1f}" for d in (0, 1, 5)] for i in range(80)}
    assert main(["consensus", table(tmp_path, long(given))]) == 0
    found = read()
    assert float(found.loc["010", "label"]) == pytest.approx(10.2)
    assert found["confidence"].min() > 0.99


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--method", "best"], "there are auto, majority"),
        (["--method", "crowdlab"], "--predictions"),
        (["-o", "consensus.xlsx"], "is written as"),
    ],
)
def test_what_does_not_fit_is_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    given = {f"{i:03d}": ["x", "x", "y"] for i in range(10)} | {"zzz": ["y", "y", "y"]}
    assert main(["consensus", table(tmp_path, long(given)), *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert list(Path().iterdir()) == []


def test_a_table_without_raters_is_one_line_and_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["consensus", table(tmp_path, "image,label\na.png,x\nb.png,y\n")]) == 2
    assert "--rater" in capsys.readouterr().err


def test_a_folder_of_masks_per_rater_becomes_masks(tmp_path: Path) -> None:
    for rater, side in (("R1", 10), ("R2", 10), ("R3", 6)):
        folder = tmp_path / "masks" / rater
        folder.mkdir(parents=True)
        mask = np.zeros((24, 24), np.uint8)
        mask[:side, :side] = 255
        Image.fromarray(mask).save(folder / "x.png")
    assert main(["consensus", str(tmp_path / "masks"), "-o", "out.csv"]) == 0
    assert pd.read_csv("out.csv").loc[0, "raters"] == 3
    assert len(pd.read_csv("out-raters.csv")) == 3
    with Image.open("out-masks/x.png") as image:
        assert (np.asarray(image) > 0).sum() == 100
