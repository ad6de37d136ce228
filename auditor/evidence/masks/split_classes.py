"""Which classes that masks, boxes or points draw stand in none of the pictures of a split."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

MOST_CHANCE = 0.01
"""A class that others hold so often that its absence has at most this chance is lacking; a rarer one may be missing by luck."""
LEAST = 5
"""Pictures elsewhere that must hold it."""


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """A class that one split lacks.

    Args:
        held: what is lacking, a value of masks or the name of a class.
        split: where.
        pictures: of that split.
        holders, others: pictures of all other splits that hold it, and how many there are.
    """

    held: Hashable
    split: str
    pictures: int
    holders: int
    others: int


def lacking(held: Sequence[frozenset[Hashable]], splits: Sequence[str | None]) -> list[Lacking]:
    """By split, then by class.

    Args:
        held: the classes of each picture.
        splits: the split of each picture, None or empty where there is none.
    """
    known = [(classes, split) for classes, split in zip(held, splits, strict=True) if split]
    names = sorted({split for _, split in known})
    every = sorted({one for classes, _ in known for one in classes}, key=lambda one: (str(type(one)), one))
    found = []
    for name in names:
        inside = [classes for classes, split in known if split == name]
        outside = [classes for classes, split in known if split != name]
        for one in every:
            holders = sum(one in classes for classes in outside)
            if holders < LEAST or any(one in classes for classes in inside):
                continue
            if (1 - holders / len(outside)) ** len(inside) <= MOST_CHANCE:
                found.append(Lacking(held=one, split=name, pictures=len(inside), holders=holders, others=len(outside)))
    return found
