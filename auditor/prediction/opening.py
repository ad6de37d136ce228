"""Files of predictions as they lie on disk: arrays and tables. Runs inside the bounded workers (`auditor.reading.jobs`).

The header of an array states its size first, so shape and type are checked before anything is loaded; pickles never are.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.errors import DatasetError
from auditor.values.image import Limits

ARRAY_NAMES: tuple[str, ...] = ("probabilities", "probs", "pred_probs", "predictions")
MAX_CELLS = 2_000_000_000


def suffix_of(path: Path) -> str:
    """What the file is called, without the suffix of its compression."""
    return next((s for s in reversed(path.suffixes) if s.lower() not in (".gz", ".bz2", ".xz", ".zst")), "").lower()


def table(limits: Limits, path: Path, rows: int | None = None) -> pd.DataFrame:  # noqa: ARG001
    """A csv, tsv or parquet; the first `rows` of it. Cells of text files stay text.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        if suffix_of(path) == ".parquet":
            found = pd.read_parquet(path)
            found.columns = found.columns.astype(str)
            return found if rows is None else found.head(rows)
        separator = "," if suffix_of(path) == ".csv" else "\t"
        return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig", nrows=rows)
    except (ValueError, OSError, EOFError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DatasetError(f"{path}: not a readable table ({type(error).__name__})") from None


def array(limits: Limits, path: Path, records: int) -> npt.NDArray[np.float32]:  # noqa: ARG001
    """An npy or npz of one row per record, shape (records, columns).

    Raises:
        DatasetError: it cannot be read, or holds something else.
    """
    try:
        if suffix_of(path) == ".npy":
            with path.open("rb") as stream:
                _check_header(path, records, *_array_header(stream))
            loaded: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        else:
            with zipfile.ZipFile(path) as archive:
                members = [name for name in archive.namelist() if name.endswith(".npy")]
                if not members:
                    raise DatasetError(f"{path}: the archive holds no array")
                chosen = next((f"{n}.npy" for n in ARRAY_NAMES if f"{n}.npy" in members), members[0])
                with archive.open(chosen) as member:
                    _check_header(path, records, *_array_header(member))
                with archive.open(chosen) as member:
                    loaded = np.lib.format.read_array(member, allow_pickle=False)
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise DatasetError(
            f"{path}: not a readable NumPy file ({type(error).__name__}); save it again with numpy.save"
        ) from None
    return np.asarray(loaded, dtype=np.float32).reshape(records, -1)


def _array_header(stream: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    return tuple(shape), dtype


def _check_header(path: Path, records: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "fiub":
        raise DatasetError(f"{path}: the array holds {dtype}, not numbers")
    if len(shape) not in (1, 2):
        raise DatasetError(f"{path}: the array has {len(shape)} dimensions; expected records × classes")
    if shape[0] != records:
        raise DatasetError(
            f"{path}: {shape[0]:,} rows, but the dataset has {records:,} records; give one row per record in the same "
            "order, or a table with a column of record ids or paths"
        )
    if int(np.prod(shape, dtype=np.float64)) > MAX_CELLS:
        raise DatasetError(f"{path}: the header declares {shape[0]:,} × {shape[-1]:,} numbers, more than can be probabilities")
