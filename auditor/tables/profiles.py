"""What is in one column of a label table: its distinct cells and how often each occurs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.headers import IN_NO_FILE, plain
from auditor.naming.labels import are_states
from auditor.naming.numbers import with_points
from auditor.naming.suffixes import looks_like_image_name
from auditor.naming.unlabelled import unlabelled_words
from auditor.values.errors import DatasetError
from auditor.values.ordinary import shown_as, shown_columns

SAMPLE = 1000
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
INTEGER = re.compile(r"-?\d+(?:\.0+)?")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One column.

    Args:
        values: distinct cells that are not blank, the most frequent first.
        counts: how often each occurs.
        rows: rows of the table.
    """

    name: str
    values: pd.Index
    counts: npt.NDArray[np.int64]
    rows: int

    @property
    def distinct(self) -> int:
        """Number of distinct cells that are not blank."""
        return len(self.values)

    @property
    def filled(self) -> int:
        """Number of cells that are not blank."""
        return int(self.counts.sum())

    @property
    def sample(self) -> list[str]:
        """Up to 1000 distinct cells, evenly chosen."""
        return [str(value) for value in self.values[:: max(len(self.values) // SAMPLE, 1)][:SAMPLE]]

    @property
    def numeric(self) -> bool:
        """Every sampled cell is a number."""
        return self.distinct > 0 and all(NUMBER.fullmatch(value) for value in with_points(self.sample))

    @property
    def states(self) -> bool:
        """Nothing but yes, no, uncertain and the like, or blank."""
        return self.distinct <= 8 and are_states([str(value) for value in self.values])

    @property
    def told(self) -> Profile:
        """The same column without the cells that are states of the work (`todo`) or codes for a missing label."""
        many = self.distinct > SAMPLE
        words = unlabelled_words([str(v) for v in self.values if not (many and NUMBER.fullmatch(str(v)))])
        if not words:
            return self
        keep = np.array([str(value) not in words for value in self.values], dtype=np.bool_)
        return replace(self, values=self.values[keep], counts=self.counts[keep])

    @property
    def image_names(self) -> float:
        """Share of the sampled cells that end as image files do."""
        sample = self.sample
        return sum(map(looks_like_image_name, sample)) / len(sample) if sample else 0.0


def profile(name: str, column: pd.Series) -> Profile:
    """Distinct values of a categorical text column with their counts."""
    names = column.cat.categories.astype("str")
    counts = np.bincount(column.cat.codes.to_numpy(), minlength=len(names)).astype(np.int64)
    keep = np.flatnonzero((counts > 0) & (names != "").astype(bool))
    keep = keep[np.argsort(-counts[keep], kind="stable")]
    return Profile(name=name, values=names[keep], counts=counts[keep], rows=len(column))


def check_column(name: str, names: Sequence[str], where: str) -> str:
    """The column that the user means: exact, the only one that differs in case and punctuation alone, or the place under which
    reports show a header that could name somebody (`column 7`).

    Raises:
        DatasetError: no such column; the message names the nearest ones.
    """
    if name in names:
        return name
    same = [other for other in names if plain(other) == plain(name)]
    if len(same) == 1:
        return same[0]
    withheld = shown_as(name, [other for other in names if other not in IN_NO_FILE])
    if withheld is not None:
        return withheld
    lower = {other.lower(): other for other in names}
    alike = difflib.get_close_matches(name.lower(), list(lower), n=3, cutoff=0.5)
    near = [lower[key] for key in alike] or list(names[:8])
    raise DatasetError(f"{where}: no column is called {name!r}; the nearest are: {', '.join(shown_columns(near, names))}")
