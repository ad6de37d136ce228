"""What stands at the edge of the picture: padding, the outermost pixels, and writing in the corners."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from auditor.view import View

VERSION = 3

COLUMNS: tuple[str, ...] = (
    "mean", "sd", "padding_top_fraction", "padding_bottom_fraction", "padding_left_fraction", "padding_right_fraction",
    "padding_fraction", "padding_level", "corner_text_top_left", "corner_text_top_right", "corner_text_bottom_left",
    "corner_text_bottom_right",
)  # fmt: skip
"""`mean`, `sd` of the outer seventh on either side; `padding_*` the share of lines of one value at an edge,
`padding_fraction` of the area; `padding_level` the value they have (NaN without padding); `corner_text_*` the share of strong
steps in a corner."""

RING = 7
AT_ONCE = 16
FLAT = 0.012
"""Standard deviation of a line (of 0–1) up to which it is padding."""
STEP = 0.25
"""A step between neighbours, of 0–1, that writing makes and anatomy seldom does."""
CORNER = 5


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (12,)."""
    gray = view.gray
    return np.array([*_ring(gray), *_padding(gray), *_corners(gray)], dtype=np.float32)


def _ring(gray: npt.NDArray[np.float32]) -> tuple[float, float]:
    height, width = gray.shape
    down, across = max(1, height // RING), max(1, width // RING)
    middle = gray[down : max(down, height - down)]
    parts = (gray[:down], gray[max(down, height - down) :], middle[:, :across], middle[:, max(across, width - across) :])
    outer = np.concatenate([part.ravel() for part in parts])
    mean = float(outer.mean())
    return mean, float(np.sqrt(max(0.0, float(outer @ outer) / outer.size - mean * mean)))


def _padding(gray: npt.NDArray[np.float32]) -> list[float]:
    height, width = gray.shape
    top, left = _flat_lines(gray), _flat_lines(gray.T)
    if top == height:
        # A flat picture has no padding, it is nothing else.
        return [0.0, 0.0, 0.0, 0.0, 0.0, float("nan")]
    bottom = _flat_lines(gray[::-1])
    left, right = (0, 0) if left == width else (left, _flat_lines(gray.T[::-1]))
    if not (top or bottom or left or right):
        return [0.0, 0.0, 0.0, 0.0, 0.0, float("nan")]
    kept = max(0, height - top - bottom) * max(0, width - left - right)
    lines = [gray[:top].mean(axis=1), gray[height - bottom :].mean(axis=1)]
    lines += [gray[:, :left].mean(axis=0), gray[:, width - right :].mean(axis=0)]
    means = np.concatenate(lines)
    level = float(means.mean()) if len(means) else float("nan")
    return [top / height, bottom / height, left / width, right / width, 1 - kept / gray.size, level]


def _flat_lines(lines: npt.NDArray[np.float32]) -> int:
    """How many lines come before the first that varies; most pictures have none."""
    if float(cv2.meanStdDev(np.ascontiguousarray(lines[0]))[1][0, 0]) > FLAT:
        return 0
    for start in range(0, len(lines), AT_ONCE):
        varies = lines[start : start + AT_ONCE].std(axis=1) > FLAT
        if varies.any():
            return start + int(np.argmax(varies))
    return len(lines)


def _corners(gray: npt.NDArray[np.float32]) -> list[float]:
    height, width = gray.shape
    rows, columns = max(2, height // CORNER), max(2, width // CORNER)
    found = []
    for vertical in (slice(None, rows), slice(-rows, None)):
        for across in (slice(None, columns), slice(-columns, None)):
            corner = gray[vertical, across]
            pairs = [p for p in ((corner[1:], corner[:-1]), (corner[:, 1:], corner[:, :-1])) if p[0].size]
            size = sum(one.size for one, _ in pairs)
            steps = sum(np.count_nonzero(cv2.absdiff(one, other) > STEP) for one, other in pairs)
            found.append(steps / size if size else 0.0)
    return found
