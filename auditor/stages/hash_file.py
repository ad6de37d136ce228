"""A file of keyed hashes as it lies on disk. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from auditor.files import open_regular
from auditor.tables.extent import check_columns, check_rows
from auditor.values.errors import ConfigError
from auditor.values.image import Limits

if TYPE_CHECKING:  # all stages are imported by every scan, and few scans are given such a file
    import pyarrow as pa


def table(limits: Limits, path: Path) -> pa.Table:
    """The whole table.

    Raises:
        ConfigError: it cannot be read, or is no Parquet file.
        DatasetError: it is larger than the limits allow.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_regular(path) as stream:
            file = pq.ParquetFile(stream)
            check_rows(path, file.metadata.num_rows, limits)
            check_columns(path, file.metadata.num_columns, limits)
            found = file.read()
            found.validate(full=True)
            return found
    except OSError as error:
        raise ConfigError(f"--known {path}: cannot be read ({error.strerror or 'no such file'})") from None
    except (pa.ArrowException, ValueError):  # ValueError: the name of a column is no text
        raise ConfigError(f"--known {path}: no Parquet file; `medaudit fingerprint` writes one") from None
