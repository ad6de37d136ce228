"""A sketch of an image: what near-duplicates are looked for with, and verified on. A few kilobytes, whatever the image.

Borders of one value are cut off, the rest is brought to about 96 × 96 pixels of its own shape and stretched to the full range.
That picture is the `proof`; words, places and a glance are taken from it. A stack of frames is sketched by three of its frames.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.glance import WAVES, Glances, glance_of
from auditor.evidence.likeness.keypoints import Places, Plane, Words, keypoints, words
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
_HEAD = struct.Struct("<IB")
_FRAME = struct.Struct("<IBBB")

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
class Frame:
    """What is kept of one frame.

    Args:
        words: the strongest keypoint first; shape (k,).
        places: of the words; shape (k,).
        glance: see `auditor.evidence.likeness.glance`.
        shape: height and width of the proof.
        proof: the picture itself, as JPEG.
    """

    words: Words
    places: Places
    glance: Glances
    shape: tuple[int, int]
    proof: bytes


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """What is kept of one image for near-duplicates.

    Args:
        count: how many frames the image has; images are compared only with those of as many.
        frames: those that were sketched.
    """

    count: int
    frames: tuple[Frame, ...]


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
    return pack(Sketch(count=frames, frames=tuple(frame_of(proof) for proof in proofs)))


def frame_of(proof: npt.NDArray[np.uint8]) -> Frame:
    """All that is kept of one proof."""
    found, places = words(keypoints(proof))
    height, width = proof.shape
    return Frame(words=found, places=places, glance=glance_of(proof), shape=(height, width), proof=as_jpeg(proof))


def mixed(frames: Sequence[Words]) -> Words:
    """The words of a stack: its frames share the room of one picture, each with its strongest keypoints."""
    if len(frames) == 1:
        return frames[0]
    longest = max(len(found) for found in frames)
    return np.array([found[i] for i in range(longest) for found in frames if i < len(found)], np.uint64)[:longest]


def sketched_frames(count: int) -> tuple[int, ...]:
    """Which frames of a stack are sketched: up to two all, of more those at a quarter, half and three quarters."""
    if count <= 2:
        return tuple(range(count))
    return tuple(sorted({count // 4, count // 2, count - 1 - count // 4}))


def proof_of(gray: Plane) -> npt.NDArray[np.uint8] | bytes:
    """The normalised small picture, shape (height, width) of about `AREA` pixels; or a key of `REFUSALS`."""
    if min(gray.shape) < MIN_SIDE:  # a strip of one pixel has no half of its size, on which borders are looked for
        return TOO_SMALL
    picture = trimmed(gray)
    height, width = picture.shape
    if min(height, width) < MIN_SIDE:
        return BLANK
    if max(height, width) > MAX_ASPECT * min(height, width):
        return TOO_LONG
    scale = float(np.sqrt(AREA / (height * width)))
    small = resize(picture, round(height * scale), round(width * scale))
    ordered = np.sort(small, axis=None)
    low, high = (float(ordered[round(share * (small.size - 1))]) for share in (0.005, 0.995))
    if high - low < MIN_RANGE:
        return BLANK
    means = (cv2.reduce(small, axis, cv2.REDUCE_AVG) for axis in (1, 0))
    spread, *of_means = (float(cv2.meanStdDev(part)[1][0, 0]) ** 2 for part in (small, *means))
    down, across = (max(spread - of_mean, 0.0) ** 0.5 for of_mean in of_means)
    if min(across, down) < MIN_BOTH_WAYS * max(across, down):
        return STRIPES
    stretched: npt.NDArray[np.uint8] = np.clip((small - low) * (239 / (high - low)) + 8.5, 0, 255).astype(np.uint8)
    return stretched


def trimmed(gray: Plane) -> Plane:
    """Without border lines of one value (padding). What is flat all over stays as it is."""
    height, width = gray.shape
    step = max(1, max(height, width) // 128)
    coarse = gray
    if step > 1:
        rows, columns = height // step, width // step
        coarse = np.asarray(cv2.resize(gray[: rows * step, : columns * step], (columns, rows), interpolation=cv2.INTER_AREA))
    flat = max(MIN_FLAT, FLAT * float(cv2.meanStdDev(coarse)[1][0, 0]))
    top, bottom, left, right = edges(coarse, flat)
    if bottom - top == 0:
        return gray
    if (bottom - top, right - left) != coarse.shape:
        # lines that only the padding beside the picture made vary
        inner = edges(coarse[top:bottom, left:right], flat)
        if inner[1] - inner[0] == 0:
            return gray
        top, bottom, left, right = top + inner[0], top + inner[1], left + inner[2], left + inner[3]
    bottom_full = height if bottom == coarse.shape[0] else bottom * step
    right_full = width if right == coarse.shape[1] else right * step
    return closely_trimmed(gray[top * step : bottom_full, left * step : right_full], step, flat)


def edges(picture: Plane, flat: float) -> tuple[int, int, int, int]:
    """First and last line and column that vary, the last one excluded; zeros where none does."""
    if all(varies(line, flat) for line in (picture[0], picture[-1], picture[:, 0], picture[:, -1])):
        return 0, picture.shape[0], 0, picture.shape[1]
    rows, columns = (np.flatnonzero(spreads(picture, axis) > flat) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return 0, 0, 0, 0
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def closely_trimmed(gray: Plane, most: int, flat: float) -> Plane:
    """Without up to `most` border lines that vary by up to `flat` on each side: what the coarse look left of the padding."""
    height, width = gray.shape
    top = varied(gray[:most], flat)
    bottom = height - varied(gray[height - most :][::-1], flat)
    left = varied(gray[:, :most].T, flat)
    right = width - varied(gray[:, width - most :].T[::-1], flat)
    return gray[top:bottom, left:right]


def varies(line: Plane, flat: float) -> bool:
    """The standard deviation of a line is more than `flat`: most pictures have no padding, and this tells it soonest."""
    return float(cv2.meanStdDev(np.ascontiguousarray(line))[1][0, 0]) > flat


def spreads(picture: Plane, axis: int) -> Plane:
    """Standard deviation along an axis."""
    count = picture.shape[axis]
    total, squares = (cv2.reduce(picture, axis, way).ravel() / count for way in (cv2.REDUCE_SUM, cv2.REDUCE_SUM2))
    return np.asarray(np.sqrt(np.maximum(squares - total * total, 0)), np.float32)


def varied(lines: Plane, flat: float) -> int:
    """How many lines come before the first that varies by more than `flat`."""
    if varies(lines[0], flat):
        return 0
    still = spreads(lines, 1) <= flat
    return len(still) if still.all() else int(np.argmin(still))


def distinct_levels(stored: npt.NDArray[Any]) -> int:
    """Distinct values of a frame: `MIN_LEVELS` or more among a thousand of its pixels, or all among some ten thousand."""
    found = 0
    for pixels in (1024, 16_384):
        step = max(1, round((stored.shape[0] * stored.shape[1] / pixels) ** 0.5))
        sample = stored[::step, ::step]
        # Colours of a drawing: the first channel may be constant, so channels are added up.
        found = len(np.unique(sample.sum(axis=-1) if sample.ndim == 3 else sample))
        if found >= MIN_LEVELS:
            break
    return found


def as_jpeg(proof: npt.NDArray[np.uint8]) -> bytes:
    """A proof as JPEG: a third of its pixels' size, and far better than any copy it is compared with."""
    return cv2.imencode(".jpg", proof, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def from_jpeg(content: bytes) -> npt.NDArray[np.uint8]:
    """The picture of `as_jpeg`."""
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def pack(sketch: Sketch) -> bytes:
    """Sketch → bytes."""
    parts = [_HEAD.pack(sketch.count, len(sketch.frames))]
    for frame in sketch.frames:
        parts += [
            _FRAME.pack(len(frame.proof), len(frame.words), *frame.shape),
            frame.words.astype("<u8").tobytes(), frame.places.astype("<u4").tobytes(), frame.glance.tobytes(), frame.proof,
        ]  # fmt: skip
    return b"".join(parts)


def unpack(content: bytes) -> Sketch | None:
    """Bytes → Sketch; None for a refusal."""
    if len(content) < _HEAD.size:
        return None
    count, sketched = _HEAD.unpack_from(content)
    at, frames = _HEAD.size, []
    for _ in range(sketched):
        size, words_here, height, width = _FRAME.unpack_from(content, at)
        at += _FRAME.size
        found = np.frombuffer(content, "<u8", words_here, at).astype(np.uint64)
        at += found.nbytes
        places = np.frombuffer(content, "<u4", words_here, at).astype(np.uint32)
        at += places.nbytes
        glance = np.frombuffer(content, np.int8, WAVES * WAVES, at).reshape(WAVES, WAVES)
        at += glance.nbytes
        frames.append(Frame(words=found, places=places, glance=glance, shape=(height, width), proof=content[at : at + size]))
        at += size
    return Sketch(count=count, frames=tuple(frames))
