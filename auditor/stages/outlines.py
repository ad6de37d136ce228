"""Outlines of objects (COCO, LabelMe, VIA, CVAT, YOLO), drawn into pictures of the size of theirs by the workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.masks.mask_facts import mask_frame, row_of
from auditor.plan import Plan
from auditor.reading.jobs import Job, run_jobs
from auditor.values.dataset import Dataset
from auditor.values.drawings import NOT_DRAWN, OUTLINES, Drawings, Sheet, Sketch
from auditor.values.errors import UnreadableFile
from auditor.values.image import Header

NEEDS = frozenset({"metadata"})
PROVIDES = frozenset({"outlines"})
TOGETHER = 64
"""Pictures that a worker is given at once, or `PIXELS_TOGETHER` in all: what one of them costs is lost with the others."""
PIXELS_TOGETHER = 32_000_000
Positions = npt.NDArray[np.int64]
SLICES = "dicom_tree"
SIZE = ("drawn_height", "drawn_width")
FACTS = ("corners", "area", "pixels", "crossed", "outside", "x0", "y0", "x1", "y1")


def run(dataset: Dataset, plan: Plan) -> Dataset:
    """Fill `drawings`, and the lines of what was drawn in `outlines`."""
    shapes = dataset.shapes
    if not len(shapes):
        return dataset
    rows = _rows_of_records(shapes)
    sheets = _sheets(dataset, rows)
    chunks = list(_chunks(sheets))
    jobs = [Job(function="auditor.evidence.objects.drawing:draw", arguments=([sheets[i] for i in chunk],)) for chunk in chunks]
    sketches: list[Sketch | None] = [None] * len(sheets)
    plan.progress.start("drawing outlines", len(sheets))
    try:
        for answer in run_jobs(jobs, plan.config.limits_of(), workers=plan.readers, chunk=1):
            chunk = chunks[answer.number]
            try:
                told: Sequence[Sketch] = answer.value
            except UnreadableFile as error:
                told = [_lost(sheets[i], error.reason) for i in chunk]
            for place, sketch in zip(chunk, told, strict=True):
                sketches[place] = sketch
            plan.progress.advance(len(chunk))
    finally:
        plan.progress.finish()
    return _gathered(dataset, rows, sheets, [sketch for sketch in sketches if sketch is not None])


def _rows_of_records(shapes: pd.DataFrame) -> list[Positions]:
    """Positions in `shapes` of each record, records in the order in which they are first named."""
    codes, names = pd.factorize(shapes["record"])
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(names) else []


def _sheets(dataset: Dataset, rows: Sequence[Positions]) -> list[Sheet]:
    """A picture per record, of the size that the annotations say, else of that of its image."""
    shapes = dataset.shapes
    stated = shapes[list(SIZE)].fillna(0).to_numpy(np.int64)
    labels = dataset.boxes["label"].to_numpy(object)[shapes["box"].to_numpy(np.int64)]
    codes = np.unique(labels.astype(str), return_inverse=True)[1] + 1
    real = _real_sizes(dataset, shapes["record"])
    packed = shapes["packed"].tolist()
    sheets = []
    for own in rows:
        height, width = stated[own[0]] if stated[own[0]].min() > 0 else real[own[0]]
        objects = [(int(codes[i]), packed[i]) for i in own.tolist()]
        sheets.append(Sheet(height=int(height), width=int(width), objects=objects))
    return sheets


def _real_sizes(dataset: Dataset, records: pd.Series) -> Positions:
    """Height and width of the image of each, 0 where it could not be read."""
    names = ["container.height", "container.width"]
    if not set(names) <= set(dataset.metadata.columns):
        return np.zeros((len(records), 2), np.int64)
    return dataset.metadata[names].reindex(records).fillna(0).to_numpy(np.float64).astype(np.int64)


def _chunks(sheets: Sequence[Sheet]) -> Iterator[list[int]]:
    chunk: list[int] = []
    pixels = 0
    for place, sheet in enumerate(sheets):
        own = sheet.height * sheet.width
        if chunk and (len(chunk) == TOGETHER or pixels + own > PIXELS_TOGETHER):
            yield chunk
            chunk, pixels = [], 0
        chunk.append(place)
        pixels += own
    if chunk:
        yield chunk


def _lost(sheet: Sheet, reason: str) -> Sketch:
    """The worker did not come back with these pictures."""
    many = len(sheet.objects)
    return Sketch(problems=(NOT_DRAWN + reason,) * many, facts=np.full((many, len(FACTS)), np.nan), pairs=np.empty((0, 3)))


def _gathered(dataset: Dataset, rows: Sequence[Positions], sheets: Sequence[Sheet], sketches: Sequence[Sketch]) -> Dataset:
    shapes = dataset.shapes
    order = np.concatenate(rows)
    boxes = shapes["box"].to_numpy(np.int64)
    objects = pd.DataFrame(np.concatenate([sketch.facts for sketch in sketches]), columns=list(FACTS))
    objects.insert(0, "record", shapes["record"].to_numpy()[order])
    objects.insert(1, "box", boxes[order])
    objects.insert(2, "problem", pd.Series([p for sketch in sketches for p in sketch.problems], dtype="str"))
    pairs = [
        (boxes[own[int(a)]], boxes[own[int(b)]], iou)
        for own, sketch in zip(rows, sketches, strict=True)
        for a, b, iou in sketch.pairs.tolist()
    ]
    drawn, lines = _images(dataset, rows, sheets, sketches)
    return replace(
        dataset,
        outlines={**dataset.outlines, **lines},
        drawings=Drawings(
            objects=objects.sort_values("box", kind="stable", ignore_index=True),
            pairs=pd.DataFrame(pairs, columns=["first", "second", "iou"]).astype({"first": "int64", "second": "int64"}),
            images=drawn,
            crowded=sum(sketch.crowded for sketch in sketches),
        ),
    )


def _images(
    dataset: Dataset, rows: Sequence[Positions], sheets: Sequence[Sheet], sketches: Sequence[Sketch]
) -> tuple[pd.DataFrame, dict[str, bytes]]:
    """Pictures as masks; of one with objects that were not drawn, or have a box alone, no more than the size is told."""
    shapes = dataset.shapes
    boxed = dataset.boxes["record"].value_counts()
    paths, boxes = dataset.boxes["path"].to_numpy(object), shapes["box"].to_numpy(np.int64)
    found: list[dict[str, object]] = []
    lines: dict[str, bytes] = {}
    for own, sheet, sketch in zip(rows, sheets, sketches, strict=True):
        record = str(shapes["record"].iat[own[0]])
        drawn = sketch.numbers is not None and boxed.get(record, 0) == len(own)
        # a slice at the end of an organ is unlike those of its middle, by right
        whole = drawn and dataset.summary.layout != SLICES
        path = str(paths[boxes[own[0]]])
        header = Header(format=OUTLINES, shape=(sheet.height, sheet.width))
        row = row_of(path, record, sketch.numbers if whole else None, header, "")
        size = {} if whole or not sheet.height else {"height": float(sheet.height), "width": float(sheet.width)}
        found.append(row | size)
        if drawn and sketch.lines:
            lines[f"{path}\x1f{record}"] = sketch.lines
    return mask_frame(found), lines
