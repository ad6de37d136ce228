"""An npz, corrected: labels in their place with the old ones beside them, rows that move in the arrays of their new split.

Runs in the bounded workers (`auditor.reading.jobs`).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy_format

from auditor.containers.guard import decoding
from auditor.layouts.medmnist import ArrayPair
from auditor.naming.names import split_name
from auditor.values.errors import DatasetError, MedauditError
from auditor.values.image import Limits
from trainers.copying.forms.column import Changed

Array = npt.NDArray[np.generic]
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every member: the same arrays give the same file."""


@dataclass(frozen=True, kw_only=True)
class _Block:
    """The arrays of one split of one file.

    Args:
        stem: what their names begin with (`train_`).
        split: as the table calls it.
        rows: of the table that was made of the labels.
        members: rest of the name → array; all have a first axis as long as `rows`.
    """

    stem: str
    split: str
    rows: npt.NDArray[np.int64]
    members: Mapping[str, Array]


def write_archive(
    limits: Limits,
    source: Path,
    goal: Path,
    pairs: Sequence[ArrayPair],
    start: int,
    changed: Changed,
    removed: frozenset[int],
    keep_old: bool = True,
) -> None:
    """Write one npz anew; for `auditor.reading.jobs`.

    Where labels change, `train_labels_original` holds the old ones; where rows leave or move, `train_record` says which record
    each row was (`train/12`).

    Args:
        source: the user's file.
        goal: the new one.
        pairs: its images and labels, in the order of their records, the first of which has the number `start`.
        changed, removed: cells and rows of the table that was made of the labels of all files.
        keep_old: labels that change stay beside the new ones, as `train_labels_original`.

    Raises:
        DatasetError: it is not the npz that was scanned, is larger than the limits allow, or a label does not fit its array.
        UnreadableFile: it is damaged.
        MedauditError: the new one cannot be written.
    """
    try:
        new = goal.open("xb")
    except OSError as error:
        raise MedauditError(f"{goal}: cannot be written ({error.strerror})") from None
    with new, decoding("npz file"), zipfile.ZipFile(source) as old:
        size = sum(info.file_size for info in old.infolist())
        if size > limits.file_bytes:
            raise DatasetError(
                f"{source}: its arrays take {size:,} bytes, more than {limits.file_bytes:,}; raise [limits] file-bytes"
            )
        _write(source.name, old, new, pairs, start, changed, removed, keep_old=keep_old)


def _write(
    name: str,
    old: zipfile.ZipFile,
    stream: BinaryIO,
    pairs: Sequence[ArrayPair],
    start: int,
    changed: Changed,
    removed: frozenset[int],
    *,
    keep_old: bool,
) -> None:
    with zipfile.ZipFile(stream, "w") as new:
        blocks, taken = _blocks(old, pairs, start)
        first, end = start, start + sum(len(block.rows) for block in blocks)
        moves = {row: text for row, text in changed.get("split", {}).items() if first <= row < end}
        relabelled = [c for c, rows in changed.items() if c != "split" and any(first <= r < end for r in rows)]
        reordered = bool(moves) or any(first <= row < end for row in removed)
        compression = old.infolist()[0].compress_type if old.infolist() else zipfile.ZIP_STORED
        for stem, rows in _dealt(blocks, moves, removed):
            for rest in dict.fromkeys(rest for block in blocks for rest in block.members):
                values = _gathered(blocks, rest, rows, name)
                if rest == "labels" and relabelled:
                    if keep_old:
                        _save(new, f"{stem}{_real_name(pairs, 'labels', stem)}_original", values, compression)
                    values = _corrected(values, rows, {c: changed[c] for c in relabelled}, name)
                shown = _real_name(pairs, rest, stem) if rest in ("images", "labels") else rest
                _save(new, f"{stem}{shown}", values, compression)
            if reordered:
                _save(new, f"{stem}record", _records(blocks, rows), compression)
        for info in old.infolist():
            if info.filename.removesuffix(".npy") not in taken:
                new.writestr(_member(info.filename, info.compress_type), old.read(info))


