"""What a cell of a table is on paper: a plain value for machines, a short visible text for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from auditor.values.cells import visible
from auditor.values.results import Cell, Column

MISSING = "–"
_MISFITS = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError)
_ARROW = {"integer": pa.int64(), "number": pa.float64(), "fraction": pa.float64(), "boolean": pa.bool_()}


def plain(value: object) -> Cell:
    """A JSON value: numpy scalars become Python's; NaN and the infinities become None."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if hasattr(value, "item"):
        return plain(value.item())
    return str(value)


def plain_mapping(values: Mapping[str, Any]) -> dict[str, Cell]:
    """The mapping with `plain` values, in the same order."""
    return {str(key): plain(value) for key, value in values.items()}


def arrow(column: Column, limit: int | None = None) -> Any:
    """The (first `limit`) values as a pyarrow array of the column's kind; NaN, the infinities and None are null.

    Values that do not fit the declared kind are kept as numbers if they are, else as text: nothing is lost.
    Text that is not valid Unicode (names of files with foreign bytes) is kept as binary, UTF-8 with surrogates.
    """
    values: Any = column.values if limit is None else column.values[:limit]
    kind = _ARROW.get(column.kind)
    numbers = _numbers(values) if kind else None
    if numbers is None:
        return _texts(values)
    with suppress(pa.ArrowInvalid):  # a fraction among integers, an integer beyond 2^53 among floats: it stays what it is
        numbers = numbers.cast(kind)
    return pc.if_else(pc.is_finite(numbers), numbers, None) if pa.types.is_floating(numbers.type) else numbers


def _numbers(values: Any) -> Any:
    """The values as whatever numbers they are; None when they are none. (With a type given, pyarrow would cut 1.5 to 1.)"""
    try:
        found = pa.array(values, from_pandas=True)
    except (*_MISFITS, UnicodeEncodeError):
        return None
    kind = found.type
    fits = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)
    return found if fits else None


def _texts(values: Any) -> Any:
    try:
        return pa.array(values, type=pa.string(), from_pandas=True)
    except (*_MISFITS, UnicodeEncodeError):
        texts = [None if _missing(value) else str(value) for value in values]
    try:
        return pa.array(texts, type=pa.string())
    except UnicodeEncodeError:
        raw = [None if text is None else text.encode("utf-8", "surrogatepass") for text in texts]
        return pa.array(raw, type=pa.binary())


def _missing(value: object) -> bool:
    """None, NaN, NaT or pandas.NA."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and plain(value) is None)


def cells(array: Any) -> list[Cell]:
    """The plain values of a pyarrow array that `arrow` made, or that was read back from Parquet."""
    if pa.types.is_binary(array.type):
        return [None if value is None else value.decode("utf-8", "surrogatepass") for value in array.to_pylist()]
    return cast(list[Cell], array.to_pylist())


def shown(value: Cell, kind: str = "") -> str:
    """The value for people: thousands separated, fractions with three decimals, a dash for what is not there."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return _number(value, kind)
    return visible(value)


def _number(value: float, kind: str) -> str:
    if not math.isfinite(value):
        return MISSING
    if kind == "fraction":
        return "<0.001" if 0 < value < 0.001 else ">0.999" if 0.999 < value < 1 else f"{value:.3f}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.4g}"


def signed(value: float) -> str:
    """`+0.029`, `−0.013`, `0.000`: a difference, its sign always there."""
    if not math.isfinite(value):
        return MISSING
    words = f"{abs(value):.3f}" if abs(value) < 10 else f"{abs(value):,.1f}"
    return words if not float(words.replace(",", "")) else ("+" if value > 0 else "−") + words


def shortened(text: str, limit: int) -> str:
    """The visible text, its middle replaced by … when it is longer than `limit` characters: a name's end tells most."""
    text = visible(text)
    if len(text) <= limit:
        return text
    tail = limit * 2 // 3
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"
