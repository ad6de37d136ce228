"""What one mask says: its shape, its values, how many objects it holds. Measured in the pass, cached as a row of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from auditor.values.image import Header, Pixels

if TYPE_CHECKING:  # a worker measures masks and needs no tables
    import pandas as pd

VERSION = 3
PREFIX = "mask\x1f"
"""Starts the key of a mask among the answers of the pass; no record id holds this character at its start."""
MOST_VALUES = 32
NUMBERS: tuple[str, ...] = (
    "height", "width", "frames", "channels", "distinct", "fraction_values", "foreground_fraction", "components",
)  # fmt: skip
MASK_COLUMNS: tuple[str, ...] = (
    "path",
    "record",
    *NUMBERS,
    "values",
    "spacing_row",
    "spacing_column",
    "orientation",
    "grid",
    "placed",
    "format",
    "scaling",
    "problem",
)
"""Columns of `Dataset.masks`. `values` is text: the distinct values in rising order, joined by a blank, at most 32 of them, as
readers see them: after slope and intercept, where the header has such; `distinct` counts all (65,536 at most);
`fraction_values` is the share of values that are no whole numbers; `components` counts connected foreground objects of the
middle frame (all frames of a stack are looked at for the rest); `grid` is where the mask lies (`auditor.values.grid`), `placed`
whether a format that can say so does, `scaling` what the header does to the stored values, in words; `problem` is empty, or
why the mask could not be read."""
_PLACE = ("spacing_row", "spacing_column", "orientation", "grid", "placed")


def mask_numbers(header: Header, pixels: Pixels) -> npt.NDArray[np.float32]:
    """The facts of one mask as numbers, shape (len(NUMBERS) + MOST_VALUES,), padded with NaN.

    A mask of several equal channels counts as one of one channel; of others every distinct colour is a value
    (red · 65,536 + green · 256 + blue).
    """
    array = single_channel(pixels.array)
    found = _distinct(array)
    found = found[np.isfinite(found)] if found.dtype.kind == "f" else found
    seen = found.astype(np.float64) * pixels.slope + pixels.intercept
    # a scaling of single precision: 3 × (1 / 3) is a whole number
    seen = np.where(np.abs(seen - np.round(seen)) < 1e-5, np.round(seen), seen) if pixels.slope != 1 else seen
    background = 0 if found.size == 0 else found[np.flatnonzero(seen == 0)[0]] if (seen == 0).any() else found[0]
    middle = np.ascontiguousarray(array[len(array) // 2] != background)
    components = int(cv2.connectedComponents(middle.view(np.uint8), connectivity=4)[0]) - 1
    values = np.sort(seen)
    fractional = float((values != np.round(values)).mean()) if values.size else 0.0
    height, width = array.shape[1:3]
    channels = header.shape[2] if len(header.shape) == 3 else 1
    share = float((array != background).mean())
    numbers = [height, width, len(array), channels, min(len(values), 1 << 16), fractional, share, components]
    row = np.full(len(NUMBERS) + MOST_VALUES, np.nan, np.float32)
    row[: len(NUMBERS)] = numbers
    # 2²⁴ and above are not whole in 32 bits: such masks hold instance numbers, and are told by `distinct`.
    kept = values[:MOST_VALUES]
    row[len(NUMBERS) : len(NUMBERS) + len(kept)] = kept
    return row


def _distinct(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Distinct values in rising order; bytes are counted, which is far faster than sorting them."""
    if array.dtype == np.uint8:
        lines = np.ascontiguousarray(array).reshape(-1, array.shape[-1])
        return np.flatnonzero(cv2.calcHist([lines], [0], None, [256], [0, 256]).ravel()).astype(np.uint8)
    if array.dtype.kind not in "buif":
        return np.empty(0)
    # frame by frame: sorting needs a copy, and that of a whole volume is too much
    return np.unique(np.concatenate([np.unique(frame) for frame in array])) if len(array) else np.empty(0)


def single_channel(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Frames of a mask as numbers, shape (frames, height, width): alpha dropped, equal channels one, a colour one number."""
    if array.ndim == 3:
        return array
    if array.shape[-1] in (2, 4):
        array = array[..., :-1]
    if all(np.array_equal(array[..., 0], array[..., c]) for c in range(1, array.shape[-1])):
        return array[..., 0]
    wide = array[..., :3].astype(np.int64)
    return np.asarray(wide[..., 0] * 65536 + wide[..., 1] * 256 + wide[..., 2])


def scaling(header: Header) -> str:
    """What the header does to the stored values, in words; empty where it does nothing."""
    facts = header.facts
    if facts.get("scaling_fault"):
        return str(facts["scaling_fault"])
    return f"× {facts['slope']:.4g} + {facts['intercept']:.4g}" if "slope" in facts else ""


def mask_frame(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Rows → `Dataset.masks`: text and float columns, one row per record and mask, in the order given."""
    import pandas as pd

    listed = list(rows)
    frame = pd.DataFrame({name: [row.get(name) for row in listed] for name in MASK_COLUMNS})
    numeric = [*NUMBERS, "spacing_row", "spacing_column"]
    types = {name: "float64" if name in numeric else "str" for name in MASK_COLUMNS}
    return frame.astype(types)


def row_of(
    path: str, record: str, numbers: npt.NDArray[np.float32] | None, header: Header | None, problem: str
) -> dict[str, object]:
    """One row of `Dataset.masks`."""
    row: dict[str, object] = {"path": path, "record": record, "problem": problem}
    if numbers is not None:
        row |= {name: float(value) for name, value in zip(NUMBERS, numbers, strict=False)}
        values = numbers[len(NUMBERS) :]
        row["values"] = " ".join(f"{value:g}" for value in values[np.isfinite(values)])
    if header is not None:
        row |= {name: header.facts.get(name) for name in _PLACE}
        row |= {"format": header.format, "scaling": scaling(header)}
    return row
