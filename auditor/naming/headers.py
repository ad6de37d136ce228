"""Table headers of known collections: which column has which role. Source: the collections' own documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from auditor.values.labels import Level

BoxStyle = Literal["corners", "size"]


@dataclass(frozen=True, kw_only=True)
class KnownHeader:
    """One collection's table.

    Args:
        needs: column names (compared as letters and digits in lower case) that must all be there.
        roles: role → column name.
        labels: label columns; `after` instead: all state columns behind that column.
        notes: what a person must know.
    """

    name: str
    needs: tuple[str, ...]
    roles: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    after: str | None = None
    separator: str | None = None
    ordinal: bool = False
    level: Level = "image"
    boxes: tuple[str, str, str, str] | None = None
    box_style: BoxStyle = "size"
    patient_in_path: str | None = None
    study_in_path: str | None = None
    twins: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


KNOWN_HEADERS: tuple[KnownHeader, ...] = (
    KnownHeader(
        name="NIH ChestX-ray14",
        needs=("Image Index", "Finding Labels", "Patient ID"),
        roles={"path": "Image Index", "patient": "Patient ID"},
        labels=("Finding Labels",),
        separator="|",
    ),
    KnownHeader(
        name="NIH ChestX-ray14 boxes",
        needs=("Image Index", "Finding Label", "Bbox [x]", "Bbox [w]"),
        roles={"path": "Image Index"},
        labels=("Finding Label",),
        boxes=("Bbox [x]", "Bbox [y]", "Bbox [w]", "Bbox [h]"),
    ),
    KnownHeader(
        name="CheXpert",
        needs=("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA"),
        roles={"path": "Path"},
        after="AP/PA",
        patient_in_path=r"(patient\d+)",
        study_in_path=r"(patient\d+/study\d+)",
    ),
    KnownHeader(
        name="MIMIC-CXR labels",
        needs=("subject_id", "study_id", "Atelectasis", "Cardiomegaly"),
        roles={"patient": "subject_id", "study": "study_id", "path": "dicom_id", "split": "split"},
        after="study_id",
        level="study",
    ),
    KnownHeader(
        name="MIMIC-CXR",
        needs=("dicom_id", "study_id", "subject_id"),
        roles={"path": "dicom_id", "patient": "subject_id", "study": "study_id", "split": "split"},
    ),
    KnownHeader(
        name="HAM10000",
        needs=("lesion_id", "image_id", "dx"),
        roles={"path": "image_id", "lesion": "lesion_id"},
        labels=("dx",),
        notes=(
            "lesion_id is no patient id: whether a patient is in two splits cannot be told",
            "dx_type says how the label was made: declare it as a stratum in [design]",
        ),
    ),
    KnownHeader(
        name="ISIC",
        needs=("benign_malignant", "target"),
        roles={"path": "image_name", "patient": "patient_id", "lesion": "lesion_id"},
        labels=("benign_malignant",),
        twins=("target", "diagnosis"),
    ),
    KnownHeader(
        name="RSNA pneumonia",
        needs=("patientId", "x", "y", "width", "height", "Target"),
        roles={"path": "patientId"},
        labels=("Target",),
        boxes=("x", "y", "width", "height"),
        notes=("patientId is an image id: whether a patient is in two splits cannot be told",),
    ),
    KnownHeader(
        name="RSNA pneumonia classes",
        needs=("patientId", "class"),
        roles={"path": "patientId"},
        labels=("class",),
        notes=("patientId is an image id: whether a patient is in two splits cannot be told",),
    ),
    KnownHeader(
        name="VinDr boxes",
        needs=("image_id", "rad_id", "class_name"),
        roles={"path": "image_id", "rater": "rad_id", "answer": "class_name"},
        boxes=("x_min", "y_min", "x_max", "y_max"),
        box_style="corners",
        twins=("class_id",),
    ),
    KnownHeader(
        name="VinDr labels",
        needs=("image_id", "rad_id", "No finding"),
        roles={"path": "image_id", "rater": "rad_id"},
        after="rad_id",
    ),
    KnownHeader(
        name="EyePACS",
        needs=("image", "level"),
        roles={"path": "image"},
        labels=("level",),
        ordinal=True,
        level="eye",
        patient_in_path=r"(?:^|/)(\d+)_(?:left|right)",
    ),
    KnownHeader(
        name="APTOS",
        needs=("id_code", "diagnosis"),
        roles={"path": "id_code"},
        labels=("diagnosis",),
        ordinal=True,
        level="eye",
    ),
)


def plain(name: str) -> str:
    """A column name as it is compared: letters (of any script) and digits in lower case."""
    return re.sub(r"[\W_]+", "", name.lower())


MERGED_SPLIT = "split (table name)"
"""Column of a table that was made of `train.csv`, `test.csv`, …"""
CASE_FILE = "image of the row"
"""Column that is in no file: the image of each row, where a table calls its images by their case, or by names that mean
files beside the table."""
ROW_STUDY = "study id of the row"
"""Column that is in no file: the line of the row, where no column tells whose images belong together."""
IN_NO_FILE = frozenset((MERGED_SPLIT, CASE_FILE, ROW_STUDY))
"""No user can name these: no option and no `[roles]` finds them in the table."""


def known_header(names: Sequence[str]) -> KnownHeader | None:
    """The collection that a header belongs to. Two short headers (EyePACS, RSNA classes) must be the whole header."""
    there = {plain(name) for name in names if name not in (MERGED_SPLIT, CASE_FILE)}
    for known in KNOWN_HEADERS:
        needed = {plain(name) for name in known.needs}
        if needed <= there and (len(needed) > 2 or there == needed or known.name == "ISIC"):
            return known
    return None
