"""What `medaudit split` writes and says: the table, the proof, and the words."""

from __future__ import annotations

import json
from pathlib import Path

from auditor.evidence.kin.groups import EXCLUDED
from auditor.splits.split import NewSplit
from auditor.values.cells import csv_bytes
from auditor.values.errors import ConfigError


def written(new: NewSplit, goal: Path) -> dict[Path, bytes]:
    """The files to write: the table at `goal` (csv or tsv), and the proof beside it as `NAME-proof.json`.

    Raises:
        ConfigError: the suffix is none of these.
    """
    separators = {".csv": ",", ".tsv": "\t"}
    if goal.suffix.lower() not in separators:
        raise ConfigError(f"-o {goal}: .csv or .tsv is needed")
    rows = new.table.astype(object).where(new.table.notna(), None).itertuples(index=False)
    table = csv_bytes(list(new.table.columns), rows, separator=separators[goal.suffix.lower()], data=True)
    proof = json.dumps(as_json(new), indent=2, ensure_ascii=False) + "\n"
    return {goal: table, goal.with_name(f"{goal.stem}-proof.json"): proof.encode()}


def told(new: NewSplit) -> list[str]:
    """The outcome in lines for a terminal."""
    lines = [f"{name}: {count:,} records, {share:.1%} (wanted {want:.1%})" for name, count, share, want in shares(new)]
    parts = [f"{new.moved:,} records moved"]
    parts += [f"{new.assigned:,} had no split and got one"] if new.assigned else []
    parts += [f"{new.excluded:,} are {EXCLUDED}"] if new.excluded else []
    groups = int(new.table["group"].nunique())
    lines.append(f"{groups:,} groups stay whole; {new.old_crossing:,} of them stood in several splits; {', '.join(parts)}")
    lines += [f"note: {note}" for note in new.notes]
    lines += [f"{one.code} {one.status}: {one.words}" for one in new.proof]
    return lines


def shares(new: NewSplit) -> list[tuple[str, int, float, float]]:
    """Per split: its name, records, share of the records that are in a split, and the share wanted."""
    held = new.table["split"]
    total = max(int((held != EXCLUDED).sum()), 1)
    counts = [int((held == name).sum()) for name in new.names]
    return [(n, c, c / total, s) for n, c, s in zip(new.names, counts, new.sizes, strict=True)]


def as_json(new: NewSplit) -> dict[str, object]:
    """The proof as plain values."""
    return {
        "splits": [
            {"split": name, "records": count, "fraction": share, "wanted_fraction": want}
            for name, count, share, want in shares(new)
        ],
        "moved": new.moved,
        "assigned": new.assigned,
        "excluded": new.excluded,
        "groups": int(new.table["group"].nunique()),
        "groups_across_old_splits": new.old_crossing,
        "proven": new.proven,
        "proof": [{"code": p.code, "status": p.status, "words": p.words} for p in new.proof],
        "notes": list(new.notes),
    }
