"""A data set in archives as a folder: zip, tar, WebDataset shards, Parquet tables with images. Whole or not at all."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from auditor.containers.archive_names import SUFFIXES
from auditor.containers.filling import Allowed, Unpacked
from auditor.containers.shard_extent import Row, Told
from auditor.layout import list_files
from auditor.naming.folder_names import splits_among
from auditor.progress import Progress, Silent
from auditor.reading.jobs import Job, run_jobs
from auditor.values.cells import FORMULA, csv_bytes
from auditor.values.errors import ConfigError, DatasetError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.ordinary import is_harmless
from trainers.copying.place import bring, built, check_place, put

PARQUET = (".parquet", ".pq")
TABLE = "labels.csv"
OTHER_TABLE = "records.csv"
"""What the table of the shards' records is called where the data set has a labels.csv of its own."""
SPARED = 0.9
"""Of the room on the disk, so much may be filled."""
SWELL, LEAST = 100, 2 << 30
"""What comes out of all archives may be so many times as large as they are, and so many bytes in any case: nothing that was
packed in earnest swells more, and a bomb of a megabyte would fill the disk."""
MOST_FILES = 150_000
"""That come out of all archives."""
SECONDS, SLOWEST = 25.0, 4 << 20
"""Of computing for one archive, and a second more for so many bytes of it: slower than any that is whole."""
_NUMBERED = re.compile(r"(?:[-_]\d+)?(?:[-_]of[-_]\d+)?$")


@dataclass(frozen=True, kw_only=True)
class UnpackedSet:
    """What was written.

    Args:
        folder: where the data set lies now.
        archives: archives and Parquet tables that were opened.
        files: files in the folder.
        bytes: of what came out of them.
        table: the table that was made of the shards' records; None where they have none.
        rows: of that table.
        refused: why a member was left out → how many.
    """

    folder: Path
    archives: int
    files: int
    bytes: int
    table: Path | None = None
    rows: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


def unpack(
    source: Path, output: Path, *, limits: Limits, workers: int, most: int | None = None, most_files: int | None = None,
    seconds: float | None = None, progress: Progress | None = None,
) -> UnpackedSet:  # fmt: skip
    """Write the data set in `source` as a folder: members of archives, images of Parquet tables, and copies of all other files.

    Args:
        source: an archive, a Parquet table, or a folder that holds some; only read.
        output: a new folder.
        most: bytes that may be written, nine tenths of the free disk at most; None = `SWELL`, `LEAST`.
        most_files: files and folders that may come out of all archives; None = `MOST_FILES`.
        seconds: of computing for each archive; None = `SECONDS`, `SLOWEST`.
        workers: 0 reads in this process, without isolation.

    Raises:
        ConfigError: the place is taken.
        DatasetError: nothing to unpack, or an archive is damaged or too large; nothing is written then.
        MedauditError: the folder cannot be written.
    """
    progress = progress or Silent()
    if output.exists() or output.is_symlink():
        raise ConfigError(f"--output {output}: is there already; name a new folder")
    listing = list_files(source, limits)
    check_place(output, (source,))
    chosen = [name for name in listing.files if _is_packed(listing.root / name, limits, workers)]
    if not chosen:
        raise DatasetError(f"{source}: no zip or tar archive, and no Parquet table of images: there is nothing to unpack")
    if not listing.is_file:
        _check_homes(chosen, listing.files)
    called = {name: str(source) for name in chosen} if listing.is_file else called_among(chosen)
    with built(output) as folder:
        size = sum((listing.root / name).stat().st_size for name in chosen)
        allowed = Allowed(
            bytes=int(min(most or max(LEAST, SWELL * size), SPARED * shutil.disk_usage(folder).free)),
            files=MOST_FILES if most_files is None else most_files,
        )
        work = _Unpacking(folder, limits, workers, allowed, seconds)
        progress.start("unpacking", len(listing.files))
        for name in listing.files:
            if name in chosen:
                work.take(listing.root / name, "" if listing.is_file else name, called[name])
            else:
                bring(folder / name, listing.root / name)
            progress.advance()
        progress.finish()
        table = work.write_table()
        files = sum(path.is_file() for path in folder.rglob("*"))
    return UnpackedSet(
        folder=output, archives=len(chosen), files=files, bytes=work.bytes, refused=dict(work.refused),
        table=None if table is None else output / table, rows=len(work.rows),
    )  # fmt: skip


def called_among(names: Sequence[str]) -> dict[str, str]:
    """Archives as a message may call them: by their names where these can name nobody, else by their place."""
    return {name: name if is_harmless(stem_of(name)) else f"archive {place} by name" for place, name in enumerate(names, 1)}


def _check_homes(chosen: Sequence[str], files: Iterable[str]) -> None:
    """Every archive becomes a folder of its own, and no file would take the place of another.

    Raises:
        DatasetError: two archives, or an archive and a folder or file beside it, would become one.
    """
    called = called_among(chosen)
    homes = Counter(stem_of(name).casefold() for name in chosen)
    others = [name.casefold() for name in files if name not in chosen]
    taken = {"/".join(name.split("/")[:depth]) for name in others for depth in range(1, name.count("/") + 2)}
    for name in chosen:
        home = stem_of(name).casefold()
        if homes[home] > 1 or home in taken:
            raise DatasetError(
                f"{called[name]}: would become a folder of its name, and something of that name lies beside it (is it unpacked "
                "already?); move one of them away"
            )


