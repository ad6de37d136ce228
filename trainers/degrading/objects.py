"""Boxes: some left out, some elsewhere, some of another class; in the files or the table that they stand in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.degrade.flaws import Truth
from auditor.naming.labels import numbers_of
from auditor.reading.jobs import Job, run_jobs
from auditor.values.errors import ConfigError, UnreadableFile
from trainers.copying.place import put
from trainers.degrading.draft import Draft
from trainers.degrading.harm import Corners, Edit
from trainers.degrading.overlap import area_overlap
from trainers.degrading.wish import Wish, option

IN_FILES = ("voc", "coco", "yolo")
LEAST_SIDE = 1.0


def worsen_boxes(draft: Draft) -> None:
    """`--missing` and `--deform` of boxes, and `--label-flips` where the boxes carry the labels.

    Raises:
        ConfigError: an option that boxes do not know, or files that are not written.
    """
    layout = draft.dataset.summary.layout
    refuse_outlines(draft.wish, "boxes")
    if layout not in (*IN_FILES, "table"):
        raise ConfigError(f"boxes of the layout {layout} are read and not written; VOC, COCO, YOLO and tables are")
    boxes = draft.dataset.boxes
    edits = drawn(draft, boxes)
    if draft.dataset.labels.task == "none":
        with_flips(draft, boxes, edits)
    if layout == "table":
        _into_table(draft, edits)
    else:
        _into_files(draft, boxes, edits)
    _tell(draft, boxes, edits)


def refuse_outlines(wish: Wish, what: str) -> None:
    """Raise where outlines are to be made rougher that are not there."""
    rough = [word for word in ("simplify", "boxes") if word in wish.asked]
    if rough:
        raise ConfigError(f"{option(rough[0])}: the dataset has {what} and no masks, so no outline could be made rougher")


def drawn(draft: Draft, boxes: pd.DataFrame) -> dict[int, Edit]:
    """Which boxes leave, and how the others are grown or shrunk on all sides, as masks are; a pixel at least stays."""
    wish, edits = draft.wish, dict[int, Edit]()
    rng = np.random.default_rng(draft.seed("missing"))
    gone = rng.choice(len(boxes), size=math.floor(len(boxes) * (wish.missing or 0.0) + 0.5), replace=False)
    edits |= {row: Edit(gone=True) for row in gone.tolist()}
    if wish.deform is None:
        return edits
    sides, sizes = corners_of(boxes), sizes_of(draft)
    rng = np.random.default_rng(draft.seed("deform"))
    for row, radius in enumerate(rng.normal(0, wish.deform, len(boxes)).astype(np.int64).tolist()):
        was = sides[row]
        width, height = sizes.get(str(boxes["record"].iat[row]), (math.inf, math.inf))
        (x0, x1), (y0, y1) = _grown(was[0], was[2], radius, width), _grown(was[1], was[3], radius, height)
        if row not in edits and (x0, y0, x1, y1) != was:
            edits[row] = Edit(corners=(x0, y0, x1, y1))
    return edits


def _grown(start: float, end: float, radius: int, most: float) -> tuple[float, float]:
    """A side with `radius` more at both ends, within the picture as far as it was, and never turned inside out."""
    new = (max(min(start, 0.0), start - radius), min(max(end, most), end + radius))
    return new if new[1] - new[0] >= min(LEAST_SIDE, end - start) else (start, end)


def corners_of(boxes: pd.DataFrame) -> list[Corners]:
    """x0, y0, x1, y1 of every box."""
    table = boxes[["x0", "y0", "x1", "y1"]].to_numpy(np.float64)
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in table.tolist()]


def sizes_of(draft: Draft) -> dict[str, tuple[float, float]]:
    """Record → width and height of its picture, where both are known."""
    names = ["container.width", "container.height"]
    if not set(names) <= set(draft.dataset.metadata.columns):
        return {}
    table = draft.dataset.metadata[names].apply(pd.to_numeric, errors="coerce").dropna()
    values = table.to_numpy(np.float64).tolist()
    return {str(record): (width, height) for record, (width, height) in zip(table.index, values, strict=True)}


def with_flips(draft: Draft, boxes: pd.DataFrame, edits: dict[int, Edit]) -> None:
    """Give some of the boxes that stay another class."""
    flips = draft.wish.label_flips
    if flips is None:
        return
    if flips.kind not in ("uniform", "asym"):
        raise ConfigError(f"--label-flips: boxes are flipped by lot or by class, not by {flips.kind!r}")
    classes = sorted(set(boxes["label"]) - {""})
    if len(classes) < 2:
        raise ConfigError("--label-flips: two classes of boxes at least are needed")
    rng = np.random.default_rng(draft.seed("label-flips"))
    labels = boxes["label"].tolist()
    open_to = [row for row, label in enumerate(labels) if label and not edits.get(row, Edit()).gone]
    for row in np.sort(rng.choice(open_to, size=math.floor(len(open_to) * flips.share + 0.5), replace=False)).tolist():
        step = 1 if flips.kind == "asym" else int(rng.integers(1, len(classes)))
        new = classes[(classes.index(labels[row]) + step) % len(classes)]
        edits[row] = replace(edits.get(row, Edit()), label=new)


def _into_files(draft: Draft, boxes: pd.DataFrame, edits: dict[int, Edit]) -> None:
    layout, jobs, paths = draft.dataset.summary.layout, list[Job](), list[str]()
    numbers = _numbers(draft, boxes) if layout == "yolo" else {}
    sizes = sizes_of(draft) if layout == "yolo" else {}
    lines, records = boxes["line"].tolist(), boxes["record"].tolist()
    for path, found in boxes.groupby("path", sort=True).indices.items():
        rows = np.asarray(found).tolist()
        own = {place: edits[row] for place, row in enumerate(rows) if row in edits}
        more: tuple[object, ...] = (own, len(rows))
        if layout == "yolo":
            more = (
                {
                    lines[rows[place]]: (edit, numbers.get(edit.label or "", ""), _parts(edit, sizes.get(records[rows[place]])))
                    for place, edit in own.items()
                },
            )
        if own:
            jobs.append(Job(function=f"trainers.degrading.box_file:{layout}", arguments=(draft.files[str(path)], *more)))
            paths.append(str(path))
    for answer in run_jobs(jobs, draft.options.limits, workers=draft.plan.readers):
        try:
            content: bytes = answer.value
        except UnreadableFile as error:
            raise ConfigError(f"{draft.shown(paths[answer.number])}: {error.reason}") from None
        goal = draft.new_file()
        put(goal, content)
        draft.files[paths[answer.number]] = goal


def _numbers(draft: Draft, boxes: pd.DataFrame) -> dict[str, str]:
    """Class → its number in the files."""
    first = boxes.drop_duplicates("label")
    samples = [(draft.files[str(path)], int(line)) for path, line in zip(first["path"], first["line"].tolist(), strict=True)]
    (answer,) = run_jobs([Job(function="trainers.degrading.box_file:yolo_numbers", arguments=(samples,))], draft.options.limits)
    return dict(zip(first["label"], answer.value, strict=True))


def _parts(edit: Edit, size: tuple[float, float] | None) -> Corners | None:
    """The new corners as parts of the image.

    Raises:
        ConfigError: the size of the image is not known.
    """
    if edit.corners is None:
        return None
    if size is None:
        raise ConfigError("--deform: the size of a picture with boxes is not known")
    (x0, y0, x1, y1), (width, height) = edit.corners, size
    return x0 / width, y0 / height, x1 / width, y1 / height


def _into_table(draft: Draft, edits: dict[int, Edit]) -> None:
    """Rows of a table: those of the boxes, in their order."""
    table, named = draft.table, draft.rows
    if not named.boxes:
        raise ConfigError("the boxes stand in another table than the labels, which is read and not written")
    rows = rows_with(draft, named.boxes, len(draft.dataset.boxes))
    name = named.roles.get("answer") or (named.labels[0] if len(named.labels) == 1 else None)
    for place, edit in edits.items():
        row = int(rows[place])
        if edit.gone:
            table.gone.add(row)
        if edit.corners is not None:
            x0, y0, x1, y1 = edit.corners
            last = (x1 - x0, y1 - y0) if named.box_style == "size" else (x1, y1)
            for column, value in zip(named.boxes, (x0, y0, *last), strict=True):
                table.put(column, row, f"{value:g}")
        if edit.label is not None and name is not None:
            table.put(name, row, edit.label)


def rows_with(draft: Draft, columns: Sequence[str], count: int) -> npt.NDArray[np.int64]:
    """The rows of the table that have numbers in all these columns.

    Raises:
        ConfigError: they are not `count`.
    """
    frame = pd.DataFrame({name: pd.Series(draft.table.source.cells[name]).astype("category") for name in columns})
    there = ~np.isnan(np.column_stack([numbers_of(frame[name]) for name in columns])).any(axis=1)
    if int(there.sum()) != count:
        raise ConfigError("some rows of boxes or points belong to no record; mend the table first")
    return np.flatnonzero(there)


def _tell(draft: Draft, boxes: pd.DataFrame, edits: dict[int, Edit]) -> None:
    """What was done, and how much of the area of each picture's boxes is covered still."""
    sides = corners_of(boxes)
    after: list[Corners | None] = list(sides)
    for row, edit in sorted(edits.items()):
        record, label, was = str(boxes["record"].iat[row]), str(boxes["label"].iat[row]), _text(sides[row])
        if edit.gone:
            after[row] = None
            draft.truth.append(Truth(record=record, kind="missing-box", old=was, detail=label))
        if edit.corners is not None:
            after[row] = edit.corners
            draft.truth.append(Truth(record=record, kind="box-deformed", old=was, new=_text(edit.corners), detail=label))
        if edit.label is not None:
            draft.truth.append(Truth(record=record, kind="box-flip", old=label, new=edit.label, detail=was))
    if draft.wish.of_objects:
        for found in boxes.groupby("record", sort=False).indices.values():
            rows = np.asarray(found).tolist()
            now = [box for row in rows if (box := after[row]) is not None]
            draft.scores.append(area_overlap([sides[row] for row in rows], now))


def _text(corners: Corners) -> str:
    return " ".join(f"{value:g}" for value in corners)
