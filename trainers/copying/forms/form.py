"""The form of a table, told from its name: one door to all of them."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.tables.tables import table_format
from trainers.copying.forms import json_form, parquet_form, text_form
from trainers.copying.forms.column import CorrectedColumn


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which part of a table file is which row.

    Args:
        lines: 1-based line of each row in a file of JSON lines; of all other forms row i is simply the i-th.
        kept: rows that stay; shape (rows,).
    """

    lines: npt.NDArray[np.int64]
    kept: npt.NDArray[np.bool_]


def written(name: str, content: bytes, place: Place, columns: Sequence[CorrectedColumn]) -> bytes:
    """The table with the corrected columns in it and without the rows that leave; all other text is what it was.

    Args:
        name: of the file; its suffix tells the form.
        content: of the user's file.
        place: where its rows are.
        columns: what to add, or to fill anew where the column is there already.

    Raises:
        DatasetError: the file is not the one whose rows are in `place`, or cannot hold a new value.
    """
    if name.lower().endswith(".gz"):
        # No time and no name in the header: the same table gives the same bytes.
        return gzip.compress(written(name[:-3], gzip.decompress(content), place, columns), mtime=0)
    kind = table_format(name) or "csv"
    if kind == "parquet":
        return parquet_form.written(name, content, place.kept, columns)
    if kind == "json":
        return json_form.list_written(name, content, place.kept, columns)
    if kind == "jsonl":
        return json_form.lines_written(content, place.lines, place.kept, columns)
    return text_form.written(name, content, place.kept, columns)


def named(existing: Sequence[str], original: str) -> str:
    """What the corrected column of `original` is called: `finding_corrected`, numbered where that is taken."""
    stem = name = f"{original}_corrected"
    count = 2
    while name in existing:
        name = f"{stem}_{count}"
        count += 1
    return name
