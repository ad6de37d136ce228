"""Clean data sets whose patients nobody names: tables of mixed columns, and class folders with encodings by device.

    from leakage_nulls import clean_table, clean_folders

Every patient has 1 to 30 images. Labels and columns know nothing of each other, but both hang on the patient.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.dataset import RECORD_COLUMNS, Dataset
from auditor.values.fields import describe
from auditor.values.labels import Labels
from auditor.values.results import DatasetSummary

Values = npt.NDArray[np.generic]

NAMES: tuple[str, ...] = (
    "age",
    "sex",
    "bmi",
    "weight",
    "smoking_status",
    "menopause",
    "symptoms",
    "kvp",
    "mas",
    "exposure_time",
    "view",
    "thickness",
    "filter",
    "grid",
    "field_strength",
    "hospital",
    "device",
    "manufacturer",
    "software_version",
    "operator",
    "batch",
    "year",
    "weekday",
    "compression_format",
    "bit_depth",
    "image_quality",
    "channels",
    "photometric",
    "note_length",
    "arm",
    "density",
    "contrast",
    "protocol",
    "city",
    "remark",
)


def dataset_of(labels: Values, columns: dict[str, Values], paths: list[str], *, origin: str) -> Dataset:
    """A dataset without ids."""
    index = pd.Index([f"r{i}" for i in range(len(labels))])
    records = pd.DataFrame({column: pd.Series(pd.NA, index=index, dtype="string") for column in RECORD_COLUMNS})
    records["path"] = pd.array(paths, dtype="string")
    records["line"] = np.arange(2, len(labels) + 2)
    values = pd.Series([str(v) for v in labels], index=index)
    classes = tuple(sorted(values.unique()))
    return Dataset(
        root=Path(),
        summary=DatasetSummary(name="simulated", layout="table", task="single", classes=classes, counts={}, guesses=()),
        records=records,
        labels=Labels(task="single", values=values, classes=classes, origin=origin),
        annotations=pd.DataFrame(),
        boxes=pd.DataFrame(),
        metadata=pd.DataFrame(columns, index=index),
        fields={name: describe(name) for name in columns},
    )


def clean_table(seed: int, *, shuffled: bool = False) -> Dataset:
    """A table of 10 to 60 columns: numbers and text, by patient, by device, by row, and by patient with noise."""
    g = np.random.default_rng(seed)
    patients = int(g.integers(40, 120))
    patient = np.repeat(np.arange(patients), g.integers(1, 31, patients))
    device = g.integers(0, int(g.integers(2, 6)), patients)[patient]
    columns: dict[str, Values] = {}
    for number in range(int(g.integers(10, 61))):
        name = f"table.{g.choice(NAMES)}_{number}"
        columns[name] = _column(g, patient, device)
    label = (g.random(patients) < g.uniform(0.25, 0.6))[patient]
    paths = [f"{int(v):08x}.png" for v in g.integers(0, 1 << 31, len(patient))]
    order = g.permutation(len(patient)) if shuffled else np.arange(len(patient))
    return dataset_of(label[order], {name: values[order] for name, values in columns.items()}, paths, origin="label")


def _column(g: np.random.Generator, patient: npt.NDArray[np.int64], device: npt.NDArray[np.int64]) -> Values:
    people, machines, rows = int(patient.max()) + 1, int(device.max()) + 1, len(patient)
    level = g.choice(["patient", "device", "row", "noisy"], p=[0.4, 0.15, 0.25, 0.2])
    if g.random() < 0.5:
        own = {"patient": g.normal(size=people)[patient], "device": g.normal(size=machines)[device], "row": g.normal(size=rows)}
        own["noisy"] = own["patient"] + 0.7 * g.normal(size=rows)
        return np.asarray(np.round(own[str(level)] * 10, int(g.integers(0, 3))))
    kinds = int(g.integers(2, 7))
    draw = {"patient": g.integers(0, kinds, people)[patient], "device": g.integers(0, kinds, machines)[device],
            "row": g.integers(0, kinds, rows)}  # fmt: skip
    draw["noisy"] = np.where(g.random(rows) < 0.2, draw["row"], draw["patient"])
    return np.array([f"v{i}" for i in range(kinds)])[draw[str(level)]]


def clean_folders(seed: int, *, images: int = 0, numbered: bool = True) -> tuple[Dataset, npt.NDArray[np.int64]]:
    """Two or three class folders, and whose each image is.

    Depth, channels, quality and format hang on the patient or on the device, whatever the class.

    Args:
        images: images per class; 0 draws 60 to 400.
        numbered: file names follow the patients; else they are drawn at random.
    """
    g = np.random.default_rng(seed)
    labels: list[str] = []
    patient: list[int] = []
    for name in ("benign", "cancer", "normal")[: int(g.integers(2, 4))]:
        wanted = images or int(g.integers(60, 401))
        held = 0
        while held < wanted:
            size = min(int(g.integers(1, 31)), wanted - held)
            labels += [name] * size
            patient += [patient[-1] + 1 if patient else 0] * size
            held += size
    who = np.array(patient)
    people = int(who.max()) + 1
    device = g.integers(0, 4, people)
    columns: dict[str, Values] = {}
    choices: dict[str, list[object]] = {
        "container.bit_depth": [8, 16], "container.channels": [1, 3], "container.jpeg_quality": [75, 90, 95],
        "container.format": ["png", "tiff", "jpeg"],
    }  # fmt: skip
    for name, values in choices.items():
        by_device = g.random() < 0.5
        drawn = g.integers(0, len(values), 4)[device] if by_device else g.integers(0, len(values), people)
        columns[name] = np.array(values)[drawn][who]
    first = {name: labels.index(name) for name in set(labels)}
    numbers = [i - first[name] for i, name in enumerate(labels)]
    if not numbered:
        numbers = [int(v) for v in g.permutation(10 * len(labels))[: len(labels)]]
    paths = [f"{label}/{number:05d}.png" for label, number in zip(labels, numbers, strict=True)]
    order = np.argsort(np.array(paths))
    found = dataset_of(np.array(labels)[order], {n: v[order] for n, v in columns.items()},
                       [paths[i] for i in order], origin="class folder")  # fmt: skip
    return replace(found, summary=replace(found.summary, layout="folders")), who[order].astype(np.int64)
