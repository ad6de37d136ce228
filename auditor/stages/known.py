"""Keyed hashes of a collection's images, to find it inside another: written by one side, looked up by the other.

A hash is HMAC-SHA256 of a content digest under a secret that both sides hold (RFC 2104): without the key a file of hashes tells
nobody which images are in it, not even by trying known ones. No image, no name, no id and no order is in the file.

On request each image's keyed words (`auditor.evidence.likeness.keyed`) stand beside them, so that copies that were compressed
again, resized or brightened are found as candidates. They are per-record values: they tell which images of the file look alike.
"""

from __future__ import annotations

import hmac
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from auditor.evidence.likeness.keyed import KIND as WORDS_KIND
from auditor.evidence.likeness.keyed import MIN_SHARED, Book, Words, book, most_shared, written
from auditor.files import open_regular
from auditor.plan import Plan
from auditor.reading.jobs import run_job, told
from auditor.values.dataset import Dataset, Known
from auditor.values.errors import ConfigError, UnreadableFile
from auditor.values.image import Limits

FORMAT = b"medaudit fingerprints 2"
PROOF_OF_KEY = b"medaudit key check"
MIN_KEY_BYTES = 16
MAX_KEY_BYTES = 1 << 20
KINDS = ("bytes", "pixels")
WORDS = "words"


NEEDS = frozenset({"fingerprints", "sketches"})
PROVIDES = frozenset({"known"})


def given(plan: Plan) -> bool:
    """Hashes of other collections were given."""
    return bool(plan.known)


def run(dataset: Dataset, plan: Plan) -> Dataset:
    """Fill `known`.

    Raises:
        ConfigError: a file of hashes or the key cannot be used.
    """
    secret = read_key(plan.key) if plan.key is not None else b""
    found = look_up(dataset, plan.known, secret, limits=plan.config.limits_of(), workers=plan.readers)
    return replace(dataset, known=found)


def read_key(path: Path) -> bytes:
    """The secret: the content of a file, without the line end behind it.

    Raises:
        ConfigError: it cannot be read, is too short, or is no key.
    """
    try:
        with open_regular(path) as stream:
            secret = stream.read(MAX_KEY_BYTES + 1).rstrip(b"\r\n")
    except OSError as error:
        raise ConfigError(f"--key {path}: cannot be read ({error.strerror})") from None
    if len(secret) > MAX_KEY_BYTES:
        raise ConfigError(f"--key {path}: larger than 1 MiB: this is no key")
    if len(secret) < MIN_KEY_BYTES:
        raise ConfigError(
            f"--key {path}: {len(secret)} bytes; at least {MIN_KEY_BYTES} random ones are needed "
            "(`openssl rand -hex 32` makes some)"
        )
    return secret


def keyed(dataset: Dataset, key: bytes) -> pd.DataFrame:
    """The hashes of every record: columns `bytes` and `pixels`, missing = NA; indexed by record.

    Pictures of one single value have none, and the bytes of a file that holds many images say nothing about one of them.
    """
    marks = dataset.fingerprints
    frame = pd.DataFrame(index=dataset.records.index)
    if marks.empty:
        return frame.assign(**{kind: pd.Series(pd.NA, index=frame.index, dtype="string") for kind in KINDS})
    telling = ~marks["constant"].to_numpy(bool) if "constant" in marks else np.ones(dataset.size, bool)
    alone = (dataset.records["item"].fillna("") == "").to_numpy()
    for kind in KINDS:
        values = marks[kind].where(telling & alone if kind == "bytes" else telling) if kind in marks else None
        hashes = None if values is None else [None if pd.isna(v) else keyed_hash(kind, str(v), key) for v in values.tolist()]
        frame[kind] = pd.Series(hashes, index=frame.index, dtype="string")
    return frame


def keyed_hash(kind: str, digest: str, key: bytes) -> str:
    """HMAC-SHA256 of one digest, 64 hexadecimal characters; bytes and pixels never give the same one."""
    return hmac.digest(key, f"{kind}:{digest}".encode(), "sha256").hex()


