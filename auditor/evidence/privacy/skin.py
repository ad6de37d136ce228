"""The skin in CT and MR: where air ends and a body begins, and how sharp that edge is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.values.image import Header, Pixels

Floats = npt.NDArray[np.float32]

SKIN_HU = -300.0
LARGEST = 1e9
"""What is larger is no brightness."""


def physical(array: npt.NDArray[np.generic], pixels: Pixels) -> Floats:
    """Stored values in physical units; what is no brightness (not finite, huge) becomes the lowest that is one."""
    with np.errstate(all="ignore"):
        values = array.astype(np.float32) * np.float32(pixels.slope) + np.float32(pixels.intercept)
    known = np.isfinite(values) & (np.abs(values) < LARGEST)
    low = float(np.min(values, initial=LARGEST, where=known)) if known.any() else 0.0
    return np.asarray(np.where(known, values, low), np.float32)


def skin_level(values: Floats, header: Header) -> float | None:
    """The value that parts body from air: −300 HU in CT, else half of Otsu's (fat and muscle differ, noise lies near zero)."""
    low, high = (float(v) for v in np.percentile(values[..., ::2], (1, 99.5)))
    if header.fields.get("dicom.Modality") == "CT" or (low < -500 and high < 10_000):
        return SKIN_HU
    if high - low <= 0:
        return None
    counts, edges = np.histogram(values, 128, (low, high))
    level = edges[:-1] + (edges[1] - edges[0]) / 2
    below, sums = np.cumsum(counts), np.cumsum(counts * level)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    otsu = float(edges[int(np.argmax(np.nan_to_num(between))) + 1])
    air = values[values < otsu]
    if not air.size:
        return otsu
    middle = float(np.median(air))
    # above the noise of the air, where it is strong (the deviation from its median, 1.4826 of it is one of a bell curve)
    return max(low + 0.5 * (otsu - low), middle + 2.5 * 1.4826 * float(np.median(np.abs(air - middle))))


def largest(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_] | None:
    """The largest connected piece, or None where there is none."""
    from scipy import ndimage  # slow to import, and few files show a head

    pieces, count = ndimage.label(mask)
    if count == 0:
        return None
    return np.asarray(pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:])))


def first_skin(
    body: npt.NDArray[np.bool_], values: Floats, skin: float, *, axis: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Where the body begins along `axis`, between voxels, NaN where it does not; and per row whether it begins at the edge."""
    index = np.argmax(body, axis=axis)
    some = body.any(axis=axis)
    here = np.take_along_axis(values, np.expand_dims(index, axis), axis).squeeze(axis)
    before = np.take_along_axis(values, np.expand_dims(np.maximum(index - 1, 0), axis), axis).squeeze(axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        back = np.clip((here - skin) / (here - before), 0, 1)
    depth = np.where(some, index - np.where((index > 0) & (before < here), back, 0), np.nan)
    touching = some & (index == 0)
    return depth, np.asarray(touching.sum(axis=1) > 0.1 * np.maximum(some.sum(axis=1), 1))


def edge_width(body: npt.NDArray[np.bool_], values: Floats, *, axis: int, reach: int) -> npt.NDArray[np.float64]:
    """Voxels over which the values rise from 0.3 to 0.7 of what they reach behind the skin, NaN where there is no body."""
    index = np.argmax(body, axis=axis)
    window = np.arange(-reach // 2, reach + 1)
    shape = [1] * values.ndim
    shape[axis] = -1
    at = np.clip(np.expand_dims(index, axis) + window.reshape(shape), 0, values.shape[axis] - 1)
    along = np.moveaxis(np.take_along_axis(values, at, axis), axis, -1)
    air = np.percentile(values[::2], 1)
    high = np.minimum(
        along[..., reach // 2 :].max(axis=-1), np.percentile(values[::2][body[::2]], 75) if body[::2].any() else np.inf
    )
    part = (along - air) / np.maximum(high - air, 1e-6)[..., None]
    full = np.argmax(part >= 0.7, axis=-1)
    # from the last that is still air before it, so that specks of noise further out do not widen the edge
    before = np.where(np.arange(part.shape[-1]) < full[..., None], part < 0.3, False)
    last = part.shape[-1] - 1 - np.argmax(before[..., ::-1], axis=-1)
    return np.where(body.any(axis=axis) & before.any(axis=-1), full - last, np.nan)
