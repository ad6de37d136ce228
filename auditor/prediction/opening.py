"""Files of predictions as they lie on disk: arrays and tables. Runs inside the bounded workers (`auditor.reading.jobs`).

The header of an array states its size first, so shape and type are checked before anything is loaded; pickles never are.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from auditor.containers.guard import DECODER_ERRORS
from auditor.files import open_regular
from auditor.prediction.files import ARRAY_NAMES, suffix_of
from auditor.tables.extent import check_columns, check_rows, check_size
from auditor.values.errors import DatasetError
from auditor.values.image import Limits


def table(limits: Limits, path: Path, rows: Literal[0] | None = None) -> pd.DataFrame:
    """A csv, tsv or parquet; with `rows` = 0 its header alone. Cells of text files stay text.

    Raises:
        DatasetError: it cannot be read, or is larger than the limits allow.
    """
    try:
        if suffix_of(path) == ".parquet":
            return _parquet(limits, path, rows)
        separator = "," if suffix_of(path) == ".csv" else "\t"
        most = limits.table_rows + 1 if rows is None else rows
        found = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig", nrows=most)
    except (*DECODER_ERRORS, pa.ArrowException) as error:
        raise DatasetError(f"{path}: not a readable table ({type(error).__name__})") from None
    check_columns(path, len(found.columns), limits)
    if rows is None:
        check_rows(path, len(found), limits)
    return found


def _parquet(limits: Limits, path: Path, rows: Literal[0] | None) -> pd.DataFrame:
    with open_regular(path) as stream:
        file = pq.ParquetFile(stream)
        told = file.metadata
        check_columns(path, told.num_columns, limits)
        if rows is not None:
            return pd.DataFrame(columns=list(map(str, file.schema_arrow.names)))
        check_rows(path, told.num_rows, limits)
        check_size(path, sum(told.row_group(i).total_byte_size for i in range(told.num_row_groups)), limits)
        whole = file.read()
        whole.validate(full=True)
        found: pd.DataFrame = whole.to_pandas()
    found.columns = found.columns.astype(str)
    return found


def array(limits: Limits, path: Path, records: int) -> npt.NDArray[np.float32]:
    """An npy or npz of one row per record, shape (records, columns).

    Raises:
        DatasetError: it cannot be read, or holds something else.
    """
    try:
        if suffix_of(path) == ".npy":
            with path.open("rb") as stream:
                _check_header(limits, path, records, *_array_header(stream))
            loaded: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        else:
            with zipfile.ZipFile(path) as archive:
                members = [name for name in archive.namelist() if name.endswith(".npy")]
                if not members:
                    raise DatasetError(f"{path}: the archive holds no array")
                chosen = next((f"{n}.npy" for n in ARRAY_NAMES if f"{n}.npy" in members), members[0])
                with archive.open(chosen) as member:
                    _check_header(limits, path, records, *_array_header(member))
                with archive.open(chosen) as member:
                    loaded = np.lib.format.read_array(member, allow_pickle=False)
    except DECODER_ERRORS as error:
        raise DatasetError(
            f"{path}: not a readable NumPy file ({type(error).__name__}); save it again with numpy.save"
        ) from None
    return np.asarray(loaded, dtype=np.float32).reshape(records, -1)


def _array_header(stream: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    return tuple(shape), dtype


def _check_header(limits: Limits, path: Path, records: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "fiub":
        raise DatasetError(f"{path}: the array holds {dtype}, not numbers")
    if len(shape) not in (1, 2):
        raise DatasetError(f"{path}: the array has {len(shape)} dimensions; expected records × classes")
    if shape[0] != records:
        raise DatasetError(
            f"{path}: {shape[0]:,} rows, but the dataset has {records:,} records; give one row per record in the same "
            "order, or a table with a column of record ids or paths"
        )
    if math.prod(shape) * dtype.itemsize > limits.table_bytes:
        raise DatasetError(
            f"{path}: the header declares {shape[0]:,} × {shape[-1]:,} numbers, more than {limits.table_bytes >> 20:,} MiB; "
            "raise [limits] table-bytes"
        )
