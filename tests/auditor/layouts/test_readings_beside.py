"""Readings that lie beside what was released: a label table, class folders, or tables of one reader each."""

import random

import pandas as pd
import pytest
from PIL import Image

from auditor.layout import Options, open_dataset

CLASSES = ("normal", "pneumonia")
READERS = ("A", "B", "C")
CASES = 24


def released(i):
    return CLASSES[i % 2]


def said(i, reader):
    """What a reader said: mostly what was released."""
    other = random.Random(f"{i} {reader}").random() < 0.2
    return CLASSES[(i + other) % 2]


def pictures(root, name="images/{:03d}.png"):
    for i in range(CASES):
        path = root / name.format(i, released(i))
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), i).save(path)
    return [name.format(i, released(i)) for i in range(CASES)]


def readings(paths, columns=("image", "reader", "finding")):
    return pd.DataFrame([(path, r, said(i, r)) for i, path in enumerate(paths) for r in READERS], columns=list(columns))


def labels(paths, columns=("image", "label"), **more):
    return pd.DataFrame(list(zip(paths, map(released, range(CASES)), strict=True)), columns=list(columns)).assign(**more)


def opened(root):
    return open_dataset(root, Options(workers=0))


def assert_read(dataset, paths):
    """The label is the released one, and every reading is there."""
    at = dict(zip(dataset.records["path"], dataset.records.index, strict=True))
    assert [dataset.labels.values[at[path]] for path in paths] == [released(i) for i in range(CASES)]
    told = {(row.record, row.rater, row.label) for row in dataset.annotations.itertuples()}
    assert told == {(at[path], r, said(i, r)) for i, path in enumerate(paths) for r in READERS}


@pytest.mark.parametrize("column", ["label", "finding", "diagnosis"])
def test_a_released_table_is_the_label_table_however_many_rows_the_readings_have(tmp_path, column):
    paths = pictures(tmp_path)
    readings(paths).to_csv(tmp_path / "readings.csv", index=False)
    patients = [f"p{i // 2}" for i in range(CASES)]
    labels(paths, ("image", column), patient=patients, kvp=range(CASES)).to_csv(tmp_path / "labels.csv", index=False)
    dataset = opened(tmp_path)
    assert_read(dataset, paths)
    assert dataset.records["patient"].nunique() == CASES // 2
    assert "table.kvp" in dataset.metadata.columns, "its other columns are not lost"
    assert any("72 readings by 3 readers are read from readings.csv" in note for note in dataset.summary.notes)
    assert [g.role for g in dataset.summary.guesses].count("rater") == 1


def test_a_column_per_reader_and_names_without_folders_or_suffixes(tmp_path):
    paths = pictures(tmp_path)
    bare = readings([path.rpartition("/")[2] for path in paths], ("case", "reader", "finding"))
    wide = bare.pivot(index="case", columns="reader", values="finding").reset_index()
    wide.columns = ["case", *(f"reader_{r}" for r in READERS)]
    wide.to_csv(tmp_path / "readings.csv", index=False)
    labels([path.rpartition("/")[2].removesuffix(".png") for path in paths]).to_csv(tmp_path / "ground_truth.csv", index=False)
    dataset = opened(tmp_path)
    dataset = dataset.__class__(**{**vars(dataset), "annotations": dataset.annotations.assign(
        rater=dataset.annotations["rater"].str.removeprefix("reader_"))})  # fmt: skip
    assert_read(dataset, paths)


def test_class_folders_called_as_the_answers_hold_what_was_released(tmp_path):
    paths = pictures(tmp_path, "{1}/{0:03d}.png")
    readings(paths).to_csv(tmp_path / "readings.csv", index=False)
    assert_read(opened(tmp_path), paths)


def test_folders_called_otherwise_are_no_label(tmp_path):
    paths = pictures(tmp_path, "part{1}/{0:03d}.png")
    readings(paths).to_csv(tmp_path / "readings.csv", index=False)
    dataset = opened(tmp_path)
    assert dataset.labels.task == "none"
    assert any("no column with a released label" in note for note in dataset.summary.notes)


@pytest.mark.parametrize("name", ["readers/{}.csv", "reader_{}.csv", "annotations/radiologist {}.csv"])
@pytest.mark.parametrize("beside", [True, False])
def test_a_table_of_each_reader(tmp_path, name, beside):
    paths = pictures(tmp_path)
    for reader, rows in readings(paths).groupby("reader"):
        path = tmp_path / name.format(reader)
        path.parent.mkdir(exist_ok=True)
        rows.drop(columns="reader").to_csv(path, index=False)
    if beside:
        labels(paths).to_csv(tmp_path / "labels.csv", index=False)
    dataset = opened(tmp_path)
    assert len(dataset.annotations) == CASES * len(READERS)
    assert dataset.annotations["rater"].nunique() == len(READERS)
    assert dataset.labels.task == ("single" if beside else "none")
    assert not [p for p in dataset.problems if p.kind in ("unused-table", "table-aside")]
    assert not any("reader_A" in note for note in dataset.summary.notes), "a reader's name is not told"


def test_tables_of_two_questions_to_the_same_readers_are_not_mixed(tmp_path):
    paths = pictures(tmp_path)
    labels(paths).to_csv(tmp_path / "labels.csv", index=False)
    readings(paths).to_csv(tmp_path / "a_finding.csv", index=False)
    density = readings(paths, ("image", "reader", "density"))
    density["density"] = ["dense" if i % 5 < 2 else "fatty" for i in range(len(density))]
    density.to_csv(tmp_path / "b_density.csv", index=False)
    dataset = opened(tmp_path)
    assert_read(dataset, paths)
    assert [p.path for p in dataset.problems if p.kind == "table-aside"] == ["b_density.csv"], "it is told as not read"


def test_two_versions_of_one_table_are_no_readers(tmp_path):
    paths = pictures(tmp_path)
    for version in ("v1", "v2"):
        labels(paths).to_csv(tmp_path / f"labels_{version}.csv", index=False)
    dataset = opened(tmp_path)
    assert dataset.annotations.empty
    assert dataset.labels.task == "single"


def test_a_table_of_readings_alone_stays_what_it_was(tmp_path):
    paths = pictures(tmp_path)
    readings(paths).to_csv(tmp_path / "readings.csv", index=False)
    dataset = opened(tmp_path)
    assert dataset.labels.task == "none"
    assert len(dataset.annotations) == CASES * len(READERS)


def test_tables_alone_are_joined_by_the_name_of_the_record(tmp_path):
    names = [f"case-{i:03d}" for i in range(CASES)]
    readings(names, ("image_id", "reader", "finding")).to_csv(tmp_path / "readings.csv", index=False)
    labels(names, ("image_id", "label")).to_csv(tmp_path / "labels.csv", index=False)
    dataset = opened(tmp_path)
    assert dataset.labels.task == "single"
    assert len(dataset.annotations) == CASES * len(READERS)
