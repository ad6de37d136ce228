"""What the pass over the files is asked, and what it answers: plain values that travel between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from auditor.values.image import Header


@dataclass(frozen=True, kw_only=True)
class Task:
    """One file and the records in it. Without `items` the file is the picture of every record (a table may list it twice).

    Of a mask only the facts of `auditor.evidence.masks.mask_facts` are measured.
    """

    path: str
    records: tuple[str, ...]
    items: tuple[str, ...] = ()
    is_mask: bool = False


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is measured of every picture. What is not asked for is missing from the dataset, never nought.

    Args:
        pixels: decode; without it the headers alone are read, and no digest tells what is in a file.
        features: names of feature modules; None = all.
        sketch: what near-duplicates are found with.
        front: of CT and MR, what tells whether a face can be seen.
    """

    pixels: bool = True
    features: frozenset[str] | None = None
    sketch: bool = True
    front: bool = True


EVERYTHING = Wanted()


@dataclass(frozen=True, kw_only=True)
class PixelFacts:
    """What the pixels gave; this alone is cached, so it holds nothing of the header.

    Args:
        digest: hex digest of the decoded values, whatever the container.
        constant: every pixel has the same value.
        features: float32, shape (feature columns that were wanted,).
        thumbnail: JPEG, longest side ≤ 96.
        sketch: for near-duplicates, packed (`auditor.evidence.likeness.perceptual`); empty once it was handed on.
        front: float32, of CT and MR: what tells whether a face can be seen (`auditor.evidence.privacy.face.face_facts`); else
            empty.
    """

    digest: str
    constant: bool
    features: npt.NDArray[np.float32]
    thumbnail: bytes
    sketch: bytes = b""
    front: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Everything known about one record after the pass.

    Args:
        problem: (kind, reason) when the file could not be used.
        key: of its pixel facts in the cache; `fresh` where they were measured now.
        place: which file it was, as it was (`auditor.reading.cache`); empty where a later scan must read it again.
    """

    record: str
    digest: str = ""
    header: Header | None = None
    exposure: Mapping[str, str] | None = None
    pixels: PixelFacts | None = None
    problem: tuple[str, str] | None = None
    size: int = 0
    key: str = ""
    fresh: bool = False
    place: str = ""
