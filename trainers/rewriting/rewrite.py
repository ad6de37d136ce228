"""One image rewritten in the form that a whole collection shares: container, depth, channels, size; no metadata at all.

Stored levels become brightness in 0–1 by what the file *declares*, never by what the picture happens to hold: a picture's
own range would be a new trace. The largest level that b bits can hold is full brightness, and depths are converted linearly
and rounded (PNG specification, 12.4 and 13.12): a collection that is of one depth already keeps every level.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from auditor.degrade.encode import png
from auditor.resample import resize
from auditor.values.image import Header, Pixels
from auditor.view import luminance
from trainers.rewriting.nifti_stack import NOWHERE, nifti_stack, place_of
from trainers.rewriting.sizes import Canvas, Placed, Sizes, placed

Array = npt.NDArray[Any]
Container = Literal["png", "nifti"]
RangeGroup = Literal["declared", "rescaled", "open"]
"""How brightness follows from a stored level:

* `declared`: by the bits that the file declares. A file of 16 bits in 16 declares room and no depth: as many bits count as any
  such file of the collection uses (`loose`);
* `rescaled`: slope and intercept, or signed levels: physical units, on the range that all such files use together;
* `open`: nothing is declared (floats, 32-bit integers, NIfTI): likewise on the range that all such files use together."""

SUFFIX: Mapping[Container, str] = {"png": ".png", "nifti": ".nii.gz"}
LEAST_BITS, MOST_BITS = 8, 16
STRIP = 1 << 22
"""Samples that are floats at a time."""
_RASTER = frozenset({"png", "jpeg", "bmp", "gif", "webp"})


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What one file is, seen before anything is written.

    Args:
        bits: that it declares; 16 where it declares none.
        group: see `RangeGroup`. low, high: smallest and largest value in physical units; 0 where the bits say it.
        step: of physical units between two levels.
        loose: bits that its levels need, where the file declares room alone; 0 otherwise.
        height, width, frames: its size.
        coloured: channels differ somewhere.
        spacing: mm between rows and between columns; 0 where the file does not say.
    """

    bits: int
    group: RangeGroup
    low: float
    high: float
    step: float
    loose: int
    height: int
    width: int
    frames: int
    coloured: bool
    spacing: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Form:
    """What every file of the collection becomes.

    Args:
        bits: of information; 9–15 are spread over the 16 bits of the container.
        channels: 1 or 3.
        canvas: the size.
        ranges: group → (low, high) in physical units, the same for all files of the group.
        loose_bits: of 16-bit PNG and TIFF files.
        placed: volumes say where their voxels lie, as their files did: masks lie there.
    """

    container: Container
    bits: int
    channels: int
    canvas: Canvas
    ranges: Mapping[RangeGroup, tuple[float, float]]
    loose_bits: int = MOST_BITS
    placed: bool = False

    @property
    def stored_bits(self) -> int:
        """8 or 16."""
        return 8 if self.bits <= 8 else 16


def survey(header: Header, pixels: Pixels) -> Survey:
    """Look at one decoded file."""
    array = pixels.array
    bits, group = declared(header, pixels)
    low, high = (0.0, 0.0) if group == "declared" else used_range(pixels)
    return Survey(
        bits=bits, group=group, low=low, high=high, step=abs(pixels.slope), height=array.shape[1], width=array.shape[2],
        loose=max(LEAST_BITS, int(array.max()).bit_length()) if is_loose(header, pixels) else 0,
        frames=array.shape[0], coloured=is_coloured(array), spacing=spacing_of(header),
    )  # fmt: skip


def spacing_of(header: Header) -> tuple[float, float]:
    """mm between rows and between columns; 0 where the file does not say."""
    found = [header.facts.get(name) for name in ("spacing_row", "spacing_column")]
    row, column = (float(v) if isinstance(v, int | float) and math.isfinite(v) and v > 0 else 0.0 for v in found)
    return row, column


def sizes_of(seen: Iterable[Survey]) -> Sizes:
    """Sizes and spacings as arrays."""
    table = np.array([(s.height, s.width, *s.spacing) for s in seen], np.float64).reshape(-1, 4)
    return Sizes(heights=table[:, 0], widths=table[:, 1], rows=table[:, 2], columns=table[:, 3])


