"""The file that a consensus is written to: CSV, TSV, Parquet or JSON lines, by its suffix."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from auditor.evidence.raters.mask_folders import MaskRelease
from auditor.evidence.raters.release import Release
from auditor.values.cells import csv_bytes
from auditor.values.errors import ConfigError

SUFFIXES: tuple[str, ...] = (".csv", ".tsv", ".parquet", ".jsonl")


def released_files(found: Release | MaskRelease, path: Path) -> dict[Path, bytes]:
    """All files of a consensus, by its suffix CSV, TSV, Parquet or JSON lines; `path` has one row per record.

    Beside a consensus of masks lie `NAME-raters` with one row per rater, and the folder `NAME-masks`.

    Raises:
        ConfigError: a suffix that is none of SUFFIXES.
    """
    if isinstance(found, Release):
        return {path: _bytes(found.frame, path)}
    beside = path.with_name(f"{path.stem}-raters{path.suffix}")
    folder = path.with_name(f"{path.stem}-masks")
    masks = {folder / name: content for name, content in found.files.items()}
    return {path: _bytes(found.frame, path), beside: _bytes(found.raters, beside), **masks}


def _bytes(frame: pd.DataFrame, path: Path) -> bytes:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        stream = io.BytesIO()
        frame.to_parquet(stream, index=False)
        return stream.getvalue()
    if suffix == ".jsonl":
        return str(frame.to_json(orient="records", lines=True, force_ascii=False)).encode()
    if suffix in (".csv", ".tsv"):
        separator = "," if suffix == ".csv" else "\t"
        rows = frame.astype(object).where(frame.notna(), None).itertuples(index=False)
        return csv_bytes(list(frame.columns), rows, separator=separator, data=True)
    raise ConfigError(f"{path}: the consensus is written as {', '.join(SUFFIXES)}")
