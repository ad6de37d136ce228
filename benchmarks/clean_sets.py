"""The clean data sets of `leakage_nulls` as files, so that everything a scan asks is asked of them.

    from clean_sets import written_folders, written_table

A table lies alone, with an id of each image and no id of a patient. Class folders hold small pictures: those of a patient
share an anatomy and a brightness, and no two are copies; how a picture is written hangs on the patient or on the device, or
all are written alike.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from leakage_nulls import clean_folders, clean_table
from PIL import Image

SIDE = 32
RANGES = {"age": (18.0, 88.0), "bmi": (16.0, 42.0), "weight": (45.0, 130.0), "kvp": (60.0, 125.0), "field_strength": (1.0, 3.0),
          "year": (2008.0, 2019.0), "thickness": (0.5, 8.0), "exposure_time": (5.0, 400.0), "mas": (1.0, 90.0)}  # fmt: skip
"""What numbers of these names can be; the standard deviation is an eighth of it."""
ALIKE = {"container.bit_depth": 8, "container.channels": 1, "container.jpeg_quality": 90, "container.format": "png"}
SUFFIXES = {"png": "png", "tiff": "tif", "jpeg": "jpg"}


def written_table(folder: Path, seed: int, *, shuffled: bool = False) -> Path:
    """`labels.csv` in `folder`: 10 to 60 mixed columns, a label and an id for each image."""
    dataset = clean_table(seed, shuffled=shuffled)
    table = dataset.metadata.rename(columns=lambda name: name.removeprefix("table."))
    for name in table.select_dtypes("number"):
        low, high = RANGES.get(str(name).rpartition("_")[0], (0.0, 100.0))
        table[name] = (low + (high - low) * (table[name].clip(-40, 40) + 40) / 80).round(2)
    table.insert(0, "image_id", [path.removesuffix(".png") for path in dataset.records["path"]])
    table["diagnosis"] = np.where(dataset.labels.values == "True", "malignant", "benign")
    table.to_csv(folder / "labels.csv", index=False)
    return folder / "labels.csv"


def written_folders(folder: Path, seed: int, *, images: int = 0, numbered: bool = True) -> Path:
    """Class folders of pictures, SIDE × SIDE, of every other seed all written alike.

    The arguments are those of `leakage_nulls.clean_folders`.
    """
    dataset, patients = clean_folders(seed, images=images, numbered=numbered)
    g = np.random.default_rng((seed, 1))
    people = int(patients.max()) + 1
    anatomy, light = g.normal(size=(people, 4, 4)), g.uniform(0.5, 0.65, people)
    columns = dataset.metadata if seed % 2 == 0 else dataset.metadata.assign(**ALIKE)
    for at, path in enumerate(dataset.records["path"]):
        who = patients[at]
        picture = _picture(g, anatomy[who], float(light[who]))
        row = {str(name): columns[name].iloc[at] for name in columns.columns}
        suffix, content = _written(picture, row)
        place = (folder / path).with_suffix(f".{suffix}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


def _picture(g: np.random.Generator, anatomy: npt.NDArray[np.float64], light: float) -> npt.NDArray[np.float64]:
    """Values from 0 to 1; shape (SIDE, SIDE)."""
    coarse = anatomy + g.normal(size=anatomy.shape)
    smooth = _enlarged(coarse) + 0.4 * _enlarged(g.normal(size=(SIDE // 2, SIDE // 2)))
    spread = 0.8 * light * (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return np.clip(light / 2 + spread + 0.01 * light * g.normal(size=smooth.shape), 0.0, 1.0)


def _enlarged(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _written(picture: npt.NDArray[np.float64], row: dict[str, object]) -> tuple[str, bytes]:
    """Suffix and content: bit depth, channels, quality and format as the row says, where the format can."""
    kind, stream = str(row["container.format"]), io.BytesIO()
    deep = row["container.bit_depth"] == 16 and kind != "jpeg" and row["container.channels"] == 1
    values = (picture * 65535).astype(np.uint16) if deep else (picture * 255).astype(np.uint8)
    if row["container.channels"] == 3:
        values = np.stack([values] * 3, axis=-1)
    options = {"quality": int(str(row["container.jpeg_quality"]))} if kind == "jpeg" else {}
    Image.fromarray(values).save(stream, kind.upper(), **options)
    return SUFFIXES[kind], stream.getvalue()