def declared(header: Header, pixels: Pixels) -> tuple[int, RangeGroup]:
    """The declared bits of a sample as decoded, and how brightness follows from it."""
    dtype = pixels.array.dtype
    if dtype.kind == "f" or dtype.itemsize > 2 or (header.format == "nifti" and dtype.itemsize == 2):
        return MOST_BITS, "open"
    plain = pixels.slope == 1 and pixels.intercept == 0 and dtype.kind in "ub"
    group: RangeGroup = "declared" if plain else "rescaled"
    if dtype == np.bool_:
        return 1, group
    bits = header.fields.get("container.bit_depth")
    # A palette's colours, and grey of 1 to 4 bits in a raster file, come out of the reader spread over whole bytes.
    spread = bool(header.fields.get("container.palette")) or (dtype == np.uint8 and header.format in (*_RASTER, "tiff"))
    whole = 8 * dtype.itemsize
    return (whole if spread or not isinstance(bits, int | float) else max(1, min(int(bits), whole))), group


def is_loose(header: Header, pixels: Pixels) -> bool:
    """Sixteen unsigned bits of room, and nothing that says how many of them count."""
    return pixels.array.dtype == np.uint16 and declared(header, pixels) == (MOST_BITS, "declared")


def used_range(pixels: Pixels) -> tuple[float, float]:
    """Smallest and largest finite value in physical units; (0, 0) where there is none."""
    ends: list[float] = []
    for frame in pixels.array:
        finite = frame[np.isfinite(frame)] if frame.dtype.kind == "f" else frame
        if finite.size:
            ends += [
                float(finite.min()) * pixels.slope + pixels.intercept,
                float(finite.max()) * pixels.slope + pixels.intercept,
            ]
    return (min(ends), max(ends)) if ends else (0.0, 0.0)


def is_coloured(array: Array) -> bool:
    """Some pixel has channels that differ; alpha is no colour."""
    if array.ndim < 4 or array.shape[-1] < 3:
        return False
    return any(bool((frame[..., 0] != frame[..., c]).any()) for frame in array for c in (1, 2))


def common_form(surveys: Iterable[Survey], *, canvas: Canvas, colour: Literal["auto", "grey"], placed: bool = False) -> Form:
    """The form that all surveyed files can honestly have: the least depth, a single channel unless a picture has colours.

    Stacks of frames become NIfTI, colour stacks of 8 bits.

    Raises:
        ValueError: no file.
    """
    seen = list(surveys)
    if not seen:
        raise ValueError("no readable file")
    stacks, coloured = any(s.frames > 1 for s in seen), colour == "auto" and any(s.coloured for s in seen)
    loose = max((s.loose for s in seen), default=0) or MOST_BITS
    ranges = ranges_of(seen)
    bits = max(LEAST_BITS, min(loose if s.loose else honest_bits(s, ranges) for s in seen))
    return Form(
        container="nifti" if stacks else "png", bits=LEAST_BITS if stacks and coloured else bits,
        channels=3 if coloured else 1, canvas=canvas, ranges=ranges, loose_bits=loose,
        placed=placed,
    )  # fmt: skip


def ranges_of(seen: Iterable[Survey]) -> dict[RangeGroup, tuple[float, float]]:
    """Group → the range in physical units that its files use together."""
    ranges: dict[RangeGroup, tuple[float, float]] = {}
    for s in seen:
        if s.group != "declared":
            low, high = ranges.get(s.group, (s.low, s.high))
            ranges[s.group] = (min(low, s.low), max(high, s.high))
    return ranges


def honest_bits(one: Survey, ranges: Mapping[RangeGroup, tuple[float, float]]) -> int:
    """How deep a file can be written: by its declared bits, and no deeper than its steps part the common range."""
    if one.group != "rescaled":
        return one.bits
    low, high = ranges["rescaled"]
    return min(one.bits, math.ceil(math.log2((high - low) / one.step + 1)))


