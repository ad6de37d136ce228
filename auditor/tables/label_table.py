"""A label table in memory: every cell is text. `007` is not `7`, the class `NA` stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.dataset import Problem


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """A table whose cells are all text.

    Args:
        path: the file.
        frame: one categorical column of text per column; a blank cell is the empty string.
        lines: 1-based line of each row in the file, the header being line 1; 0 where the format has no lines.
        rows: rows in the file, the malformed ones too; blank lines are no rows.
        problems: malformed rows.
        notes: what was detected, in words.
    """

    path: Path
    frame: pd.DataFrame
    lines: npt.NDArray[np.int64]
    rows: int
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def categorical(values: Iterable[str]) -> pd.Series:
    """Cells as a categorical column of text, without the white space around them."""
    return strip_cells(pd.Series(pd.Categorical(list(values)), dtype="category"))


def strip_cells(column: pd.Series) -> pd.Series:
    """The same column without white space around the cells; equal categories are merged."""
    names = column.cat.categories.astype("str")
    bare = names.str.strip()
    if (bare == names).all():
        return column
    codes, kept = pd.factorize(bare)
    return pd.Series(pd.Categorical.from_codes(codes[column.cat.codes.to_numpy()], categories=kept), index=column.index)


def add_blank_row(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table with one more row, all blank: what a record without a row stands on."""
    columns = {}
    for name in frame.columns:
        column = frame[name] if "" in frame[name].cat.categories else frame[name].cat.add_categories("")
        blank = int(np.flatnonzero(column.cat.categories == "")[0])
        codes = np.append(column.cat.codes.to_numpy().astype(np.int64), blank)
        columns[name] = pd.Series(pd.Categorical.from_codes(codes, categories=column.cat.categories))
    return pd.DataFrame(columns)


def merge_tables(tables: Mapping[str, LabelTable], column: str) -> LabelTable:
    """Tables with the same header as one; `column` holds the key of the table that each row came from."""
    parts = list(tables.values())
    frame = pd.DataFrame(
        {
            name: pd.Series(pd.api.types.union_categoricals([part.frame[name] for part in parts]))
            for name in parts[0].frame.columns
        }
    )
    frame[column] = pd.Categorical(np.repeat(list(tables), [len(part.frame) for part in parts]))
    return LabelTable(
        path=parts[0].path,
        frame=frame,
        lines=np.concatenate([part.lines for part in parts]),
        rows=sum(part.rows for part in parts),
        problems=tuple(problem for part in parts for problem in part.problems),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )
