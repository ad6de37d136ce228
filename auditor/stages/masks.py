"""Predicted masks that the user gives, laid beside the drawn ones."""

from __future__ import annotations

from auditor.evidence.masks.mask_scores import score_masks
from auditor.plan import Plan
from auditor.values.dataset import Dataset

NEEDS = frozenset({"fingerprints"})
PROVIDES = frozenset({"mask scores"})


def given(plan: Plan) -> bool:
    """Predicted masks are among the files."""
    return bool(plan.predicted("masks"))


def run(dataset: Dataset, plan: Plan) -> Dataset:
    """Fill `mask_scores`; without predicted masks there is nothing to compare.

    Raises:
        ConfigError, DatasetError: the predictions do not fit.
    """
    paths = plan.predicted("masks")
    if not paths:
        return dataset
    return score_masks(
        dataset, paths, plan.config.limits_of(), in_sample=plan.in_sample, progress=plan.progress, workers=plan.readers
    )
