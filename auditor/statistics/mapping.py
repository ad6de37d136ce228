"""One column that all but fixes another, and the records that break the rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """From values of one column to those of another.

    Args:
        follows: share of the records that follow the rule.
        records: records with both values, whose first value enough others have.
        broken: positions of the records that do not follow it.
    """

    follows: float
    records: int
    broken: npt.NDArray[np.int64]


def mapping_of(first: Codes, second: Codes, *, least: int = 5, base: float = 0.8, purity: float = 0.9) -> Mapping | None:
    """The rule "who has this value of the first column has that one of the second"; None where there is none.

    A rule is a rule only where the second column is not nearly constant anyway (its commonest value in at most `base` of the
    records), where at least two of its values are foretold, and where each value of the first foretells in at least `purity`.

    Args:
        first, second: codes per record, −1 = missing.
        least: records that a value of the first column needs.
    """
    both = np.flatnonzero((first >= 0) & (second >= 0))
    if both.size == 0:
        return None
    table = np.zeros((int(first.max()) + 1, int(second.max()) + 1), np.int64)
    np.add.at(table, (first[both], second[both]), 1)
    held = table.sum(axis=1)
    usual = table.argmax(axis=1)
    enough = held >= least
    records = int(held[enough].sum())
    if records < 0.9 * both.size or np.unique(usual[enough]).size < 2:
        return None
    right = table[np.arange(len(table)), usual]
    if table[enough].sum(axis=0).max() > base * records or (right[enough] < purity * held[enough]).any():
        return None
    broken = both[enough[first[both]] & (second[both] != usual[first[both]])]
    return Mapping(follows=1 - len(broken) / records, records=records, broken=broken)
