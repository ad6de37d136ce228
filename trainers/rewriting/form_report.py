"""What two passes over the files of a collection found, and what a reader has to know of the common form."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from auditor.values.results import Cell, Column, Table
from trainers.rewriting.rewrite import Form, Survey

FEW_LEVELS = 32


@dataclass(frozen=True, kw_only=True)
class Looked:
    """The first pass: path → what the file is; path → its format; path → why it cannot be read."""

    seen: dict[str, Survey] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Made:
    """The second pass: path → its new file, its number of levels; traces of the records that the probe judges."""

    files: dict[str, str] = field(default_factory=dict)
    levels: list[int] = field(default_factory=list)
    traces: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)


def form_notes(looked: Looked, made: Made, form: Form) -> list[str]:
    """What the common form cost."""
    seen, notes = list(looked.seen.values()), []
    coloured = sum(s.coloured for s in seen)
    if form.channels == 3 and coloured < len(seen):
        notes.append(
            f"{len(seen) - coloured:,} of {len(seen):,} pictures are grey and stay so in three equal channels; if colour tells "
            'the class, set colour = "grey"'
        )
    if len({s.group for s in seen}) > 1:
        notes.append(
            "some files declare their depth, others a rescale to physical units or no depth at all: their brightness is on "
            "scales of its own"
        )
    if made.levels and float(np.median(made.levels)) < FEW_LEVELS:
        notes.append(
            f"half of the pictures hold fewer than {FEW_LEVELS} grey levels now: the files declare far more bits than they "
            "use, and the shallowest file sets the common depth"
        )
    if form.size_rule == "keep" and len({(s.height, s.width) for s in seen}) > 1:
        notes.append("the pictures have different sizes, which were kept")
    if form.container == "nifti":
        notes.append("voxel sizes are not carried over: they would be metadata")
    return notes


def sources_table(looked: Looked) -> Table:
    """What the files were: one row per kind."""
    kinds = Counter(
        (looked.formats[path], s.loose or s.bits, s.coloured, s.frames > 1, s.group) for path, s in looked.seen.items()
    )
    rows = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    columns: list[tuple[str, Literal["text", "integer", "boolean"], str, list[Cell]]] = [
        ("format", "text", "Format", [k[0] for k, _ in rows]),
        ("bits", "integer", "Bits", [k[1] for k, _ in rows]),
        ("coloured", "boolean", "In colour", [k[2] for k, _ in rows]),
        ("stack", "boolean", "Several frames", [k[3] for k, _ in rows]),
        ("scale", "text", "Brightness by", [k[4] for k, _ in rows]),
        ("files", "integer", "Files", [n for _, n in rows]),
    ]
    return Table(
        name="sources", title="What the files were",
        columns=tuple(Column(name=name, kind=kind, title=heading, values=values) for name, kind, heading, values in columns),
    )  # fmt: skip
