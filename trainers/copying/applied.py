"""What a corrected copy holds, as a caller is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainers.copying.ledger import Entry, Removal


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What a copy holds.

    Args:
        output: the folder.
        reports: folder of the `extra` files: the same, or one beside a copy that must not hold what was there before.
        entries, removals: every correction and removal, applied or not, with the reason why not.
        weighted: records whose weight is not 1.
        files: images that were written anew.
        added: records that strategies made.
        tables: the user's label tables as they were read, name → content.
        notes: what to know.
    """

    output: Path
    reports: Path
    entries: tuple[Entry, ...] = ()
    removals: tuple[Removal, ...] = ()
    weighted: int = 0
    files: int = 0
    added: int = 0
    tables: Mapping[str, bytes]
    notes: tuple[str, ...] = ()

    @property
    def corrected(self) -> int:
        """Corrections that were applied."""
        return sum(entry.applied for entry in self.entries)

    @property
    def removed(self) -> int:
        """Records that left."""
        return sum(removal.applied for removal in self.removals)

    @property
    def proposed(self) -> int:
        """Corrections and removals that wait for a person: they fit, and were not applied."""
        waiting = sum(not e.applied and bool(e.edits) for e in self.entries)
        return waiting + sum(not r.applied and bool(r.rows) for r in self.removals)

    @property
    def refused(self) -> int:
        """Corrections that do not fit the table: the old value no longer stands there, or another strategy came first."""
        return sum(not entry.applied and not entry.edits for entry in self.entries)

    @property
    def unwritten(self) -> Mapping[str, str]:
        """Strategies of whose corrections and removals none is in the copy → why the first of them is not."""
        said = [(e.correction.strategy, e.applied, e.note) for e in self.entries]
        said += [(r.strategy, r.applied, r.note) for r in self.removals]
        done = {strategy for strategy, applied, _ in said if applied}
        return {strategy: note for strategy, _, note in reversed(said) if strategy not in done}

    @property
    def changes(self) -> Mapping[str, int]:
        """What was changed → how many, for a report."""
        counts = Counter(f"{e.correction.field.partition('.')[0]} corrected" for e in self.entries if e.applied)
        more = {
            "records removed": self.removed, "records weighted": self.weighted, "images rewritten": self.files,
            "pictures added": self.added,
            "proposed only": self.proposed, "refused": self.refused,
        }  # fmt: skip
        return {**counts, **{what: count for what, count in more.items() if count}}
