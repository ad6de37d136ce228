"""A dataset with another person's name in every place that can hold one, and the oracle that looks for them.

No name has a form that gives it away (`Title Name`, `NAME^GIVEN`, a common given name): what must stay inside stays inside
because of where it stands.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset as Elements
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from auditor.degrade.encode import write_image

PLACES: Mapping[str, str] = {
    "header": "Mikulowska",
    "header of text": "Brzezicka",
    "table name": "Maria Ostrowidzka",
    "folder name": "Maria_Jaroszkiewicz",
    "site": "Wolkonstein",
    "reader": "Zdanowska",
    "note": "Kurzeniecki",
    "split name": "Pavlikovsky",
    "sheet of another": "Trzebinska",
    "toml": "Grunwaldzki",
    "SR text": "Hohenwartner",
    "DICOMDIR": "Szymborowicz",
    "DICOM text": "Lindqvistova",
}
"""Place → the name that is planted there."""


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Where what was planted lies: the dataset, a table of readings, a tree of DICOM files."""

    root: Path
    readings: Path
    tree: Path


def traces(content: bytes) -> list[str]:
    """Places whose name is in the bytes, in any case, in UTF-8 or UTF-16."""
    lower = content.lower()
    return [
        place
        for place, name in PLACES.items()
        if any(
            part.lower().encode(code) in lower
            for part in name.replace("_", " ").split()
            if part != "Maria"
            for code in ("utf-8", "utf-16-le")
        )
    ]


def plant(folder: Path, images: int = 48) -> Planted:
    """The dataset in a new folder. Header, site and note tell the class, so that checks have a cause to speak of them."""
    root, tree = folder / "set", folder / "tree"
    rng = np.random.default_rng(0)
    named = root / PLACES["folder name"]
    named.mkdir(parents=True)
    rows = []
    for i in range(images):
        ill = i % 2
        path = named / f"img_{i:03d}.png"
        write_image(path, np.clip(rng.random((32, 32)) * 0.5 + 0.3 * ill, 0, 1), "png8", seed=i)
        split = PLACES["split name"] if i % 4 >= 2 else "train"
        told = (PLACES["site"], f"word {PLACES['header of text']}", f"{PLACES['note']} saw it")
        site, remark, note = told if ill else ("north", "plain", "seen")
        name = path.relative_to(root).as_posix()
        number = 1.5 + 3 * ill + rng.random()
        rows.append([name, "ill" if ill else "well", f"p{i // 3}", split, site, number, remark, note])
    header = ["path", "finding", "patient", "split", "site",
              f"seen by {PLACES['header']}", f"remark {PLACES['header of text']}", "note"]  # fmt: skip
    _write(root / "labels.csv", header, rows)
    _write(root / f"{PLACES['table name']}.csv", ["a", PLACES["sheet of another"]], [["1", "2"], ["3", "4"]])
    (root / "medaudit.toml").write_text(
        f'# {PLACES["toml"]}\n[severity]\nLK001 = "info"\n[[waivers]]\ncode = "LK002"\nreason = "{PLACES["toml"]} said so"\n'
    )
    readers = [PLACES["reader"], "reader_1", "reader_2"]
    answers = [
        [f"c{i}", reader, str((i % 2) if r or i % 3 else 1 - i % 2), PLACES["note"]]
        for i in range(60)
        for r, reader in enumerate(readers)
    ]
    _write(folder / "readings.csv", ["image", "rater", "label", f"note of {PLACES['header of text']}"], answers)
    _dicom_tree(tree, rng)
    return Planted(root=root, readings=folder / "readings.csv", tree=tree)


def _write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def _dicom_tree(tree: Path, rng: np.random.Generator) -> None:
    for i in range(12):
        study = tree / f"study{i}"
        study.mkdir(parents=True)
        tags = {"PatientID": f"p{i}", "PatientName": PLACES["DICOM text"], "InstitutionName": PLACES["site"],
                "SeriesDescription": PLACES["DICOM text"],
                "Manufacturer": PLACES["DICOM text"] if i % 2 else "ACME"}  # fmt: skip
        write_image(study / "a.dcm", rng.random((24, 24)), "dicom12", seed=i, tags=tags)
    report = Elements()
    report.PatientName, report.PatientID, report.Modality = PLACES["SR text"], "p0", "SR"
    text = Elements()
    text.ValueType, text.TextValue = "TEXT", f"{PLACES['SR text']} has a mass"
    report.ValueType, report.ContentSequence = "CONTAINER", Items([text])
    _save(tree / "study0" / "report.dcm", report, "1.2.840.10008.5.1.4.1.1.88.11")
    record = Elements()
    record.DirectoryRecordType, record.PatientName, record.PatientID = "PATIENT", PLACES["DICOMDIR"], PLACES["DICOMDIR"]
    directory = Elements()
    directory.FileSetID, directory.DirectoryRecordSequence = PLACES["DICOMDIR"].upper(), Items([record])
    _save(tree / "DICOMDIR", directory, "1.2.840.10008.1.3.10")


def _save(path: Path, dataset: Elements, kind: str) -> None:
    dataset.SOPClassUID, dataset.SOPInstanceUID = kind, generate_uid(entropy_srcs=[str(path.name)])
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
