"""Pictures for the tests of image quality: a body of one layout, in 12 bits, and datasets measured from pictures in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from builders import make_dataset

from auditor.feature import feature_columns, measure_all
from auditor.values.dataset import Dataset
from auditor.values.image import Header, Pixels
from auditor.view import view_of

SIDE = 96


def pictures(n: int, *, seed: int = 0, side: int = SIDE) -> list[npt.NDArray[np.uint16]]:
    """n pictures of one layout (bright on the left below, dark above) with their own details and noise, values up to 4095."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[0:side, 0:side] / side
    found = []
    for _ in range(n):
        body = (
            0.25 + 0.5 * (down > 0.45 + 0.03 * rng.normal()) * (across < 0.6) + 0.15 * np.sin(9 * across + rng.normal() * 0.2)
        )
        for _ in range(25):
            row, column, size = rng.random(), rng.random(), 0.01 + 0.02 * rng.random()
            body = body + 0.12 * rng.normal() * (((down - row) ** 2 + (across - column) ** 2) < size**2)
        body = body + 0.012 * rng.normal(size=body.shape)
        found.append(np.clip(200 + 3400 * body, 1, 4095).astype(np.uint16))
    return found


def measured(arrays: Sequence[npt.NDArray[Any]], *, bits: int | None = None, **more: Any) -> Dataset:
    """A dataset whose features were measured from these pictures; `more` goes to `make_dataset`."""
    rows, constant, fields = [], [], []
    for array in arrays:
        depth = bits if bits is not None else 8 * array.itemsize
        channels = array.shape[2] if array.ndim == 3 else 1
        field = {
            "container.bit_depth": depth, "container.width": array.shape[1], "container.height": array.shape[0],
            "container.channels": channels,
        }  # fmt: skip
        header = Header(format="png", shape=array.shape, fields=field)
        rows.append(measure_all(view_of(header, Pixels(array=array[None]))))
        constant.append(bool(array.min() == array.max()))
        fields.append(field)
    metadata = {name: [float(f[name]) for f in fields] for name in fields[0]} | more.pop("metadata", {})
    features = dict(zip(feature_columns(), np.stack(rows).T, strict=True))
    return make_dataset(n=len(arrays), features=features, constant=constant, metadata=metadata, **more)
