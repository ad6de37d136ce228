"""The public function that makes a folder of a data set in archives."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from auditor.plan import readers_of
from auditor.progress import Progress
from auditor.values.image import Limits
from medaudit.keywords import UnpackOptions, read_keywords, target_of
from medaudit.words import path_of
from trainers.copying import unpacking
from trainers.copying.unpacking import UnpackedSet


def unpack(
    source: str | Path, output: str | Path, *, progress: Progress | None = None, **options: Unpack[UnpackOptions]
) -> UnpackedSet:
    """Write a data set that lies in archives as a folder that can be scanned and corrected: zip, tar (gzip, bzip2, xz),
    WebDataset shards and Parquet tables with images; other files of the folder are copied.

    Names that lead out of the folder, links, devices and locked members are left out and counted. What the small files of
    WebDataset shards (`.cls`, `.json`, `.txt`), or the columns of a Parquet table, say becomes one table, labels.csv.

    Args:
        source: an archive, a Parquet table, or a folder that holds some; only read.
        output: a new folder; written whole or not at all.
        progress: told how far it is.
        options: `most` (`"20GB"`: how much may be written), `most_files`, `seconds` (of computing per archive), `workers`.

    Raises:
        ConfigError: an option is wrong, or the folder is there already.
        DatasetError: there is nothing to unpack, or an archive is damaged or too large.
        MedauditError: the folder cannot be written.
    """
    target, told = target_of(source, "unpack"), read_keywords(options, UnpackOptions, "unpack")
    return unpacking.unpack(
        target, path_of(output), limits=Limits(), workers=readers_of(told.get("workers")), most=told.get("most"),
        most_files=told.get("most_files"), seconds=told.get("seconds"), progress=progress,
    )  # fmt: skip
