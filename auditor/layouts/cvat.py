"""CVAT for images 1.1: one XML file of all images with their boxes, polygons, ellipses, masks and tags; `subset` is the split.

Source: docs.cvat.ai, "XML annotation format". Tracks of a film are told as unread.
"""

from __future__ import annotations

from auditor.layout import Detection, Listing, Options
from auditor.placement.annotated import Kind, annotated_dataset
from auditor.placement.documents import xml_kind
from auditor.values.dataset import Dataset

READS = frozenset(("labels", "splits", "patients", "masks", "boxes", "outlines"))

KIND = Kind(layout="cvat", word="CVAT", function="auditor.placement.cvat_file:read_document")
MOST_FILES = 200
"""So many XML files are looked into: one file describes all images of a task."""


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """An XML file of CVAT, and images beside it."""
    files = _documents(listing) if listing.inventory.images else []
    return Detection(layout="cvat", confidence=0.94, why=f"{len(files):,} CVAT files of annotations") if files else None


def _documents(listing: Listing) -> list[str]:
    names = [name for name in listing.inventory.other if name.lower().endswith(".xml")]
    return [name for name in names[:MOST_FILES] if xml_kind(listing.root / name) == "cvat"]


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image; every shape with an extent is a box, every tag a label.

    Raises:
        DatasetError: no CVAT file, or none that can be read.
    """
    return annotated_dataset(listing, options, KIND, _documents(listing))
