"""Where a picture lies in the frame that networks are shown: as large as fits with its proportions, in the middle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


def fitted(size: Sequence[int], frame: Sequence[int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Height and width of a picture in a frame, and its first row and column there, in pixels of the frame.

    Args:
        size: height and width as stored, 1 at least.
        frame: height and width of the frame.
    """
    share = min(frame[0] / size[0], frame[1] / size[1])
    height, width = (max(1, min(most, round(side * share))) for side, most in zip(size, frame, strict=True))
    return (height, width), ((frame[0] - height) // 2, (frame[1] - width) // 2)


def part(size: Sequence[int], frame: Sequence[int]) -> tuple[slice, slice]:
    """Rows and columns of the frame that hold a picture."""
    (height, width), (top, left) = fitted(size, frame)
    return slice(top, top + height), slice(left, left + width)


def into_frame(places: Doubles, sizes: Doubles, frame: Sequence[int]) -> Doubles:
    """Positions in stored pictures → in the frame; the centre of the first pixel is 0 in both.

    Args:
        places: (n, 2), row and column.
        sizes: height and width of each one's picture, (n, 2), finite.
    """
    inner, first = _boxes(sizes, frame)
    return (places + 0.5) * inner / sizes - 0.5 + first


def out_of_frame(places: Doubles, sizes: Doubles, frame: Sequence[int]) -> Doubles:
    """The way back."""
    inner, first = _boxes(sizes, frame)
    return (places - first + 0.5) * sizes / inner - 0.5


def _boxes(sizes: Doubles, frame: Sequence[int]) -> tuple[Doubles, Doubles]:
    different, which = np.unique(sizes, axis=0, return_inverse=True)
    found = np.array([fitted([int(side) for side in size], frame) for size in different], np.float64).reshape(-1, 2, 2)
    which = which.reshape(-1)
    return found[which, 0], found[which, 1]
