"""VGG Image Annotator: JSON (a project, or its annotations) or CSV of regions per image.

Source: Dutta & Zisserman, "The VIA annotation software for images, audio and video", ACM MM 2019;
robots.ox.ac.uk/~vgg/software/via.
"""

from __future__ import annotations

from auditor.layout import Detection, Listing, Options
from auditor.placement.annotated import Kind, annotated_dataset
from auditor.placement.documents import json_files, via_tables
from auditor.values.dataset import Dataset

READS = frozenset(("labels", "splits", "patients", "masks", "boxes", "outlines"))

KIND = Kind(layout="via", word="VIA", function="auditor.placement.via_file:read_document")


def detect(listing: Listing, options: Options) -> Detection | None:  # noqa: ARG001
    """A JSON or CSV file with the names of VIA's fields, and images beside it."""
    files = _documents(listing) if listing.inventory.images else []
    return Detection(layout="via", confidence=0.94, why=f"{len(files):,} VIA files of regions") if files else None


def _documents(listing: Listing) -> list[str]:
    return [*json_files(listing, "via"), *via_tables(listing)]


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image; every region with an extent is a box.

    Raises:
        DatasetError: no VIA file, or none that can be read.
    """
    return annotated_dataset(listing, options, KIND, _documents(listing))
