import hashlib
import hmac
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq
import pytest
from builders import make_dataset

from auditor.evidence.likeness.keyed import MIN_SHARED
from auditor.evidence.likeness.perceptual import sketch_of
from auditor.evidence.likeness.sketches import Sketches
from auditor.stages.known import fingerprints_of, keyed_hash, look_up, read_key
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError

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
    (known,) = look_up(make_dataset(same_bytes=["x", "n", "m"], same_pixels=["p", "q", "o"]), [path], KEY, workers=0)
    assert known.shared is None
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
        look_up(dataset, [path], b"f" * 16, workers=0)
    with pytest.raises(ConfigError, match="cannot be read"):
        look_up(dataset, [tmp_path / "none.parquet"], KEY, workers=0)
    path.write_bytes(b"no parquet")
    with pytest.raises(ConfigError, match="no Parquet file"):
        look_up(dataset, [path], KEY, workers=0)
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(ConfigError, match="not made by"):
        look_up(dataset, [path], KEY, workers=0)


def test_a_key_is_read_without_its_line_end_and_short_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY + b"\r\n")
    assert read_key(path) == KEY
    path.write_bytes(b"short\n")
    with pytest.raises(ConfigError, match="5 bytes; at least 16"):
        read_key(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_key(tmp_path / "none")


def picture(seed: int) -> npt.NDArray[np.float32]:
    """Blobs of several sizes, 120 × 150."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:120, :150]
    blobs = sum(
        rng.uniform(-1, 1) * np.exp(-((y - rng.uniform(0, 120)) ** 2 + (x - rng.uniform(0, 150)) ** 2) / rng.uniform(10, 200))
        for _ in range(120)
    )
    values = np.asarray(blobs)
    return ((values - values.min()) / np.ptp(values)).astype(np.float32)


def sketched(pictures: list[npt.NDArray[np.float32]], marks: list[str]) -> Dataset:
    dataset = make_dataset(same_bytes=marks, same_pixels=marks)
    sketches = Sketches()
    for record, gray in zip(dataset.records.index, pictures, strict=True):
        sketches.add(str(record), sketch_of([gray], frames=1, levels=99))
    return replace(dataset, sketches=sketches)


def test_keyed_words_find_a_brightened_copy_and_no_other_picture(tmp_path: Path) -> None:
    path = tmp_path / "public.parquet"
    path.write_bytes(fingerprints_of(sketched([picture(1), picture(2)], ["a", "b"]), KEY, perceptual=True)[0])
    here = sketched([picture(1), picture(2) ** 1.4 * 0.8, picture(3), np.zeros((90, 90), np.float32)], ["a", "n", "m", "z"])
    (known,) = look_up(here, [path], KEY, workers=0)
    assert known.evidence.tolist() == ["bytes", "looks", pd.NA, pd.NA]
    assert known.shared is not None
    assert known.shared.iloc[1] >= MIN_SHARED
    assert known.shared.iloc[2] <= 3
    assert known.shared.iloc[3] == 0


def test_the_words_in_the_file_are_hmacs_of_36_bits_and_no_picture_is_there() -> None:
    dataset = sketched([picture(1), picture(2)], ["a", "b"])
    table = pq.read_table(io.BytesIO(fingerprints_of(dataset, KEY, perceptual=True)[0]))
    assert table.column_names == ["bytes", "pixels", "words"]
    assert dataset.sketches is not None
    plain = np.concatenate([dataset.sketches.words(str(record)) for record in dataset.records.index])
    there = {value for row in table.column("words").to_pylist() for value in row}
    expected = {
        int.from_bytes(hmac.new(KEY, b"word:" + (int(word) >> 28).to_bytes(8, "big"), hashlib.sha256).digest()[:8], "big")
        for word in plain
    }
    assert there == expected
    for shift in (0, 24, 28, 32):
        assert not there & {int(word) >> shift for word in plain}
    assert not there & {int(word) for word in plain.byteswap()}
    assert all(row == sorted(row) for row in table.column("words").to_pylist())


def test_a_file_without_words_is_as_it_was() -> None:
    dataset = sketched([picture(1)], ["a"])
    bare = make_dataset(same_bytes=["a"], same_pixels=["a"])
    assert fingerprints_of(dataset, KEY)[0] == fingerprints_of(bare, KEY)[0]


def test_words_of_another_kind_are_refused(tmp_path: Path) -> None:
    dataset = sketched([picture(1)], ["a"])
    table = pq.read_table(io.BytesIO(fingerprints_of(dataset, KEY, perceptual=True)[0]))
    path = tmp_path / "k.parquet"
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"words": b"keypoints 9"}), path)
    with pytest.raises(ConfigError, match="another version"):
        look_up(dataset, [path], KEY, workers=0)
