"""What each layout reads is what it says (`READS`), shown by a set that has all of it; the page of the docs is made of that."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from dicom_drawings import mask, write_segmentation, write_slices
from PIL import Image

from auditor.degrade.encode import encode
from auditor.layout import PARTS, Options, layouts, open_dataset, parts_of

DOCS = Path(__file__).parents[3] / "docs"
PLACES = tuple(
    f"{split}/patient{n}/{n}.png" for split, numbers in (("train", range(4)), ("test", range(4, 8))) for n in numbers
)
"""Images in folders of splits and of patients."""


def picture(path: Path, value: int = 7) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((16, 16), value, np.uint8)).save(path)


def placed(root: Path) -> None:
    for number, place in enumerate(PLACES):
        picture(root / place, number)
        picture(root / place.replace(".png", "_mask.png"), 200)


def folders(root: Path) -> None:
    for number in range(8):
        name = f"{('train', 'test')[number > 3]}/{'ab'[number % 2]}/patient{number:02d}"
        picture(root / f"{name}_t1.png", number)
        picture(root / f"{name}_t2.png", number + 20)


def raters(root: Path) -> None:
    for number in range(4):
        picture(root / f"images/{number}.png", number)
        for reader in ("reader1", "reader2"):
            picture(root / f"{reader}/{number}.png", 200)


def patients(root: Path) -> None:
    for number in range(24):
        picture(root / f"{'ab'[number // 3 % 2]}/patient{number // 3:02d}/{number}.png", number)


def channels(root: Path) -> None:
    for case in range(5):
        for number, tail in enumerate(("t1", "t1ce", "t2", "flair", "seg")):
            picture(root / f"BraTS20_Training_{case:03d}/BraTS20_Training_{case:03d}_{tail}.png", number)


def table(root: Path) -> None:
    for number in range(8):
        picture(root / f"images/{number}.png", number)
        picture(root / f"masks/{number}.png", 200)
    rows = [f"{n}.png,p{n // 2},{'ab'[n % 2]},{('train', 'test')[n > 3]}\n" for n in range(8)]
    (root / "labels.csv").write_text("image,patient_id,label,split\n" + "".join(rows))


def table_boxes(root: Path) -> None:
    for number in range(8):
        picture(root / f"images/{number}.png", number)
    rows = [f"{n}.png,R{r},ab,1,1,3,3\n" for n in range(8) for r in range(3)]
    (root / "boxes.csv").write_text("image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n" + "".join(rows))


def table_channels(root: Path) -> None:
    for case in range(6):
        for number, tail in enumerate(("t1", "flair")):
            picture(root / f"case_{case:03d}/case_{case:03d}_{tail}.png", number + case)
    (root / "cases.csv").write_text("case_id,label\n" + "".join(f"case_{n:03d},{'ab'[n % 2]}\n" for n in range(6)))


def medmnist(root: Path) -> None:
    arrays = {f"{split}_images": np.zeros((4, 8, 8), np.uint8) for split in ("train", "test")}
    labels = {f"{split}_labels": np.array([[0], [1], [0], [1]], np.uint8) for split in ("train", "test")}
    np.savez(root / "m.npz", **arrays, **labels)


def slides(root: Path) -> None:
    rows = "".join(f"{number},s{number // 2}\n" for number in range(4))
    np.savez(root / "m.npz", images=np.zeros((4, 8, 8), np.uint8), labels=np.arange(4) % 2)
    with h5py.File(root / "m.h5", "w") as file:
        file["images"], file["labels"] = np.zeros((4, 8, 8), np.uint8), np.arange(4) % 2
    (root / "m_meta.csv").write_text("x,wsi\n" + rows)


def hdf5(root: Path) -> None:
    with h5py.File(root / "m.h5", "w") as file:
        for split in ("train", "test"):
            file[f"{split}_images"], file[f"{split}_labels"] = np.zeros((4, 8, 8), np.uint8), np.arange(4) % 2


def voc(root: Path) -> None:
    for number in range(4):
        picture(root / f"JPEGImages/{number}.png", number)
        picture(root / f"JPEGImages/{number}_mask.png", 200)
        (root / "Annotations").mkdir(exist_ok=True)
        box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
        text = f"<annotation><filename>{number}.png</filename><object><name>a</name>{box}</object></annotation>"
        (root / f"Annotations/{number}.xml").write_text(text)
    (root / "ImageSets/Main").mkdir(parents=True)
    (root / "ImageSets/Main/train.txt").write_text("0\n1\n")


def dicom_tree(root: Path) -> None:
    rows = []
    for number in range(8):
        for name, value in (("ct", number / 9), ("ct_mask", 1.0)):
            path = root / f"files/p{number // 2}/{number}_{name}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(np.full((8, 8), value), "dicom16", seed=number))
        rows.append(f"p{number // 2}/{number}_ct.dcm,p{number // 2},{'ab'[number % 2]},{('train', 'test')[number > 3]}\n")
    (root / "labels.csv").write_text("path,patient_id,label,split\n" + "".join(rows))


def dicom_drawings(root: Path) -> None:
    write_slices(root / "ct")
    write_segmentation(root / "seg.dcm", [(1, n, mask(n)) for n in range(4)], segments={1: "liver"})


def nnunet(root: Path) -> None:
    for number in range(4):
        for channel in range(2):
            picture(root / f"imagesTr/case{number}_{channel:04d}.png", number)
        picture(root / f"labelsTr/case{number}.png", number)
    told = {"channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "liver": 1}, "numTraining": 4}
    (root / "dataset.json").write_text(json.dumps(told))


def coco(root: Path) -> None:
    placed(root)
    boxes = [
        {"id": i, "image_id": i, "category_id": 1, "bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 4, 2, 4, 6]]} for i in range(8)
    ]
    tags = [{"id": 10 + i, "image_id": i, "category_id": 2} for i in range(8)]
    names = [{"id": i, "file_name": place} for i, place in enumerate(PLACES)]
    kinds = [{"id": 1, "name": "cell"}, {"id": 2, "name": "sick"}]
    (root / "i.json").write_text(json.dumps({"images": names, "categories": kinds, "annotations": boxes + tags}))


def yolo(root: Path) -> None:
    placed(root)
    for place in PLACES:
        (root / place).with_suffix(".txt").write_text("0 0.5 0.5 0.25 0.5\n0 0.1 0.1 0.5 0.1 0.5 0.9\n")


def yolo_table(root: Path) -> None:
    yolo(root)
    (root / "labels.csv").write_text(
        "image,label\n" + "".join(f"{p.rpartition('/')[2]},{'ab'[i % 2]}\n" for i, p in enumerate(PLACES))
    )


def labelme(root: Path) -> None:
    placed(root)
    for place in PLACES:
        shapes = [{"label": "cell", "shape_type": "rectangle", "points": [[1, 2], [3, 4]]}]
        shapes.append({"label": "cell", "shape_type": "polygon", "points": [[1, 2], [3, 4], [1, 7]]})
        told = {"flags": {"sick": True}, "shapes": shapes, "imagePath": place.rpartition("/")[2]}
        (root / place).with_suffix(".json").write_text(json.dumps(told))


def via(root: Path) -> None:
    placed(root)
    rectangle = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}
    circle = {"name": "circle", "cx": 8, "cy": 8, "r": 3}
    regions = [{"shape_attributes": shape, "region_attributes": {"type": "cell"}} for shape in (rectangle, circle)]
    told = {place: {"filename": place, "regions": regions, "file_attributes": {"label": "sick"}} for place in PLACES}
    (root / "via.json").write_text(json.dumps(told))


def cvat(root: Path) -> None:
    placed(root)
    shapes = (
        '<box label="cell" xtl="1" ytl="2" xbr="3" ybr="4"/><polygon label="cell" points="1,2;3,4;1,7"/><tag label="sick"/>'
    )
    images = "".join(f'<image name="{place}">{shapes}</image>' for place in PLACES)
    (root / "annotations.xml").write_text(f"<annotations><version>1.1</version>{images}</annotations>")


SETS: dict[str, tuple[Callable[[Path], None], ...]] = {
    "folders": (folders, raters, patients, channels, dicom_drawings), "table": (table, table_boxes, table_channels),
    "medmnist": (medmnist, slides),
    "hdf5": (hdf5, slides), "voc": (voc,), "dicom_tree": (dicom_tree, dicom_drawings),
    "nnunet": (nnunet,), "coco": (coco,), "yolo": (yolo, yolo_table),
    "labelme": (labelme,), "via": (via,), "cvat": (cvat,),
}  # fmt: skip


def test_every_layout_has_sets_here() -> None:
    assert set(SETS) == set(layouts())


@pytest.mark.parametrize("name", SETS)
def test_a_layout_reads_what_it_says_and_nothing_else(name: str, tmp_path: Path) -> None:
    found: set[str] = set()
    for number, make in enumerate(SETS[name]):
        root = tmp_path / str(number)
        root.mkdir()
        make(root)
        dataset = open_dataset(root, Options(workers=0, layout=name))
        found |= parts_of(dataset)
    assert found == layouts()[name].READS
    assert found <= set(PARTS)


def test_the_page_of_layouts_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_pages", DOCS / "make_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "layouts.md").read_text("utf-8") == module.layouts_page(), "run `python docs/make_pages.py`"
