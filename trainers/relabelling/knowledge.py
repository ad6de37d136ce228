"""Whether a teacher knows enough to teach: judged on trusted records that it did not learn from."""

from __future__ import annotations

import numpy as np

from auditor.statistics.distributions import beta
from trainers.relabelling.pseudo_labels import Codes

LEVEL = 0.95


def ignorance(called: Codes, truth: Codes, said: Codes, given: Codes, *, classes: int) -> str:
    """Why a teacher must not teach, with the figures: it knows no more than nothing does, or less than the labels that it would
    correct. Empty where it may.

    Args:
        called: its classes of the trusted records, out of fold; `truth`: theirs.
        said: its classes of the other records; `given`: their labels, -1 where there is none.
    """
    right, size = int((called == truth).sum()), len(truth)
    accuracy = right / size
    low = float(beta.ppf(1 - LEVEL, right, size - right + 1)) if right else 0.0
    trivial = float(np.bincount(truth, minlength=classes).max() / size)
    if low <= trivial:
        return (
            f"the teacher knows too little to teach: right in {accuracy:.0%} of {size:,} trusted records out of fold (at least "
            f"{low:.0%}, with 95 % confidence), and always saying the commonest class is right in {trivial:.0%}; name more "
            "trusted records, or allow more training"
        )
    labelled = given >= 0
    if labelled.mean() < 0.5:  # most records have no label that could be the better one
        return ""
    rate = rate_of_labels(float((said == given)[labelled].mean()), accuracy, classes)
    if accuracy < rate:
        return (
            f"the teacher would make labels worse: it is right in {accuracy:.0%} of {size:,} trusted records out of fold, the "
            f"labels themselves in about {rate:.0%} (from how often both agree); name more trusted records, or allow more "
            "training"
        )
    return ""


def rate_of_labels(agreement: float, accuracy: float, classes: int) -> float:
    """How often the labels are right, from how often they agree with a teacher of this accuracy, errors being independent and
    even over the other classes: a = t·r + (1 - t)·(1 - r)/(K - 1), solved for r."""
    apart = (1 - accuracy) / (classes - 1)
    return float(np.clip((agreement - apart) / max(accuracy - apart, 1e-9), 0.0, 1.0))
