"""What a copy's label table does not hold and stays with its records: boxes (of COCO, YOLO, VOC and others, or of tables beside
the user's own), and what readers said in tables beside it.

Each kind is one table, a row per box or reading, of the images as the copy calls them; those of records that left stay away.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.containers.outline import as_segmentation
from auditor.placement.box_tables import CORNERS, SEGMENTATION
from auditor.placement.records import OUTLINE
from auditor.values.cells import as_cell
from auditor.values.dataset import Dataset
from trainers.copying.source import Source

BOXES, READINGS = "boxes.csv", "readings.csv"
KEYS: Mapping[str, str] = {BOXES: "boxes", READINGS: "readings"}
"""Table → the key of `[dataset]` that names it in the copy."""
MOST_CELL = 500_000
"""Characters of an outline that a copy takes: half of what a cell may hold by itself ([limits] cell-bytes)."""
ROW = "row"
"""Of the label table: the record that a box lies on. In the memory of a copy alone."""


def beside(dataset: Dataset, source: Source) -> dict[str, pd.DataFrame]:
    """The tables that there are, by name; see `boxes_of` and `readings_of`."""
    found = {BOXES: boxes_of(dataset, source), READINGS: readings_of(dataset, source)}
    return {name: frame for name, frame in found.items() if len(frame)}


def readings_of(dataset: Dataset, source: Source) -> pd.DataFrame:
    """Every reading that the label table does not hold, as text: `row`, `path`, `rater`, `label`, `time` …"""
    readings = dataset.annotations
    table = dataset.rows
    # A table that is made keeps a column per reader, and no row per reading.
    own = table is not None and (bool(table.raters) or (source.form == "table" and "rater" in table.roles))
    if own or source.form == "npz" or not len(readings):
        return pd.DataFrame()
    places = dataset.records.index.get_indexer(pd.Index(readings["record"].astype(str)))
    readings, places = readings[places >= 0], places[places >= 0]
    rows = np.array([int(of[0]) for of in source.rows], np.int64)[places]
    names = dataset.records["path"].fillna("").astype(str).to_numpy()[places]
    columns = {ROW: rows.astype(str), "path": np.where(names == "", readings["record"].astype(str), names)}
    columns |= {name: readings[name].fillna("").astype(str).to_numpy() for name in readings.columns if name != "record"}
    return pd.DataFrame(columns, dtype=object)


def boxes_of(dataset: Dataset, source: Source) -> pd.DataFrame:
    """Every box that the label table does not hold, as text: `row`, `path`, `label`, four corners in pixels [, `rater`]; where
    some have outlines, these as JSON and the size of the picture that they were drawn on.

    Args:
        source: the label table of the copy.
    """
    boxes = dataset.boxes
    in_table = source.form == "table" and dataset.rows is not None and bool(dataset.rows.boxes)
    if in_table or source.form == "npz" or not len(boxes):
        return pd.DataFrame()
    places = dataset.records.index.get_indexer(pd.Index(boxes["record"].astype(str)))
    known = np.flatnonzero(places >= 0)
    boxes, places = boxes.iloc[known], places[known]
    rows = np.array([int(of[0]) for of in source.rows], np.int64)[places]
    columns = {
        ROW: rows.astype(str), "path": dataset.records["path"].fillna("").astype(str).to_numpy()[places],
        "label": boxes["label"].fillna("").astype(str).to_numpy(),
    }  # fmt: skip
    for name, corner in zip(CORNERS, ("x0", "y0", "x1", "y1"), strict=True):
        columns[name] = np.array([np.format_float_positional(value, trim="-") for value in boxes[corner]], dtype=object)
    if "rater" in boxes.columns:
        columns["rater"] = boxes["rater"].fillna("").astype(str).to_numpy()
    return pd.DataFrame(columns | _outlines(dataset, known), dtype=object)


def _outlines(dataset: Dataset, known: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.object_]]:
    """Columns of the outlines of some boxes (positions); one that is too long for a cell is left out, which is told as lost."""
    shapes = dataset.shapes
    if not len(shapes):
        return {}
    names = (SEGMENTATION, *OUTLINE[1:])
    found = {name: np.full(len(dataset.boxes), "", object) for name in names}
    for box, packed, height, width in shapes[["box", "packed", *OUTLINE[1:]]].itertuples(index=False):
        cell = as_segmentation(packed)
        if len(cell) <= MOST_CELL:
            sides = ("" if np.isnan(side) else str(int(side)) for side in (height, width))
            for name, value in zip(names, (cell, *sides), strict=True):
                found[name][box] = value
    return {name: column[known] for name, column in found.items()}


def beside_file(table: pd.DataFrame, renamed: Mapping[int, str], removed: Collection[int]) -> bytes:
    """The table of boxes or of readings as a copy holds it.

    Args:
        table: as of `boxes_of` or `readings_of`.
        renamed: row of the label table → what its image is called in the copy.
        removed: rows that left.
    """
    rows = table[ROW].astype(np.int64)
    there = ~rows.isin(list(removed))
    # records of one image have the same boxes or readings, which are read for each of them: they are written once
    there &= rows == rows.where(there).groupby(table["path"]).transform("min")
    kept = table[there].drop(columns=ROW)
    kept["path"] = [renamed.get(row, path) for row, path in zip(rows[there], kept["path"], strict=True)]
    for name in kept.columns.difference(["path", *CORNERS]):  # words of a document: none may run in a spreadsheet
        kept[name] = [as_cell(word, data=True) for word in kept[name]]
    return table_of(kept)


def table_of(frame: pd.DataFrame) -> bytes:
    """Text columns as CSV."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(list(frame.columns))
    writer.writerows(frame.to_numpy().tolist())
    return stream.getvalue().encode()