def fingerprints_of(dataset: Dataset, key: bytes, *, perceptual: bool = False) -> tuple[bytes, int]:
    """The Parquet file of a collection, and how many images it speaks for. Sorted by hash, so that the order says nothing.

    Args:
        dataset: after `extract`.
        key: the secret.
        perceptual: add the column `words`: keyed words of each image (a list of uint64, in the order of their values).

    Raises:
        ConfigError: no image was read.
    """
    frame = keyed(dataset, key).dropna(how="all").drop_duplicates()
    if not len(frame):
        raise ConfigError("no image of the dataset could be read: there is nothing to hash")
    frame = frame.sort_values(list(KINDS), na_position="last")
    columns = {kind: pa.array(frame[kind], pa.string(), from_pandas=True) for kind in KINDS}
    told = {b"format": FORMAT, b"key": hmac.digest(key, PROOF_OF_KEY, "sha256").hex().encode()}
    if perceptual:
        looks = [written(words, key) for words in words_of(dataset, [str(record) for record in frame.index])]
        columns[WORDS] = pa.array(looks, pa.list_(pa.uint64()))
        told[b"words"] = WORDS_KIND
    stream = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(told), stream, compression="zstd")
    return stream.getvalue(), len(frame)


def words_of(dataset: Dataset, records: Sequence[str]) -> list[Words]:
    """The words of these records, not keyed; none where there is no sketch (blank, small, not read)."""
    sketches, none = dataset.sketches, np.zeros(0, np.uint64)
    return [sketches.words(record) if sketches is not None and record in sketches else none for record in records]


def look_up(
    dataset: Dataset, paths: Sequence[Path], key: bytes, *, limits: Limits | None = None, workers: int = 1
) -> tuple[Known, ...]:
    """Which records of the dataset are in other collections.

    Args:
        dataset: after `extract`.
        paths: what `medaudit fingerprint` wrote, a file for each collection.
        key: the key they were written with.

    Raises:
        ConfigError: a file cannot be read, is no such file, or was made with another key.
    """
    if not paths:
        return ()
    own = keyed(dataset, key)
    tables = [read_hashes(path, key, limits or Limits(), workers=workers) for path in paths]
    books = {place: book_of(table) for place, table in enumerate(tables) if WORDS in table.column_names}
    shared = {}
    if books:
        counts = most_shared(words_of(dataset, [str(record) for record in own.index]), key, list(books.values()))
        shared = {place: pd.Series(row, index=own.index) for place, row in zip(books, counts, strict=True)}
    found = []
    for place, (path, table) in enumerate(zip(paths, tables, strict=True)):
        evidence = pd.Series(pd.NA, index=own.index, dtype="string")
        if place in shared:
            evidence = evidence.mask(shared[place] >= MIN_SHARED, "looks")
        for kind in reversed(KINDS):
            there = pd.Index(table.column(kind).drop_null().to_pylist())
            evidence = evidence.mask(own[kind].isin(there) & own[kind].notna(), kind)
        found.append(Known(name=path.stem, images=table.num_rows, evidence=evidence, shared=shared.get(place)))
    return tuple(found)


def read_hashes(path: Path, key: bytes, limits: Limits, *, workers: int = 1) -> pa.Table:
    """The table that `fingerprints_of` wrote, checked.

    Raises:
        ConfigError: it cannot be read, is no such file, or was made with another key.
    """
    try:
        table = run_job("auditor.stages.hash_file:table", path, limits=limits, workers=workers)
    except UnreadableFile as error:
        raise ConfigError(f"--known {path}: {told(error)}") from None
    metadata = table.schema.metadata or {}
    whole = metadata.get(b"format") == FORMAT and all(
        name in table.column_names and pa.types.is_string(table.schema.field(name).type) for name in KINDS
    )
    if WORDS in table.column_names:
        whole = whole and metadata.get(b"words") == WORDS_KIND and table.schema.field(WORDS).type == pa.list_(pa.uint64())
    if not whole:
        raise ConfigError(f"--known {path}: not made by `medaudit fingerprint`, or by another version of it")
    if not hmac.compare_digest(metadata.get(b"key", b""), hmac.digest(key, PROOF_OF_KEY, "sha256").hex().encode()):
        raise ConfigError(f"--known {path}: made with another key than --key; both sides need the same file")
    return table


def book_of(table: pa.Table) -> Book:
    """The keyed words of a collection, sorted for looking up."""
    column = table.column(WORDS).combine_chunks()
    counts = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return book(column.flatten().to_numpy(zero_copy_only=False).astype(np.uint64), counts)
