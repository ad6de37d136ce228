"""What changed between two releases of a dataset: added, removed, renamed, changed, relabelled, moved between splits.

Records are matched by id first, then, so that a renamed or moved file is recognised, by decoded pixels and by bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from auditor.evidence.privacy.withhold import Withholding, withheld_names
from auditor.plan import Plan
from auditor.progress import Progress, Silent
from auditor.stage import gather
from auditor.values.dataset import Dataset

ChangeKind = Literal["added", "removed", "renamed", "changed", "relabelled", "moved"]
KINDS: tuple[ChangeKind, ...] = ("added", "removed", "renamed", "changed", "relabelled", "moved")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of one record.

    Args:
        kind: `added`, `removed`, `renamed` (same content, other id), `changed` (same id, other content), `relabelled`, `moved`.
        old_record, new_record: ids; None where the record is not there.
        old, new: labels or splits, for the last two kinds.
    """

    kind: ChangeKind
    old_record: str | None
    new_record: str | None
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Everything that changed; `unknown` counts matched records whose content could not be compared."""

    old_records: int
    new_records: int
    unchanged: int
    unknown: int
    changes: tuple[Change, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """Changes by kind, in the order of `KINDS`."""
        return {kind: sum(c.kind == kind for c in self.changes) for kind in KINDS}


def read_release(target: Path, plan: Plan, *, progress: Progress | None = None) -> Dataset:
    """A dataset with the digests of its files.

    Raises:
        DatasetError: it cannot be opened.
    """
    plan = replace(plan, target=target, progress=progress or Silent())
    return gather(plan, asked={"pixels"}).dataset


def compare(old: Dataset, new: Dataset) -> Difference:
    """Match the records of two releases and list what changed, in the order of the old one, then of what was added."""
    pairs = match(old, new)
    prints = (_prints(old), _prints(new))
    labels, splits = (_text(old.labels.values), _text(new.labels.values)), (_splits(old), _splits(new))
    changes: list[Change] = []
    unchanged = unknown = 0
    for a, b in pairs:
        found: list[Change] = []
        if a != b:
            found.append(Change(kind="renamed", old_record=a, new_record=b))
        else:
            same = _same(prints[0].get(a), prints[1].get(b))
            unknown += same is None
            if same is False:
                found.append(Change(kind="changed", old_record=a, new_record=b))
        columns: tuple[tuple[ChangeKind, tuple[dict[str, str | None], dict[str, str | None]]], ...] = (
            ("relabelled", labels),
            ("moved", splits),
        )
        for kind, (before, after) in columns:
            if before.get(a) != after.get(b):
                found.append(Change(kind=kind, old_record=a, new_record=b, old=before.get(a), new=after.get(b)))
        unchanged += not found
        changes += found
    matched_old, matched_new = {a for a, _ in pairs}, {b for _, b in pairs}
    changes += [
        Change(kind="removed", old_record=r, new_record=None) for r in map(str, old.records.index) if r not in matched_old
    ]
    changes += [
        Change(kind="added", old_record=None, new_record=r) for r in map(str, new.records.index) if r not in matched_new
    ]
    return Difference(
        old_records=old.size, new_records=new.size, unchanged=unchanged, unknown=unknown,
        changes=shown(sorted(changes, key=lambda c: KINDS.index(c.kind)), old, new),
    )  # fmt: skip


def shown(changes: Sequence[Change], old: Dataset, new: Dataset) -> tuple[Change, ...]:
    """The changes with what could name a person withheld, as the scan of each release shows it."""
    before, after = Withholding(withheld_names(old)), Withholding(withheld_names(new))
    return tuple(
        replace(
            c, old_record=before.of(c.old_record), old=before.of(c.old), new_record=after.of(c.new_record), new=after.of(c.new)
        )
        for c in changes
    )


def match(old: Dataset, new: Dataset) -> list[tuple[str, str]]:
    """Pairs of records that are one: equal ids, then equal pixels, then equal bytes; copies are paired in order."""
    names = set(map(str, new.records.index))
    pairs = [(r, r) for r in map(str, old.records.index) if r in names]
    left = [r for r in map(str, old.records.index) if r not in names]
    taken = {r for r, _ in pairs}
    right = [r for r in map(str, new.records.index) if r not in taken]
    for column in ("pixels", "bytes"):
        found = _match_by(_column(old, column), _column(new, column), left, right)
        pairs += found
        gone_old, gone_new = {a for a, _ in found}, {b for _, b in found}
        left = [r for r in left if r not in gone_old]
        right = [r for r in right if r not in gone_new]
    order = {str(r): i for i, r in enumerate(old.records.index)}
    return sorted(pairs, key=lambda pair: order[pair[0]])


def _match_by(
    old: Mapping[str, str], new: Mapping[str, str], left: Sequence[str], right: Sequence[str]
) -> list[tuple[str, str]]:
    waiting: dict[str, list[str]] = defaultdict(list)
    for record in reversed(right):
        if record in new:
            waiting[new[record]].append(record)
    return [(record, waiting[old[record]].pop()) for record in left if record in old and waiting[old[record]]]


def _column(dataset: Dataset, name: str) -> dict[str, str]:
    """Record → digest. Bytes of a file of many records are no record's; a constant picture is no evidence."""
    if name not in dataset.fingerprints.columns:
        return {}
    usable = dataset.fingerprints[name].notna()
    if name == "bytes":
        usable &= dataset.records["item"].fillna("").eq("")
    else:
        usable &= ~dataset.fingerprints["constant"].astype(bool)
    return {str(r): str(v) for r, v in dataset.fingerprints.loc[usable, name].items()}


