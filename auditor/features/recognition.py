"""Letters that a recogniser (rapidocr, the extra `ocr`) finds where `lettering` sees a row of shapes: how many, never which."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from auditor.features import lettering
from auditor.values.errors import MissingExtraError
from auditor.view import View

VERSION = 1

COLUMNS: tuple[str, ...] = ("letters",)
"""Letters and digits that were recognised: 0 where there is no row of shapes to look at, `FAILED` where it failed."""

ON_DEMAND = True
"""Measured only where it is asked for by name: a tenth of a second to a second for each picture with a row."""

LEAST_ROW = 3
"""So many shapes in a row are worth a look: fewer than make a suspect by themselves, because letters run together."""
LEAST_READ = 3
"""With fewer letters recognised nothing was: a vessel or a rib is taken for one or two."""
FAILED = -1
MADE_OF = ("rapidocr", "onnxruntime")

Recogniser = Callable[[npt.NDArray[np.uint8]], int]
"""Grey picture, shape (rows, columns) → how many letters and digits are in it."""


def require_recogniser() -> None:
    """Nothing is imported: that is for the workers.

    Raises:
        MissingExtraError: it is not installed; the message holds the pip command.
    """
    for package in MADE_OF:
        if find_spec(package) is None:
            raise MissingExtraError(package, extra="ocr", purpose="--ocr")


def measure(view: View) -> npt.NDArray[np.float32]:
    """Shape (1,). The recogniser looks at suspects of the cheap test alone, on the same picture, at most 512 pixels a side."""
    if lettering.measure(view)[1] < LEAST_ROW:
        return np.zeros(1, np.float32)
    try:
        return np.array([recogniser()(view.fine)], np.float32)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - of three libraries; that nobody has read the picture is told (PH004), and costs no file
        return np.array([FAILED], np.float32)


@cache
def recogniser() -> Recogniser:
    """The engine, made when the first suspect comes: one thread, no network, nothing written or logged.

    The text itself lives in the function that counts its letters, and nowhere else.
    """
    import rapidocr

    models = Path(rapidocr.__file__).parent / "models"
    engine = rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,  # rows of letters are upright
            # by their place: asked for by name, a model that is not as it should be is fetched from the network
            "Det.model_path": str(next(models.glob("*_det_*.onnx"))),
            "Rec.model_path": str(next(models.glob("*_rec_*.onnx"))),
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )

    def count(picture: npt.NDArray[np.uint8]) -> int:
        found = engine(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
        return sum(character.isalnum() for text in found.txts or () for character in text)

    return count


def burned(
    row: npt.NDArray[np.floating], recognised: npt.NDArray[np.floating] | None, *, least: int = lettering.BURNED
) -> npt.NDArray[np.bool_]:
    """Where text seems to be burned in: a row of `least` shapes, or letters that were recognised. Both of one shape.

    Recognition adds to what the row alone tells and takes nothing away: no recogniser knows every script.
    """
    long = row >= least
    return long if recognised is None else long | (recognised >= LEAST_READ)
