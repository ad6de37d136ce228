"""COCO files: roles, boxes, splits, labels without a place, and what is wrong in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from auditor.layout import Options, open_dataset
from auditor.placement.coco_file import read_document
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits

BOX = {"id": 1, "image_id": 0, "category_id": 1, "bbox": [1, 2, 3, 4]}


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((16, 20), len(path.name), np.uint8)).save(path)


def write(path: Path, names: list[str], annotations: list[Any], categories: tuple[str, ...] = ("cell", "spot")) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(categories, start=1)],
        "annotations": annotations,
    }
    path.write_text(json.dumps(told))


def opened(root: Path) -> Any:
    return open_dataset(root, Options(workers=0))


def test_boxes_are_corners_in_pixels(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.png")
    write(tmp_path / "annotations/instances.json", ["a.png"], [BOX])
    dataset = opened(tmp_path)
    assert dataset.summary.layout == "coco"
    assert dataset.boxes.iloc[0].to_dict() == {
        "record": "images/a.png", "label": "cell", "x0": 1.0, "y0": 2.0, "x1": 4.0, "y1": 6.0,
        "path": "annotations/instances.json", "line": 0,
    }  # fmt: skip


def test_splits_come_from_the_names_of_the_files(tmp_path: Path) -> None:
    for split in ("train", "val"):
        picture(tmp_path / f"{split}2017/{split}.png")
        write(tmp_path / f"annotations/instances_{split}2017.json", [f"{split}.png"], [BOX])
    assert opened(tmp_path).records["split"].to_dict() == {"train2017/train.png": "train", "val2017/val.png": "val"}


def test_a_file_per_folder_means_the_images_beside_it(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        picture(tmp_path / split / "a.png")
        write(tmp_path / split / "_annotations.coco.json", ["a.png"], [BOX])
    dataset = opened(tmp_path)
    assert dataset.records["split"].to_dict() == {"train/a.png": "train", "valid/a.png": "val"}
    assert sorted(dataset.boxes["record"]) == ["train/a.png", "valid/a.png"]


def test_an_image_of_two_splits_is_told(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.png")
    for split in ("train", "test"):
        write(tmp_path / f"{split}.json", ["a.png"], [BOX])
    assert any("two splits" in note for note in opened(tmp_path).summary.notes)


def test_annotations_without_a_place_are_labels_of_the_image(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        picture(tmp_path / name)
    write(tmp_path / "l.json", ["a.png", "b.png"], [{"image_id": 0, "category_id": 1}, {"image_id": 1, "category_id": 2}])
    labels = opened(tmp_path).labels
    assert (labels.task, labels.values.to_dict()) == ("single", {"a.png": "cell", "b.png": "spot"})


def test_several_of_them_are_several_labels(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    write(tmp_path / "l.json", ["a.png"], [{"image_id": 0, "category_id": 1}, {"image_id": 0, "category_id": 2}])
    assert opened(tmp_path).labels.task == "multi"


def test_images_that_are_only_listed_or_only_there_are_told(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.png")
    picture(tmp_path / "images/extra.png")
    write(tmp_path / "i.json", ["a.png", "gone.png"], [BOX])
    told = {(problem.kind, problem.path) for problem in opened(tmp_path).problems}
    assert {("missing", "gone.png"), ("unlisted", "images/extra.png")} <= told


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ({**BOX, "image_id": 9}, "image_id"),
        ({**BOX, "category_id": 9}, "category_id"),
        ({**BOX, "bbox": [1, 2, 3]}, "four finite numbers"),
        ({**BOX, "bbox": [1, 2, 3, float("nan")]}, "four finite numbers"),
        ({**BOX, "bbox": [1, 2, 3, 10**400]}, "four finite numbers"),
        ("box", "no objects of JSON"),
    ],
)
def test_an_annotation_that_cannot_be_used_is_told(tmp_path: Path, annotation: Any, words: str) -> None:
    picture(tmp_path / "a.png")
    write(tmp_path / "i.json", ["a.png"], [BOX, annotation])
    dataset = opened(tmp_path)
    assert len(dataset.boxes) == 1
    assert any(words in problem.reason and problem.kind == "malformed" for problem in dataset.problems)


def test_an_id_that_two_images_share_is_told(tmp_path: Path) -> None:
    write(tmp_path / "i.json", ["a.png", "b.png"], [BOX])
    told = json.loads((tmp_path / "i.json").read_text())
    told["images"][1]["id"] = 0
    (tmp_path / "i.json").write_text(json.dumps(told))
    assert read_document(Limits(), tmp_path / "i.json").wrong == {"images with the id of another": 1}


def test_a_name_that_leaves_the_folder_is_no_path(tmp_path: Path) -> None:
    picture(tmp_path / "set/a.png")
    picture(tmp_path / "secret.png")
    write(tmp_path / "set/i.json", ["a.png", "../secret.png"], [BOX])
    assert not any("secret" in path for path in opened(tmp_path / "set").records["path"])


@pytest.mark.parametrize("text", ['{"images": [', '{"images": 1, "annotations": 2}', "[" * 100_000])
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "i.json").write_text(text)
    with pytest.raises(UnreadableFile):
        read_document(Limits(), tmp_path / "i.json")


def test_a_file_over_the_limit_is_refused_in_one_line(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    write(tmp_path / "i.json", ["a.png"], [BOX])
    with pytest.raises(DatasetError, match="table-bytes"):
        open_dataset(tmp_path, Options(layout="coco", workers=0, limits=Limits(table_bytes=10)))


@pytest.mark.parametrize(
    "order",
    [("images", "annotations", "categories"), ("images", "categories", "annotations"), ("annotations", "images", "categories"),
     ("categories", "annotations", "images")],
)  # fmt: skip
def test_a_large_file_is_known_in_whatever_order_its_lists_stand(tmp_path: Path, order: tuple[str, ...]) -> None:
    """Of the bytes in the middle nobody has a look before it is read."""
    many = 3000
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "0.png")
    parts = {
        "images": [{"id": n, "file_name": f"{n}.png", "height": 8, "width": 8} for n in range(many)],
        "annotations": [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 3, 3]} for n in range(many)],
        "categories": [{"id": 1, "name": "cell"}],
    }
    (tmp_path / "a.json").write_text(json.dumps({name: parts[name] for name in order}))
    dataset = open_dataset(tmp_path, Options(workers=0))
    assert (dataset.summary.layout, len(dataset.boxes)) == ("coco", many)
