"""Keyed hashes of a collection's images, to find it inside another: written by one side, looked up by the other.

A hash is HMAC-SHA256 of a content digest under a secret that both sides hold (RFC 2104): without the key a file of hashes tells
nobody which images are in it, not even by trying known ones. No image, no name, no id and no order is in the file.
"""

from __future__ import annotations

import hmac
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from auditor.dataset import Dataset, Known
from auditor.errors import ConfigError

FORMAT = b"medaudit fingerprints 1"
PROOF_OF_KEY = b"medaudit key check"
MIN_KEY_BYTES = 16
MAX_KEY_BYTES = 1 << 20
KINDS = ("bytes", "pixels")


def read_key(path: Path) -> bytes:
    """The secret: the content of a file, without the line end behind it.

    Raises:
        ConfigError: it cannot be read, is too short, or is no key.
    """
    try:
        with path.open("rb") as stream:
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


def fingerprints_of(dataset: Dataset, key: bytes) -> tuple[bytes, int]:
    """The Parquet file of a collection, and how many images it speaks for. Sorted by hash, so that the order says nothing.

    Raises:
        ConfigError: no image was read.
    """
    frame = keyed(dataset, key).dropna(how="all").drop_duplicates()
    if not len(frame):
        raise ConfigError("no image of the dataset could be read: there is nothing to hash")
    frame = frame.sort_values(list(KINDS), na_position="last")
    table = pa.table({kind: pa.array(frame[kind], pa.string(), from_pandas=True) for kind in KINDS})
    proof = hmac.digest(key, PROOF_OF_KEY, "sha256").hex().encode()
    stream = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({b"format": FORMAT, b"key": proof}), stream, compression="zstd")
    return stream.getvalue(), len(frame)


def look_up(dataset: Dataset, path: Path, key: bytes) -> Known:
    """Which records of the dataset are in a collection.

    Args:
        dataset: after `extract`.
        path: what `medaudit fingerprint` wrote.
        key: the key it was written with.

    Raises:
        ConfigError: the file cannot be read, is no such file, or was made with another key.
    """
    try:
        table = pq.read_table(path)
    except OSError as error:
        raise ConfigError(f"--known {path}: cannot be read ({error.strerror or 'no such file'})") from None
    except pa.ArrowException:
        raise ConfigError(f"--known {path}: no Parquet file; `medaudit fingerprint` writes one") from None
    told = table.schema.metadata or {}
    if told.get(b"format") != FORMAT or not set(KINDS) <= set(table.column_names):
        raise ConfigError(f"--known {path}: not made by `medaudit fingerprint`, or by a newer one")
    if not hmac.compare_digest(told.get(b"key", b""), hmac.digest(key, PROOF_OF_KEY, "sha256").hex().encode()):
        raise ConfigError(f"--known {path}: made with another key than --key; both sides need the same file")
    own = keyed(dataset, key)
    evidence = pd.Series(pd.NA, index=own.index, dtype="string")
    for kind in reversed(KINDS):
        there = pd.Index(table.column(kind).drop_null().to_pylist())
        evidence = evidence.mask(own[kind].isin(there) & own[kind].notna(), kind)
    return Known(name=path.stem, images=table.num_rows, evidence=evidence)
