"""Predicted masks as files: one per picture, in the picture's own size, named after it; the folder is whole or not there."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from auditor.evidence.masks.mask_names import mask_names
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from trainers.copying.place import built, put
from trainers.decoding.model_input import Workplace
from trainers.engine.predict import predict
from trainers.values.fitted import part
from trainers.values.pictures import Pictures
from trainers.values.recipe import Trained

BATCH = 16
STRIP = 256
"""Rows of a mask that are enlarged at once: a slide of 400 megapixels never lies in memory as probabilities."""

Floats = npt.NDArray[np.float32]


def write_masks(trained: Trained, pictures: Pictures, dataset: Dataset, output: Path, place: Workplace) -> int:
    """Write the folder `output`; returns how many masks it holds.

    A picture's mask is a PNG of its height and width: 0 background, 255 object, or the number of the class. A volume's mask is
    a npy (depth, height, width) of uint8 in the shape of the network.

    Raises:
        ConfigError: there is something of that name.
        MedauditError: it cannot be written.
    """
    if output.exists():
        raise ConfigError(f"--output {output}: there is something of that name; masks go into a new folder")
    rows = np.flatnonzero(pictures.readable).astype(np.int64)
    volumes = trained.task.dims == 3
    names = mask_names(dataset, ".npy" if volumes else ".png")
    heights, widths = (
        dataset.metadata[f"container.{side}"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
        for side in ("height", "width")
    )
    place.progress.start("drawing masks", len(rows))
    with built(output) as folder:
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            for row, found in zip(some, predict(trained, pictures, some, device=place.device, batch=BATCH), strict=True):
                size = (int(heights[row]), int(widths[row]))
                content = npy_of(classes_of(found)) if volumes else png_of(enlarged(found, size))
                put(folder / names[row], content)
            place.progress.advance(len(some))
    place.progress.finish()
    return len(rows)


def classes_of(found: Floats) -> npt.NDArray[np.uint8]:
    """Probabilities (K, *shape) → class per pixel; of one kind of object 0 and 255."""
    if len(found) == 1:
        return np.where(found[0] >= 0.5, 255, 0).astype(np.uint8)
    return np.asarray(found.argmax(axis=0), np.uint8)


def enlarged(found: Floats, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Probabilities (K, h, w) → class per pixel of the stored picture: the part of the frame that it lies in, interpolated
    linearly, then decided, strip by strip."""
    found = found[:, *part(size, found.shape[1:])]
    rows, columns = (weights_of(old, new) for old, new in zip(found.shape[1:], size, strict=True))
    wide = found @ columns.T
    result = np.empty(size, np.uint8)
    for start in range(0, size[0], STRIP):
        strip = slice(start, start + STRIP)
        result[strip] = classes_of(rows[strip] @ wide)
    return result


def weights_of(old: int, new: int) -> Floats:
    """Linear interpolation of `old` samples at `new` places, centres on centres, shape (new, old)."""
    at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    low = np.floor(at).astype(np.int64)
    weights = np.zeros((new, old), np.float32)
    weights[np.arange(new), low] = 1 - (at - low)
    weights[np.arange(new), np.minimum(low + 1, old - 1)] += at - low
    return weights


def png_of(mask: npt.NDArray[np.uint8]) -> bytes:
    """A grey PNG."""
    stream = io.BytesIO()
    Image.fromarray(mask).save(stream, "PNG")
    return stream.getvalue()


def npy_of(mask: npt.NDArray[np.uint8]) -> bytes:
    """A NumPy file."""
    stream = io.BytesIO()
    np.save(stream, mask, allow_pickle=False)
    return stream.getvalue()
