"""Columns of a label table as metadata: numbers, dates as days, text; what could identify is hashed or left out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.numbers import with_points
from auditor.values.fields import Field, describe
from auditor.values.privacy import kinds_in, may_tell

_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
"""A number that is no identifier: `007` is not one."""
_AGE = re.compile(r"(\d{1,3})([YMWD])")
_CLOCK = r"\d{1,2}:\d{2}"
_DATES = (
    (re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"), "ISO8601"),
    (re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"), "%Y%m%d"),
    (re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"), "%d.%m.%Y"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4}"), "%m/%d/%Y"),
    (re.compile(r"(?:19|20)\d{12}"), "%Y%m%d%H%M%S"),
    *((re.compile(day + f" {_CLOCK}" + pattern), f"{written} {clock}")
      for day, written in ((r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"), (r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y"),
                           (r"\d{4}/\d{2}/\d{2}", "%Y/%m/%d"))
      for pattern, clock in (("", "%H:%M"), (r":\d{2}", "%H:%M:%S"), (r" [AaPp][Mm]", "%I:%M %p"))),
)  # fmt: skip
_UNKNOWN = frozenset(("na", "n/a", "nan", "none", "null", "<na>"))
_DATE_NAMES = frozenset(("date", "day", "time", "datetime", "timestamp"))
_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
MANY = 20
"""A text column with more values than this, another one in almost every row, tells nothing and may identify."""


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Metadata columns by name, their description, and which columns were left out."""

    columns: Mapping[str, pd.Series]
    fields: Mapping[str, Field]
    left_out: tuple[str, ...] = ()


def describe_columns(frame: pd.DataFrame, names: Iterable[str], rows: npt.NDArray[np.int64]) -> Metadata:
    """Metadata `table.<column>` of the records that `rows` (one row of the table each) stand for.

    A column is a number when every filled cell is one by a strict pattern (unknown: `NA`, `nan`), a date becomes days since
    its first day, its weekday and its hour; the rest is text. Text that could identify is hashed, and left out where
    almost every record has another one.
    """
    columns: dict[str, pd.Series] = {}
    fields: dict[str, Field] = {}
    left_out: list[str] = []
    for name in names:
        codes = frame[name].cat.codes.to_numpy()[rows]
        categories = frame[name].cat.categories.astype("str")
        counts = np.bincount(codes, minlength=len(categories))
        filled = (categories != "").astype(bool) & (counts > 0)
        distinct, total = int(filled.sum()), int(counts[filled].sum())
        if not distinct:
            continue
        field = describe(f"table.{name}")
        found = {} if field.identifying else _numbers(field.name, categories, filled)
        if found:
            for key, table in found.items():
                columns[key] = pd.Series(table[codes])
                fields[key] = field if key == field.name else describe(key)
        elif distinct > MANY and distinct > 0.5 * total:
            left_out.append(name)
        else:
            if not field.identifying and _tells(categories[filled]):
                field = replace(field, identifying=True)
            text = [_digest(value) for value in categories] if field.identifying else list(categories)
            kept = pd.Index(["" if not ok else value for value, ok in zip(text, filled, strict=True)], dtype="str")
            places, unique = pd.factorize(kept)
            blank = np.flatnonzero(unique == "")
            places = np.where(np.isin(places, blank), -1, places)
            columns[field.name] = pd.Series(pd.Categorical.from_codes(places[codes], categories=unique)).astype("str")
            fields[field.name] = field
    return Metadata(columns=columns, fields=fields, left_out=tuple(left_out))


def _tells(values: pd.Index) -> bool:
    """One of the values looks like a name, a full date, a record number or an e-mail address."""
    return any(may_tell(value) and kinds_in(value) for value in values)


def _digest(value: str) -> str:
    return hashlib.blake2b(value.encode("utf-8"), digest_size=6).hexdigest() if value else ""


def _numbers(name: str, categories: pd.Index, filled: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.float64]]:
    """Number columns of one column, per category: itself, or age in years, or the parts of a date; empty for text."""
    values = [str(value) for value in categories[filled]]
    real = [value for value in values if value.lower() not in _UNKNOWN]
    if not real:
        return {}
    real = with_points(real)
    table = np.full(len(categories), np.nan)
    places = np.flatnonzero(filled)
    known = places[[value.lower() not in _UNKNOWN for value in values]]
    dated = _DATE_NAMES & set(re.findall(r"[a-z]+", name.lower()))
    if not dated and all(_NUMBER.fullmatch(value) for value in real):
        table[known] = np.asarray(real, dtype=np.float64)
        return {} if np.isinf(table).any() else {name: table}
    ages = [_AGE.fullmatch(value) for value in real]
    if all(ages):
        table[known] = [float(age[1]) * _YEARS[age[2]] for age in ages if age is not None]
        return {name: table}
    return _date_parts(name, real, known, table)


def _date_parts(
    name: str, real: list[str], known: npt.NDArray[np.int64], table: npt.NDArray[np.float64]
) -> dict[str, npt.NDArray[np.float64]]:
    for pattern, style in _DATES:
        if not all(pattern.fullmatch(value) for value in real):
            continue
        times = pd.to_datetime(pd.Series(real), format=style, errors="coerce", utc=True)
        if times.isna().any() and style.startswith("%m/%d/%Y"):
            times = pd.to_datetime(pd.Series(real), format=style.replace("%m/%d/%Y", "%d/%m/%Y"), errors="coerce", utc=True)
        if times.isna().any():
            return {}
        days, weekday, hour = table.copy(), table.copy(), table.copy()
        days[known] = (times - times.min()).dt.days.to_numpy(dtype=np.float64)
        weekday[known] = times.dt.day_of_week.to_numpy(dtype=np.float64)
        hour[known] = times.dt.hour.to_numpy(dtype=np.float64)
        parts = {name: days, f"{name} weekday": weekday}
        if len(np.unique(hour[known])) > 1:
            parts[f"{name} hour"] = hour
        return parts
    if all(_NUMBER.fullmatch(value) for value in real):
        table[known] = np.asarray(real, dtype=np.float64)
        return {name: table}
    return {}
