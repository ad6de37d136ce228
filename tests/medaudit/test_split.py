import json
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
    monkeypatch.setenv("MEDAUDIT_CACHE", str(tmp_path / "cache"))


def make_table(folder: Path, *, patients: int = 20) -> Path:
    """Two images of each patient, one in train and one in test for every fifth."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    rows = []
    for number in range(2 * patients):
        name = f"{number:03d}.png"
        Image.fromarray(rng.integers(0, 255, (24, 24), np.uint8)).save(folder / name)
        person = number // 2
        split = "test" if person % 4 == 0 or (person % 5 == 0 and number % 2) else "train"
        rows.append(
            {"path": name, "finding": "ab"[person % 2], "patientid": f"CANARY{person}", "split": split, "age": 40 + person}
        )
    pd.DataFrame(rows).to_csv(folder / "labels.csv", index=False)
    return folder


def test_a_mixed_split_is_made_whole_and_proven(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = make_table(tmp_path / "data")
    assert main(["scan", str(dataset), "--workers", "0", "--select", "SP001", "-q", "-o", "before.json"]) == 1
    capsys.readouterr()
    assert main(["split", str(dataset), "--stratify", "finding,age", "--workers", "0"]) == 0
    said = capsys.readouterr().out
    assert "SP001 passed" in said
    assert "CANARY" not in said
    table = pd.read_csv("labels-split.csv", dtype=str)
    assert list(table.columns) == ["path", "label", "group", "split", "old_split"]
    assert len(table) == 40
    assert table.groupby("group")["split"].nunique().max() == 1
    proof = json.loads(Path("labels-split-proof.json").read_text("utf-8"))
    assert proof["groups_across_old_splits"] == 3
    assert proof["moved"] == (table["split"] != table["old_split"]).sum() >= 3
    again = ["scan", "labels-split.csv", "--root", str(dataset), "--patient", "group"]
    assert main([*again, "--workers", "0", "--select", "SP001,SP002", "-q", "-o", "after.json"]) == 0


def test_without_strata_only_what_must_moves(tmp_path: Path) -> None:
    dataset = make_table(tmp_path / "data")
    assert main(["split", str(dataset), "--workers", "0"]) == 0
    assert json.loads(Path("labels-split-proof.json").read_text("utf-8"))["moved"] == 3


def test_excluded_records_are_in_no_split_when_the_table_is_scanned(tmp_path: Path) -> None:
    dataset = make_table(tmp_path / "data")
    assert main(["split", str(dataset), "--keep", "test", "--workers", "0"]) == 0
    assert (pd.read_csv("labels-split.csv")["split"] == "excluded").sum() == 3
    again = [
        "scan",
        "labels-split.csv",
        "--root",
        str(dataset),
        "--patient",
        "group",
        "--workers",
        "0",
        "--select",
        "SP001,SP008",
    ]
    assert main([*again, "-q", "-o", "after.json"]) == 0
    outcomes = {o["code"]: o for o in json.loads(Path("after.json").read_text("utf-8"))["outcomes"]}
    assert outcomes["SP001"]["status"] == "passed"
    assert outcomes["SP008"]["coverage"]["evaluated"] == 37


def test_kept_splits_that_share_a_patient_exit_1_and_are_written_all_the_same(tmp_path: Path) -> None:
    dataset = make_table(tmp_path / "data")
    table = pd.read_csv(dataset / "labels.csv")
    table.loc[[0, 1, 2], "split"] = ["val", "test", "val"]
    table.to_csv(dataset / "labels.csv", index=False)
    assert main(["split", str(dataset), "--keep", "val,test", "--workers", "0", "-o", "new.tsv"]) == 1
    assert Path("new.tsv").is_file()
    assert json.loads(Path("new-proof.json").read_text("utf-8"))["proven"] is False


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sizes", "a,b"], "0.7,0.15,0.15"),
        (["--sizes", "0.5,0.4"], "sum to 1"),
        (["--stratify", "ward"], "there is no such column"),
        (["--by", "ward"], "--by ward"),
        (["-o", "x.parquet"], ".csv or .tsv"),
    ],
)
def test_usage_mistakes_exit_2_and_write_nothing(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = make_table(tmp_path / "data", patients=4)
    assert main(["split", str(dataset), "--workers", "0", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert list(Path().iterdir()) == []


def test_a_collection_is_fingerprinted_and_found_inside_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    public, own = make_table(tmp_path / "public"), make_table(tmp_path / "own", patients=25)
    rng = np.random.default_rng(5)
    for image in sorted(own.glob("*.png"))[10:]:
        Image.fromarray(rng.integers(0, 255, (24, 24), np.uint8)).save(image)
    Image.open(own / "000.png").save(own / "000.png", compress_level=1)
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    assert main(["fingerprint", str(public), "--key", str(key), "-o", "public.parquet", "--workers", "0"]) == 0
    assert "keyed hashes of 40 images" in capsys.readouterr().out
    scan = ["scan", str(own), "--known", "public.parquet", "--workers", "0", "--select", "SP010", "-q", "-o", "r.json"]
    assert main([*scan, "--key", str(key), "--fail-on", "warning"]) == 1
    (outcome,) = json.loads(Path("r.json").read_text("utf-8"))["outcomes"]
    assert outcome["metrics"] == {"collections": 1, "records_known": 10}
    capsys.readouterr()
    assert main(scan) == 2
    assert "--known needs --key" in capsys.readouterr().err
    (tmp_path / "other").write_bytes(b"o" * 32)
    assert main([*scan, "--key", str(tmp_path / "other")]) == 2
    assert "another key" in capsys.readouterr().err