def _prints(dataset: Dataset) -> dict[str, tuple[str | None, str | None]]:
    frame = dataset.fingerprints
    if not {"pixels", "bytes"} <= set(frame.columns):
        return {}
    plain = frame[["pixels", "bytes"]].astype(object).where(frame[["pixels", "bytes"]].notna(), None)
    return {str(r): (p, b) for r, p, b in zip(frame.index, plain["pixels"], plain["bytes"], strict=True)}


def _same(one: tuple[str | None, str | None] | None, other: tuple[str | None, str | None] | None) -> bool | None:
    """Equal pixels, or equal bytes where pixels are not known; None when neither is."""
    if one is None or other is None:
        return None
    for a, b in zip(one, other, strict=True):
        if a is not None and b is not None:
            return a == b
    return None


def _text(values: pd.Series) -> dict[str, str | None]:
    return {str(r): None if pd.isna(v) else str(v) for r, v in values.items()}


def _splits(dataset: Dataset) -> dict[str, str | None]:
    return _text(dataset.records["split" if dataset.has("split") or not dataset.has("fold") else "fold"])


def as_json(difference: Difference) -> dict[str, object]:
    """Plain data for JSON."""
    return {
        "old_records": difference.old_records,
        "new_records": difference.new_records,
        "unchanged": difference.unchanged,
        "content_unknown": difference.unknown,
        "counts": dict(difference.counts),
        "changes": [asdict(change) for change in difference.changes],
    }


def as_text(difference: Difference, *, most: int = 20) -> list[str]:
    """Lines for a person: counts, transitions of labels and splits, then at most `most` records per kind."""
    lines = [f"{difference.old_records:,} records before, {difference.new_records:,} after, {difference.unchanged:,} unchanged"]
    if difference.unknown:
        lines.append(f"{difference.unknown:,} matched by id alone: their content could not be compared")
    for kind in KINDS:
        found = [c for c in difference.changes if c.kind == kind]
        if not found:
            continue
        lines.append(f"{kind}: {len(found):,}")
        if kind in ("relabelled", "moved"):
            steps = pd.Series([f"{c.old or '(none)'} → {c.new or '(none)'}" for c in found]).value_counts()
            lines += [f"  {count:,} × {_plain(str(step))}" for step, count in steps.head(most).items()]
        for change in found[:most]:
            names = [n for n in dict.fromkeys((change.old_record, change.new_record)) if n is not None]
            lines.append(f"  {' → '.join(map(_plain, names))}")
        if len(found) > most:
            lines.append(f"  … and {len(found) - most:,} more (--format json lists all)")
    return lines


def _plain(text: str) -> str:
    """Control and direction characters of a file name made visible: a terminal would obey them."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
