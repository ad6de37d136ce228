"""Text files that name the images and say something beside: `train.txt` with `007-2890-100.jpg 0`, one image a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from auditor.naming.suffixes import stem_of, suffix_of
from auditor.placement.documents import first_lines
from auditor.placement.listing import Listing
from auditor.placement.resolve import Files

TEXTS = frozenset(("txt", "dat", "lst", "list"))
MAX_TEXT_BYTES = 16 << 20
MAX_TEXTS = 40
MIN_LINES = 3
LISTED = 0.5
"""So many lines name an image."""
PROSE = re.compile(r"readme|licen[cs]e|changelog|copying|citation|requirements|notes?$|about|terms", re.IGNORECASE)


def text_tables(listing: Listing, images: Sequence[str]) -> list[str]:
    """The texts of a listing that are tables of its images; those called after one image are none."""
    texts = [name for name in listing.inventory.other if suffix_of(name) in TEXTS and not PROSE.search(stem_of(name))]
    if not texts or not images:
        return []
    there, stems = Files(images), {stem_of(path) for path in images}
    lone = [name for name in texts if PurePosixPath(name).stem not in stems and 0 < listing.files[name] <= MAX_TEXT_BYTES]
    return [name for name in lone[:MAX_TEXTS] if lists_images(listing.root / name, there)]


def lists_images(path: Path, there: Files) -> bool:
    """Most lines name an image, and say something beside its name."""
    lines = first_lines(path)
    named = [
        line for line in lines if any(t in there.known or there.named(t) for t in re.split(r"[\s,;|]+", line.strip())[:3] if t)
    ]
    said = [line for line in named if len(re.split(r"[\s,;|]+", line.strip())) > 1]
    return len(said) >= MIN_LINES and len(said) >= LISTED * len(lines)
