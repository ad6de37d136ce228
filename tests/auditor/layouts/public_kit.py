"""Builds small data sets by the documented structure of public collections: names, folders and tables; made-up pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
from PIL import Image

from auditor.degrade.encode import encode

KINDS = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "bmp": "BMP", "tif": "TIFF", "tiff": "TIFF", "gif": "GIF"}


class Kit:
    """Writes below a root; pictures differ from one another, drawings hold two or three values."""

    def __init__(self, root: Path) -> None:
        self.root, self.count = root, 0

    def picture(self, name: str) -> str:
        self.count += 1
        return self._write(name, np.random.default_rng(self.count).integers(0, 255, (24, 24), dtype=np.uint8))

    def drawing(self, name: str, values: int = 1) -> str:
        self.count += 1
        drawn = np.zeros((24, 24), np.uint8)
        for value in range(1, values + 1):
            row, column = np.random.default_rng(self.count * 9 + value).integers(2, 12, 2)
            drawn[row : row + 6, column : column + 8] = value if values > 1 else 255
        return self._write(name, drawn)

    def table(self, name: str, head: str | None, rows: Sequence[Sequence[object]]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if head is not None:
            writer.writerow(head.split(","))
        writer.writerows(rows)
        self.text(name, text.getvalue())

    def text(self, name: str, text: str) -> None:
        self._at(name).write_text(text, encoding="utf-8")

    def _at(self, name: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _write(self, name: str, values: npt.NDArray[np.uint8]) -> str:
        path, suffix = self._at(name), name.lower().rpartition(".")[2]
        if ".nii" in name:
            path.write_bytes(b"")
            nibabel.save(nibabel.Nifti1Image(np.repeat(values[..., None].astype(np.int16), 3, axis=-1), np.eye(4)), path)
        elif suffix == "npy":
            np.save(path, np.repeat(values[None], 3, axis=0))
        elif suffix in ("dcm", "dicom"):
            path.write_bytes(encode(values / 255, "dicom16", seed=self.count))
        else:
            stream = io.BytesIO()
            Image.fromarray(values).save(stream, KINDS[suffix])
            path.write_bytes(stream.getvalue())
        return name
