"""Which files of a listing are images, and which are containers, tables or anything else; told without decoding one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from auditor.format import SNIFF_BYTES, format_of
from auditor.tables.tables import table_format

IMAGE_SUFFIXES = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "jpe",
        "jfif",
        "bmp",
        "dib",
        "gif",
        "webp",
        "tif",
        "tiff",
        "dcm",
        "dicom",
        "dic",
        "nii",
        "nii.gz",
        "svs",
        "ndpi",
        "scn",
        "qptiff",
    ]
)
"""A file of such a name is taken for an image; the extract pass looks at its content."""

DICOM_SUFFIXES = frozenset(("dcm", "dicom", "dic"))

CONTAINER_SUFFIXES = frozenset(("npz", "npy"))
"""Files of arrays: one image, or many."""

UNSUPPORTED_SUFFIXES = frozenset(
    ("rec", "brik", "brik.gz", "v", "h5", "hdf5", "czi", "lif", "nd2", "mrxs", "vsi", "bif", "avi", "mp4", "exr")
)
"""Images, or parts of them, that no reader knows by content: listed among the other files, with a note."""

OTHER_SUFFIXES = frozenset(
    [
        "txt",
        "md",
        "rst",
        "html",
        "htm",
        "xml",
        "yaml",
        "yml",
        "toml",
        "ini",
        "cfg",
        "py",
        "ipynb",
        "sh",
        "m",
        "r",
        "pdf",
        "doc",
        "docx",
        "xls",
        "xlsx",
        "zip",
        "tar",
        "gz",
        "bz2",
        "xz",
        "7z",
        "rar",
        "log",
        "pkl",
        "pt",
        "pth",
        "ckpt",
        "mat",
        "db",
        "dump",
        "icc",
        "bib",
        "tex",
        "css",
        "js",
        "svg",
        "tck",
        "trk",
        "gii",
        "sqlite",
    ]
)


_MEDIA_DIRECTORY = b"1.2.840.10008.1.3.10"
"""SOP class of a DICOMDIR (PS3.10): a table of contents, no image."""


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The files of a listing by use, each list sorted. Every file is in exactly one of them.

    Args:
        images: files that hold one image (or one stack of frames).
        containers: npz and npy.
        tables: csv, tsv, parquet, jsonl, json.
        other: the rest.
        unsupported: those of `other` that are images of a format without a reader.
        dicom: those of `images` that are DICOM (by suffix or by content).
    """

    images: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    dicom: frozenset[str] = field(default_factory=frozenset)


def suffix_of(name: str) -> str:
    """Lower-case suffix without the dot: `png`, `nii.gz`; empty when there is none."""
    base = name.rpartition("/")[2].lower()
    for double in ("nii.gz", "brik.gz"):
        if base.endswith("." + double):
            return double
    stem, dot, suffix = base.rpartition(".")
    return suffix if dot and stem else ""


def stem_of(name: str) -> str:
    """File name without folders and without a known image suffix."""
    base = name.rpartition("/")[2]
    suffix = suffix_of(base)
    return base[: -len(suffix) - 1] if suffix in IMAGE_SUFFIXES or suffix in CONTAINER_SUFFIXES else base


def looks_like_image_name(name: str) -> bool:
    """The name ends like that of an image."""
    return suffix_of(name) in IMAGE_SUFFIXES


@cache
def _suffix_use() -> Mapping[str, str]:
    uses = dict.fromkeys(IMAGE_SUFFIXES, "images")
    uses |= dict.fromkeys(CONTAINER_SUFFIXES, "containers")
    uses |= dict.fromkeys(OTHER_SUFFIXES, "other") | dict.fromkeys(UNSUPPORTED_SUFFIXES, "unsupported")
    return uses


def take_inventory(root: Path, files: Mapping[str, int]) -> Inventory:
    """Sort files (relative path → size) by use.

    A known suffix decides; a file with another suffix, or none, is opened and judged by its first 4 KiB.
    """
    found: dict[str, list[str]] = {use: [] for use in ("images", "containers", "tables", "other", "unsupported")}
    dicom: set[str] = set()
    uses = _suffix_use()
    for name, size in files.items():
        suffix = suffix_of(name)
        use = "other" if name.rpartition("/")[2].upper().startswith("DICOMDIR") else uses.get(suffix)
        if use is None or use == "other":
            if table_format(name) is not None:
                use = "tables"
            elif use is None:
                kind = _sniff(root / name) if size else None
                use = "images" if kind is not None else "other"
                if kind == "dicom":
                    dicom.add(name)
        if suffix in DICOM_SUFFIXES and use == "images":
            dicom.add(name)
        found[use].append(name)
    return Inventory(
        images=tuple(found["images"]),
        containers=tuple(found["containers"]),
        tables=tuple(found["tables"]),
        other=tuple(sorted(found["other"] + found["unsupported"])),
        unsupported=tuple(found["unsupported"]),
        dicom=frozenset(dicom),
    )


def _sniff(path: Path) -> str | None:
    """Format by content; a file that cannot be opened has none here, and is an IN001 later when something names it."""
    try:
        with path.open("rb") as stream:
            head = stream.read(SNIFF_BYTES)
    except OSError:
        return None
    return None if _MEDIA_DIRECTORY in head else format_of(head)
