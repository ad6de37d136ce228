"""Open a dataset: list its files, let the layout that fits load them, look at what its tables tell of people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from auditor.evidence.privacy.table_privacy import look_at_tables
from auditor.layout import Options, list_files, open_listing
from auditor.plan import Plan
from auditor.stages.extract import Pass, pass_of
from auditor.values.dataset import Dataset

NEEDS: frozenset[str] = frozenset()
PROVIDES = frozenset({"records"})


def run(dataset: Dataset, plan: Plan) -> Dataset:  # noqa: ARG001 - there is none before this stage
    """The dataset that the plan names, and what the user declares of it."""
    return replace(open_for_scan(plan.target, plan.options, pass_of(plan)), design=plan.config.design_of())


def open_for_scan(target: Path, options: Options, how: Pass) -> Dataset:
    """The dataset as its layout loads it, with what its tables tell of people past what `rules` declare.

    Raises:
        DatasetError: nothing there, or nothing that can be read as a dataset, or an unknown column.
    """
    listing = list_files(target, how.limits)
    dataset = open_listing(listing, replace(options, limits=how.limits, workers=how.workers))
    looks = look_at_tables(listing, how.rules)
    return replace(dataset, privacy=how.rules, tables=looks)
