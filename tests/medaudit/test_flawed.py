from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
import tifffile
from PIL import Image

from auditor.degrade.flaws import Truth, read_truth
from auditor.values.errors import MedauditError
from medaudit.flawed import DEEP, SHALLOW, Planted, make_demo


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return make_demo(tmp_path_factory.mktemp("demo"), seed=3, patients=50, side=48)


@pytest.fixture(scope="module")
def table(planted: Planted) -> pd.DataFrame:
    return pd.read_csv(planted.dataset / "labels.csv", dtype=str, keep_default_na=False).set_index("path")


def rows(planted: Planted, kind: str) -> list[Truth]:
    return [row for row in planted.rows if row.kind == kind]


def contents(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*.*"))}


def decoded(path: Path) -> np.ndarray:
    if path.suffix == ".dcm":
        return pydicom.dcmread(path).pixel_array
    return tifffile.imread(path) if path.suffix == ".tif" else np.asarray(Image.open(path))


def test_every_row_has_its_file_and_every_file_its_row(planted, table):
    files = {f"images/{p.name}" for p in (planted.dataset / "images").iterdir()}
    assert set(table.index) == files
    assert table.index.is_unique
    assert planted.images == len(table)
    assert planted.patients == table["patientid"].nunique()
    assert list(table.columns) == ["finding", "patientid", "split", "site", "age", "sex", "reader_1", "reader_2", "reader_3"]


def test_the_truth_lies_outside_the_dataset_and_reads_back(planted):
    assert not planted.truth.is_relative_to(planted.dataset)
    assert tuple(read_truth(planted.truth)) == planted.rows


def test_the_depth_of_a_file_follows_the_class_before_the_flip(planted, table):
    flipped = {row.record: row for row in rows(planted, "label-flip")}
    for row in rows(planted, "bit-depth"):
        assert decoded(planted.dataset / row.record).dtype == (np.uint16 if row.detail == DEEP else np.uint8)
        assert table.loc[row.record, "finding"] == (flipped[row.record].new if row.record in flipped else row.detail)
    assert {row.old for row in flipped.values()} == {DEEP, SHALLOW}
    assert len(flipped) == round(0.08 * len(rows(planted, "bit-depth")))


def test_twelve_patients_and_no_more_stand_in_two_splits(planted, table):
    splits = table.groupby("patientid")["split"].nunique()
    assert set(splits.index[splits > 1]) == {row.detail for row in rows(planted, "patient-across-splits")}
    assert (splits > 1).sum() == 12


def test_exact_copies_are_copies_and_there_are_no_others(planted, table):
    broken = {row.record for row in rows(planted, "unreadable")}
    same: dict[str, set[str]] = {}
    for path in set(table.index) - broken:
        array = decoded(planted.dataset / path)
        same.setdefault(hashlib.sha256(array.dtype.str.encode() + array.tobytes()).hexdigest(), set()).add(path)
    pairs = {frozenset(group) for group in same.values() if len(group) > 1}
    copies = rows(planted, "exact-copy")
    assert pairs == {frozenset((row.old, row.new)) for row in copies}
    assert Counter(row.detail for row in copies) == {"bytes": 4, "pixels": 4}
    across = {row.record for row in rows(planted, "copy-across-splits")}
    contradicting = {row.record for row in rows(planted, "contradicting-copy")}
    for row in copies:
        old, new = table.loc[row.old], table.loc[row.new]
        assert (old["split"] != new["split"]) == (row.new in across)
        assert (old["finding"] != new["finding"]) == (row.new in contradicting)
    assert (len(across), len(contradicting)) == (4, 2)


def test_the_third_reader_is_the_poor_one(planted, table):
    (poor,) = rows(planted, "poor-rater")
    assert poor.new == "reader_3"
    true = pd.Series({row.record: row.detail for row in rows(planted, "bit-depth")})
    right = {}
    for reader in ("reader_1", "reader_2", "reader_3"):
        read = table.loc[true.index, reader]
        right[reader] = (read == true)[read != ""].mean()
    assert right["reader_3"] == pytest.approx(float(poor.detail), abs=1e-4)
    assert right["reader_3"] < 0.8 < min(right["reader_1"], right["reader_2"])
    assert (table["reader_1"] == "").sum() > len(rows(planted, "unreadable"))


def test_the_same_seed_makes_the_same_bytes_over_an_earlier_demo(planted, tmp_path):
    again = make_demo(tmp_path, seed=4, patients=30, side=32)
    again = make_demo(tmp_path, seed=3, patients=50, side=48)
    assert again.rows == planted.rows
    assert contents(again.dataset) == contents(planted.dataset)


def test_an_interrupted_demo_can_be_made_again(tmp_path, monkeypatch):
    def stop(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("medaudit.flawed.radiograph", stop)
        with pytest.raises(KeyboardInterrupt):
            make_demo(tmp_path, patients=30, side=32)
    assert make_demo(tmp_path, patients=30, side=32).images > 50


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path):
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "labels.csv").write_text("path,label\n")
    with pytest.raises(MedauditError, match="not made by a demo"):
        make_demo(tmp_path, patients=30, side=32)
    assert (tmp_path / "dataset" / "labels.csv").read_text() == "path,label\n"


def test_a_target_that_is_a_file_is_one_plain_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MedauditError, match="cannot be written"):
        make_demo(tmp_path / "file", patients=30, side=32)
