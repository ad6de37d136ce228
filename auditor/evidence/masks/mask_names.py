"""What the predicted mask of a record is called: `medaudit predict` writes it, `medaudit scan --predictions` finds it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from auditor.values.dataset import Dataset


def mask_names(dataset: Dataset, suffix: str) -> list[str]:
    """A name per record: that of its image with another suffix, below the same folders; unique, and inside the folder."""
    paths = dataset.records["path"].fillna("").astype(str)
    items = dataset.records["item"].fillna("").astype(str)
    whole = [_inside(path, item) for path, item in zip(paths, items, strict=True)]
    short = [str(name.with_suffix("")) for name in whole]
    names = [str(name) if twice else brief for name, brief, twice in zip(whole, short, doubled(short), strict=True)]
    return [
        f"{name}-{row}{suffix}" if twice else f"{name}{suffix}"
        for row, (name, twice) in enumerate(zip(names, doubled(names), strict=True))
    ]


def _inside(path: str, item: str) -> PurePosixPath:
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
    name = PurePosixPath(*parts) if parts else PurePosixPath("picture")
    return name if not item else name.with_suffix("") / (item.replace(":", "-").replace("/", "-") + ".item")


def doubled(names: Sequence[str]) -> list[bool]:
    """Which names would be one file; in capitals and in small letters they are, on many disks."""
    counts = Counter(name.casefold() for name in names)
    return [counts[name.casefold()] > 1 for name in names]
