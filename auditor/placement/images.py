"""Which files of a listing are images, and which are containers, tables or anything else; told without decoding one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from auditor.files import head_of
from auditor.format import SNIFF_BYTES, format_of, formats
from auditor.naming.suffixes import image_suffixes, suffix_of
from auditor.placement.archives import TABLES_INSIDE, archive_kind
from auditor.placement.dicom_documents import REPORTS, WORDS, class_of
from auditor.tables.tables import table_format
from auditor.values.image import Format

OTHER_SUFFIXES = frozenset((
    "txt", "md", "rst", "html", "htm", "xml", "yaml", "yml", "toml", "ini", "cfg", "py", "ipynb", "sh",
    "m", "r", "pdf", "doc", "docx", "zip", "tar", "gz", "bz2", "xz", "7z", "rar",
    "log", "pkl", "pt", "pth", "ckpt", "mat", "db", "dump", "icc", "bib", "tex", "css", "js", "svg",
    "tck", "trk", "gii", "sqlite",
))  # fmt: skip
"""Files of such names are no images; whether they are tables is asked before."""
ARCHIVE_SUFFIXES = frozenset(("zip", "tar", "tgz", "gz", "bz2", "xz", "7z", "rar"))

_DESCRIPTION_BYTES = 1 << 16
_MEDIA_DIRECTORY = b"1.2.840.10008.1.3.10"
"""SOP class of a DICOMDIR (PS3.10): a table of contents, no image."""


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The files of a listing by use, each list sorted. Every file is in exactly one of them.

    Args:
        images: files that hold one image (or one stack of frames).
        containers: npz and npy.
        tables: csv, tsv, parquet, jsonl, json, workbooks.
        other: the rest.
        unsupported: those of `other` that are images of a format without a reader.
        dicom: those of `images` that are DICOM (by suffix or by content).
        drawings: those of `dicom` that draw on other images → their SOP class (segmentations, structure sets); none where
            there is no other image: then they are what there is to look at.
        reports: those of `other` that are structured reports of DICOM; where there is nothing else to look at, they are images.
        archives: those of `other` that are archives of images or tables → what is told of them (`placement.archives`).
    """

    images: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    dicom: frozenset[str] = field(default_factory=frozenset)
    drawings: Mapping[str, str] = field(default_factory=dict)
    reports: tuple[str, ...] = ()
    archives: Mapping[str, str] = field(default_factory=dict)


def take_inventory(root: Path, files: Mapping[str, int]) -> Inventory:
    """Sort files (relative path → size) by use.

    A known suffix decides; a file with another suffix, or none, is opened and judged by its first 4 KiB.
    """
    found: dict[str, list[str]] = {use: [] for use in ("images", "containers", "tables", "other", "unsupported", "reports")}
    dicom: set[str] = set()
    archives: dict[str, str] = {}
    drawings: dict[str, str] = {}
    for name, size in files.items():
        suffix = suffix_of(name)
        contents = name.rpartition("/")[2].upper().startswith("DICOMDIR")
        kind = None if contents else image_suffixes().get(suffix)
        if kind is not None:
            use = _use_by_name(formats()[kind])
        elif _describes_dataset(root, name):
            use = "other"
        elif table_format(name) is not None:
            use = "tables"
        elif suffix in ARCHIVE_SUFFIXES and (told := archive_kind(root / name)):
            archives[name] = told
            use = "other" if told == TABLES_INSIDE else "unsupported"
        elif contents or suffix in OTHER_SUFFIXES:
            use = "other"
        else:
            kind = _sniff(root / name) if size else None
            use = "other" if kind is None else _use_by_content(formats()[kind])
        if kind == "dicom" and use == "images":
            told_class = class_of(root / name)
            if told_class.startswith(REPORTS):
                use = "reports"
            else:
                dicom.add(name)
            if told_class in WORDS:
                drawings[name] = told_class
        found[use].append(name)
    if found["reports"] and not (found["images"] or found["containers"] or found["tables"]):
        dicom.update(found["reports"])
        found["images"], found["reports"] = found["reports"], []
    return Inventory(
        images=tuple(found["images"]),
        containers=tuple(found["containers"]),
        tables=tuple(found["tables"]),
        other=tuple(sorted(found["other"] + found["unsupported"] + found["reports"])),
        unsupported=tuple(found["unsupported"]),
        dicom=frozenset(dicom),
        drawings=drawings if len(drawings) < len(found["images"]) else {},
        reports=tuple(found["reports"]),
        archives=archives,
    )


def _use_by_name(known: Format) -> str:
    """Of a suffix: what is not read may be the part of an image or a film, and is no record."""
    if not known.is_read:
        return "unsupported"
    return "containers" if known.holds == "arrays" else "images"


def _use_by_content(known: Format) -> str:
    """Of a content: it is an image, read or not; but arrays that are not read may be anything, and so may some that are."""
    if known.general:
        return "containers"
    return "unsupported" if known.holds == "arrays" and not known.is_read else "images"


def _describes_dataset(root: Path, name: str) -> bool:
    """A `dataset.json` of nnU-Net or the Decathlon: names of channels and masks, no table of labels."""
    if name.rpartition("/")[2].lower() != "dataset.json":
        return False
    try:
        head = head_of(root / name, _DESCRIPTION_BYTES)
    except OSError:
        return False
    return head.lstrip().startswith(b"{") and re.search(rb'"(?:channel_names|modality|numTraining)"\s*:', head) is not None


def _sniff(path: Path) -> str | None:
    """Format by content; a file that cannot be opened has none here, and is an IN001 later when something names it."""
    try:
        head = head_of(path, SNIFF_BYTES)
    except OSError:
        return None
    return None if _MEDIA_DIRECTORY in head else format_of(head)
