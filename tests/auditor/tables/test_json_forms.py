"""JSON that says what each image is, in the forms people write it in; anything else is no table."""

import json

import numpy as np
import pytest
from PIL import Image

from auditor.layout import Options, open_dataset
from auditor.tables.json_forms import records_of
from auditor.tables.tables import read_table
from auditor.values.errors import DatasetError

PAIRS = [{"image": "a.png", "label": "x"}, {"image": "b.png", "label": "y"}]
SPLIT = [{"split": "train", **PAIRS[0]}, {"split": "test", **PAIRS[1]}]
IDS = [f"6f1c-{k}" for k in range(6)]
BY_ID = [{"key": name, "patient": "P", "label": "xy"[k % 2]} for k, name in enumerate(IDS)]
COLUMNS = [{"file": "a.png", "age": 4}, {"file": "b.png", "age": 5}]


@pytest.mark.parametrize(
    ("data", "records"),
    [
        (PAIRS, PAIRS),
        ({"a.png": "x", "b.png": "y"}, PAIRS),
        ({"a.png": {"label": "x"}, "b.png": {"label": "y"}}, PAIRS),
        ({"x": ["a.png"], "y": ["b.png"], "z": []}, PAIRS),
        ({"train": ["a.png"], "test": ["b.png"]}, [{"image": "a.png", "split": "train"}, {"image": "b.png", "split": "test"}]),
        ({"train": {"a.png": "x"}, "test": {"b.png": "y"}}, SPLIT),
        ({"train": PAIRS[:1], "test": PAIRS[1:], "classes": ["x", "y"]}, SPLIT),
        ({"labels": [["a.png", "x"], ["b.png", "y"]]}, PAIRS),
        ([["a.png", "x"], ["b.png", "y"]], PAIRS),
        ({"name": "n", "version": 2, "items": {"a.png": "x", "b.png": "y"}}, PAIRS),
        ({"images": PAIRS, "info": {"year": 2020}}, PAIRS),
        ({"file": ["a.png", "b.png"], "age": [4, 5]}, COLUMNS),
        ({"file": {"0": "a.png", "1": "b.png"}, "age": {"0": 4, "1": 5}}, COLUMNS),
        ({row["key"]: {"patient": "P", "label": row["label"]} for row in BY_ID}, BY_ID),  # ids without a suffix
        ({"n": 1, "cases": {row["key"]: {"patient": "P", "label": row["label"]} for row in BY_ID}}, BY_ID),
        ({str(k): {"image": f"{k}.png", "age": k} for k in range(6)}, [{"image": f"{k}.png", "age": k} for k in range(6)]),
        ({name: "xy"[k % 2] for k, name in enumerate(IDS)}, [{"key": row["key"], "label": row["label"]} for row in BY_ID]),
    ],
)
def test_each_form_is_records(data, records):
    assert records_of(data) == records


@pytest.mark.parametrize(
    "data",
    [
        {"name": "set", "version": "1"},
        {"0": "normal", "1": "tumour"},  # names of classes
        {"images": ["a.png", "b.png"], "count": 2},
        {"written": {f"{i}.png": f"sha{i:08x}" for i in range(6)}},  # digests
        {"categories": [{"id": 1}], "images": [{"file_name": "a.png"}]},  # two tables
        {"file": ["a.png", "b.png"], "age": [4]},
        {"a": [1, 2], "b": [3, 4]},
        {"a": {"x": 1}, "b": {"x": 2}},  # parts of a document
        {f"part{k}": {f"own{k}": k} for k in range(6)},
        {f"part{k}": {"nested": {"x": 1}} for k in range(6)},
        {f"class{k}": f"name {k}" for k in range(6)},
        {"width": 1, "height": 1, "depth": 2, "rate": 2, "size": 2, "seed": 1},  # settings
        [1, 2], [], {}, "a.png", None, [["a.png", "x"], {"a": 1}], {"train": {"a.png": "x"}, "other": {"b.png": "y"}},
    ],
)  # fmt: skip
def test_anything_else_is_no_table(data):
    assert not records_of(data)


def test_a_mapping_of_ids_beside_the_pictures_is_the_label_table(tmp_path):
    for k, name in enumerate(IDS):
        (tmp_path / "img").mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8), k, np.uint8)).save(tmp_path / "img" / f"{name}.png")
    said = {name: {"patient": f"P{k // 2}", "diagnosis": ["normal", "pneumonia"][k % 2]} for k, name in enumerate(IDS)}
    (tmp_path / "mapping.json").write_text(json.dumps(said))
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert dataset.labels.values.tolist() == ["normal", "pneumonia"] * 3
    assert dataset.records["patient"].tolist() == ["P0", "P0", "P1", "P1", "P2", "P2"]


def test_what_is_said_of_classes_or_runs_by_their_names_is_no_unread_label(tmp_path):
    for k in range(40):
        (tmp_path / "ab"[k % 2]).mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8), k, np.uint8)).save(tmp_path / "ab"[k % 2] / f"{k}.png")
    runs = {f"fold{k}": {"auc": 0.9, "diagnosis": "xy"[k % 2]} for k in range(6)}
    (tmp_path / "metrics.json").write_text(json.dumps(runs))
    assert open_dataset(tmp_path, Options(workers=0)).problems == ()


def test_a_file_of_pairs_is_read_with_numbers_as_they_stand(tmp_path):
    (tmp_path / "labels.json").write_text(json.dumps({"001.png": 7.10, "002.png": True}).replace("7.1,", "7.10,"))
    table = read_table(tmp_path / "labels.json")
    assert table.frame["image"].astype(str).tolist() == ["001.png", "002.png"]
    assert table.frame["label"].astype(str).tolist() == ["7.10", "true"]


def test_numbers_alone_are_refused_before_they_are_parsed(tmp_path):
    (tmp_path / "t.json").write_text("[" + "1," * 1000 + "1]")
    with pytest.raises(DatasetError, match="not a table"):
        read_table(tmp_path / "t.json")


def test_an_image_with_two_labels_in_one_object_is_refused(tmp_path):
    (tmp_path / "t.json").write_text('{"a.png": "x", "b.png": "y", "a.png": "y"}')
    with pytest.raises(DatasetError, match="names an image twice"):
        read_table(tmp_path / "t.json")