def _is_packed(path: Path, limits: Limits, workers: int) -> bool:
    """Called like an archive of a kind that is opened, or a Parquet table with images in it."""
    name = path.name.lower()
    if name.endswith(PARQUET):
        return bool(_ask(Job(function="auditor.containers.shard:holds_pictures", arguments=(path,)), limits, workers))
    return name.endswith(tuple(f".{suffix}" for suffix in SUFFIXES if suffix not in ("7z", "rar")))


def _ask(job: Job, limits: Limits, workers: int) -> Any:
    """What one job returns."""
    (answer,) = run_jobs([job], limits, workers=min(workers, 1))
    return answer.value


class _Unpacking:
    """The folder that is filled, and what the records of shards say."""

    def __init__(self, folder: Path, limits: Limits, workers: int, allowed: Allowed, seconds: float | None) -> None:
        self._folder, self._limits, self._workers, self._allowed, self._seconds = folder, limits, workers, allowed, seconds
        self.rows: list[tuple[str, Row]] = []
        self.refused: Counter[str] = Counter()
        self.bytes = self._files = 0
        self._told = Told(limits=limits)

    def take(self, archive: Path, name: str, called: str) -> None:
        """Unpack one archive or table; its name (`sub/train-000.tar`) is the folder that it becomes.

        Args:
            called: as a message may call it.

        Raises:
            DatasetError: it cannot be unpacked; the message says which and why.
        """
        home = stem_of(name)
        goal = self._folder / home
        seconds = self._seconds or SECONDS + archive.stat().st_size / SLOWEST
        limits = replace(self._limits, seconds=seconds, wall_seconds=max(self._limits.wall_seconds, 10 * seconds))
        goal.mkdir(parents=True, exist_ok=True)
        left = Allowed(bytes=self._allowed.bytes - self.bytes, files=self._allowed.files - self._files)
        try:
            if archive.name.lower().endswith(PARQUET):
                job = Job(function="auditor.containers.shard:rows_of_parquet", arguments=(archive, goal, left))
                rows, size = _ask(job, limits, self._workers)
                count = len(rows)
            else:
                job = Job(function="auditor.containers.unpack:unpack", arguments=(archive, goal, left))
                out: Unpacked = _ask(job, limits, self._workers)
                size, count = out.bytes, out.counted
                self.refused.update(out.refused)
                rows = _ask(
                    Job(function="auditor.containers.shard:take_records", arguments=(goal, out.files)), limits, self._workers
                )
                home = self._without_twin(goal, home, rows)
        except UnreadableFile as error:
            reason = error.reason.removesuffix("; the file was left out")
            remedy = "; raise --seconds" if error.kind == "timeout" else ""
            raise DatasetError(f"{called}: {reason}{remedy}") from None
        self.bytes, self._files = self.bytes + size, self._files + count
        try:
            for row in rows:
                self._told.add(row)
        except UnreadableFile as error:  # each of many shards is small
            raise DatasetError(f"{called}, with the archives before it: {error.reason}") from None
        self.rows += [(home, row) for row in rows]

    def _without_twin(self, goal: Path, home: str, rows: list[Row]) -> str:
        """`benign.zip` that holds one folder `benign` becomes that folder, not one within another."""
        inside = list(goal.iterdir())
        if not home or rows or len(inside) != 1 or not inside[0].is_dir() or inside[0].name != goal.name:
            return home
        aside = goal.with_name(f".{goal.name}.medaudit")
        goal.rename(aside)
        (aside / goal.name).rename(goal)
        aside.rmdir()
        return home

    def write_table(self) -> str | None:
        """The rows of all shards as one table, with the split that a shard is called after; its name."""
        if not self.rows:
            return None
        homes = {home: _NUMBERED.sub("", home.rpartition("/")[2]) for home, _ in self.rows}
        splits = splits_among(set(homes.values()))
        table: list[Row] = []
        for home, row in self.rows:
            placed: Row = {key: placed_at(home, row[key]) for key in ("image", "mask") if key in row}
            split = splits.get(homes[home])
            table.append({**({} if split is None else {"split": split}), **row, **placed})
        columns = list(dict.fromkeys(["image", *(key for row in table for key in row)]))
        name = OTHER_TABLE if (self._folder / TABLE).exists() else TABLE
        put(self._folder / name, csv_bytes(columns, ([row.get(key, "") for key in columns] for row in table), data=True))
        return name


def placed_at(home: str, name: str) -> str:
    """A file of a shard, relative to the data set, such that a spreadsheet takes it for no formula."""
    path = f"{home}/{name}" if home else name
    return f"./{path}" if path.startswith(FORMULA) else path


def stem_of(name: str) -> str:
    """`sub/train-000.tar.gz` → `sub/train-000`."""
    lower = name.lower()
    ending = max((e for e in (*(f".{s}" for s in SUFFIXES), *PARQUET) if lower.endswith(e)), key=len, default="")
    return name[: len(name) - len(ending)] if ending else name
