"""What a table of a folder looks like beside the others, and which of them are read as one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.placement.row_files import split_of
from auditor.tables.rater_columns import reader_of

READER = "reader"
"""Column that says whose each row is, where every reader has a table of their own."""
MOST_OVERLAP = 0.2
"""Two tables of one split that name more of the same records are two versions of one table."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A table that could be the label table.

    Args:
        confidence: 0–1.
        header: column names.
        naming: columns whose cells are (in part) files of the dataset, the best first.
        share: how many cells of its column of paths are files.
        useful: it holds labels or readings.
        panel: it holds readings, and no label that was made of them.
        rows: how many were looked at.
        folders: it names folders of the images.
        case: the column that calls the cases of the images, where none names their files; else empty.
        labels: its columns of labels.
        named: what it calls its records, of the rows that were looked at.
    """

    name: str
    confidence: float
    why: str
    header: tuple[str, ...]
    naming: tuple[str, ...] = ()
    share: float = 0.0
    useful: bool = False
    panel: bool = False
    rows: int = 0
    folders: bool = False
    case: str = ""
    labels: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()


def of_each_reader(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """The best table and the others of its folder that say the same of the same images, where each is called after a reader."""
    best = candidates[0]
    if not best.useful or best.panel or reader_of(best.name) is None or READER in best.header:
        return ()
    group = [
        one.name
        for one in candidates
        if one.header == best.header
        and one.name.rpartition("/")[0] == best.name.rpartition("/")[0]
        and reader_of(one.name) is not None
        and (one is best or _overlap(one, best) > MOST_OVERLAP)
    ]
    return tuple(sorted(group)) if len(group) > 1 else ()


def sisters(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """The best table and those that go on where it ends: nearly the same header, other records.

    `train.csv` and `test.csv` may name the same records, which is a finding; two tables of one split, or of none, may not:
    one would be another version of the other.
    """
    best = candidates[0]
    alike = [one for one in candidates if one is best or _same_header(best, one)]
    every = [one for one in alike if bool(split_of(one.name)) == bool(split_of(best.name))]
    kept: list[Candidate] = []
    for one in every:
        rivals = [other for other in kept if split_of(other.name) == split_of(one.name)]
        if not rivals or (one.named and all(_overlap(one, other) <= MOST_OVERLAP for other in rivals)):
            kept.append(one)
    return tuple(sorted(one.name for one in kept)) if len(kept) > 1 else (best.name,)


def _same_header(best: Candidate, other: Candidate) -> bool:
    splits = split_of(best.name), split_of(other.name)
    one, two = set(best.header), set(other.header)
    if None not in splits and splits[0] != splits[1] and two <= one and best.share >= 0.5 and other.share >= 0.5:
        return best.naming[0] == other.naming[0]  # the table of a test split without its labels
    if other.header == best.header:
        return bool(split_of(best.name)) or (best.share >= 0.5 and other.share >= 0.5)
    shared = set(best.header) & set(other.header)
    either = set(best.header) | set(other.header)
    return len(shared) >= 0.6 * len(either) and best.share >= 0.5 and other.share >= 0.5 and best.naming[0] == other.naming[0]


def _overlap(one: Candidate, other: Candidate) -> float:
    return len(one.named & other.named) / max(1, min(len(one.named), len(other.named)))
