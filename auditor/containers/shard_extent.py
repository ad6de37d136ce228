"""How much the records of shards may say: counted where they are read, and where those of all shards are joined."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits

Row = dict[str, str]
MOST_TEXT = 128 << 20
"""Characters that all records together may say of their images."""


@dataclass(kw_only=True)
class Told:
    """How large a table of records becomes: many that say little, or each something else, make one that nobody can hold.

    Args:
        columns: that it has so far.
        rows, text: their number, and characters of all cells.
    """

    limits: Limits
    columns: set[str] = field(default_factory=set)
    rows: int = 0
    text: int = 0

    def add(self, row: Row) -> None:
        """One more.

        Raises:
            UnreadableFile: kind `too-large`.
        """
        self.columns.update(row)
        self.rows += 1
        self.text += sum(map(len, row.values()))
        if len(self.columns) > self.limits.table_columns:
            raise UnreadableFile(
                "too-large", f"its records say more than {self.limits.table_columns:,} different things of images"
            )
        if self.text + self.rows * len(self.columns) > MOST_TEXT:
            raise UnreadableFile("too-large", f"its records say more than {MOST_TEXT >> 20:,} MiB of their images")