def rewritten(header: Header, pixels: Pixels, form: Form) -> Array:
    """The pixels in the common form, uint8 or uint16, shape (frames, height, width) or (frames, height, width, 3)."""
    array = pixels.array
    place = placed(array.shape[1], array.shape[2], form.canvas, spacing_of(header))
    shape = (len(array), *place.outer) + ((3,) if form.channels == 3 else ())
    result = np.zeros(shape, np.uint8 if form.stored_bits == 8 else np.uint16)
    # Floats are four times as large as what was read: only so many rows are floats at a time, unless sizes change.
    whole = form.canvas.rule in ("resize", "spacing")
    rows = array.shape[1] if whole else max(1, STRIP // max(1, array[0, 0].size))
    for i, frame in enumerate(array):
        for start in range(0, len(frame), rows):
            unit = _channels(brightness(frame[start : start + rows], header, pixels, form), form)
            if whole:
                target, unit = _laid(result[i], unit, place)
            else:
                target = result[i, start : start + len(unit), : unit.shape[1]]
            target[...] = _levels(unit, form)
    return result


def brightness(frame: Array, header: Header, pixels: Pixels, form: Form) -> npt.NDArray[np.float32]:
    """One frame as brightness, 0–1, bright = high."""
    bits, group = declared(header, pixels)
    if group == "declared":
        bits = form.loose_bits if is_loose(header, pixels) else bits
        unit = frame.astype(np.float32) / np.float32((1 << bits) - 1)
    else:
        low, high = form.ranges[group]
        span = high - low if high > low else 1.0
        physical = np.nan_to_num(frame.astype(np.float64), nan=low, posinf=high, neginf=low) * pixels.slope + pixels.intercept
        unit = ((physical - low) / span).astype(np.float32)
    unit = np.clip(unit, 0, 1)
    return np.asarray(np.float32(1) - unit if pixels.inverted else unit, np.float32)


def _channels(unit: npt.NDArray[np.float32], form: Form) -> npt.NDArray[np.float32]:
    """(height, width) for a single channel, (height, width, 3) otherwise."""
    if unit.ndim == 3 and unit.shape[2] < 3:
        unit = unit[..., 0]
    if form.channels == 1:
        equal = unit.ndim == 2 or all(np.array_equal(unit[..., 0], unit[..., c]) for c in (1, 2))
        return (unit if unit.ndim == 2 else unit[..., 0]) if equal else luminance(unit)
    return unit[..., :3] if unit.ndim == 3 else np.repeat(unit[..., None], 3, axis=2)


def _laid(result: Array, unit: npt.NDArray[np.float32], place: Placed) -> tuple[Array, npt.NDArray[np.float32]]:
    """The part of the result that the scaled picture covers, and what of the picture lies there: middle on middle."""
    unit = _scaled(unit, *place.inner)
    here, there = [], []
    for inner, outer in zip(place.inner, place.outer, strict=True):
        both = min(inner, outer)
        here.append(slice((outer - both) // 2, (outer - both) // 2 + both))
        there.append(slice((inner - both) // 2, (inner - both) // 2 + both))
    return result[tuple(here)], unit[tuple(there)]


def _scaled(unit: npt.NDArray[np.float32], height: int, width: int) -> npt.NDArray[np.float32]:
    if unit.shape[:2] == (height, width):
        return unit
    if unit.ndim == 2:
        return resize(unit, height, width)
    return np.stack([resize(unit[..., c], height, width) for c in range(3)], axis=2)


def _levels(unit: npt.NDArray[np.float32], form: Form) -> Array:
    """Levels of the common bits, spread over those of the container by repeating the upper bits below (PNG, 13.12)."""
    levels = np.rint(unit * np.float32((1 << form.bits) - 1)).astype(np.uint32)
    if form.bits == LEAST_BITS:
        return np.asarray(levels, np.uint8)
    spare = MOST_BITS - form.bits
    return np.asarray((levels << spare) | (levels >> (form.bits - spare)), np.uint16)


def encoded(levels: Array, form: Form, header: Header) -> bytes:
    """The bytes of the new file: same levels, same bytes; nothing but the pixels in it, and their place where the form says so.

    Nothing is compressed: how well a picture can be would show in the size of its file, and may tell the class.
    """
    if form.container == "png":
        return png(levels[0], level=0)
    return nifti_stack(levels, *(place_of(header) if form.placed else (NOWHERE, True)))
