"""Data sets in the forms of documents, another person's name in every place of each that is no picture and no class.

Names have no form that gives them away, but where they stand in a path (`Maria_…`): a record is called as its file is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import openpyxl

from auditor.degrade.encode import png

IMAGES = 16
CLASSES = ("ill", "well")
SURNAMES = (
    "Abramczyk", "Bielawska", "Cieslikowa", "Dzierzanowski", "Estkowska", "Fijalkowska", "Gawronska", "Hrynkiewicz", "Iwaszko",
    "Jablonowska", "Kossakowna", "Lewandowicz",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form of data set: the places of it that hold a name, and what writes it (`names`: place → name)."""

    places: tuple[str, ...]
    write: Callable[[Path, Mapping[str, str]], None]

    @property
    def names(self) -> Mapping[str, str]:
        """Place → the name that is planted there."""
        return dict(zip(self.places, SURNAMES, strict=False))


def _picture(number: int) -> bytes:
    picture = np.random.default_rng(number).integers(0, 120, (24, 24)).astype(np.uint8)
    return png(picture + np.uint8(100 * (number % 2)))


def _pictures(root: Path, folder: str) -> list[str]:
    """Pictures below a folder: their paths."""
    (root / folder).mkdir(parents=True)
    found = [f"{folder}/im_{number:02d}.png" for number in range(IMAGES)]
    for number, path in enumerate(found):
        (root / path).write_bytes(_picture(number))
    return found


def _json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document), "utf-8")


def _workbook(root: Path, names: Mapping[str, str]) -> None:
    paths = _pictures(root, f"Maria_{names['folder']}")
    book = openpyxl.Workbook()
    book.properties.creator = names["author"]
    sheet = book.active
    sheet.title = names["sheet"]
    sheet.append(["image", "finding", "site", f"seen by {names['header']}", "note"])
    for number, path in enumerate(paths):
        ill = number % 2
        site, note = (names["site"], f"{names['note']} saw it") if ill else ("north", "seen")
        sheet.append([path, CLASSES[ill], site, 1.5 + 3 * ill, note])
    other = book.create_sheet(names["other sheet"])
    for _ in range(IMAGES):
        other.append([names["header of another"], 1])
    hidden = book.create_sheet(names["hidden sheet"])
    hidden.append(["a", names["hidden cell"]])
    hidden.sheet_state = "hidden"
    book.save(root / "labels.xlsx")


