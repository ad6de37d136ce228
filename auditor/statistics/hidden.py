"""How many images of one patient must be allowed for where nobody names the patients, and what still holds then."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from auditor.statistics.distributions import norm

IMAGES_PER_PATIENT = 10.0
"""The stated design effect. Chest collections hold 1 to 4 images a patient, dermoscopy 1 to 3, slides and frames tens."""

PICTURES_PER_PATIENT = 20.0
"""For what is read from pictures, which those of one patient always share: Σn²/Σn where patients have 1 to 30 images each."""

MOST_PER_PATIENT = 30.0
MOST_FIELDS = 12
CLEAR = 2.0
"""Less than twice what rows that know nothing of each other would show is chance."""

Codes = npt.NDArray[np.int64] | npt.NDArray[np.int32]


def images_shown(fields: Sequence[Codes], label: Codes) -> float:
    """How many images a patient ways of writing show of their own, from 1 to thirty.

    Two fields that know nothing of each other are independent inside a class, if rows are. Where patients (or machines) stand
    behind the rows, χ² between two fields that are constant in each is larger than its degrees of freedom by the design effect
    Σn²/Σn (Rao & Scott 1981, JASA 76:221). Pairs of which one follows from the other (extension from format) show nothing.

    Args:
        fields: codes per record, of fields that have nothing to do with the label.
        label: class per record, 0 and up.
    """
    excess, freedom = 0.0, 0
    for one, other in combinations(fields[:MOST_FIELDS], 2):
        whole = _table(one, other)
        if min(int((whole > 0).sum(axis=axis).max()) for axis in (0, 1)) == 1:
            continue
        for value in range(int(label.max()) + 1):
            rows = label == value
            table = _table(one[rows], other[rows])
            if min(table.shape) < 2:
                continue
            expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
            excess += float(((table - expected) ** 2 / expected).sum())
            freedom += (table.shape[0] - 1) * (table.shape[1] - 1)
    return min(MOST_PER_PATIENT, max(1.0, excess / freedom if freedom else 1.0))


def holds(auc: float, cases: int, others: int, *, images: float, tests: int, alpha: float = 0.05) -> bool:
    """An AUC differs from .5 though every `images` records are one patient's (Mann & Whitney 1947, two-sided, Bonferroni).

    Args:
        cases, others: records with the class, and without.
        tests: how many were looked at.
    """
    m, n = cases / images, others / images
    if min(m, n) < 1:
        return False
    spread = np.sqrt((m + n + 1) / (12 * m * n))
    return bool(2 * float(norm.cdf(-(auc - 0.5) / spread)) * tests <= alpha)


def tempered(p: float, images: float) -> float:
    """A two-sided p-value of records, when every `images` of them are one patient's (first-order correction, Rao & Scott)."""
    return float(2 * norm.cdf(float(norm.ppf(max(p, 1e-300) / 2)) / np.sqrt(images)))


def _table(one: Codes, other: Codes) -> npt.NDArray[np.float64]:
    """Counts of both codes together, values that do not occur left out."""
    rows, first = np.unique(one, return_inverse=True)
    columns, second = np.unique(other, return_inverse=True)
    counts = np.bincount(first * len(columns) + second, minlength=len(rows) * len(columns))
    return counts.reshape(len(rows), len(columns)).astype(np.float64)
