"""The Parquet file of a large table beside result.json. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from auditor.files import open_regular
from auditor.values.errors import MedauditError
from auditor.values.image import Limits
from reports.cell import cells


def columns(limits: Limits, side: Path, names: list[str]) -> list[list[Any]]:
    """The values of these columns.

    Raises:
        MedauditError: it is missing, damaged, of another scan, or larger than a table may be.
    """
    try:
        with open_regular(side) as stream:
            file = pq.ParquetFile(stream)
            told = file.metadata
            size = sum(told.row_group(i).total_byte_size for i in range(told.num_row_groups))
            if told.num_rows > limits.table_rows or size > limits.table_bytes:
                raise MedauditError(f"{side}: this side file holds more than a result does; scan again")
            missing = [name for name in names if name not in file.schema_arrow.names]
            if missing:
                raise MedauditError(f"{side}: column {missing[0]!r} is missing; the file belongs to another scan")
            table = file.read(columns=names)
            table.validate(full=True)  # text that is none would only be found when it is shown
    except OSError as error:
        raise MedauditError(
            f"{side}: cannot be read ({error.strerror or 'damaged'}); result.json needs it beside itself"
        ) from None
    except (pa.ArrowException, ValueError):  # ValueError: the name of a column is no text
        raise MedauditError(f"{side}: this side file is damaged; scan again") from None
    return [list(cells(table.column(name).combine_chunks())) for name in names]
