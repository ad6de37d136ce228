"""What two passes over the files of a collection found, and what a reader has to know of the common form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from auditor.values.results import Cell, Column, Table
from trainers.rewriting.rewrite import Form, Survey, sizes_of
from trainers.rewriting.sizes import Canvas, enlarged, pixels_lost, placed, tells

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
    if form.canvas.rule == "keep" and len({(s.height, s.width) for s in seen}) > 1:
        notes.append("the pictures have different sizes, which were kept")
    if form.canvas.rule == "spacing":
        notes.append(f"one pixel is {form.canvas.spacing:.4g} mm wide and high in every new picture; the files do not say it")
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


@dataclass(frozen=True, kw_only=True)
class SizeChange:
    """What became of the sizes: a sentence, figures, and what to beware of."""

    summary: str
    metrics: dict[str, Cell]
    notes: tuple[str, ...] = ()


def size_change(looked: Looked, classes: Mapping[str, object], canvas: Canvas) -> SizeChange:
    """Old and new sizes and the share of pixels lost.

    Args:
        classes: path → class.
    """
    sizes = sizes_of(looked.seen.values())
    said = [classes.get(path) for path in looked.seen]
    results = [placed(s.height, s.width, canvas, s.spacing).outer for s in looked.seen.values()]
    old, new = spread(list(zip(sizes.heights, sizes.widths, strict=True))), spread(results)
    lost, larger = pixels_lost(sizes, canvas), enlarged(sizes, canvas)
    metrics: dict[str, Cell] = {
        "size_rule": canvas.rule, "size_before": old, "size_after": new, "pixels_lost_fraction": round(lost, 4),
        "pictures_enlarged_fraction": round(float(larger.mean()), 4),
    }  # fmt: skip
    if canvas.rule == "keep":
        return SizeChange(summary=f"Sizes were left as they are ({old}); no pixel is lost.", metrics=metrics)
    how = {
        "pad": "padded below and on the right, nothing scaled",
        "spacing": f"scaled to {canvas.spacing:.4g} mm between pixels",
        "resize": "scaled with their proportions kept"
        + ("" if not (canvas.height and canvas.width) else ", padded dark" if canvas.fill == "pad" else ", edges cropped"),
    }[canvas.rule]
    notes = []
    if larger.any() and tells(larger.astype(np.float64), said):
        notes.append(
            f"{int(larger.sum()):,} pictures were enlarged, more of one class than of another: they are softer, and that may "
            "tell the class; name a smaller height and width to enlarge none"
        )
    borders = canvas.rule == "pad" or (canvas.fill == "pad" and canvas.height and canvas.width)
    if borders and tells(sizes.widths / sizes.heights if canvas.rule == "resize" else sizes.pixels, said):
        notes.append('how wide the dark borders are still tells the class; size = "resize" with fill = "crop" leaves no border')
    return SizeChange(
        summary=f"Sizes were {old} (height × width) and are {new}: {how}; {lost:.0%} of the pixels are lost.",
        metrics=metrics, notes=tuple(notes),
    )  # fmt: skip


def spread(sizes: Sequence[tuple[float, float]]) -> str:
    """One size, or the smallest to the largest with the median."""
    ordered = sorted({(int(h), int(w)) for h, w in sizes}, key=lambda one: one[0] * one[1])
    if len(ordered) == 1:
        return f"{ordered[0][0]} × {ordered[0][1]}"
    middle = [int(np.median([one[axis] for one in sizes])) for axis in (0, 1)]
    return f"{ordered[0][0]} × {ordered[0][1]} to {ordered[-1][0]} × {ordered[-1][1]}, median {middle[0]} × {middle[1]}"
