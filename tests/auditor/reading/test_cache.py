import stat
from pathlib import Path

import numpy as np
import pytest

from auditor.reading.cache import Cache, default_folder, pack, unpack
from auditor.values.measurement import PixelFacts

FACTS = PixelFacts(digest="ab" * 20, constant=False, features=np.array([1.5, np.nan], np.float32), thumbnail=b"RIFFxxxxWEBP")


def opened(folder: Path, *, writable: bool = True) -> Cache:
    cache = Cache(folder=folder, writable=writable)
    assert cache.open()
    return cache


def test_what_was_packed_is_unpacked() -> None:
    again = unpack(pack(FACTS))
    assert (again.digest, again.constant, again.thumbnail) == (FACTS.digest, FACTS.constant, FACTS.thumbnail)
    np.testing.assert_array_equal(again.features, FACTS.features)


@pytest.mark.parametrize(
    "damaged", [b"", b"\x00", b"\xff\xff\xff\xff{}", pack(FACTS)[:20], b"\x02\x00\x00\x00[]", b"\x02\x00\x00\x00{}"]
)
def test_a_damaged_entry_is_a_value_error(damaged: bytes) -> None:
    with pytest.raises(ValueError):
        unpack(damaged)


def test_a_stored_entry_is_there_for_the_next_scan_and_for_readers(tmp_path: Path) -> None:
    cache = opened(tmp_path / "c")
    cache.store([("k", FACTS)])
    assert opened(tmp_path / "c", writable=False)["k"].digest == FACTS.digest
    cache.close()
    again = opened(tmp_path / "c")
    assert again["k"].thumbnail == FACTS.thumbnail
    assert len(again) == 1
    assert list(again) == ["k"]
    again.close()


def test_the_folder_is_private(tmp_path: Path) -> None:
    opened(tmp_path / "c").close()
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == 0o700


def test_garbage_in_place_of_the_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "facts-1.sqlite").write_bytes(b"garbage" * 1000)
    cache = opened(tmp_path)
    cache.store([("k", FACTS)])
    assert cache["k"].digest == FACTS.digest
    cache.close()


def test_a_damaged_row_counts_as_unknown(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    assert cache._connection is not None
    cache._connection.execute("INSERT INTO facts VALUES ('k', x'0102')")
    assert cache.get("k") is None
    cache.close()


def test_a_folder_that_cannot_be_made_means_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert not Cache(folder=tmp_path / "file" / "c").open()


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)
    one.store([("a", FACTS)])
    two.store([("b", FACTS)])
    assert set(one) == set(two) == {"a", "b"}
    one.close()
    two.close()


def test_the_environment_names_the_folder() -> None:
    assert default_folder({"MEDAUDIT_CACHE": "/x"}, Path("/home/u")) == Path("/x")
    assert default_folder({}, Path("/home/u")).name in ("medaudit", "cache")
