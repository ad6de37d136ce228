"""What holds for every layout, ours and a plug-in's: a small set of each is here; it is chosen, and its counts add up."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
from foreign import installed
from PIL import Image

from auditor import layout as layout_module
from auditor.degrade.encode import encode
from auditor.layout import Options, detect, layouts, list_files, open_dataset
from auditor.placement.claims import ROLES
from auditor.values.dataset import RECORD_COLUMNS

FOREIGN = """
from auditor.layout import Detection
from auditor.placement.claims import claim
from auditor.placement.records import Draft, build, no_labels

def detect(listing, options):
    return Detection(layout="toy", confidence=0.99, why="toy.ini") if "toy.ini" in listing.files else None

def load(listing, options):
    ids = [path for path in listing.inventory.images if not path.startswith("drawn/")]
    masks = [path for path in listing.inventory.images if path.startswith("drawn/")]
    claims = claim(listing, "toy", masks=masks, annotations=["toy.ini"])
    columns = {"path": ids, "mask": masks}
    return build(Draft(root=listing.root, name="toy", claims=claims, ids=ids, labels=no_labels(ids), columns=columns,
                       mask_names={1: "lesion"}, problems=listing.problems))
"""


def picture(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (16, 16), dtype=np.uint8)).save(path)


def folders(root):
    for i in range(6):
        picture(root / f"{'ab'[i % 2]}/{i}.png", i)


def table(root):
    for i in range(6):
        picture(root / f"images/{i}.png", i)
    (root / "labels.csv").write_text("path,label\n" + "".join(f"images/{i}.png,{'ab'[i % 2]}\n" for i in range(6)))


def medmnist(root):
    np.savez(root / "m.npz", train_images=np.zeros((4, 8, 8), np.uint8), train_labels=np.array([[0], [1], [0], [1]], np.uint8))


def voc(root):
    for i in range(4):
        picture(root / f"JPEGImages/{i}.png", i)
        (root / "Annotations").mkdir(exist_ok=True)
        (root / f"Annotations/{i}.xml").write_text(f"<annotation><filename>{i}.png</filename></annotation>")


def dicom_tree(root):
    for i in range(4):
        (root / f"p{i // 2}").mkdir(exist_ok=True)
        (root / f"p{i // 2}/{i}.dcm").write_bytes(encode(np.zeros((8, 8)), "dicom16", seed=i))


def nnunet(root):
    for i in range(4):
        picture(root / f"imagesTr/case{i}_0000.png", i)
        picture(root / f"labelsTr/case{i}.png", i)
    told = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 1}, "numTraining": 4}
    (root / "dataset.json").write_text(json.dumps(told))


def coco(root):
    for i in range(4):
        picture(root / f"images/{i}.png", i)
    told = {
        "images": [{"id": i, "file_name": f"{i}.png"} for i in range(4)],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [{"id": i, "image_id": i, "category_id": 1, "bbox": [1, 2, 3, 4]} for i in range(4)],
    }
    (root / "instances.json").write_text(json.dumps(told))


def yolo(root):
    for i in range(4):
        picture(root / f"images/{i}.png", i)
        (root / "labels").mkdir(exist_ok=True)
        (root / f"labels/{i}.txt").write_text("0 0.5 0.5 0.25 0.5\n")


def labelme(root):
    for i in range(4):
        picture(root / f"{i}.png", i)
        shapes = [{"label": "cell", "shape_type": "rectangle", "points": [[1, 2], [3, 4]]}]
        (root / f"{i}.json").write_text(json.dumps({"flags": {}, "shapes": shapes, "imagePath": f"{i}.png"}))


def via(root):
    shape = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}
    regions = [{"shape_attributes": shape, "region_attributes": {"type": "cell"}}]
    for i in range(4):
        picture(root / f"{i}.png", i)
    told = {f"{i}.png9": {"filename": f"{i}.png", "size": 9, "regions": regions, "file_attributes": {}} for i in range(4)}
    (root / "via_export_json.json").write_text(json.dumps(told))


def cvat(root):
    for i in range(4):
        picture(root / f"{i}.png", i)
    box = '<box label="cell" xtl="1" ytl="2" xbr="3" ybr="4"/>'
    images = "".join(f'<image id="{i}" name="{i}.png" width="16" height="16">{box}</image>' for i in range(4))
    (root / "annotations.xml").write_text(f"<annotations><version>1.1</version>{images}</annotations>")


def hdf5(root):
    with h5py.File(root / "split_train_x.h5", "w") as images, h5py.File(root / "split_train_y.h5", "w") as labels:
        images["x"] = np.arange(4 * 8 * 8 * 3, dtype=np.uint8).reshape(4, 8, 8, 3)
        labels["y"] = np.array([0, 1, 0, 1], np.uint8).reshape(4, 1, 1, 1)


def toy(root):
    for i in range(4):
        picture(root / f"seen/{i}.png", i)
        picture(root / f"drawn/{i}.png", i)
    (root / "toy.ini").write_text("[toy]\n")


GOLDEN = {
    "folders": folders, "table": table, "medmnist": medmnist, "voc": voc, "dicom_tree": dicom_tree, "nnunet": nnunet,
    "coco": coco, "yolo": yolo, "labelme": labelme, "via": via, "cvat": cvat, "hdf5": hdf5,
    "toy": toy,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def foreign(tmp_path_factory):
    """A package that brings a layout is installed."""
    with installed(tmp_path_factory.mktemp("foreign"), "[medaudit.layouts]\ntoy = toy_layout\n", FOREIGN, module="toy_layout"):
        yield


def test_every_layout_has_a_set_here():
    assert set(GOLDEN) == set(layouts())


@pytest.mark.parametrize("name", GOLDEN)
def test_the_layout_is_chosen_and_every_file_and_record_is_counted(name, tmp_path):
    GOLDEN[name](tmp_path)
    (tmp_path / "notes.txt").write_text("anything\n")
    assert detect(list_files(tmp_path), Options())[0].layout == name
    dataset = open_dataset(tmp_path, Options(workers=0))
    counts = dataset.summary.counts
    assert dataset.summary.layout == name
    assert sum(counts.get(role, 0) for role in ROLES) == counts["files"] == len(list_files(tmp_path).files)
    assert counts["records"] == dataset.size > 0
    assert min(counts.values()) >= 0
    assert counts["other"] == 1
    assert tuple(dataset.records.columns) == RECORD_COLUMNS
    assert dataset.records.index.is_unique
    assert (dataset.labels.values.index == dataset.records.index).all()
    assert all((tmp_path / path).is_file() for path in dataset.records["path"])
    assert all((tmp_path / path).is_file() for path in dataset.records["mask"].dropna())


@pytest.mark.parametrize("name", GOLDEN)
def test_a_layout_that_is_pinned_where_it_does_not_fit_opens_or_says_so_in_one_line(name, tmp_path):
    (tmp_path / "words.txt").write_text("nothing\n")
    picture(tmp_path / "one.png")
    try:
        assert open_dataset(tmp_path, Options(layout=name, workers=0)).summary.layout == name
    except layout_module.DatasetError as error:
        line = str(error)
        assert "\n" not in line


@pytest.mark.parametrize("name", GOLDEN)
def test_the_same_files_are_the_same_dataset(name, tmp_path):
    GOLDEN[name](tmp_path)
    one, other = (open_dataset(tmp_path, Options(workers=0)) for _ in range(2))
    assert one.summary == other.summary
    assert one.records.equals(other.records)
    assert one.problems == other.problems
