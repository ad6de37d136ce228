"""HDF5 files of many images: PCam's `…_train_x.h5` beside `…_train_y.h5`, or `train_images`, `train_labels` inside one file.

Source: github.com/basveeling/pcam; The HDF Group. Read with h5py (the extra `hdf5`).
"""

from __future__ import annotations

from auditor.layout import Detection, Listing, Options
from auditor.placement.array_sets import HDF5, array_pairs, arrays_dataset
from auditor.values.dataset import Dataset

READS = frozenset(("labels", "splits", "patients"))


def detect(listing: Listing, options: Options) -> Detection | None:
    """HDF5 files with images and labels inside, or images alone: more than there are files."""
    names = listing.inventory.containers
    found = array_pairs(listing.root, names, options.limits, kind=HDF5, workers=options.workers)
    items = sum(pair.count for pair in found)
    labelled = any(pair.labels for pair in found)
    if items < max(1, len(listing.inventory.images)) or not (labelled or items > len(found)):
        return None
    return Detection(layout="hdf5", confidence=0.95 if labelled else 0.5, why=f"{items:,} images inside HDF5 files")


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image, named `train/12`; only the labels are read here.

    Raises:
        DatasetError: labels that do not fit the images, or no HDF5 file with images.
    """
    return arrays_dataset(listing, options, HDF5)
