"""Are raters and something else confounded: do some raters read mostly one class, site or split?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
ENOUGH = 20
LEAST = 99


@dataclass(frozen=True, kw_only=True)
class Confounding:
    """Raters against the values of an attribute.

    Args:
        table: (raters, values) readings.
        cramer: Cramér's V, corrected for what chance alone gives (Bergsma 2013); 0 = every rater has the same mix, 1 =
            each value has its own raters.
        p: by permuting the attribute over the units.
    """

    table: Doubles
    cramer: float
    p: float


def confounded(
    unit: Codes, rater: Codes, value: Codes, *, raters: int, values: int, permutations: int = 999, seed: int = 0
) -> Confounding | None:
    """Association of who read with what the unit is.

    Args:
        unit, rater: one entry per reading; units are what the attribute belongs to (patients, or records).
        value: (units,) code of the attribute, −1 where it is not known.
        raters, values: how many there are.

    Returns:
        None where fewer than two raters or two values are left.
    """
    known = value[unit] >= 0
    unit, rater = unit[known], rater[known]
    kept = np.flatnonzero(value >= 0)
    place = np.full(len(value), -1)
    place[kept] = np.arange(len(kept))
    where = place[unit]
    code = value[kept]

    def counted(values_of_units: Codes) -> Doubles:
        cells = rater * values + values_of_units[where]
        return np.bincount(cells, minlength=raters * values).reshape(raters, values).astype(np.float64)

    table = counted(code)
    if (table.sum(axis=1) > 0).sum() < 2 or (table.sum(axis=0) > 0).sum() < 2:
        return None
    observed = _chi_square(table)
    rng = np.random.default_rng(seed)
    values_drawn: list[float] = []
    hits = 0
    # Sequential (Besag & Clifford 1991): where chance does as well often enough, more draws would not change the verdict.
    while len(values_drawn) < permutations and (hits < ENOUGH or len(values_drawn) < LEAST):
        values_drawn.append(_chi_square(counted(rng.permutation(code))))
        hits += values_drawn[-1] >= observed - 1e-9
    drawn = np.array(values_drawn)
    p = (hits + 1) / (len(drawn) + 1)
    total = float(table.sum())
    rows, columns = int((table.sum(axis=1) > 0).sum()), int((table.sum(axis=0) > 0).sum())
    # What chance gives under the permutations replaces Bergsma's (r−1)(c−1)/(n−1): readings of one unit are not independent.
    phi = max(0.0, (observed - float(drawn.mean())) / total)
    top = max(min(rows, columns) - 1 - float(drawn.mean()) / total, 1e-9)
    return Confounding(table=table, cramer=float(min(1.0, np.sqrt(phi / top))), p=p)


def _chi_square(table: Doubles) -> float:
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / max(float(table.sum()), 1)
    return float(np.divide((table - expected) ** 2, expected, out=np.zeros_like(table), where=expected > 0).sum())
