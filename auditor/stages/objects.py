"""Predicted boxes or points that the user gives."""

from __future__ import annotations

from auditor.evidence.objects.object_tables import read_objects
from auditor.plan import Plan
from auditor.values.dataset import Dataset

NEEDS = frozenset({"records"})
PROVIDES = frozenset({"predicted objects"})


def given(plan: Plan) -> bool:
    """A table of predicted objects is among the files."""
    return bool(plan.predicted("objects"))


def run(dataset: Dataset, plan: Plan) -> Dataset:
    """Fill `predicted_objects`.

    Raises:
        ConfigError, DatasetError: the predictions do not fit.
    """
    paths = plan.predicted("objects")
    if not paths:
        return dataset
    limits = plan.config.limits_of()
    return read_objects(dataset, paths, in_sample=plan.in_sample, limits=limits, workers=plan.readers)
