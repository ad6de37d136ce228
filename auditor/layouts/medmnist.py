"""MedMNIST npz: `train_images`, `train_labels`, … (any splits), or one pair such as `images` and `labels`, `x` and `y`."""

from __future__ import annotations

from auditor.layout import Detection, Listing, Options
from auditor.placement.array_sets import NPZ, ArrayPair, array_pairs, arrays_dataset
from auditor.values.dataset import Dataset

READS = frozenset(("labels", "splits", "patients"))

__all__ = ["ArrayPair", "array_pairs", "detect", "load"]


def detect(listing: Listing, options: Options) -> Detection | None:
    """An npz with images and labels inside."""
    found = array_pairs(listing.root, listing.inventory.containers, options.limits, workers=options.workers)
    items = sum(pair.count for pair in found if pair.labels)
    if not items or items < len(listing.inventory.images):
        return None
    return Detection(layout="medmnist", confidence=0.95, why=f"{items:,} images with labels inside npz")


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image, named `train/12`; only the labels are read here.

    Raises:
        DatasetError: labels that do not fit the images, or no npz with images.
    """
    return arrays_dataset(listing, options, NPZ)
