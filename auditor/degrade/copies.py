"""Planted copies and encodings: near-copies and exact copies of pictures, and a bit depth that follows the class.

As in `auditor.degrade.flaws`: a seed comes in, the input stays as it is, and each change gives a `Truth` row.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from auditor.degrade.encode import Picture, to_depth, write_image
from auditor.degrade.flaws import Truth


def depth_by_class(
    images: Mapping[str, Picture], labels: Mapping[str, str], deep: str, *, seed: int, share: float = 1.0
) -> tuple[dict[str, Picture], list[Truth]]:
    """16 bits for the class `deep`, 8 bits for all others: bit depth tells the class.

    Args:
        images: record → picture, best float 0–1.
        share: the part of the records that follow the rule; the depth of the others is drawn by lot.

    Returns:
        Record → uint16 or uint8 picture; one truth row per record (`new` the bits, `detail` the class).
    """
    rng = np.random.default_rng(seed)
    stored: dict[str, Picture] = {}
    truth = []
    for record, image in images.items():
        follows, lot = rng.random() < share, rng.random() < 0.5
        bits = 16 if (labels[record] == deep if follows else lot) else 8
        stored[record] = to_depth(image, bits)
        truth.append(Truth(record=record, kind="bit-depth", new=str(bits), detail=labels[record]))
    return stored, truth


def near_copy(image: Picture, how: str, *, seed: int) -> Picture:
    """The same picture, slightly changed; type kept (uint8 or uint16). `how` is a key of `NEAR_COPIES`."""
    return NEAR_COPIES[how](image, np.random.default_rng(seed))


def near_copies(
    images: Mapping[str, Picture], count: int, *, seed: int, how: Sequence[str] = ()
) -> tuple[dict[str, Picture], list[Truth]]:
    """`count` new pictures, each a near-copy of another record; the ways of `how` (default all) in turn.

    Returns:
        New record id (`<old>-near`) → picture; truth rows (`record` the copy, `old` the original, `detail` the way).
    """
    rng = np.random.default_rng(seed)
    ways = tuple(how) or tuple(NEAR_COPIES)
    made: dict[str, Picture] = {}
    truth = []
    for i, pick in enumerate(np.sort(rng.choice(len(images), size=count, replace=False)).tolist()):
        original = list(images)[pick]
        copy, way = f"{original}-near", ways[i % len(ways)]
        made[copy] = near_copy(images[original], way, seed=int(rng.integers(2**31)))
        truth.append(Truth(record=copy, kind="near-copy", old=original, new=copy, detail=way))
    return made, truth


def _as_eight_bits(image: Picture) -> Image.Image:
    return Image.fromarray(to_depth(image, 8))


def _recompressed(image: Picture, rng: np.random.Generator) -> Picture:
    stream = io.BytesIO()
    _as_eight_bits(image).save(stream, "JPEG", quality=int(rng.integers(40, 85)))
    return _like(np.asarray(Image.open(stream)), image)


def _resized(image: Picture, rng: np.random.Generator) -> Picture:
    factor = rng.uniform(0.6, 0.9)
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    return _like(np.asarray(_as_eight_bits(image).resize((width, height), Image.Resampling.BICUBIC)), image)


def _brightened(image: Picture, rng: np.random.Generator) -> Picture:
    gain, offset = rng.uniform(0.85, 1.15), rng.uniform(-0.05, 0.05) * np.iinfo(image.dtype).max
    changed: Picture = np.clip(np.rint(image * gain + offset), 0, np.iinfo(image.dtype).max).astype(image.dtype)
    return changed


def _flipped(image: Picture, rng: np.random.Generator) -> Picture:
    return np.ascontiguousarray(np.flip(image, axis=int(rng.integers(2))))


def _cropped(image: Picture, rng: np.random.Generator) -> Picture:
    sides = [max(1, int(side * rng.uniform(0.85, 0.96))) for side in image.shape[:2]]
    top, left = (int(rng.integers(whole - part + 1)) for whole, part in zip(image.shape[:2], sides, strict=True))
    return image[top : top + sides[0], left : left + sides[1]].copy()


def _marked(image: Picture, rng: np.random.Generator) -> Picture:
    """A bright burned-in plate with dark strokes, in one corner."""
    changed = image.copy()
    height, width = max(2, image.shape[0] // 12), max(4, image.shape[1] // 5)
    top = int(rng.choice([0, image.shape[0] - height]))
    left = int(rng.choice([0, image.shape[1] - width]))
    plate = changed[top : top + height, left : left + width]
    plate[:] = np.iinfo(image.dtype).max
    plate[height // 4 : max(height // 4 + 1, 3 * height // 4), rng.random(width) < 0.5] = 0
    return changed


def _like(eight_bits: npt.NDArray[np.uint8], image: Picture) -> Picture:
    return to_depth(eight_bits, 8 * image.dtype.itemsize)


NEAR_COPIES: Mapping[str, Callable[[Picture, np.random.Generator], Picture]] = {
    "jpeg": _recompressed, "resize": _resized, "brightness": _brightened,
    "flip": _flipped, "crop": _cropped, "mark": _marked,
}  # fmt: skip
"""Way of making a near-copy → function. `jpeg` and `resize` go through 8 bits, as viewers do."""


def copy_bytes(root: Path, original: str, copy: str) -> Truth:
    """The same bytes under another name; both paths are relative to `root`."""
    (root / copy).write_bytes((root / original).read_bytes())
    return Truth(record=copy, kind="exact-copy", old=original, new=copy, detail="bytes")


def copy_pixels(root: Path, image: Picture, original: str, copy: str, kind: str, *, seed: int) -> Truth:
    """The same decoded pixels in another container.

    Args:
        image: what `original` holds, in the depth that `kind` stores.
        kind: a lossless kind of `auditor.degrade.encode.SUFFIX`.
    """
    write_image(root / copy, image, kind, seed=seed)
    return Truth(record=copy, kind="exact-copy", old=original, new=copy, detail="pixels")
