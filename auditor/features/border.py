"""What stands at the edge of the picture: padding, the outermost pixels, and writing in the corners."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.feature import View
from auditor.resample import resize

VERSION = 1

COLUMNS: tuple[str, ...] = (
    "mean", "sd", "padding_top_fraction", "padding_bottom_fraction", "padding_left_fraction", "padding_right_fraction",
    "padding_fraction", "padding_level", "corner_text_top_left", "corner_text_top_right", "corner_text_bottom_left",
    "corner_text_bottom_right",
)  # fmt: skip
"""`mean`, `sd` of the outer seventh on either side; `padding_*` the share of lines of one value at an edge,
`padding_fraction` of the area; `padding_level` the value they have (NaN without padding); `corner_text_*` the share of strong
steps in a corner."""

SIDE = 224
RING = 7
FLAT = 0.012
"""Standard deviation of a line (of 0–1) up to which it is padding."""
STEP = 0.25
"""A step between neighbours, of 0–1, that writing makes and anatomy seldom does."""
CORNER = 5


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (12,). Looks at the picture at most 224 pixels wide."""
    height, width = view.gray.shape
    factor = min(1.0, SIDE / max(height, width))
    gray = resize(view.gray, max(1, round(height * factor)), max(1, round(width * factor)))
    return np.array([*_ring(gray), *_padding(gray), *_corners(gray)], dtype=np.float32)


def _ring(gray: npt.NDArray[np.float32]) -> tuple[float, float]:
    height, width = gray.shape
    inside = np.zeros(gray.shape, dtype=np.bool_)
    inside[max(1, height // RING) : -max(1, height // RING), max(1, width // RING) : -max(1, width // RING)] = True
    outer = gray[~inside]
    return float(outer.mean()), float(outer.std())


def _padding(gray: npt.NDArray[np.float32]) -> list[float]:
    height, width = gray.shape
    flat_rows, flat_columns = gray.std(axis=1) <= FLAT, gray.std(axis=0) <= FLAT
    if flat_rows.all():
        # A flat picture has no padding, it is nothing else.
        return [0.0, 0.0, 0.0, 0.0, 0.0, float("nan")]
    top, bottom = int(np.argmin(flat_rows)), int(np.argmin(flat_rows[::-1]))
    left, right = (0, 0) if flat_columns.all() else (int(np.argmin(flat_columns)), int(np.argmin(flat_columns[::-1])))
    kept = max(0, height - top - bottom) * max(0, width - left - right)
    lines = [*gray[:top], *gray[height - bottom :], *gray[:, :left].T, *gray[:, width - right :].T]
    level = float(np.mean([line.mean() for line in lines])) if lines else float("nan")
    return [top / height, bottom / height, left / width, right / width, 1 - kept / gray.size, level]


def _corners(gray: npt.NDArray[np.float32]) -> list[float]:
    height, width = gray.shape
    rows, columns = max(2, height // CORNER), max(2, width // CORNER)
    found = []
    for vertical in (slice(None, rows), slice(-rows, None)):
        for across in (slice(None, columns), slice(-columns, None)):
            corner = gray[vertical, across]
            steps = [np.abs(np.diff(corner, axis=axis)) > STEP for axis in (0, 1)]
            size = sum(step.size for step in steps)
            found.append(sum(int(step.sum()) for step in steps) / size if size else 0.0)
    return found
