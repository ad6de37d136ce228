"""A label table beside COCO, LabelMe and YOLO: patients, splits and labels are joined, and what cannot be joined is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import medaudit
from auditor.layout import Options, open_dataset
from auditor.values.dataset import Dataset

MANY = 12


def pictures(root: Path) -> None:
    for number in range(MANY):
        path = root / f"images/{number:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (20, 20), dtype=np.uint8)).save(path)


def coco(root: Path, name: str = "a.json") -> None:
    images = [{"id": n, "file_name": f"{n:03d}.png"} for n in range(MANY)]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 2, 3, 4]} for n in range(MANY)]
    told = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cell"}]}
    (root / name).write_text(json.dumps(told))


def labelme(root: Path) -> None:
    for number in range(MANY):
        shapes = [{"label": "cell", "shape_type": "rectangle", "points": [[1, 2], [3, 4]]}]
        told = {"shapes": shapes, "flags": {}, "imagePath": f"{number:03d}.png"}
        (root / f"images/{number:03d}.json").write_text(json.dumps(told))


def yolo(root: Path) -> None:
    for number in range(MANY):
        (root / f"images/{number:03d}.txt").write_text("0 0.5 0.5 0.25 0.5\n")


def via(root: Path) -> None:
    shape = json.dumps({"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}).replace('"', '""')
    rows = [f'{n:03d}.png,9,"{{}}",1,0,"{shape}","{{""type"": ""cell""}}"' for n in range(MANY)]
    head = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
    (root / "via.csv").write_text("\n".join([head, *rows]) + "\n")


FORMS: dict[str, Callable[[Path], None]] = {"coco": coco, "labelme": labelme, "yolo": yolo, "via": via}


def table(root: Path, *, rows: int = MANY, name: str = "patients.csv") -> None:
    lines = [f"{n:03d}.png,P{n // 2:02d},{'train' if n % 4 < 2 else 'test'},{'ab'[n % 2]},{n % 5}" for n in range(rows)]
    (root / name).write_text("\n".join(["image,patient_id,split,diagnosis,score", *lines]) + "\n")


def opened(root: Path) -> Dataset:
    return open_dataset(root, Options(workers=0))


@pytest.mark.parametrize("form", FORMS)
def test_patients_splits_labels_and_columns_of_the_table_are_joined(tmp_path: Path, form: str) -> None:
    pictures(tmp_path)
    FORMS[form](tmp_path)
    table(tmp_path)
    dataset = opened(tmp_path)
    assert dataset.summary.layout == form
    assert len(dataset.boxes) == MANY
    assert dataset.records["patient"].tolist() == [f"P{n // 2:02d}" for n in range(MANY)]
    assert dataset.records["split"].tolist() == ["train" if n % 4 < 2 else "test" for n in range(MANY)]
    assert dataset.labels.values.tolist() == ["ab"[n % 2] for n in range(MANY)]
    assert "table.score" in dataset.metadata.columns
    assert dataset.problems == ()
    assert dataset.summary.counts["rows_used"] == MANY


def test_a_patient_in_two_splits_is_found_where_only_a_table_says_so(tmp_path: Path) -> None:
    pictures(tmp_path)
    coco(tmp_path)
    rows = [f"{n:03d}.png,P{n % 6:02d},{'train' if n < 6 else 'test'}" for n in range(MANY)]
    (tmp_path / "p.csv").write_text("\n".join(["image,patient_id,split", *rows]) + "\n")
    result = medaudit.scan(tmp_path, select=["SP001"], workers=0, cache=False)
    assert {finding.code for finding in result.findings} == {"SP001"}


def test_splits_of_documents_go_before_those_of_a_table(tmp_path: Path) -> None:
    pictures(tmp_path)
    coco(tmp_path, "instances_val.json")
    table(tmp_path)
    dataset = opened(tmp_path)
    assert set(dataset.records["split"]) == {"val"}
    guess = dataset.guess("split")
    assert guess is not None
    assert "COCO" in guess.value
    assert dataset.records["patient"].notna().all()


def test_images_that_the_table_does_not_name_are_told(tmp_path: Path) -> None:
    pictures(tmp_path)
    coco(tmp_path)
    table(tmp_path, rows=MANY - 3)
    dataset = opened(tmp_path)
    assert dataset.records["patient"].isna().sum() == 3
    assert any("3 images are not in the table patients.csv" in note for note in dataset.summary.notes)


@pytest.mark.parametrize("why", ["several rows of an image", "few images"])
def test_a_table_that_cannot_be_joined_is_told_as_unused(tmp_path: Path, why: str) -> None:
    pictures(tmp_path)
    coco(tmp_path)
    table(tmp_path, rows=MANY if why.startswith("several") else 3)
    if why.startswith("several"):
        lines = (tmp_path / "patients.csv").read_text().splitlines()
        (tmp_path / "patients.csv").write_text("\n".join([*lines, lines[1].replace("P00", "P77")]) + "\n")
    dataset = opened(tmp_path)
    assert dataset.records["patient"].isna().all()
    assert [problem.path for problem in dataset.problems if problem.kind == "unused-table"] == ["patients.csv"]
