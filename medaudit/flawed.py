"""The flawed, real-looking dataset of `medaudit demo`, made on the spot; `medaudit.demo` tells what a scan finds of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from auditor.degrade.copies import NEAR_COPIES, copy_bytes, copy_pixels, near_copy
from auditor.degrade.encode import SUFFIX, Picture, to_depth, write_image
from auditor.degrade.flaws import Truth, flip_uniform, mix_patients, rate, write_truth
from auditor.degrade.hostile import write_unreadable
from auditor.degrade.phantom import radiograph
from auditor.files import head_of
from auditor.values.errors import MedauditError

DEEP, SHALLOW = "pneumonia", "normal"
KINDS = {DEEP: ("dicom16", "tiff16"), SHALLOW: ("png8", "jpeg")}
FLIPPED = 0.08
MIXED = 12
COPIES = 8
NEAR = tuple(NEAR_COPIES)
READERS = {"reader_1": 0.95, "reader_2": 0.93, "reader_3": 0.62}
UNREAD = 0.04


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What `make_demo` made.

    Args:
        dataset: the folder to scan: `labels.csv` and `images/`.
        truth: what was planted, as a table, outside the dataset.
        rows: the rows of that table.
        images: number of image files, the unreadable ones included.
        patients: number of patients.
    """

    dataset: Path
    truth: Path
    rows: tuple[Truth, ...]
    images: int
    patients: int


def make_demo(target: Path, *, seed: int = 0, patients: int = 120, side: int = 192) -> Planted:
    """Make `target/dataset` and `target/truth.csv`: about 300 chest radiographs of 120 patients, with eight kinds of flaws.

    Pneumonia is stored as 16-bit DICOM and TIFF, normal as 8-bit PNG and JPEG; the depth follows the label as it was before
    some labels were flipped. A dataset that an earlier demo left in `target` is replaced.

    Args:
        target: a folder, made where it is missing.
        seed: same seed, same bytes.
        patients: at least 30.
        side: pixels along one side of an image.

    Raises:
        MedauditError: `target/dataset` is there and no demo made it, or cannot be written.
    """
    folder, truth_path = target / "dataset", target / "truth.csv"
    _clear(folder, truth_path)
    rng = np.random.default_rng([seed, 240])
    try:
        target.mkdir(parents=True, exist_ok=True)
        write_truth(truth_path, [])  # marks the folder as ours, should the rest be interrupted
        (folder / "images").mkdir(parents=True)
        table = _collection(rng, patients)
        truth = _write_images(folder, table, seed=seed, side=side)
        table, planted = _flaws(table, seed=seed)
        table, copied = _copies(folder, table, planted, rng, seed=seed, side=side)
        table, altered = _near_copies(folder, table, [*planted, *copied], rng, seed=seed, side=side)
        unreadable = write_unreadable(folder, "images", seed=seed)
        table = pd.concat([table, _unreadable_rows(unreadable, table, rng)])
        rows = [*truth, *planted, *copied, *altered, *unreadable]
        order = rng.permutation(len(table))
        public = table.iloc[order].drop(columns=["number", "kind", "class"])
        public.to_csv(folder / "labels.csv", index_label="path", lineterminator="\n")
        write_truth(truth_path, rows)
    except OSError as error:
        raise MedauditError(f"{error.filename or target}: the demo cannot be written ({error.strerror})") from error
    return Planted(dataset=folder, truth=truth_path, rows=tuple(rows), images=len(table), patients=table["patientid"].nunique())


def _clear(folder: Path, truth_path: Path) -> None:
    """Remove the dataset of an earlier demo, and nothing else."""
    if not folder.exists() and not folder.is_symlink():
        return
    listed = truth_path.is_file() and head_of(truth_path, 64).startswith(b"record,kind,old,new,detail\n")
    if folder.is_symlink() or not listed:
        raise MedauditError(f"{folder}: is there already and was not made by a demo; name another folder")
    shutil.rmtree(folder)


def _collection(rng: np.random.Generator, patients: int) -> pd.DataFrame:
    """One row per image, indexed by path; `number` (of the image within its patient), `kind` and `class` are not published."""
    rows = []
    for patient in range(patients):
        person = {
            "patientid": f"P{patient:04d}",
            "split": "train" if patient % 4 else "test",
            "site": ("north", "south", "harbour")[int(rng.integers(3))],
            "age": str(int(np.clip(rng.normal(56, 16), 19, 89))),
            "sex": "FM"[int(rng.integers(2))],
        }
        ill, changes = bool(rng.random() < 0.5), bool(rng.random() < 0.2)
        for number in range(int(rng.choice([1, 2, 3, 4], p=[0.15, 0.40, 0.30, 0.15]))):
            name = DEEP if ill != (changes and number == 0) else SHALLOW
            kind = KINDS[name][int(rng.random() < 0.4)]
            rows.append({"finding": name, **person, "number": number, "kind": kind, "class": name})
    table = pd.DataFrame(rows)
    numbers = rng.permutation(len(table)) + 1
    paths = [f"images/cxr_{n:04d}{SUFFIX[kind]}" for n, kind in zip(numbers, table["kind"], strict=True)]
    return table.set_axis(pd.Index(paths, name="path"), axis=0)


def _picture(row: pd.Series, *, seed: int, side: int) -> Picture:
    """The radiograph of a row, in the depth in which it is stored."""
    image = radiograph(int(str(row["patientid"])[1:]), int(row["number"]), opacity=row["class"] == DEEP, seed=seed, side=side)
    return to_depth(image, 16 if row["class"] == DEEP else 8)


