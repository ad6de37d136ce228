"""One label per record out of several readings, with its doubt, and where one more reading would be worth it.

`auto` chooses by how well each method foretells readings that were hidden from it (`auditor.evidence.raters.choice`), and says
in words why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.raters.choice import FEW_READINGS, Method, Size, choose_method
from auditor.evidence.raters.models import dawid_skene, glad, mace, vote_shares
from auditor.evidence.raters.readings import Readings
from auditor.values.dataset import Dataset

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
METHODS: tuple[str, ...] = ("auto", "majority", "dawid-skene", "glad", "mace", "crowdlab")
PANEL, PANEL_OF_FEW, FAITH, EVEN = 2.0, 10.0, 4.0, 1.0
"""Dawid-Skene here draws each rater towards the panel (more with few readings per record) and towards being right: as
published it fits noise where a rater has few readings. Chosen on 216 kinds of simulated panels of 3 to 10 readers with
two and three readings per record: .005 below the best of ten variants and the majority, .054 in the worst kind; with a
panel of 2 and no evenness .010 and .283, the majority .052. With five readings per record the variants are alike, and on
two real crowds with ten a panel of 2 is better (.889 for .880, .839 for .835)."""
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
    size = Size(units=units, raters=raters, classes=classes)
    chosen, why = method, "asked for"
    if method == "auto":
        usable = probabilities if units * raters <= MAX_WIDE_CELLS else None
        chosen, why = choose_method(unit, rater, label, size=size, label_units=label_units, probabilities=usable, seed=seed)
    shares = vote_shares(unit, label, units=units, classes=classes)
    truth = label_units(chosen, unit, rater, label, size, probabilities, seed)
    common = np.bincount(label, minlength=classes) / max(len(label), 1)
    read = shares.sum(axis=1) > 0
    truth = np.where(read[:, None], truth, 0.0)
    top = shares.max(axis=1)
    counts = np.bincount(unit, minlength=units)
    # No model of the readers overrules several who all agree: a corrected label that nobody read could not be defended.
    overruled = (top == 1) & (counts > 1) & (truth.argmax(axis=1) != shares.argmax(axis=1)) & (chosen != "crowdlab")
    truth = np.where(overruled[:, None], doubtful(shares, counts), truth)
    named = (truth + 1e-9 * common).argmax(axis=1)
    tied = read & ((np.abs(shares - top[:, None]) < 1e-12).sum(axis=1) > 1)
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


def label_units(
    method: str, unit: Codes, rater: Codes, label: Codes, size: Size, probabilities: Doubles | None, seed: int
) -> Doubles:
    """Soft labels by one named method; shape (units, classes)."""
    sizes = {"units": size.units, "raters": size.raters, "classes": size.classes}
    if method == "majority":
        return vote_shares(unit, label, units=size.units, classes=size.classes)
    if method == "dawid-skene":
        few = len(unit) < FEW_READINGS * len(np.unique(unit))
        return dawid_skene(unit, rater, label, **sizes, panel=PANEL_OF_FEW if few else PANEL, faith=FAITH, even=EVEN).truth
    if method == "glad":
        return glad(unit, rater, label, **sizes).truth
    if method == "mace":
        return mace(unit, rater, label, **sizes, seed=seed).truth
    if probabilities is None:
        raise ValueError("crowdlab needs the class probabilities of a model")
    if size.units * size.raters > MAX_WIDE_CELLS:
        raise ValueError(f"crowdlab needs a table of {size.units:,} records by {size.raters:,} raters, which is too large")
    return crowdlab(unit, rater, label, units=size.units, raters=size.raters, probabilities=probabilities)


def crowdlab(unit: Codes, rater: Codes, label: Codes, *, units: int, raters: int, probabilities: Doubles) -> Doubles:
    """CROWDLAB's soft labels (Goh, Tkachenko & Mueller 2022), by cleanlab; rows sum to 1. Shape (units, classes).

    A unit without a reading keeps the model's probabilities. cleanlab gives the quality of the consensus label; the rest of the
    probability is shared out as the model and the votes see it.
    """
    classes = probabilities.shape[1]
    from cleanlab.multiannotator import get_label_quality_multiannotator  # a second to import, and few datasets have readers

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
    from cleanlab.multiannotator import get_label_quality_multiannotator

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


def model_quality(dataset: Dataset, readings: Readings) -> npt.NDArray[np.float64] | None:
    """cleanlab's quality of the raters where out-of-fold predictions of all read classes exist, else None."""
    predictions = dataset.predictions
    if predictions is None or not predictions.out_of_fold or not set(readings.classes) <= set(predictions.classes):
        return None
    rows = dataset.records.index.get_indexer(readings.records)
    if (rows < 0).any() or len(rows) * len(readings.raters) > MAX_WIDE_CELLS:
        return None
    columns = [predictions.classes.index(name) for name in readings.classes]
    given = predictions.probabilities[rows][:, columns].astype(np.float64)
    if np.isnan(given).any() or len(columns) < 2:
        return None
    return annotator_quality(
        readings.unit, readings.rater, readings.label, raters=len(readings.raters), probabilities=given
    ).clip(0, 1)