def _blocks(archive: zipfile.ZipFile, pairs: Sequence[ArrayPair], start: int) -> tuple[list[_Block], set[str]]:
    """The arrays by split, and the names of those that belong to one."""
    names = [n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy")]
    paired = {name for pair in pairs for name in (pair.images, pair.labels) if name}
    blocks: list[_Block] = []
    for pair in pairs:
        stem = _stem(pair)
        members = {"images": _load(archive, pair.images)}
        if pair.labels:
            members["labels"] = _load(archive, pair.labels)
        for name in names:
            if name in paired or (len(pairs) > 1 and (not stem or not name.startswith(stem))):
                continue
            if _shape(archive, name)[:1] == (pair.count,):
                members[name.removeprefix(stem)] = _load(archive, name)
                paired.add(name)
        rows = np.arange(start, start + pair.count, dtype=np.int64)
        blocks.append(_Block(stem=stem, split=pair.split or "", rows=rows, members=members))
        start += pair.count
    return blocks, paired


def _dealt(
    blocks: Sequence[_Block], moves: Mapping[int, str], removed: frozenset[int]
) -> list[tuple[str, npt.NDArray[np.int64]]]:
    """Stem and rows of every split as it will be; a new split gets arrays of its own."""
    stems = {block.split: block.stem for block in blocks}
    dealt: dict[str, list[int]] = {block.split: [] for block in blocks}
    for block in blocks:
        for row in block.rows.tolist():
            if row not in removed:
                wanted = moves.get(row, block.split)
                name = wanted if wanted in stems else split_name(wanted) or wanted
                dealt.setdefault(name, []).append(row)
    return [(stems.get(name, f"{name}_"), np.array(sorted(rows), np.int64)) for name, rows in dealt.items()]


def _gathered(blocks: Sequence[_Block], rest: str, rows: npt.NDArray[np.int64], name: str) -> Array:
    """The rows of one kind of array, from whichever split they were in."""
    parts: list[Array] = []
    for block in blocks:
        there = rows[(rows >= block.rows[0]) & (rows <= block.rows[-1])] if len(block.rows) else rows[:0]
        if rest in block.members:
            parts.append(block.members[rest][there - block.rows[0]] if len(there) else block.members[rest][:0])
        elif len(there):
            raise DatasetError(f"{name}: the array {rest!r} is not there for every split: its rows cannot move")
    return np.concatenate(parts)


def _corrected(values: Array, rows: npt.NDArray[np.int64], changed: Changed, name: str) -> Array:
    """Labels with the corrected ones in their place; several classes: the column of that number."""
    values = values.copy()
    flat = values.reshape(len(values), -1) if len(values) else values
    place = {int(row): i for i, row in enumerate(rows)}
    for column, cells in changed.items():
        k = 0 if column == "label" else int(column)
        for row, text in cells.items():
            if row in place:
                try:
                    flat[place[row], k] = np.array(float(text)).astype(values.dtype)
                except ValueError:
                    raise DatasetError(f"{name}: a corrected label does not fit its array of {values.dtype}") from None
    return values


def _records(blocks: Sequence[_Block], rows: npt.NDArray[np.int64]) -> Array:
    """The id that each row had."""
    names = []
    for row in rows.tolist():
        block = next(block for block in blocks if block.rows[0] <= row <= block.rows[-1])
        names.append(f"{block.split or 'images'}/{row - int(block.rows[0])}")
    return np.array(names, dtype=np.str_)


def _real_name(pairs: Sequence[ArrayPair], kind: str, stem: str) -> str:
    """How the user calls images or labels: `x`, `y`."""
    pair = next((p for p in pairs if p.images.startswith(stem)), pairs[0])
    own = _stem(pair)
    return (pair.images if kind == "images" else str(pair.labels)).removeprefix(own)


def _stem(pair: ArrayPair) -> str:
    """What the names of a split's arrays begin with: `train_` of `train_images` and `train_labels`."""
    other = pair.labels or pair.images.removesuffix("images")
    same = takewhile(lambda two: two[0] == two[1], zip(pair.images, other, strict=False))
    return "".join(sign for sign, _ in same)


def _member(filename: str, compression: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(filename, EPOCH)
    info.compress_type = compression
    return info


def _save(archive: zipfile.ZipFile, name: str, values: Array, compression: int) -> None:
    stream = io.BytesIO()
    npy_format.write_array(stream, np.ascontiguousarray(values), allow_pickle=False)
    with archive.open(_member(f"{name}.npy", compression), "w", force_zip64=True) as member:
        member.write(stream.getbuffer())


def _load(archive: zipfile.ZipFile, name: str) -> Array:
    with archive.open(f"{name}.npy") as stream:
        array: Array = npy_format.read_array(stream, allow_pickle=False)
    return array


def _shape(archive: zipfile.ZipFile, name: str) -> tuple[int, ...]:
    with archive.open(f"{name}.npy") as stream:
        version = npy_format.read_magic(stream)
        read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape: tuple[int, ...] = read(stream)[0]
    return shape
