"""Patients that nobody names: what may be said of a data set whose rows could be many pictures of few people.

Without usable ids an AUC is that of these rows; how far it holds for other patients depends on how many people stand behind
them. Where names or equal rows let the groups be guessed, these are the units; else ten images are taken for one patient's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from auditor.statistics.association import associate, count_cells
from auditor.statistics.coding import CodedField
from auditor.statistics.distributions import hypergeom
from auditor.statistics.hidden import IMAGES_PER_PATIENT, images_shown
from auditor.statistics.question import Question
from auditor.statistics.wilson import share_interval

LEVEL = 0.90
"""Two-sided: 5 % on the side that decides. The other side of an AUC of 1 holds nothing."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A field read as yes or no, out of fold, and how many patients may stand behind it.

    Args:
        right_cases, right_others: share of the class, and of the rest, that is read rightly.
        cases, others: effective patients on either side.
        low: lower end of the AUC of this reading (their mean).
        p: Fisher's exact test at the effective counts, two-sided.
        images: so many images were taken for one patient's, where nothing better is known.
    """

    right_cases: float
    right_others: float
    cases: float
    others: float
    low: float
    p: float
    images: float = IMAGES_PER_PATIENT


def images_per_patient(fields: Sequence[CodedField], question: Question) -> float:
    """How many images must be taken for one patient's: ten, or as many as the fields show of their own, at most thirty.

    Args:
        fields: ways of encoding, none of them the label.
    """
    label = np.unique(np.packbits(question.targets.positive, axis=1), axis=0, return_inverse=True)[1].ravel()
    return max(IMAGES_PER_PATIENT, images_shown([field.codes for field in fields], label))


def read_without_ids(
    field: CodedField, question: Question, target: int, fold: npt.NDArray[np.int8], *, images: float = IMAGES_PER_PATIENT
) -> Reading:
    """What the field tells of class `target` when patients are not known and every `images` images may be one patient's.

    A record is a yes where its code is commoner among the class than elsewhere in the other folds. The AUC of a yes or no is
    the mean of both shares; its lower end is Newcombe's (1998, Stat Med 17:873), from Wilson's intervals of either share.
    """
    counts = count_cells(field, question.targets, fold, folds=int(fold.max()) + 1)
    rates = associate(counts, field).rates[target, 0]
    cases, total = counts.positive[target, 0], counts.total[target, 0]
    others = total - cases
    seen = total.sum() - total.sum(axis=-1, keepdims=True)
    share = (cases.sum() - cases.sum(axis=-1, keepdims=True)) / np.maximum(seen, 1.0)
    yes = rates > share + 1e-12
    right_cases = float(cases[yes].sum() / max(1.0, cases.sum()))
    right_others = float(others[~yes].sum() / max(1.0, others.sum()))
    positive, known = question.targets.positive[:, target], question.targets.known[:, target]
    groups = question.clusters
    units = [
        effective_patients(groups.index[side], guessed=groups.guessed, images=images) for side in (positive, known & ~positive)
    ]
    return Reading(
        right_cases=right_cases,
        right_others=right_others,
        cases=units[0],
        others=units[1],
        low=lower_end(right_cases, units[0], right_others, units[1]),
        p=exact_p(right_cases, units[0], right_others, units[1]),
        images=images,
    )


def low_of_records(field: CodedField, question: Question, target: int, fold: npt.NDArray[np.int8]) -> float:
    """The lower end if every record were a patient of its own: what a network that is shown these files can count on."""
    alone = replace(question, clusters=replace(question.clusters, guessed=""))
    return read_without_ids(field, alone, target, fold, images=1.0).low


def effective_patients(groups: npt.NDArray[np.int64], *, guessed: str, images: float = IMAGES_PER_PATIENT) -> float:
    """How many patients of equal weight the records of one side are worth.

    Guessed groups count as (Σn)²/Σn² (Kish 1965), so that one person with most of the images is nearly one; where there is no
    guess, every `images` images are one patient. Groups that were guessed from equal rows can be finer than patients: there,
    too, there are never more than one patient for so many images.
    """
    stated = len(groups) / images
    if not guessed or not len(groups):
        return stated
    sizes = np.unique(groups, return_counts=True)[1].astype(np.float64)
    worth = float(sizes.sum() ** 2 / (sizes**2).sum())
    return worth if guessed == "names" else min(worth, stated)


def lower_end(first: float, first_units: float, second: float, second_units: float, *, level: float = LEVEL) -> float:
    """Lower end of the mean of two independent shares (Newcombe's hybrid of two Wilson intervals); units may be fractions."""
    if min(first_units, second_units) <= 0:
        return 0.0
    drops = [share - share_interval(share, units, level=level)[0] for share, units in
             ((first, first_units), (second, second_units))]  # fmt: skip
    return float(max(0.0, (first + second) / 2 - np.hypot(drops[0], drops[1]) / 2))


def exact_p(right_cases: float, cases: float, right_others: float, others: float) -> float:
    """Fisher's exact test, two-sided (twice the tail), of the rounded-down table; 1 where a side is less than one patient."""
    m, n = int(cases + 1e-9), int(others + 1e-9)
    if min(m, n) < 1:
        return 1.0
    yes_cases, yes_others = round(right_cases * m), round((1 - right_others) * n)
    tail = float(hypergeom.sf(yes_cases - 1, m + n, m, yes_cases + yes_others))
    return min(1.0, 2 * tail)
