"""LabelMe: a JSON file per image, with its shapes (rectangles, polygons, circles, masks) and its flags.

Source: github.com/wkentaro/labelme, `labelme/label_file.py`; points are x, y in pixels.
A flag that is set is a label of the image.
"""

from __future__ import annotations

from auditor.layout import Detection, Listing, Options
from auditor.placement.annotated import Kind, annotated_dataset
from auditor.placement.documents import json_files
from auditor.values.dataset import Dataset

READS = frozenset(("labels", "splits", "patients", "masks", "boxes", "outlines"))

KIND = Kind(layout="labelme", word="LabelMe", function="auditor.placement.labelme_file:read_document")
LEAST_SHARE = 0.1
"""So many of the images have a file: one stray file makes no layout."""


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """JSON files with the keys of LabelMe, enough for the images."""
    files = json_files(listing, "labelme") if listing.inventory.images else []
    if len(files) < max(1.0, LEAST_SHARE * len(listing.inventory.images)):
        return None
    return Detection(layout="labelme", confidence=0.93, why=f"{len(files):,} LabelMe files of shapes")


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image; every shape with an extent is a box.

    Raises:
        DatasetError: no LabelMe file, or none that can be read.
    """
    return annotated_dataset(listing, options, KIND, json_files(listing, "labelme"))
