"""What a saved network says about a dataset, as files that `medaudit scan --predictions` reads: `medaudit predict`.

Predicted masks are one file per picture, in the picture's own size, named after it; the folder is whole or not there.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from auditor.evidence.masks.mask_names import mask_names
from auditor.files import write_files
from auditor.prediction.files import column_order
from auditor.prediction.numbers import NUMBER
from auditor.values.cells import csv_bytes
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from trainers.copying.place import built, put
from trainers.decoding.model_input import Workplace, pictures_for
from trainers.engine.device import device_named
from trainers.engine.model_file import DESCRIPTION, load_model
from trainers.engine.predict import predict
from trainers.values.fitted import part
from trainers.values.pictures import Pictures
from trainers.values.recipe import Trained

FORMATS = (".csv", ".parquet", ".npy")
ID_NAMES = ("record", "record_id", "id", "path")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written.

    Args:
        predicted, records: how many records have a prediction, and how many there are.
        classes: of the columns, in their order; empty for a number and for masks.
        unknown: classes of the dataset's labels that the network does not know.
        notes: what was done to the pictures.
    """

    predicted: int
    records: int
    classes: tuple[str, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...] = ()


def model_of(folder: Path, *, trust_program: bool = False) -> Trained:
    """The network of a copy that `medaudit fix` wrote, or of its folder `model/`.

    Raises:
        ConfigError: there is none, or it is code and may not run.
        DatasetError: it is damaged.
    """
    for place in (folder, folder / "model"):
        if (place / DESCRIPTION).is_file():
            return load_model(place, trust_program=trust_program)
    raise ConfigError(
        f"{folder}: no network in it ({DESCRIPTION}); give the copy that `medaudit fix` wrote with a strategy that trains, "
        "or its folder model"
    )


def check_output(trained: Trained, output: Path) -> None:
    """Refuse, before anything is read, a form that these predictions have not.

    Raises:
        ConfigError: it says which one.
    """
    form = trained.task.told_as
    if form == "masks":
        if output.suffix.lower() in FORMATS:
            raise ConfigError(f"--output {output}: this network draws masks; name a new folder for them")
        if output.exists():
            raise ConfigError(f"--output {output}: there is something of that name; masks go into a new folder")
    elif form == "objects" and output.suffix.lower() == ".npy":
        raise ConfigError(f"--output {output}: this network finds objects; they are written as .csv or .parquet")
    elif output.suffix.lower() not in FORMATS:
        raise ConfigError(f"--output {output}: predictions are written as {', '.join(FORMATS)}")


def predict_files(trained: Trained, dataset: Dataset, output: Path, place: Workplace) -> Written:
    """Predict every record of a dataset that was measured, and write what the network says, whole or not at all.

    Tables have a column of record ids and one per class; records whose picture cannot be read have no row. A npy has a row per
    record, of NaN where it cannot be read, and columns in the order that `scan` expects. Of a number there is one
    column. A network that finds objects writes a row for each: `record`, `x`, `y` in pixels of the file, `score`.

    Raises:
        ConfigError: the output cannot be of that form.
        DatasetError: no picture can be read.
        MedauditError: the output cannot be written.
    """
    check_output(trained, output)
    device_named(place.device)
    task = trained.task
    with place.work() as work:
        pictures = pictures_for(dataset, place, work, channels=task.channels, shape=task.shape)
        notes = pictures.told
        readable = np.flatnonzero(pictures.readable).astype(np.int64)
        if task.told_as == "masks":
            drawn = write_masks(trained, pictures, dataset, output, place)
            return Written(predicted=drawn, records=dataset.size, classes=(), unknown=(), notes=notes)
        place.progress.start("predicting", 0)
        said = predict(trained, pictures, readable, device=device_named(place.device))
        place.progress.finish()
    if task.told_as == "objects":
        objects = task.objects(said, dataset, readable)
        write_files({output: table_bytes(objects, output.suffix.lower())})
        return Written(predicted=len(readable), records=dataset.size, classes=(), unknown=(), notes=notes)
    found = np.full((dataset.size, len(task.columns)), np.nan, np.float32)
    found[readable] = said
    order = tuple(column_order(task.columns))
    found = found[:, [task.columns.index(name) for name in order]]
    write_files({output: content_of(found, order, dataset, output.suffix.lower())})
    unknown = tuple(name for name in dataset.labels.classes if name not in order) if task.classes else ()
    return Written(
        predicted=len(readable), records=dataset.size, classes=order if task.classes else (), unknown=unknown, notes=notes
    )


def content_of(found: Floats, columns: tuple[str, ...], dataset: Dataset, suffix: str) -> bytes:
    """The bytes of the file: `found` (records, columns), rows of NaN where nothing was predicted; no names: one number."""
    stream = io.BytesIO()
    names = columns or (NUMBER,)
    if suffix == ".npy":
        np.save(stream, found[:, 0] if names == (NUMBER,) else found, allow_pickle=False)
        return stream.getvalue()
    table = pd.DataFrame({name: found[:, column] for column, name in enumerate(names)})
    key = next(name for name in (*ID_NAMES, *(f"record {i}" for i in range(len(names) + 1))) if name not in names)
    table.insert(0, key, dataset.records.index.astype(str).to_numpy(dtype=object))
    table = table.iloc[np.flatnonzero(np.isfinite(found).all(axis=1))]
    return table_bytes(table, suffix)


def table_bytes(table: pd.DataFrame, suffix: str) -> bytes:
    """A table as the bytes of a parquet or csv file."""
    if suffix == ".parquet":
        stream = io.BytesIO()
        table.to_parquet(stream, index=False)
        return stream.getvalue()
    rows = ([f"{v:.6g}" if isinstance(v, float) else v for v in row] for row in table.itertuples(index=False))
    return csv_bytes(list(table.columns), rows, data=True)


BATCH = 16

STRIP = 256
"""Rows of a mask that are enlarged at once: a slide of 400 megapixels never lies in memory as probabilities."""


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
