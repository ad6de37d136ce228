"""The middle frame of files and items, one after the other, in the levels they are stored in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.containers.array_rows import ArrayRows
from auditor.format import open_header, open_pixels, read_source
from auditor.measuring.measure import item_header
from auditor.values.errors import UnreadableFile
from auditor.values.image import Header, Limits, Pixels


def middle_frames(limits: Limits, file: Path, items: Sequence[str]) -> Iterator[tuple[npt.NDArray[Any], float] | None]:
    """The middle frame of a file, or of these items of a file of many, and the top of its depth; None where it cannot be read.

    Runs inside the bounded workers: it decodes.
    """
    opened: ArrayRows | None = None
    try:
        for item in items:
            member, _, number = item.partition(":")
            try:
                if member:
                    if opened is None or opened.member != member:
                        if opened is not None:
                            opened.close()
                        opened = ArrayRows(path=file, member=member, limits=limits)
                        opened.open()
                    header = item_header(opened.shape[1:], opened.dtype)
                    yield level_frame(header, Pixels(array=opened.row(int(number))[None]))
                else:
                    source = read_source(file, limits)
                    header = open_header(source, limits)
                    yield level_frame(header, open_pixels(source, header, limits))
            except UnreadableFile:
                yield None
    finally:
        if opened is not None:
            opened.close()


def level_frame(header: Header, pixels: Pixels) -> tuple[npt.NDArray[Any], float]:
    """The middle frame in stored levels, and the largest level of its depth; of floats 65,535 levels over their range."""
    frame = pixels.array[len(pixels.array) // 2]
    if frame.dtype.kind == "f":
        finite = np.nan_to_num(frame, posinf=0.0, neginf=0.0)
        low, span = float(finite.min()), float(np.ptp(finite))
        return np.rint((finite - low) * (65535 / span if span > 0 else 0.0)).astype(np.int64), 65535.0
    bits = header.fields.get("container.bit_depth")
    depth = int(bits) if isinstance(bits, int | float) and bits > 0 else 8 * frame.dtype.itemsize
    return frame.astype(np.int64), float((1 << max(8, min(depth, 32))) - 1)
