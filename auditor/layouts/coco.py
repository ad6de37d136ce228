"""COCO: JSON files of images, categories and annotations; boxes become objects, annotations without a place become labels.

Source: cocodataset.org, "Data format"; Lin et al. 2014. `bbox` is x, y, width, height from the upper left corner, in pixels.
"""

from __future__ import annotations

from auditor.layout import Detection, Listing, Options
from auditor.placement.annotated import Kind, annotated_dataset
from auditor.placement.documents import json_files
from auditor.values.dataset import Dataset

READS = frozenset(("labels", "splits", "patients", "masks", "boxes", "outlines"))

KIND = Kind(layout="coco", word="COCO", function="auditor.placement.coco_file:read_document")


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """A JSON file with the keys of COCO, and images beside it."""
    files = json_files(listing, "coco")
    if not files or not listing.inventory.images:
        return None
    return Detection(layout="coco", confidence=0.94, why=f"{len(files):,} COCO files of annotations")


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image, listed or not; every annotation with a box is a box.

    Raises:
        DatasetError: no COCO file, or none that can be read.
    """
    return annotated_dataset(listing, options, KIND, json_files(listing, "coco"))
