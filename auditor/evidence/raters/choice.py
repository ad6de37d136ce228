"""Which method makes the consensus of a panel: by how well its labels foretell readings that were hidden from it.

Some readings are hidden, a method labels the records from the others, and its soft labels, with how each rater is seen to err,
give every hidden reading a probability. Hidden readings are few and say little of each record, so the likelihood overrules the
method that is best on most panels only where the lead is clear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Method = Literal["majority", "dawid-skene", "glad", "mace", "crowdlab"]
FEW_READINGS = 5.0
"""Below so many readings per record a classifier beside the raters is worth more than a model of them."""
ENOUGH_FOR_GLAD = 3.0
FEW_RECORDS = 20
FEW_RATERS = 3
"""With two raters nothing tells who of them is right."""
CLEAR = 2.5
"""Standard errors by which another method must foretell the hidden readings better."""
ROUNDS = 5
"""Every round hides one reading of a fifth of the records: if all lost one, a panel of three would look like one of two."""
MAX_SLOW = 20_000
"""Readings from which GLAD, which is slow, is not asked. A sample of the records would not do: it leaves each rater few
readings, and a method that learns the raters looks worse than it is."""
PANEL = 5.0


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many units, raters and classes there are."""

    units: int
    raters: int
    classes: int


class Labeller(Protocol):
    """Soft labels (units, classes) of the readings by a named method."""

    def __call__(
        self, method: str, unit: Codes, rater: Codes, label: Codes, size: Size, probabilities: Doubles | None, seed: int
    ) -> Doubles:
        """Label every unit that is read."""


def choose_method(
    unit: Codes,
    rater: Codes,
    label: Codes,
    *,
    size: Size,
    label_units: Labeller,
    probabilities: Doubles | None = None,
    seed: int = 0,
) -> tuple[Method, str]:
    """The method, and why in words.

    The usual one is Dawid-Skene, with few readings per record and a classifier CROWDLAB; another replaces it where it foretells
    hidden readings better by 2.5 standard errors. Too few raters or records to learn from: the majority.

    Args:
        unit, rater, label: one entry per reading.
        size: how many there are.
        label_units: what applies a method.
        probabilities: (units, classes) of a model that looked at the records, or None.
        seed: draws which readings are hidden.
    """
    read = len(np.unique(unit))
    each = len(unit) / max(read, 1)
    about = f"{each:.1f} readings per record"
    usual: Method = "crowdlab" if probabilities is not None and each < FEW_READINGS else "dawid-skene"
    if usual == "dawid-skene":
        few = _too_few(unit, rater, read)
        if few and probabilities is None:
            return "majority", f"{about}, but {few}: too little to learn how each rater errs"
        if few:
            return "crowdlab", f"{about}, but {few}, and a model that looked at the records: CROWDLAB weighs both"
    others: tuple[Method, ...] = ("dawid-skene", "majority") if usual == "crowdlab" else ("majority", "glad")
    # Of two readings, one is left when the other is hidden: GLAD cannot be judged by it, and is the worst there.
    if len(unit) > MAX_SLOW or each < ENOUGH_FOR_GLAD:
        others = tuple(method for method in others if method != "glad")
    # CROWDLAB needs two readings of a record beside the hidden one.
    if size.classes < 2 or _too_few(unit, rater, read) or np.bincount(unit).max() < (3 if usual == "crowdlab" else 2):
        others = ()
    chosen, lead = _challenged(usual, others, unit, rater, label, size, label_units, probabilities, seed)
    if chosen != usual:
        return chosen, f"{about}; it foretells hidden readings better than {usual} (by {lead:.1f} standard errors)"
    if usual == "crowdlab":
        return usual, f"{about} (fewer than {FEW_READINGS:g}) and a model that looked at the records: CROWDLAB weighs both"
    return usual, f"{about}; it learns how each rater errs, and no other method foretells hidden readings clearly better"


def _too_few(unit: Codes, rater: Codes, read: int) -> str:
    """What is too few to learn how raters err, in words; empty where there is enough."""
    raters = len(np.unique(rater))
    if raters < FEW_RATERS:
        return f"only {raters} rater" + ("s" if raters != 1 else "")
    if read < FEW_RECORDS:
        return f"only {read:,} records"
    return "only one reading of each" if len(unit) == read else ""


def _challenged(
    usual: Method,
    others: tuple[Method, ...],
    unit: Codes,
    rater: Codes,
    label: Codes,
    size: Size,
    label_units: Labeller,
    probabilities: Doubles | None,
    seed: int,
) -> tuple[Method, float]:
    """The method that clearly beats the usual one, and by how many standard errors; the usual one where none does."""
    if not others:
        return usual, 0.0
    rng = np.random.default_rng(seed)
    turn, fifth = _turns(unit, rng), rng.integers(0, ROUNDS, size.units)
    several = np.bincount(unit, minlength=size.units)[unit] > 1
    told: dict[Method, list[Doubles]] = {method: [] for method in (usual, *others)}
    for number in range(ROUNDS):
        hidden = (turn == 0) & several & (fifth[unit] == number)
        if not hidden.any():
            continue
        shown = ~hidden
        for method, scores in told.items():
            soft = label_units(method, unit[shown], rater[shown], label[shown], size, probabilities, seed)
            scores.append(foretold(soft, unit, rater, label, hidden, size))
    leads = {method: _lead(np.concatenate(told[method]) - np.concatenate(told[usual])) for method in others}
    best = max(others, key=lambda method: leads[method])
    return (best, leads[best]) if leads[best] >= CLEAR else (usual, 0.0)


def foretold(soft: Doubles, unit: Codes, rater: Codes, label: Codes, hidden: npt.NDArray[np.bool_], size: Size) -> Doubles:
    """Log-probability of each hidden reading, by the soft labels of the records and how each rater errs in the readings shown.

    Not by the most probable label alone: the majority's is the one that its own readings agree with best, right or wrong.
    """
    shown = ~hidden
    given = np.zeros((size.raters, size.classes, size.classes))
    np.add.at(given.swapaxes(1, 2), (rater[shown], label[shown]), soft[unit[shown]])
    together = given.sum(axis=0) + 1 / size.classes
    given += PANEL * together / together.sum(axis=1, keepdims=True)
    given /= given.sum(axis=2, keepdims=True)
    told = (soft[unit[hidden]] * given[rater[hidden], :, label[hidden]]).sum(axis=1)
    return np.asarray(np.log(np.maximum(told, 1e-12)))


def _lead(differences: Doubles) -> float:
    """The mean in standard errors."""
    error = float(differences.std()) / np.sqrt(max(len(differences), 1))
    return float(differences.mean()) / error if error > 0 else 0.0


def _turns(unit: Codes, rng: np.random.Generator) -> Codes:
    """The readings of each record, numbered from 0 in random order."""
    order = np.lexsort((rng.random(len(unit)), unit))
    counts = np.bincount(unit)
    turn = np.empty(len(unit), dtype=np.int64)
    turn[order] = np.arange(len(unit)) - np.repeat(np.cumsum(counts) - counts, counts)
    return turn