def _write_images(folder: Path, table: pd.DataFrame, *, seed: int, side: int) -> list[Truth]:
    truth = []
    for i, (path, row) in enumerate(table.iterrows()):
        image, kind = _picture(row, seed=seed, side=side), str(row["kind"])
        tags = {"PatientID": row["patientid"], "PatientSex": row["sex"], "PatientAge": f"{int(row['age']):03d}Y"}
        write_image(folder / str(path), image, kind, seed=seed * 1_000_000 + i, tags=tags)
        bits = str(8 * image.dtype.itemsize)
        truth.append(Truth(record=str(path), kind="bit-depth", new=bits, detail=str(row["class"])))
    return truth


def _flaws(table: pd.DataFrame, *, seed: int) -> tuple[pd.DataFrame, list[Truth]]:
    """Flipped labels, patients in two splits, and three readers who saw the true class."""
    labels, flips = flip_uniform(table["finding"], FLIPPED, seed=10 * seed + 1)
    splits, mixed = mix_patients(table["split"], table["patientid"], MIXED, seed=10 * seed + 2)
    readings, read = rate(table["class"], READERS, seed=10 * seed + 3, missing=UNREAD)
    wide = readings.pivot(index="record", columns="rater", values="label").reindex(table.index)
    skill = {row.new: float(row.detail) for row in read if row.kind == "rater"}
    poor = min(skill, key=skill.__getitem__)
    read.append(Truth(record="", kind="poor-rater", new=poor, detail=f"{skill[poor]:.4f}"))
    return pd.concat([table.assign(finding=labels, split=splits), wide], axis=1), [*flips, *mixed, *read]


def _copies(
    folder: Path,
    table: pd.DataFrame,
    planted: Sequence[Truth],
    rng: np.random.Generator,
    *,
    seed: int,
    side: int,
) -> tuple[pd.DataFrame, list[Truth]]:
    """Exact copies under another name: half of them in another split under a second patient id, two with the other label."""
    touched = {row.record for row in planted if row.kind in ("label-flip", "patient-across-splits")}
    free = np.flatnonzero(~table.index.isin(touched) & (table["kind"] != "jpeg").to_numpy())
    rows, added = [], []
    for i, pick in enumerate(np.sort(rng.choice(free, size=COPIES, replace=False)).tolist()):
        original, row = str(table.index[pick]), table.iloc[pick].copy()
        across, by_bytes, contradicting = i % 2 == 1, i % 4 < 2, i in (2, 4)
        kind = str(row["kind"])
        if not by_bytes:
            kind = {"dicom16": "tiff16", "tiff16": "dicom16", "png8": "tiff8"}[kind]
        copy = f"images/cxr_{len(table) + 1 + i:04d}{SUFFIX[kind]}"
        if by_bytes:
            added.append(copy_bytes(folder, original, copy))
        else:
            image = _picture(row, seed=seed, side=side)
            added.append(copy_pixels(folder, image, original, copy, kind, seed=seed * 1_000_000 + 900_000 + i))
        if across:
            row["patientid"], row["split"] = f"Q{i:04d}", "test" if row["split"] == "train" else "train"
            added.append(Truth(record=copy, kind="copy-across-splits", old=original, new=str(row["split"])))
        if contradicting:
            old, row["finding"] = str(row["finding"]), SHALLOW if row["finding"] == DEEP else DEEP
            added.append(Truth(record=copy, kind="contradicting-copy", old=old, new=str(row["finding"]), detail=original))
        rows.append(row.rename(copy))
    return pd.concat([table, pd.DataFrame(rows)]), added


def _near_copies(
    folder: Path, table: pd.DataFrame, planted: Sequence[Truth], rng: np.random.Generator, *, seed: int, side: int
) -> tuple[pd.DataFrame, list[Truth]]:
    """One slightly changed copy in each of the ways of `NEAR_COPIES`, in another split under a second patient id."""
    touched = {name for row in planted for name in (row.record, row.old, row.detail)}
    free = np.flatnonzero(~table.index.isin(touched))
    rows, added = [], []
    for i, (way, pick) in enumerate(zip(NEAR, np.sort(rng.choice(free, size=len(NEAR), replace=False)).tolist(), strict=True)):
        original, row = str(table.index[pick]), table.iloc[pick].copy()
        copy = f"images/cxr_{len(table) + 1 + i:04d}{SUFFIX[str(row['kind'])]}"
        image = near_copy(_picture(row, seed=seed, side=side), way, seed=seed + i)
        tags = {"PatientID": f"N{i:04d}", "PatientSex": row["sex"], "PatientAge": f"{int(row['age']):03d}Y"}
        write_image(folder / copy, image, str(row["kind"]), seed=seed * 1_000_000 + 950_000 + i, tags=tags)
        row["patientid"], row["split"] = f"N{i:04d}", "test" if row["split"] == "train" else "train"
        added.append(Truth(record=copy, kind="near-copy", old=original, new=copy, detail=way))
        rows.append(row.rename(copy))
    return pd.concat([table, pd.DataFrame(rows)]), added


def _unreadable_rows(unreadable: Sequence[Truth], table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of the label table for the unreadable files: each a further image of some patient, in that patient's split."""
    rows = table.iloc[rng.choice(len(table), size=len(unreadable), replace=False)].copy()
    rows[list(READERS)] = None
    return rows.set_axis(pd.Index([row.record for row in unreadable], name="path"), axis=0)
