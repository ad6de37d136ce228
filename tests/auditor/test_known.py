import hashlib
import hmac
import io
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from builders import make_dataset

from auditor.errors import ConfigError
from auditor.known import fingerprints_of, keyed_hash, look_up, read_key

KEY = b"0123456789abcdef"


def test_a_hash_is_hmac_sha256_of_kind_and_digest() -> None:
    assert keyed_hash("pixels", "ab12", KEY) == hmac.new(KEY, b"pixels:ab12", hashlib.sha256).hexdigest()
    assert keyed_hash("bytes", "ab12", KEY) != keyed_hash("pixels", "ab12", KEY)


def test_the_file_holds_hashes_and_nothing_else(tmp_path: Path) -> None:
    dataset = make_dataset(
        patients=["CANARY"] * 4, labels=["CANARYLABEL"] * 4, same_bytes=["x", "y", "y", None], same_pixels=["p", "q", "q", None]
    )
    content, images = fingerprints_of(dataset, KEY)
    assert images == 2
    table = pq.read_table(io.BytesIO(content))
    assert table.column_names == ["bytes", "pixels"]
    assert all(len(value) == 64 for column in table.columns for value in column.to_pylist())
    assert table.column("bytes").to_pylist() == sorted(table.column("bytes").to_pylist())
    for secret in (b"CANARY", b"r0000", KEY, b"pandas"):
        assert secret not in content


def test_a_collection_is_found_by_bytes_and_by_pixels(tmp_path: Path) -> None:
    path = tmp_path / "public.parquet"
    path.write_bytes(fingerprints_of(make_dataset(same_bytes=["x", "y", "z"], same_pixels=["p", "q", "r"]), KEY)[0])
    known = look_up(make_dataset(same_bytes=["x", "n", "m"], same_pixels=["p", "q", "o"]), path, KEY)
    assert known.name == "public"
    assert known.images == 3
    assert known.evidence.tolist() == ["bytes", "pixels", pd.NA]


def test_blank_pictures_and_items_of_one_file_have_no_hash_of_bytes() -> None:
    blank = make_dataset(same_bytes=["x", "y"], same_pixels=["p", "q"], constant=[True, False])
    assert fingerprints_of(blank, KEY)[1] == 1
    items = make_dataset(same_bytes=["x", "x"], same_pixels=["p", "q"], columns={"item": ["a:0", "a:1"]})
    table = pq.read_table(io.BytesIO(fingerprints_of(items, KEY)[0]))
    assert table.column("bytes").null_count == 2


def test_without_images_there_is_nothing_to_hash() -> None:
    with pytest.raises(ConfigError, match="nothing to hash"):
        fingerprints_of(make_dataset(n=3), KEY)


def test_another_key_another_file_and_no_file_are_told(tmp_path: Path) -> None:
    dataset = make_dataset(same_bytes=["x"], same_pixels=["p"])
    path = tmp_path / "k.parquet"
    path.write_bytes(fingerprints_of(dataset, KEY)[0])
    with pytest.raises(ConfigError, match="another key"):
        look_up(dataset, path, b"f" * 16)
    with pytest.raises(ConfigError, match="cannot be read"):
        look_up(dataset, tmp_path / "none.parquet", KEY)
    path.write_bytes(b"no parquet")
    with pytest.raises(ConfigError, match="no Parquet file"):
        look_up(dataset, path, KEY)
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(ConfigError, match="not made by"):
        look_up(dataset, path, KEY)


def test_a_key_is_read_without_its_line_end_and_short_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY + b"\r\n")
    assert read_key(path) == KEY
    path.write_bytes(b"short\n")
    with pytest.raises(ConfigError, match="5 bytes; at least 16"):
        read_key(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_key(tmp_path / "none")
