"""LabelMe, VIA and CVAT: boxes of every shape, labels without a place, splits, and what is wrong in the files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from auditor.layout import Options, open_dataset
from auditor.placement.cvat_file import read_document as read_cvat
from auditor.placement.labelme_file import read_document as read_labelme
from auditor.placement.via_file import read_document as read_via
from auditor.values.dataset import Dataset
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

RECT = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}


def pictures(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((16, 20), len(name), np.uint8)).save(root / name)


def opened(root: Path, layout: str) -> Dataset:
    dataset = open_dataset(root, Options(workers=0))
    assert dataset.summary.layout == layout
    return dataset


def corners(dataset: Dataset) -> list[tuple[str, list[float]]]:
    boxes = dataset.boxes
    return list(zip(boxes["label"], boxes[["x0", "y0", "x1", "y1"]].round(3).to_numpy().tolist(), strict=True))


def shape(kind: str, points: Any, label: Any = "nodule") -> dict[str, Any]:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}}


def labelme(path: Path, shapes: list[Any], **more: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": f"{path.stem}.png", "imageData": None, **more}
    path.write_text(json.dumps({**told, "imageHeight": 16, "imageWidth": 20}))


def test_each_shape_of_labelme_is_the_box_around_it(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    shapes = [
        shape("rectangle", [[9, 8], [1, 2]]),  # drawn from the lower right corner
        shape("polygon", [[1, 1], [5, 2], [3, 7]]),
        shape("circle", [[6, 6], [6, 9]]),
        shape("point", [[1, 1]]),
        shape("linestrip", [[1, 1], [2, 2]]),
    ]
    labelme(tmp_path / "a.json", shapes, flags={"blurred": True, "checked": False})
    dataset = opened(tmp_path, "labelme")
    assert corners(dataset) == [("nodule", [1, 2, 9, 8]), ("nodule", [1, 1, 5, 7]), ("nodule", [3, 3, 9, 9])]
    assert dataset.labels.values.to_dict() == {"a.png": "blurred"}
    assert any("2 points and lines are not read" in note for note in dataset.summary.notes)


def test_what_is_wrong_in_labelme_is_told(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png", "lonely.png")
    labelme(
        tmp_path / "a.json", [shape("polygon", [[1, 1], [2, 2]]), shape("rectangle", [[0, 0], ["x", 1]]), shape("circle", 7)]
    )
    labelme(tmp_path / "b.json", [shape("rectangle", [[0, 0], [1, 1]], label=" "), "no shape"])
    labelme(tmp_path / "gone.json", [shape("rectangle", [[0, 0], [1, 1]])])
    (tmp_path / "torn.json").write_text('{"shapes": [, "imagePath": "b.png"')
    told = {(problem.kind, problem.path) for problem in opened(tmp_path, "labelme").problems}
    assert {
        ("malformed", "a.json"), ("malformed", "b.json"), ("malformed", "torn.json"), ("missing", "gone.png"),
        ("unlisted", "lonely.png"),
    } <= told  # fmt: skip


def via(regions: Any, name: str = "a.png", **about: str) -> dict[str, Any]:
    return {"filename": name, "size": 99, "regions": regions, "file_attributes": about}


def region(shape: dict[str, Any], **said: Any) -> dict[str, Any]:
    return {"shape_attributes": shape, "region_attributes": said}


VIA_COLUMNS = (
    "filename", "file_size", "file_attributes", "region_count", "region_id", "region_shape_attributes", "region_attributes",
)  # fmt: skip
SHAPES = [
    (RECT, [1, 2, 4, 6]),
    ({"name": "circle", "cx": 8, "cy": 8, "r": 2}, [6, 6, 10, 10]),
    ({"name": "ellipse", "cx": 8, "cy": 8, "rx": 4, "ry": 2, "theta": 0}, [4, 6, 12, 10]),
    ({"name": "polygon", "all_points_x": [1, 5, 3], "all_points_y": [1, 2, 7]}, [1, 1, 5, 7]),
]


@pytest.mark.parametrize("form", ["project", "list", "numbered", "csv"])
def test_each_form_of_via_says_the_same(tmp_path: Path, form: str) -> None:
    pictures(tmp_path, "img/a.png")
    regions: Any = [region(told, type="nodule") for told, _ in SHAPES]
    if form == "csv":
        with (tmp_path / "via.csv").open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(
                [
                    "filename",
                    "file_size",
                    "file_attributes",
                    "region_count",
                    "region_id",
                    "region_shape_attributes",
                    "region_attributes",
                ]
            )
            for n, one in enumerate(regions):
                rows.writerow(
                    ["a.png", 99, "{}", 4, n, json.dumps(one["shape_attributes"]), json.dumps(one["region_attributes"])]
                )
    else:
        entries = {"a.png99": via({str(n): one for n, one in enumerate(regions)} if form == "numbered" else regions)}
        told = {"_via_settings": {}, "_via_img_metadata": entries, "_via_attributes": {}} if form == "project" else entries
        (tmp_path / "via.json").write_text(json.dumps(told))
    assert corners(opened(tmp_path, "via")) == [("nodule", box) for _, box in SHAPES]


def test_of_several_attributes_the_one_called_like_a_class_is_taken(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png")
    ticked = {"nodule": True, "cyst": False}
    entries = {
        "a": via([region(RECT, comment="sharp", type=ticked)], label="sick"),
        "b": via(
            [
                region(RECT, comment="dull", type={"cyst": True}),
                region(RECT, comment="dull"),
                region({"name": "point"}, type="x"),
            ],
            "b.png",
        ),
    }
    (tmp_path / "v.json").write_text(json.dumps(entries))
    dataset = opened(tmp_path, "via")
    assert [label for label, _ in corners(dataset)] == ["nodule", "cyst"]
    assert dataset.labels.values.dropna().to_dict() == {"a.png": "sick"}
    assert any("without a 'type'" in problem.reason for problem in dataset.problems)


def test_what_is_wrong_in_via_is_told(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "lonely.png")
    broken = [region({"name": "rect", "x": 1}, type="n"), {"region_attributes": {}}, region({**RECT, "x": "1e999"}, type="n")]
    (tmp_path / "v.json").write_text(json.dumps({"a": via(broken), "gone": via([], "gone.png"), "none": via([], "")}))
    told = [(problem.kind, problem.path) for problem in opened(tmp_path, "via").problems]
    assert told.count(("malformed", "v.json")) == 3
    assert ("missing", "gone.png") in told
    assert ("unlisted", "lonely.png") in told


def cvat(path: Path, images: str, head: str = "") -> None:
    path.write_text(
        f'<?xml version="1.0" encoding="utf-8"?>{head}\n<annotations>\n<version>1.1</version>\n{images}</annotations>'
    )


def test_each_shape_of_cvat_is_the_box_around_it_and_subsets_are_splits(tmp_path: Path) -> None:
    pictures(tmp_path, "images/a.png", "images/b.png")
    shapes = (
        '<box label="n" occluded="0" xtl="1" ytl="2" xbr="4" ybr="6" z_order="0"><attribute name="x">y</attribute></box>'
        '<box label="turned" xtl="2" ytl="4" xbr="10" ybr="6" rotation="90"/>'
        '<polygon label="n" points="1.00,1.00;5.00,2.00;3.00,7.00"/><ellipse label="n" cx="8" cy="8" rx="4" ry="2"/>'
        '<mask label="n" rle="3, 4" left="2" top="3" width="4" height="5"/><points label="n" points="1,1"/><tag label="sick"/>'
    )
    images = f'<image id="0" name="a.png" subset="Train" width="20" height="16">{shapes}</image>'
    cvat(tmp_path / "annotations.xml", images + '<image id="1" name="b.png" subset="Validation"><tag label="well"/></image>')
    dataset = opened(tmp_path, "cvat")
    boxes = [[1, 2, 4, 6], [5, 1, 7, 9], [1, 1, 5, 7], [4, 6, 12, 10], [2, 3, 6, 8]]
    assert [box for _, box in corners(dataset)] == boxes
    assert dataset.records["split"].tolist() == ["train", "val"]
    assert dataset.labels.values.tolist() == ["sick", "well"]


def test_what_is_wrong_in_cvat_is_told(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "lonely.png")
    shapes = (
        '<box label="n" xtl="1" ytl="2" xbr="" ybr="6"/><box xtl="1" ytl="2" xbr="3" ybr="6"/>'
        '<polygon label="n" points="1,1;2"/>'
    )
    cvat(tmp_path / "c.xml", f'<image name="a.png">{shapes}</image><image name="gone.png"/><image name=""/><track label="t"/>')
    dataset = opened(tmp_path, "cvat")
    told = [(problem.kind, problem.path) for problem in dataset.problems]
    assert told.count(("malformed", "c.xml")) == 4
    assert {("missing", "gone.png"), ("unlisted", "lonely.png")} <= set(told)
    assert any("tracks of a film are not read" in note for note in dataset.summary.notes)


def test_an_image_of_two_files_has_the_objects_of_both_and_it_is_told(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    for reader in ("one", "two"):
        labelme(tmp_path / reader / "a.json", [shape("rectangle", [[0, 0], [1, 1]])])
    dataset = opened(tmp_path, "labelme")
    assert len(dataset.boxes) == 2
    assert any("described by several files" in note for note in dataset.summary.notes)


def test_entities_tracks_alone_and_deep_chains_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "c.xml"
    cvat(file, '<image name="a.png"/>', head='<!DOCTYPE a [<!ENTITY b "c">]>')
    with pytest.raises(UnreadableFile, match="document type"):
        read_cvat(Limits(), file)
    cvat(file, '<track id="0" label="n"/>')
    with pytest.raises(UnreadableFile, match="names no image"):
        read_cvat(Limits(), file)
    file.write_text("[" * 100_000)
    for read in (read_cvat, read_labelme, read_via):
        with pytest.raises(UnreadableFile):
            read(Limits(), file)
        with pytest.raises(UnreadableFile, match="table-bytes"):
            read(Limits(table_bytes=10), file)


CVAT_LISTS = (
    "<meta><task><labels><label><name>nodule</name><attributes>"
    "<attribute><name>grade</name><input_type>select</input_type><values>low\nhigh</values></attribute>"
    "<attribute><name>size</name><input_type>number</input_type><values>0\n10\n1</values></attribute>"
    "<attribute><name>words</name><input_type>text</input_type><values></values></attribute></attributes></label>"
    "<label><name>cyst</name></label><label><name>line</name></label></labels></task></meta>"
)


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ("", []),
        (
            '<attribute name="grade">low</attribute><attribute name="size">10</attribute><attribute name="words">x</attribute>',
            [],
        ),
        ('<attribute name="grade"></attribute>', []),
        ('<attribute name="grade">huge</attribute><attribute name="size">11</attribute>', ["2 values of attributes outside"]),
        ('<attribute name="side">left</attribute>', ["1 attributes that the file does not declare"]),
    ],
)
def test_cvat_is_held_against_its_own_lists(tmp_path: Path, inside: str, told: list[str]) -> None:
    pictures(tmp_path, "a.png")
    shapes = f'<box label="nodule" xtl="1" ytl="2" xbr="4" ybr="6">{inside}</box><polyline label="line" points="1,1;2,2"/>'
    cvat(tmp_path / "c.xml", f'{CVAT_LISTS}<image name="a.png">{shapes}</image>')
    dataset = opened(tmp_path, "cvat")
    reasons = [problem.reason for problem in dataset.problems]
    assert (
        [any(problem.startswith(words) for problem in reasons) for words in told] == [True] * len(told) == [True] * len(reasons)
    )
    assert "1 of the declared classes are given to nothing: 'cyst'" in dataset.summary.notes


def test_classes_that_cvat_does_not_declare_are_told_and_kept(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    box = '<box label="{}" xtl="1" ytl="2" xbr="4" ybr="6"/>'
    for head, wrong in ((CVAT_LISTS, ["2 objects or tags of a class that the file does not declare"]), ("", [])):
        image = f'<image name="a.png">{box.format("Nodule")}{box.format("nodule")}<tag label="sick"/></image>'
        cvat(tmp_path / "c.xml", head + image)
        dataset = opened(tmp_path, "cvat")
        assert [problem.reason for problem in dataset.problems] == wrong
        assert set(dataset.boxes["label"]) == {"Nodule", "nodule"}


def test_via_is_held_against_its_own_lists(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    regions = [region(RECT, type=kind, side=side) for kind, side in (("nodule", "left"), ("Nodule", "left"), ("nodule", "up"))]
    lists = {
        "region": {
            "type": {"type": "dropdown", "options": {"nodule": "", "cyst": ""}},
            "side": {"type": "radio", "options": {"left": "", "right": ""}},
        },
        "file": {},
    }
    told = {"_via_settings": {}, "_via_img_metadata": {"a.png99": via(regions)}, "_via_attributes": lists}
    (tmp_path / "via.json").write_text(json.dumps(told))
    dataset = opened(tmp_path, "via")
    assert sorted(problem.reason for problem in dataset.problems) == [
        "1 objects or tags of a class that the file does not declare",
        "1 values of attributes outside the options that the file declares",
    ]
    assert "1 of the declared classes are given to nothing: 'cyst'" in dataset.summary.notes
    assert len(dataset.boxes) == 3
