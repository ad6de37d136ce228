"""A value that only one class has: an exact test over patients, so that imbalance alone never looks like a leak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.statistics.coding import CodedField
from auditor.statistics.distributions import hypergeom
from auditor.statistics.multiplicity import holm
from auditor.statistics.targets import Targets

MAJORITY = 0.6
"""A class of more than this share of the patients is the normal case. Not .5: of two equal classes neither is."""


@dataclass(frozen=True, kw_only=True)
class PureValue:
    """A value of a field all of whose records are of one class.

    Args:
        code: code of the value.
        target: index of the class.
        patients: patients with the value. records: records with it.
        base_rate: share of the class among all patients. lift: 1 / base_rate, how much purer than the rest.
        p: exact, adjusted over all values and classes of the field (Holm).
    """

    code: int
    target: int
    patients: int
    records: int
    base_rate: float
    lift: float
    p: float


def pure_values(
    field: CodedField, targets: Targets, clusters: npt.NDArray[np.int64], patients: int, *, alpha: float = 0.05
) -> tuple[PureValue, ...]:
    """Values whose records are all of one class, when that is no accident at the level of patients.

    A patient counts as a case when at least half of its records are. Under the null, which patients hold a value is a
    draw without replacement: hypergeometric. A majority class (more than `MAJORITY` of the patients) is never called pure.
    """
    candidates: list[tuple[int, int, int, int, float]] = []
    p: list[float] = []
    tests = 0
    for c in range(len(targets.names)):
        known, positive = targets.known[:, c], targets.positive[:, c]
        seen = np.bincount(clusters[known], minlength=patients)
        cases = np.bincount(clusters[positive], minlength=patients)
        case = (seen > 0) & (2 * cases >= seen)
        everyone, total = int((seen > 0).sum()), int(case.sum())
        if total == 0 or total > MAJORITY * everyone:
            continue
        hits = np.bincount(field.codes[positive], minlength=field.size)
        others = np.bincount(field.codes[known & ~positive], minlength=field.size)
        tests += int((hits + others > 0).sum())
        pure = (hits > 0) & (others == 0)
        rows = np.flatnonzero(positive & pure[field.codes])
        held = np.unique(clusters[rows] * field.size + field.codes[rows])
        holders = np.bincount(held % field.size, minlength=field.size)
        whole = np.bincount((held % field.size)[case[held // field.size]], minlength=field.size)
        for x in np.flatnonzero(pure & (holders == whole)):
            p.append(float(hypergeom.sf(holders[x] - 1, everyone, total, holders[x])))
            candidates.append((int(x), c, int(holders[x]), int(hits[x]), total / everyone))
    # Values that are not pure have p = 1: they count as tests and change nothing else.
    adjusted = holm(np.array(p + [1.0] * (tests - len(p))))[: len(p)]
    found = [
        PureValue(code=x, target=c, patients=n, records=r, base_rate=base, lift=1 / base, p=float(q))
        for (x, c, n, r, base), q in zip(candidates, adjusted, strict=True)
        if q <= alpha
    ]
    return tuple(sorted(found, key=lambda value: (value.p, -value.patients, value.code)))
