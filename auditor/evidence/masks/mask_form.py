"""How a predicted map is to be read: as probabilities or as numbers of classes, and which class a drawn value is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.masks.mask_facts import MOST_VALUES
from auditor.prediction.files import RANGE_TOLERANCE, SUM_TOLERANCE
from auditor.values.errors import DatasetError
from auditor.values.mask_scores import Bools, Floats

Array = npt.NDArray[Any]
UNKNOWN = 255
"""A drawn value that is no class where the others are 0, 1, 2, …: not annotated, as in many collections."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One drawn mask and its prediction, of the same shape.

    Args:
        confidence: probability that the model gives to the drawn class of every known pixel, flat.
        predicted: probability of being any object, (height, width) or (depth, height, width).
        drawn: is drawn as an object.
    """

    confidence: Floats
    predicted: Floats
    drawn: Bools


@dataclass(frozen=True, kw_only=True)
class Form:
    """The form of a collection's maps.

    Args:
        path: for messages.
        dims: of one mask: 2, or 3 of volumes.
        values: drawn values in the order of the classes; empty where only object and background are told apart.
        background: the drawn value that is no object.
        ones: whole numbers are 0 and 1, not 0 to the largest number of their type.
        numbered: maps hold classes: their drawn values, or (`ranks`) their places in `values`.
    """

    path: Path
    dims: int = 2
    values: tuple[float, ...] = ()
    background: float = 0.0
    ones: bool = False
    numbered: bool = False
    ranks: bool = False

    def pair(self, found: Array, mask: Array) -> Pair | str:
        """A map and a mask as stored → comparable, or why they cannot be compared.

        Raises:
            DatasetError: the map holds no probabilities.
        """
        mask = mask[0] if self.dims == 2 and mask.ndim == 3 and len(mask) == 1 else mask
        if mask.ndim != self.dims or found.ndim not in (self.dims, self.dims + 1):
            return "the mask and its prediction have not the same number of dimensions"
        if self.dims == 3 and found.shape[-3:] != mask.shape:
            found = _nearest(found, mask.shape)
        if found.shape[-self.dims :] != mask.shape:
            return f"the prediction has {_size(found.shape[-self.dims :])} pixels, the mask {_size(mask.shape)}"
        drawn = np.asarray(mask != self.background)
        if self.numbered:
            return self._numbered(found, mask, drawn)
        p = self._probabilities(found)
        if np.isnan(p).any():
            return "not predicted, or a number is missing"
        if p.ndim == self.dims:
            return Pair(confidence=np.where(drawn, p, 1 - p).ravel(), predicted=p, drawn=drawn)
        return self._several(p, mask, drawn)

    def _numbered(self, found: Array, mask: Array, drawn: Bools) -> Pair | str:
        if found.ndim != self.dims:
            return "the prediction holds several maps, those of other records one"
        value = np.asarray(self.values)[np.minimum(found.astype(np.int64), len(self.values) - 1)] if self.ranks else found
        known = np.isin(mask, self.values)
        same = (value == mask).astype(np.float32)
        return Pair(
            confidence=same[known], predicted=(value != self.background).astype(np.float32), drawn=np.asarray(drawn & known)
        )

    def _several(self, p: Floats, mask: Array, drawn: Bools) -> Pair | str:
        sums = p.sum(axis=0)
        if np.abs(sums - 1).max() > SUM_TOLERANCE:
            raise DatasetError(
                f"{self.path}: the classes of a pixel sum to {sums.max():.3g}, not to 1; give softmax probabilities"
            )
        if len(p) == 2:
            return Pair(confidence=np.where(drawn, p[1], p[0]).ravel(), predicted=p[1], drawn=drawn)
        if len(p) != len(self.values):
            raise DatasetError(
                f"{self.path}: {len(p)} classes, but the masks hold {len(self.values) or 'many'} values "
                f"({', '.join(f'{v:g}' for v in self.values[:8])})"
            )
        code = np.minimum(np.searchsorted(self.values, mask), len(self.values) - 1)
        known = np.asarray(self.values)[code] == mask
        confidence = np.take_along_axis(p, code[None], axis=0)[0]
        return Pair(
            confidence=confidence[known], predicted=1 - p[self.values.index(self.background)], drawn=np.asarray(drawn & known)
        )

    def _probabilities(self, found: Array) -> Floats:
        p = found.astype(np.float32)
        if found.dtype.kind in "iu" and not self.ones:
            p /= 255 if found.dtype.itemsize == 1 else 65535
        low, high = float(np.nanmin(p, initial=0)), float(np.nanmax(p, initial=0))
        if low < -RANGE_TOLERANCE or high > 1 + RANGE_TOLERANCE:
            raise DatasetError(
                f"{self.path}: values from {low:.3g} to {high:.3g} are no probabilities; apply softmax (or sigmoid) to logits"
            )
        return np.clip(p, 0, 1)


def form_of(masks: pd.DataFrame, sample: Sequence[Array], path: Path) -> Form:
    """The form of a collection, from the facts of its drawn masks (`Dataset.masks`) and some of its maps.

    Raises:
        DatasetError: classes are given that the masks do not have.
    """
    told = masks[masks["problem"] == ""]
    dims = 3 if len(told) and float(told["frames"].max()) > 1 else 2
    many = len(told) > 0 and float(told["distinct"].max()) > MOST_VALUES
    drawn = sorted({float(v) for text in told["values"].fillna("") for v in str(text).split()})
    background = 0.0 if not drawn or 0.0 in drawn or many else drawn[0]
    classes = max((len(m) for m in sample if m.ndim == dims + 1), default=1)
    if UNKNOWN in drawn and len(drawn) > 3 and drawn[-2] < len(drawn) - 1:
        drawn = drawn[:-1]
    if classes > 2 and not many and all(v == int(v) and 0 <= v < classes for v in drawn):
        # a class that no mask holds has its place all the same
        drawn = [float(v) for v in range(classes)]
    values = () if many else tuple(drawn)
    whole = [m for m in sample if m.dtype.kind in "iu"]
    seen = {float(v) for m in whole for v in np.unique(m)}
    if classes == 1 and whole and len(values) > 2:
        if not seen <= set(values) and max(seen) >= len(values):
            raise DatasetError(
                f"{path}: predicted masks hold {max(seen):g}, which is the number of none of the {len(values)} classes"
            )
        ranks = not seen <= set(values)
        return Form(path=path, dims=dims, values=values, background=background, numbered=True, ranks=ranks)
    ones = bool(whole) and max(seen, default=0) <= 1
    return Form(path=path, dims=dims, values=values, background=background, ones=ones)


def _nearest(found: Array, shape: tuple[int, ...]) -> Array:
    """A volume in another size: `medaudit predict` writes volumes in the shape of its network."""
    for axis, (new, old) in enumerate(zip(shape, found.shape[-3:], strict=True), start=found.ndim - 3):
        found = found.take(((np.arange(new) + 0.5) * old / new).astype(np.int64), axis=axis)
    return found


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
