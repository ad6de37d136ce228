"""The file that a consensus is written to: CSV, TSV, Parquet or JSON lines, by its suffix."""

from __future__ import annotations

import io
from pathlib import Path

from auditor.errors import ConfigError
from auditor.experts.release import Release

SUFFIXES: tuple[str, ...] = (".csv", ".tsv", ".parquet", ".jsonl")


def written(release: Release, path: Path) -> bytes:
    """The frame as the bytes of `path`. Text that a spreadsheet would run is left as it is: the file is data, read by programs.

    Raises:
        ConfigError: a suffix that is none of SUFFIXES.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        stream = io.BytesIO()
        release.frame.to_parquet(stream, index=False)
        return stream.getvalue()
    if suffix == ".jsonl":
        return str(release.frame.to_json(orient="records", lines=True, force_ascii=False)).encode()
    if suffix in (".csv", ".tsv"):
        separator = "," if suffix == ".csv" else "\t"
        return str(release.frame.to_csv(index=False, sep=separator, lineterminator="\n")).encode()
    raise ConfigError(f"{path}: the consensus is written as {', '.join(SUFFIXES)}")
