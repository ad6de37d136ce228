"""One label per record out of several readings, with its doubt, and where one more reading would be worth it.

`auto` chooses by the readings per record and by whether a model has looked at the records too; the reason is said in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from cleanlab.multiannotator import get_label_quality_multiannotator

from auditor.evidence.raters.models import dawid_skene, glad, mace, vote_shares

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Method = Literal["majority", "dawid-skene", "glad", "mace", "crowdlab"]
METHODS: tuple[str, ...] = ("auto", "majority", "dawid-skene", "glad", "mace", "crowdlab")
FEW_READINGS = 5.0
"""Below so many readings per record a model of the raters loses to the majority, or to a classifier beside them."""
FEW_RECORDS = 100
FEW_PER_CELL = 10.0
"""Readings per rater of the rarest class that a confusion matrix needs."""
MAX_WIDE_CELLS = 40_000_000


@dataclass(frozen=True, kw_only=True)
class Consensus:
    """The consensus of the readings.

    Args:
        method: which one made it; `why` says in words why it was chosen.
        truth: (units, classes) soft labels, rows sum to 1 (0 where a unit has no reading).
        label: (units,) class of the highest soft label; ties go to the class that is read more often.
        confidence: (units,) probability that `label` is right, by the method.
        tied: (units,) the readings alone do not decide (the vote is a tie).
        gain: (units,) by how much one more reading by an average rater is expected to raise the confidence.
    """

    method: Method
    why: str
    truth: Doubles
    label: Codes
    confidence: Doubles
    tied: npt.NDArray[np.bool_]
    gain: Doubles


def choose_method(unit: Codes, rater: Codes, label: Codes, *, classes: int, model: bool) -> tuple[Method, str]:
    """The rule: with few readings per record the classifier decides along (CROWDLAB) or the majority; with many, Dawid-Skene.

    Measured: Dawid-Skene gains 3 to 14 points with 10 to 39 readings per record, and loses to the majority with few readings
    per record, few records, or few readings per rater, because it then fits noise.
    """
    read = len(np.unique(unit))
    each = len(unit) / max(read, 1)
    support = float(np.bincount(label, minlength=classes).min()) / max(len(np.unique(rater)), 1)
    about = f"{each:.1f} readings per record"
    if model and each < FEW_READINGS:
        return "crowdlab", f"{about} (fewer than {FEW_READINGS:g}) and a model that looked at the records: CROWDLAB weighs both"
    if each < FEW_READINGS:
        return "majority", f"{about} (fewer than {FEW_READINGS:g}) and no model: nothing beats the majority reliably"
    if read < FEW_RECORDS or support < FEW_PER_CELL:
        what = (
            f"only {read:,} records"
            if read < FEW_RECORDS
            else f"{support:.0f} readings per rater that name the rarest class (fewer than {FEW_PER_CELL:g})"
        )
        if model:
            return "crowdlab", f"{about}, but {what}, and a model that looked at the records: CROWDLAB weighs both"
        return "majority", f"{about}, but {what}: too little to learn how each rater errs"
    return "dawid-skene", f"{about}, {support:.0f} per rater of the rarest class: enough to learn how each rater errs"


def consensus(
    unit: Codes,
    rater: Codes,
    label: Codes,
    *,
    units: int,
    raters: int,
    classes: int,
    method: str = "auto",
    probabilities: Doubles | None = None,
    seed: int = 0,
) -> Consensus:
    """The consensus of readings in long form (codes from 0, one reading per rater and unit).

    Args:
        unit, rater, label: one entry per reading.
        units, raters, classes: how many there are.
        method: one of METHODS.
        probabilities: (units, classes) of a model, out of fold; `crowdlab` needs them.
        seed: of MACE's random starts.

    Raises:
        ValueError: an unknown method; `crowdlab` without probabilities, or with more cells (units × raters) than fit.
    """
    if method not in METHODS:
        raise ValueError(f"no method {method!r}: there are {', '.join(METHODS)}")
    sizes = {"units": units, "raters": raters, "classes": classes}
    chosen, why = (
        choose_method(unit, rater, label, classes=classes, model=probabilities is not None)
        if method == "auto"
        else (method, "asked for")
    )
    if method == "auto" and chosen == "crowdlab" and units * raters > MAX_WIDE_CELLS:
        chosen, why = "majority", f"{why}; but {units:,} records by {raters:,} raters are too many for it: the majority"
    shares = vote_shares(unit, label, units=units, classes=classes)
    if chosen == "majority":
        truth = shares
    elif chosen == "dawid-skene":
        truth = dawid_skene(unit, rater, label, **sizes).truth
    elif chosen == "glad":
        truth = glad(unit, rater, label, **sizes).truth
    elif chosen == "mace":
        truth = mace(unit, rater, label, **sizes, seed=seed).truth
    else:
        if probabilities is None:
            raise ValueError("crowdlab needs the class probabilities of a model")
        if units * raters > MAX_WIDE_CELLS:
            raise ValueError(f"crowdlab needs a table of {units:,} records by {raters:,} raters, which is too large")
        truth = crowdlab(unit, rater, label, units=units, raters=raters, probabilities=probabilities)
    common = np.bincount(label, minlength=classes) / max(len(label), 1)
    read = shares.sum(axis=1) > 0
    truth = np.where(read[:, None], truth, 0.0)
    named = (truth + 1e-9 * common).argmax(axis=1)
    top = shares.max(axis=1)
    tied = read & ((np.abs(shares - top[:, None]) < 1e-12).sum(axis=1) > 1)
    counts = np.bincount(unit, minlength=units)
    known = doubtful(truth, counts) if chosen == "majority" else truth
    gain = worth_of_a_reading(known, truth, shares * counts[:, None]) if classes > 1 else np.zeros(units)
    return Consensus(
        method=chosen,  # type: ignore[arg-type]
        why=why,
        truth=truth,
        label=np.where(read, named, -1).astype(np.int64),
        confidence=known.max(axis=1),
        tied=tied,
        gain=np.where(read, gain, 0.0),
    )


def crowdlab(unit: Codes, rater: Codes, label: Codes, *, units: int, raters: int, probabilities: Doubles) -> Doubles:
    """CROWDLAB's soft labels (Goh, Tkachenko & Mueller 2022), by cleanlab; rows sum to 1. Shape (units, classes).

    A unit without a reading keeps the model's probabilities. cleanlab gives the quality of the consensus label; the rest of the
    probability is shared out as the model and the votes see it.
    """
    classes = probabilities.shape[1]
    read = np.flatnonzero(np.bincount(unit, minlength=units))
    place = np.full(units, -1)
    place[read] = np.arange(len(read))
    wide = np.full((len(read), raters), np.nan)
    wide[place[unit], rater] = label
    given = np.clip(np.asarray(probabilities, dtype=np.float64)[read], 1e-6, 1)
    given = given / given.sum(axis=1, keepdims=True)
    found = get_label_quality_multiannotator(
        pd.DataFrame(wide[:, (~np.isnan(wide)).any(axis=0)]),
        given,
        return_detailed_quality=False,
        return_annotator_stats=False,
        verbose=False,
    )["label_quality"]
    name = found["consensus_label"].to_numpy().astype(np.int64)
    quality = np.clip(found["consensus_quality_score"].to_numpy(dtype=np.float64), 1e-6, 1 - 1e-6)
    votes = vote_shares(unit, label, units=units, classes=classes)[read]
    rest = 0.5 * given + 0.5 * votes
    rows = np.arange(len(read))
    rest[rows, name] = 0
    total = rest.sum(axis=1, keepdims=True)
    rest = np.where(total > 0, rest / np.maximum(total, 1e-300), 1 / max(classes - 1, 1)) * (1 - quality)[:, None]
    rest[rows, name] = quality
    # A consensus label less likely than another class would not be the consensus: the rest is capped, then all is rescaled.
    others = np.minimum(rest, quality[:, None])
    truth = np.asarray(probabilities, dtype=np.float64).copy()
    truth[read] = others / others.sum(axis=1, keepdims=True)
    return truth


def annotator_quality(unit: Codes, rater: Codes, label: Codes, *, raters: int, probabilities: Doubles) -> Doubles:
    """cleanlab's quality of each rater, 0-1, from the readings and a model's probabilities (units, classes); shape (raters,).

    NaN for raters whom cleanlab does not judge.
    """
    read, place = np.unique(unit, return_inverse=True)
    wide = np.full((len(read), raters), np.nan)
    wide[place, rater] = label
    given = np.clip(np.asarray(probabilities, dtype=np.float64)[read], 1e-6, 1)
    there = np.flatnonzero((~np.isnan(wide)).any(axis=0))
    found = get_label_quality_multiannotator(
        pd.DataFrame(wide[:, there], columns=there),
        given / given.sum(axis=1, keepdims=True),
        return_detailed_quality=False,
        verbose=False,
    )["annotator_stats"]["annotator_quality"]
    quality = np.full(raters, np.nan)
    quality[np.asarray(found.index, dtype=np.int64)] = found.to_numpy(dtype=np.float64)
    return quality


def worth_of_a_reading(known: Doubles, truth: Doubles, votes: Doubles) -> Doubles:
    """Expected rise of the probability of the best class by one more reading of an average rater; shape (units,).

    Args:
        known: (units, classes) what is known of each unit now.
        truth: (units, classes) soft labels; with `votes` they say how the average rater errs.
        votes: (units, classes) number of readings.
    """
    classes = truth.shape[1]
    confusion = truth.T @ votes + 1.0 / classes
    confusion = confusion / confusion.sum(axis=1, keepdims=True)
    later = np.zeros(len(truth))
    for answer in range(classes):
        later += (known * confusion[:, answer]).max(axis=1)
    return np.asarray(np.maximum(later - known.max(axis=1), 0.0))


def doubtful(truth: Doubles, counts: Codes) -> Doubles:
    """Shares of votes drawn towards the prevalence by one reading's worth; shape (units, classes).

    A record read once and a record read ten times unanimously are not equally certain.
    """
    prevalence = truth.sum(axis=0) + 1e-9
    prevalence = prevalence / prevalence.sum()
    n = counts[:, None].astype(np.float64)
    return np.asarray((n * truth + prevalence) / (n + 1))
