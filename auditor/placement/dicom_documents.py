"""DICOM files that speak of others (segmentations, contours, reports): which are, by their first bytes, and what each says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from auditor.files import head_of

HEAD_BYTES = 2048
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
CONTOURS = "1.2.840.10008.5.1.4.1.1.481.3"
WORDS: Mapping[str, str] = {SEGMENTATION: "segmentations", CONTOURS: "structure sets"}
"""SOP class → how files of it are called. Source: DICOM PS3.4, B.5."""
REPORTS = "1.2.840.10008.5.1.4.1.1.88."
"""How the SOP classes of all structured reports begin (measurements, key images, dose): they hold no picture."""
UNREAD_REPORT = "a structured report, which is not read: export its measurements as a table"
_CLASS = re.compile(rb"(?:\x02\0\x02\0|\x08\0\x16\0)(?:UI..|....)([0-9.]{20,64})", re.DOTALL)
"""Media Storage SOP Class UID, or SOP Class UID of a file without meta information, both little-endian."""


def class_of(path: Path) -> str:
    """SOP class; empty where the first bytes do not say it, or cannot be read: whoever reads the image says so."""
    try:
        told = _CLASS.search(head_of(path, HEAD_BYTES))
    except OSError:
        return ""
    return told.group(1).decode() if told else ""


@dataclass(frozen=True, kw_only=True)
class DrawnObject:
    """One object as a file says it.

    Args:
        instance: SOP instance of its image; empty where it names none.
        packed: its outline in pixels (segmentations), or nothing.
        box: x, y, width and height in pixels of that.
        grid: where that frame lies (`auditor.values.grid`), or nothing.
        contour: corners in millimetres of the patient, float64 x, y, z, …, or nothing.
    """

    label: str
    instance: str = ""
    packed: bytes = b""
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    grid: str = ""
    contour: bytes = b""


@dataclass(frozen=True, kw_only=True)
class DrawnFile:
    """What one file draws; `wrong` and `unread`: words → how many; `unseen`: names of segments that are drawn nowhere."""

    objects: tuple[DrawnObject, ...] = ()
    wrong: Mapping[str, int] = field(default_factory=dict)
    unread: Mapping[str, int] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    frame_of_reference: str = ""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One image: its instance, where it lies, height, width and frames."""

    instance: str
    grid: str
    frame_of_reference: str
    height: int
    width: int
    frames: int
