"""A corrected column, as the forms are told to write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class CorrectedColumn:
    """One column of corrected values.

    Args:
        name: of the column.
        beside: the original column, right before it; None: the table had none, and the column comes last.
        changed: row of the table → new text. All other rows hold what the original holds (nothing, where there is none).
        was: row → text that stands there, for those that are known: it is looked up before a new one is written.
        exists: the column is in the table already, from an earlier correction; its own cells are the original ones.
    """

    name: str
    beside: str | None
    changed: Mapping[int, str]
    was: Mapping[int, str] = field(default_factory=dict)
    exists: bool = False
