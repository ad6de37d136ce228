"""Whole slides that were looked at as one picture each: what no check asked of them."""

from __future__ import annotations

from auditor.values.dataset import Dataset

MANY = 0.1
"""From this share of the images on, what was not asked of slides was not asked of the dataset."""


def slides_told(dataset: Dataset) -> str:
    """How many images are whole slides, and what was not looked at; empty where they are few, or none."""
    if "slide" not in dataset.facts.columns:
        return ""
    found = dataset.facts["slide"].dropna()
    if len(found) < max(MANY * dataset.size, 1):
        return ""
    kinds = ", ".join(sorted(set(found.astype(str))))
    return (
        f"{len(found):,} of {dataset.size:,} images are whole slides ({kinds}), looked at as one picture each: neither tissue "
        "nor focus tile by tile, nor the magnification, was asked about; export their tiles as images"
    )
