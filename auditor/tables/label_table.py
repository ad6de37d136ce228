"""A label table in memory: every cell is text. `007` is not `7`, the class `NA` stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
        parts: how many rows came from each file, in their order, where the table was made of several.
        joined: column that lies in another file → its name.
        case: the column that calls the case of several images; empty where rows are images.
    """

    path: Path
    frame: pd.DataFrame
    lines: npt.NDArray[np.int64]
    rows: int
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()
    joined: Mapping[str, str] = field(default_factory=dict)
    case: str = ""


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


def merge_tables(tables: Sequence[tuple[str | None, LabelTable]], column: str) -> LabelTable:
    """Tables of nearly the same header as one, in their order; a column that one lacks is blank there.

    Args:
        tables: the split of each table, and the table.
        column: name of the column that holds the split of each row; there is none where no table has a split.
    """
    parts = [table for _, table in tables]
    names = list(dict.fromkeys(name for part in parts for name in part.frame.columns))
    frame = pd.DataFrame({name: _stacked(parts, name) for name in names})
    splits = [split or "" for split, _ in tables]
    if any(splits):
        frame[column] = pd.Categorical(np.repeat(splits, [len(part.frame) for part in parts]))
    return LabelTable(
        path=parts[0].path,
        frame=frame,
        lines=np.concatenate([part.lines for part in parts]),
        rows=sum(part.rows for part in parts),
        problems=tuple(problem for part in parts for problem in part.problems),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        parts=tuple(len(part.frame) for part in parts),
    )


def _stacked(parts: Sequence[LabelTable], name: str) -> pd.Series:
    columns = [
        part.frame[name] if name in part.frame.columns else pd.Series(pd.Categorical([""] * len(part.frame))) for part in parts
    ]
    return pd.Series(pd.api.types.union_categoricals(columns))
