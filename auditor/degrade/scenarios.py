"""Situations in which a test of leakage is easily wrong: a label, one metadata field, patients, and whether it leaks.

The eight classical ones have one image per patient except the last; three more have several. The figures of cleanlab's
baseline, of PPS and of permuted rows on them are in the documentation of LK001.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """`labels` and `patients` are text, `field` numbers, each of shape (records,). `leaks`: the truth, for one field tested."""

    name: str
    labels: npt.NDArray[np.object_]
    field: npt.NDArray[np.float64]
    patients: npt.NDArray[np.object_]
    leaks: bool


Draw = tuple[npt.NDArray[np.int64], npt.NDArray[Any], npt.NDArray[np.int64]]


def leakage_scenario(name: str, n: int = 1000, seed: int = 0) -> Scenario:
    """One draw of the scenario `name` with about `n` records (rounded to whole patients).

    Raises:
        KeyError: a name that is not in `SCENARIOS`.
    """
    make, leaks = SCENARIOS[name]
    label, field, patient = make(np.random.default_rng(seed), n)
    classes = np.array([f"class {i}" for i in range(10)], dtype=object)
    return Scenario(
        name=name,
        labels=classes[label],
        field=np.asarray(field, dtype=np.float64),
        patients=np.array([f"P{p:05d}" for p in patient.tolist()], dtype=object),
        leaks=leaks,
    )


def _null(share: float) -> Callable[[np.random.Generator, int], Draw]:
    def draw(rng: np.random.Generator, n: int) -> Draw:
        return _exactly(rng, n, share), rng.normal(size=n), np.arange(n)

    return draw


def _exactly(rng: np.random.Generator, n: int, share: float) -> npt.NDArray[np.int64]:
    """`share` of n records are 1, in random order."""
    return rng.permutation((np.arange(n) < round(n * share)).astype(np.int64))


def _one_of_ten(rng: np.random.Generator, n: int) -> Draw:
    label = rng.permutation(np.arange(n) % 10)
    return label, label == 3, np.arange(n)


def _rare(rng: np.random.Generator, n: int) -> Draw:
    label = _exactly(rng, n, 0.05)
    field = np.zeros(n, dtype=np.int64)
    positives = np.flatnonzero(label)
    field[rng.choice(positives, size=round(0.6 * len(positives)), replace=False)] = 1
    return label, field, np.arange(n)


def _shift(rng: np.random.Generator, n: int) -> Draw:
    label = _exactly(rng, n, 0.5)
    return label, rng.normal(size=n) + 0.5 * label, np.arange(n)


def _agreeing(rng: np.random.Generator, n: int) -> Draw:
    label = _exactly(rng, n, 0.5)
    return label, np.where(rng.random(n) < 0.8, label, 1 - label), np.arange(n)


def _constant(rng: np.random.Generator, n: int) -> Draw:
    """Label and field constant per patient, independent of each other; 20 images each (50 patients at n = 1000)."""
    patients = max(2, n // 20)
    label, field = _exactly(rng, patients, 0.5), rng.normal(size=patients)
    return np.repeat(label, 20), np.repeat(field, 20), np.repeat(np.arange(patients), 20)


def _pairs(leaks: bool) -> Callable[[np.random.Generator, int], Draw]:
    """A left and a right image per patient, one of them positive; the field follows the label, or the lot."""

    def draw(rng: np.random.Generator, n: int) -> Draw:
        patients = n // 2
        first = rng.integers(0, 2, patients)
        label = np.stack([first, 1 - first], axis=1).ravel()
        field = label if leaks else rng.permuted(np.tile([0, 1], (patients, 1)), axis=1).ravel()
        return label, field, np.repeat(np.arange(patients), 2)

    return draw


def _unequal(leaks: bool) -> Callable[[np.random.Generator, int], Draw]:
    """1 to 40 images per patient, few patients with many; label and field constant per patient."""

    def draw(rng: np.random.Generator, n: int) -> Draw:
        sizes: list[int] = []
        while sum(sizes) < n:
            sizes.append(int(min(rng.geometric(0.12), 40, n - sum(sizes))))
        label = _exactly(rng, len(sizes), 0.5)
        field = rng.normal(size=len(sizes)) + (1.5 * label if leaks else 0.0)
        return np.repeat(label, sizes), np.repeat(field, sizes), np.repeat(np.arange(len(sizes)), sizes)

    return draw


SCENARIOS: Mapping[str, tuple[Callable[[np.random.Generator, int], Draw], bool]] = {
    "null 50/50": (_null(0.50), False),
    "null 80/20": (_null(0.20), False),
    "null 95/5": (_null(0.05), False),
    "one of ten classes": (_one_of_ten, True),
    "rare, 60 % revealed": (_rare, True),
    "0.5 sd shift": (_shift, True),
    "balanced 80/20 binary": (_agreeing, True),
    "constant per patient, independent": (_constant, False),
    "left and right, leaking": (_pairs(True), True),
    "left and right, independent": (_pairs(False), False),
    "unequal patients, leaking": (_unequal(True), True),
    "unequal patients, independent": (_unequal(False), False),
}
"""Name → how it is drawn, and whether it leaks."""
