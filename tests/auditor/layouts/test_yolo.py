"""YOLO text files: boxes, outlines, names of classes, splits, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from auditor.layout import Options, open_dataset


def make(root: Path, lines: dict[str, str | None], images: str = "images", labels: str = "labels") -> None:
    """An image of 20 × 10 pixels per name; None is an image without a text file."""
    for name, text in lines.items():
        path = root / images / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((10, 20), len(name), np.uint8)).save(path)
        if text is not None:
            beside = root / labels / f"{name}.txt"
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(text)


def opened(root: Path) -> Any:
    return open_dataset(root, Options(workers=0))


def test_parts_of_the_image_become_corners_in_pixels(tmp_path: Path) -> None:
    make(tmp_path, {"a": "1 0.5 0.5 0.5 0.2\n", "b": ""})
    (tmp_path / "data.yaml").write_text("train: images\nnc: 2\nnames: [benign, malignant]\n")
    dataset = opened(tmp_path)
    assert dataset.summary.layout == "yolo"
    (box,) = dataset.boxes.to_dict("records")
    assert box.pop("record") == "images/a.png"
    assert (box.pop("label"), box.pop("path"), box.pop("line")) == ("malignant", "labels/a.txt", 1)
    assert box == pytest.approx({"x0": 5.0, "y0": 4.0, "x1": 15.0, "y1": 6.0})


def test_text_files_beside_the_images_and_a_list_of_names(tmp_path: Path) -> None:
    make(tmp_path, {"a": "0 .5 .5 .5 .5", "b": "1 .5 .5 .5 .5"}, images="obj", labels="obj")
    (tmp_path / "obj.names").write_text("cell\nspot\n")
    assert opened(tmp_path).boxes["label"].tolist() == ["cell", "spot"]


def test_splits_are_those_of_the_folders(tmp_path: Path) -> None:
    make(tmp_path, {f"train/{i}": "0 .5 .5 .5 .5" for i in range(6)} | {f"val/{i}": "0 .5 .5 .5 .5" for i in range(6)})
    dataset = opened(tmp_path)
    assert dataset.records["split"].value_counts().to_dict() == {"train": 6, "val": 6}
    assert len(dataset.boxes) == 12


def test_of_an_outline_the_bounds_are_taken(tmp_path: Path) -> None:
    make(tmp_path, {"a": "0 .1 .2 .5 .2 .5 .8\n"})
    dataset = opened(tmp_path)
    assert dataset.boxes[["x0", "y0", "x1", "y1"]].iloc[0].tolist() == pytest.approx([2.0, 2.0, 10.0, 8.0])
    assert any("1 of the boxes are those of outlines" in note for note in dataset.summary.notes)


def test_images_without_a_text_file_have_no_object_and_are_told(tmp_path: Path) -> None:
    make(tmp_path, {"a": "0 .5 .5 .5 .5", "b": "0 .5 .5 .5 .5", "c": None})
    dataset = opened(tmp_path)
    assert dataset.size == 3
    assert any("1 images have no file of boxes" in note for note in dataset.summary.notes)


def test_a_text_file_without_an_image_is_told(tmp_path: Path) -> None:
    make(tmp_path, {"a": "0 .5 .5 .5 .5", "b": "0 .5 .5 .5 .5"})
    (tmp_path / "labels/gone.txt").write_text("0 .5 .5 .5 .5\n")
    assert ("missing", "labels/gone.txt") in {(problem.kind, problem.path) for problem in opened(tmp_path).problems}


@pytest.mark.parametrize("line", ["0 .5 .5 nan .5", "0 .1 .2 .3 .4 .5 .6 .7", "x .5 .5 .5 .5", "0 .5"])
def test_a_line_that_is_no_box_is_told(tmp_path: Path, line: str) -> None:
    make(tmp_path, {"a": f"0 .5 .5 .5 .5\n{line}\n"})
    dataset = open_dataset(tmp_path, Options(workers=0, layout="yolo"))
    assert len(dataset.boxes) == 1
    assert [(problem.kind, problem.line) for problem in dataset.problems if problem.path == "labels/a.txt"] == [
        ("malformed", 2)
    ]


def test_a_class_that_data_yaml_does_not_know_is_told(tmp_path: Path) -> None:
    make(tmp_path, {"a": "0 .5 .5 .5 .5\n7 .5 .5 .5 .5\n"})
    (tmp_path / "data.yaml").write_text("names:\n  0: cell\n")
    told = [(problem.line, problem.reason) for problem in opened(tmp_path).problems if problem.kind == "malformed"]
    assert told == [(2, "a class without a name")]


def test_texts_of_reports_beside_images_are_no_boxes(tmp_path: Path) -> None:
    make(tmp_path, {"a": "0.5 mm nodule in the left lobe", "b": "normal"}, labels="images")
    assert opened(tmp_path).summary.layout != "yolo"
