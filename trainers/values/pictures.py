"""What a network is given: pictures as one typed array, and examples: which of them, with which targets and weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
UNKNOWN_PIXEL = 255
"""Class of a pixel of which nobody knows what it shows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pictures:
    """All pictures of a dataset, decoded; row i belongs to record i.

    Args:
        array: uint8 or uint16 over the full range of the type, shape (records, channels, *shape); an `np.memmap` where it is
            larger than the memory allowed; zeros where the file could not be read.
        readable: boolean, shape (records,).
        masks: class index per pixel, uint8, shape (records, *shape), background 0, `UNKNOWN_PIXEL` where
            there is no mask; None unless they were asked for.
        masked: boolean, shape (records,): there is a mask for the record.
        mask_values: the value in the files behind each class index, the background first.
        decoded: how many pictures and masks were decoded for this; 0 when all came from the cache.
        told: what was done to them for a network that wants others, in words.
    """

    array: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    readable: npt.NDArray[np.bool_]
    masks: npt.NDArray[np.uint8] | None = None
    masked: npt.NDArray[np.bool_] | None = None
    mask_values: tuple[int, ...] = ()
    decoded: int = 0
    told: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture: (height, width) or (depth, height, width)."""
        return tuple(int(side) for side in self.array.shape[2:])

    @property
    def channels(self) -> int:
        """1 or 3."""
        return int(self.array.shape[1])

    @property
    def top(self) -> int:
        """The value of white: 255 or 65,535."""
        return int(np.iinfo(self.array.dtype).max)

    @property
    def mask_classes(self) -> int:
        """Classes of the masks, background included; 0 without masks."""
        return len(self.mask_values)


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """What a network is trained on. m = number of examples.

    Args:
        rows: int64 (m,), into `Pictures`; or (m, k): the pictures of a bag, −1 fills up.
        targets: float32. single: class probabilities (m, K), soft ones allowed; multi: 0, 1 or between, NaN = not known (m, K);
            ordinal: P(grade > k) for every threshold (m, K − 1); continuous: standardised (m, 1); segmentation: (m, 0).
        weights: float32 (m,).
        groups: int64 (m,): equal where records belong to one patient or show one picture.
        masks: uint8 (m, *shape), in the place of `Pictures.masks`; None: those.
    """

    rows: Rows
    targets: Floats
    weights: Floats
    groups: Rows
    masks: npt.NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice) -> Self:
        """Some of the examples."""
        return replace(
            self,
            rows=self.rows[index],
            targets=self.targets[index],
            weights=self.weights[index],
            groups=self.groups[index],
            masks=None if self.masks is None else self.masks[index],
        )

    def joined(self, other: Examples) -> Self:
        """These examples and then the others.

        Raises:
            ValueError: only one of them has masks of its own.
        """
        masks = None
        if self.masks is not None and other.masks is not None:
            masks = np.concatenate([self.masks, other.masks])
        elif self.masks is not None or other.masks is not None:
            raise ValueError("examples with masks of their own cannot be joined with others that have none")
        return replace(
            self,
            rows=_stacked(self.rows, other.rows),
            targets=np.concatenate([self.targets, other.targets]),
            weights=np.concatenate([self.weights, other.weights]),
            groups=np.concatenate([self.groups, other.groups]),
            masks=masks,
        )


def _stacked(one: Rows, other: Rows) -> Rows:
    """Rows of single pictures, or of bags where one of both holds bags."""
    if one.ndim == other.ndim == 1:
        return np.concatenate([one, other])
    parts = [part[:, None] if part.ndim == 1 else part for part in (one, other)]
    most = max(part.shape[1] for part in parts)
    return np.concatenate([np.pad(part, ((0, 0), (0, most - part.shape[1])), constant_values=-1) for part in parts])