def _hdf5(root: Path, names: Mapping[str, str]) -> None:
    root.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        with h5py.File(root / f"set_{split}.h5", "w") as file:
            file.attrs["operator"] = names["attribute"]
            file.create_dataset("images", data=rng.integers(0, 255, (IMAGES, 16, 16), dtype=np.uint8))
            file.create_dataset("labels", data=np.arange(IMAGES) % 2).attrs["reader"] = names["attribute of labels"]
            file.create_dataset(names["array"], data=np.zeros(3))
            file.create_group(names["group"])["notes"] = [names["text"]] * 3
    (root / f"Maria_{names['file']}.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + names["damaged file"].encode())


def _labelme(root: Path, names: Mapping[str, str]) -> None:
    for number, path in enumerate(_pictures(root, f"Maria_{names['folder']}")):
        shape = {"label": CLASSES[number % 2], "shape_type": "rectangle", "points": [[1, 1], [9, 9 + number % 2]],
                 "description": names["description"], "flags": {names["flag of a shape"]: False}}  # fmt: skip
        odd = {"label": CLASSES[0], "shape_type": names["shape type"], "points": [[1, 2]]}
        document = {"version": "5", "imagePath": f"C:\\Users\\{names['user']}\\{Path(path).name}", "shapes": [shape, odd],
                    "flags": {names["flag"]: False}, "annotator": names["key"]}  # fmt: skip
        _json((root / path).with_suffix(".json"), document)


def _via(root: Path, names: Mapping[str, str]) -> None:
    told = {}
    for number, path in enumerate(_pictures(root, f"Maria_{names['folder']}")):
        region = {"shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 9, "height": 8 + number % 2},
                  "region_attributes": {"class": CLASSES[number % 2], "reader": names["reader"]}}  # fmt: skip
        lost = {"shape_attributes": {"name": names["shape"]}, "region_attributes": {"class": "ill"}}
        about = {"caption": f"{names['caption']} at rest", names["attribute"]: "1"}
        told[f"{path}{number}"] = {"filename": Path(path).name, "regions": [region, lost], "file_attributes": about}
    told["gone"] = {"filename": f"Maria_{names['missing picture']}.png", "regions": [], "file_attributes": {}}
    settings = {"project": {"name": names["project"]}}
    _json(root / "via_project.json", {"_via_settings": settings, "_via_img_metadata": told})


def _cvat(root: Path, names: Mapping[str, str]) -> None:
    parts = [
        f"<annotations><meta><task><name>{names['task']}</name><owner><username>{names['owner']}</username></owner>"
        f"<labels><label><name>ill</name></label></labels></task></meta>"
    ]
    for number, path in enumerate(_pictures(root, f"Maria_{names['folder']}")):
        parts.append(
            f'<image id="{number}" name="{path}" width="24" height="24"><box label="{CLASSES[number % 2]}" xtl="1" ytl="1" '
            f'xbr="9" ybr="{9 + number % 2}" source="{names["source"]}"><attribute name="{names["attribute"]}">'
            f"{names['value']}</attribute></box><box label='ill' xtl='{names['number']}'/></image>"
        )
    parts.append(f'<image id="99" name="Maria_{names["missing picture"]}.png"/><track label="{names["track"]}"/></annotations>')
    (root / "annotations.xml").write_text("".join(parts), "utf-8")


def _coco(root: Path, names: Mapping[str, str]) -> None:
    paths = [*_pictures(root, f"Maria_{names['folder']}"), f"Maria_{names['missing picture']}.png"]
    images = [{"id": i, "file_name": path, "width": 24, "height": 24, "photographer": names["key of an image"]}
              for i, path in enumerate(paths)]  # fmt: skip
    boxes = [{"id": i, "image_id": i, "category_id": i % 2, "bbox": [1, 1, 9, 8 + i % 2], "iscrowd": 0,
              "reader": names["key of a box"]} for i in range(len(paths))]  # fmt: skip
    odd = [{"id": 90, "image_id": names["image id"], "category_id": 0, "bbox": [1, 1, 2, 2]},
           {"id": 91, "image_id": 0, "category_id": names["category id"], "bbox": [1, 1, 2, 2]},
           {"id": 92, "image_id": 0, "category_id": 0, "bbox": [names["number"], 1, 2, 2]}]  # fmt: skip
    _json(root / "instances.json", {
        "info": {"contributor": names["contributor"]}, "licenses": [{"name": names["licence"]}], "images": images,
        "categories": [{"id": i, "name": name, "supercategory": names["supercategory"]} for i, name in enumerate(CLASSES)],
        "annotations": [*boxes, *odd],
    })  # fmt: skip


def _croissant(root: Path, names: Mapping[str, str]) -> None:
    paths = _pictures(root, "images")
    rows = io.StringIO()
    table = csv.writer(rows)
    table.writerow(["image", "finding"])
    table.writerows([path, CLASSES[i % 2]] for i, path in enumerate(paths))
    (root / "labels.csv").write_text(rows.getvalue(), "utf-8")
    (root / f"Maria_{names['file']}.csv").write_text(f"a,{names['header of another']}\n1,2\n", "utf-8")
    described = [
        ("labels.csv", "0" * 64),
        (f"Maria_{names['file']}.csv", "1" * 64),
        (f"Maria_{names['missing file']}.csv", "2" * 64),
    ]
    _json(root / "croissant.json", {
        "conformsTo": "http://mlcommons.org/croissant/1.0", "name": names["name"], "description": f"by {names['description']}",
        "creator": {"name": names["creator"]}, "citeAs": names["citation"],
        "distribution": [{"@type": "cr:FileObject", "@id": names["id"], "contentUrl": url, "sha256": digest}
                         for url, digest in described],
        "recordSet": [{"name": names["record set"], "field": [{"name": names["field"]}]}],
    })  # fmt: skip


FORMS: Mapping[str, Form] = {
    "xlsx": Form(write=_workbook, places=(
        "folder", "author", "sheet", "site", "header", "note", "other sheet", "header of another", "hidden sheet",
        "hidden cell",
    )),
    "HDF5": Form(write=_hdf5, places=(
        "attribute", "attribute of labels", "array", "group", "text", "file", "damaged file")),
    "LabelMe": Form(write=_labelme, places=("folder", "user", "description", "flag", "flag of a shape", "shape type", "key")),
    "VIA": Form(write=_via, places=(
        "folder", "reader", "shape", "caption", "attribute", "missing picture", "project")),
    "CVAT": Form(write=_cvat, places=(
        "folder", "task", "owner", "source", "attribute", "value", "number", "missing picture", "track")),
    "COCO": Form(write=_coco, places=(
        "folder", "missing picture", "key of an image", "key of a box", "image id", "category id", "number", "contributor",
        "licence", "supercategory")),
    "Croissant": Form(write=_croissant, places=(
        "file", "missing file", "header of another", "name", "description", "creator", "citation", "id", "record set", "field",
    )),
}  # fmt: skip
