"""Which classes are asked for: every class against the rest, as two boolean matrices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from auditor.values.labels import Labels


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Classes, each against the rest.

    Args:
        names: class names, shape (classes,).
        positive: bool, shape (records, classes); False where not known.
        known: bool, shape (records, classes).
    """

    names: tuple[str, ...]
    positive: npt.NDArray[np.bool_]
    known: npt.NDArray[np.bool_]

    @cached_property
    def uniform(self) -> bool:
        """Every class is known for the same records."""
        return bool((self.known == self.known[:, :1]).all())


def targets_of(labels: Labels) -> Targets:
    """All classes of `labels`. A continuous label is cut at its median: above against at or below."""
    if labels.task == "continuous":
        numbers = np.asarray(labels.values.to_numpy(dtype=np.float64, na_value=np.nan))
        known = np.isfinite(numbers)
        middle = float(np.median(numbers[known])) if known.any() else 0.0
        # A median that ties with the largest value would leave nothing above it.
        above = numbers > middle if (numbers[known] > middle).any() else numbers >= middle
        return Targets(names=("above the median",), positive=(above & known)[:, None], known=known[:, None])
    asked = list(labels.one_vs_rest())
    if not asked:
        empty = np.zeros((len(labels.values), 0), np.bool_)
        return Targets(names=(), positive=empty, known=empty)
    return Targets(
        names=tuple(one.name for one in asked),
        positive=np.asfortranarray(np.column_stack([one.positive & one.known for one in asked])),
        known=np.asfortranarray(np.column_stack([one.known for one in asked])),
    )


def sufficient(targets: Targets, patients: npt.NDArray[np.int64], *, cases: int, holders: int) -> npt.NDArray[np.bool_]:
    """Classes with at least `cases` records and `holders` patients on either side; shape (classes,)."""
    enough = np.zeros(len(targets.names), np.bool_)
    for c in range(len(targets.names)):
        sides = (targets.positive[:, c], targets.known[:, c] & ~targets.positive[:, c])
        enough[c] = all(int(side.sum()) >= cases and np.unique(patients[side]).size >= holders for side in sides)
    return enough


def subset(targets: Targets, classes: npt.NDArray[np.bool_]) -> Targets:
    """Only the classes marked in `classes`."""
    return Targets(
        names=tuple(name for name, keep in zip(targets.names, classes, strict=True) if keep),
        positive=np.asfortranarray(targets.positive[:, classes]),
        known=np.asfortranarray(targets.known[:, classes]),
    )


def rows_of(targets: Targets, rows: npt.NDArray[np.int64]) -> Targets:
    """Only the records `rows`."""
    return Targets(
        names=targets.names,
        positive=np.asfortranarray(targets.positive[rows]),
        known=np.asfortranarray(targets.known[rows]),
    )
