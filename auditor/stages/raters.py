"""Masks that several raters drew of one image, compared."""

from __future__ import annotations

from auditor.evidence.raters.mask_overlap import compare_masks
from auditor.plan import Plan
from auditor.values.dataset import Dataset

NEEDS = frozenset({"fingerprints"})
PROVIDES = frozenset({"mask agreement"})


def run(dataset: Dataset, plan: Plan) -> Dataset:
    """Fill `mask_pairs` and what STAPLE says of each rater; opens no mask that a worker could not read before."""
    return compare_masks(dataset, plan.config.limits_of(), workers=plan.readers)
