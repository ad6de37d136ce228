"""A sketch of an image: what near-duplicates are looked for with, and verified on. A few kilobytes, whatever the image.

Borders of one value are cut off, the rest is brought to about 96 × 96 pixels of its own shape and stretched to the full range.
That picture is the `proof`; words are taken from its keypoints. A stack of frames is sketched by three of its frames.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from auditor.evidence.likeness.keypoints import Plane, keypoints, words
from auditor.resample import resize

AREA = 96 * 96
"""Pixels of a proof. By area, so that a crop to 60 % of it always enlarges by 1.29, whatever its shape."""
MIN_SIDE = 48
"""Shorter pictures are too small to tell a copy from a look-alike."""
MAX_ASPECT = 6.0
MIN_LEVELS = 12
"""Pictures of fewer distinct values are masks and drawings."""
FLAT = 0.05
"""Standard deviation of a border line, relative to that of the picture, up to which it is padding."""
MIN_FLAT = 0.004
MIN_RANGE = 0.02
MIN_BOTH_WAYS = 0.1
"""What is left of a picture without its column means, relative to without its row means; a test pattern of bars has nothing."""
FRAMES = 3
QUALITY = 90
_HEAD = struct.Struct("<IHB")

TOO_SMALL, BLANK, FEW_LEVELS, TOO_LONG, STRIPES = b"s", b"b", b"l", b"a", b"p"
REFUSALS: dict[bytes, str] = {
    TOO_SMALL: f"smaller than {MIN_SIDE} pixels, too small to tell",
    BLANK: "blank",
    FEW_LEVELS: f"of fewer than {MIN_LEVELS} grey levels (blank, mask or drawing)",
    TOO_LONG: f"longer than {MAX_ASPECT:.0f} times their width",
    STRIPES: "of parallel stripes only (test pattern)",
}
"""Why an image has no sketch; these bytes stand in its place."""


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """What is kept of one image for near-duplicates.

    Args:
        frames: how many the image has; images are compared only with those of as many.
        words: the strongest keypoint of any frame first; shape (k,).
        proofs: JPEG of each sketched frame.
    """

    frames: int
    words: npt.NDArray[np.uint64]
    proofs: tuple[bytes, ...]


def sketch_of(grays: Sequence[Plane], *, frames: int, levels: int) -> bytes:
    """The packed sketch of one image, or a key of `REFUSALS`.

    Args:
        grays: the frames to sketch, each (height, width), 0–1.
        frames: number of frames of the image.
        levels: distinct values of the stored middle frame (counting may stop at `MIN_LEVELS`).
    """
    if levels < MIN_LEVELS:
        return FEW_LEVELS
    proofs: list[npt.NDArray[np.uint8]] = []
    for gray in grays:
        proof = proof_of(gray)
        if isinstance(proof, bytes):
            return proof
        proofs.append(proof)
    coded = [as_jpeg(proof) for proof in proofs]
    found = [words(keypoints(proof)) for proof in proofs]
    longest = max(len(w) for w in found)
    # The frames of a stack share the room of one picture, each with its strongest keypoints.
    mixed = np.array([w[i] for i in range(longest) for w in found if i < len(w)], np.uint64)[:longest]
    return pack(Sketch(frames=frames, words=mixed, proofs=tuple(coded)))


def sketched_frames(count: int) -> tuple[int, ...]:
    """Which frames of a stack are sketched: up to two all, of more those at a quarter, half and three quarters."""
    if count <= 2:
        return tuple(range(count))
    return tuple(sorted({count // 4, count // 2, count - 1 - count // 4}))


def proof_of(gray: Plane) -> npt.NDArray[np.uint8] | bytes:
    """The normalised small picture, shape (height, width) of about `AREA` pixels; or a key of `REFUSALS`."""
    picture = trimmed(gray)
    height, width = picture.shape
    if min(height, width) < MIN_SIDE:
        return TOO_SMALL if min(gray.shape) < MIN_SIDE else BLANK
    if max(height, width) > MAX_ASPECT * min(height, width):
        return TOO_LONG
    scale = float(np.sqrt(AREA / (height * width)))
    small = resize(picture, round(height * scale), round(width * scale))
    low, high = (float(v) for v in np.percentile(small, (0.5, 99.5)))
    if high - low < MIN_RANGE:
        return BLANK
    across, down = (float((small - small.mean(axis=axis, keepdims=True)).std()) for axis in (0, 1))
    if min(across, down) < MIN_BOTH_WAYS * max(across, down):
        return STRIPES
    stretched: npt.NDArray[np.uint8] = np.clip((small - low) * (239 / (high - low)) + 8.5, 0, 255).astype(np.uint8)
    return stretched


def trimmed(gray: Plane) -> Plane:
    """Without border lines of one value (padding). What is flat all over stays as it is."""
    height, width = gray.shape
    step = max(1, max(height, width) // 128)
    coarse = gray[: height // step * step, : width // step * step]
    coarse = coarse.reshape(height // step, step, width // step, step).mean(axis=(1, 3)) if step > 1 else coarse
    flat = max(MIN_FLAT, FLAT * float(coarse.std()))
    top, bottom, left, right = 0, coarse.shape[0], 0, coarse.shape[1]
    for _ in range(2):
        rows = np.flatnonzero(coarse[:, left:right].std(axis=1) > flat)
        columns = np.flatnonzero(coarse[top:bottom].std(axis=0) > flat)
        if not len(rows) or not len(columns):
            return gray
        top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    bottom_full = height if bottom == coarse.shape[0] else bottom * step
    right_full = width if right == coarse.shape[1] else right * step
    return closely_trimmed(gray[top * step : bottom_full, left * step : right_full], step, flat)


def closely_trimmed(gray: Plane, most: int, flat: float) -> Plane:
    """Without up to `most` border lines that vary by up to `flat` on each side: what the coarse look left of the padding."""
    height, width = gray.shape
    top = varied(gray[:most], flat)
    bottom = height - varied(gray[height - most :][::-1], flat)
    left = varied(gray[:, :most].T, flat)
    right = width - varied(gray[:, width - most :].T[::-1], flat)
    return gray[top:bottom, left:right]


def varied(lines: Plane, flat: float) -> int:
    """How many lines come before the first that varies by more than `flat`."""
    still = lines.std(axis=1) <= flat
    return len(still) if still.all() else int(np.argmin(still))


def distinct_levels(stored: npt.NDArray[Any]) -> int:
    """Distinct values of a frame, looked for among some ten thousand of its pixels."""
    step = max(1, round((stored.shape[0] * stored.shape[1] / 16_384) ** 0.5))
    sample = stored[::step, ::step]
    # Colours of a drawing: the first channel may be constant, so channels are added up.
    return len(np.unique(sample.sum(axis=-1) if sample.ndim == 3 else sample))


def as_jpeg(proof: npt.NDArray[np.uint8]) -> bytes:
    """A proof as JPEG: a third of its pixels' size, and far better than any copy it is compared with."""
    stream = io.BytesIO()
    Image.fromarray(proof).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def from_jpeg(content: bytes) -> npt.NDArray[np.uint8]:
    """The picture of `as_jpeg`."""
    return np.asarray(Image.open(io.BytesIO(content), formats=("JPEG",)))


def pack(sketch: Sketch) -> bytes:
    """Sketch → bytes."""
    head = _HEAD.pack(sketch.frames, len(sketch.words), len(sketch.proofs))
    sizes = struct.pack(f"<{len(sketch.proofs)}I", *map(len, sketch.proofs))
    return b"".join((head, sizes, sketch.words.astype("<u8").tobytes(), *sketch.proofs))


def unpack(content: bytes) -> Sketch | None:
    """Bytes → Sketch; None for a refusal."""
    if len(content) < _HEAD.size:
        return None
    frames, count, proofs = _HEAD.unpack_from(content)
    sizes = struct.unpack_from(f"<{proofs}I", content, _HEAD.size)
    start = _HEAD.size + 4 * proofs
    found = np.frombuffer(content, "<u8", count, start).astype(np.uint64)
    ends = np.cumsum([start + 8 * count, *sizes]).tolist()
    pictures = tuple(content[a:b] for a, b in pairwise(ends))
    return Sketch(frames=frames, words=found, proofs=pictures)
