"""What a file of annotations that is no table looks like, told from its first and last bytes and without parsing it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from auditor.files import head_of
from auditor.placement.listing import Listing

HEAD_BYTES = 1 << 16
MAX_TEXT_BYTES = 16 << 20
_OUTLINES_IN_XML = {
    "<ASAP_Annotations": "outlines of ASAP",
    "<Annotations": "outlines of ImageScope (Aperio)",
    "<LidcReadMessage": "readings of LIDC",
    "<IdriReadMessage": "readings of LIDC",
    "<plist": "a property list, as OsiriX writes its outlines",
}
"""First element of XML files that hold outlines or readings and have no reader here → what they are."""
Box = tuple[float, float, float, float]
"""x, y, width and height in pixels."""
_KEYS = re.compile(
    rb'"(images|annotations|categories|category_id|image_id|shapes|imagePath|imageHeight|regions|file_attributes|_via_img_metadata'
    rb'|schema_version|tool_version|gate)"\s*:'
)
_BOXES = re.compile(r"\d+(?:\s+-?[\d.]+(?:e[+-]?\d+)?){4,}\s*$", re.IGNORECASE)
WORDS = {"coco": "a COCO file of annotations", "labelme": "a LabelMe file of outlines", "via": "a VIA file of regions"}
"""Kind of a JSON document of annotations → how it is called in a sentence."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """What a text file of boxes says: class, corners in pixels and line of each object; lines that are none; outlines, and of
    each object its own, empty where it is a box."""

    boxes: tuple[tuple[int, float, float, float, float, int], ...] = ()
    wrong: tuple[int, ...] = ()
    outlines: int = 0
    shapes: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Document:
    """What one file of annotations (COCO, LabelMe, VIA, CVAT) says.

    Args:
        images: the file name of each image that it lists.
        boxes: number of the image, class, x, y, width and height of each annotation with a box.
        classes: number of the image and class of each annotation without any place.
        outlines: annotations that have an outline (polygon or run lengths) too.
        shapes: of each box its outline (`auditor.containers.outline`), empty where it has none; nothing where none has.
        sizes: height and width of each image, as the file says; nothing where it says none.
        categories: the names of all classes it declares.
        wrong: what is wrong with annotations, in words → how many.
        odd: what contradicts the file's own lists and is used all the same, in words → how many.
        idle: the classes that it declares and gives to nothing.
        unread: what is sound and not read (points, lines), in words → how many.
        splits: the split of each image, blank where it has none; empty where the file says none.
        places: of each box its place among the annotations; empty where whoever reads it does not say.
    """

    images: tuple[str, ...] = ()
    boxes: tuple[tuple[int, str, float, float, float, float], ...] = ()
    classes: tuple[tuple[int, str], ...] = ()
    outlines: int = 0
    shapes: tuple[bytes, ...] = ()
    sizes: tuple[tuple[int, int] | None, ...] = ()
    categories: tuple[str, ...] = ()
    wrong: Mapping[str, int] = field(default_factory=dict)
    odd: Mapping[str, int] = field(default_factory=dict)
    idle: tuple[str, ...] = ()
    unread: Mapping[str, int] = field(default_factory=dict)
    splits: tuple[str, ...] = ()
    places: tuple[int, ...] = ()


def json_files(listing: Listing, kind: str) -> list[str]:
    """The JSON files of a listing that look like documents of a kind (`json_kind`), sorted."""
    names = [name for name in (*listing.inventory.tables, *listing.inventory.other) if name.lower().endswith(".json")]
    return sorted(name for name in names if json_kind(listing.root / name) == kind)


def via_tables(listing: Listing) -> list[str]:
    """The CSV files of a listing whose first line has the columns of VIA."""
    names = [name for name in listing.inventory.tables if name.lower().endswith(".csv")]
    return [name for name in names if b"region_shape_attributes" in _first_bytes(listing.root / name)]


def _first_bytes(path: Path) -> bytes:
    try:
        return head_of(path, 512)
    except OSError:
        return b""


def json_kind(path: Path) -> str:
    """`coco`, `labelme` or `via` by the keys at the beginning and the end of the file; empty for anything else."""
    try:
        head = head_of(path, HEAD_BYTES, end=HEAD_BYTES)
    except OSError:
        return ""
    keys = set(_KEYS.findall(head))
    if {b"schema_version", b"tool_version", b"gate"} <= keys:
        return ""  # a result of ours, which counts images and annotations
    # of a large file the middle is not seen, where one of the lists begins: what stands in its entries is
    if len(keys & {b"images", b"annotations"}) + bool(keys & {b"categories", b"category_id", b"image_id"}) >= 2:
        return "coco"
    if b"shapes" in keys and keys & {b"imagePath", b"imageHeight"}:
        return "labelme"
    return "via" if {b"regions", b"file_attributes"} <= keys or b"_via_img_metadata" in keys else ""


def xml_kind(path: Path) -> str:
    """`cvat` (all images in one file), `voc` (one per image), words for others, or empty, by the first lines."""
    head = "".join(first_lines(path, 60))
    if "<annotations" in head:
        return "cvat" if "<image " in head or "<track " in head or "<meta" in head else ""
    if re.search(r"<annotation[\s>]", head):
        return "voc"
    for mark, words in _OUTLINES_IN_XML.items():
        if mark in head:
            return words
    return ""


def first_lines(path: Path, most: int = 200) -> list[str]:
    """Lines of text at the beginning of a file, without blank ones; none where it cannot be opened."""
    try:
        text = head_of(path, HEAD_BYTES).decode("utf-8", "replace")
        return [line for line in text.splitlines()[:most] if line.strip()]
    except OSError:
        return []


def are_boxes(paths: Iterable[Path]) -> bool:
    """All lines of some text files look like those of YOLO: a number of a class, and four or more numbers."""
    lines = [line for path in paths for line in first_lines(path)]
    return bool(lines) and all(_BOXES.match(line) for line in lines)
