import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from auditor.private import default_folder
from auditor.reading.cache import Cache, pack, unpack
from auditor.values.errors import ConfigError
from auditor.values.measurement import PixelFacts

FACTS = PixelFacts(digest="ab" * 20, constant=False, features=np.array([1.5, np.nan], np.float32), thumbnail=b"RIFFxxxxWEBP")

KEY = bytes(range(32))


def opened(folder: Path, *, writable: bool = True) -> Cache:
    cache = Cache(folder=folder, key=KEY, writable=writable)
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
    (tmp_path / "facts-2.sqlite").write_bytes(b"garbage" * 1000)
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
    assert not Cache(folder=tmp_path / "file" / "c", key=KEY).open()


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


def raw(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "facts-2.sqlite", isolation_level=None)


def test_an_entry_that_somebody_altered_moved_or_wrote_is_not_there(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    cache.store([("a", FACTS), ("b", FACTS)])
    cache.remember([("p", "d1"), ("q", "d2")])
    assert cache.digest_at("p") == "d1"
    other = raw(tmp_path)
    (value,) = other.execute("SELECT value FROM facts WHERE key = 'a'").fetchone()
    for changed in (value[:-1] + bytes([value[-1] ^ 1]), value[32:], b"\0" * 32 + value[32:], b"", None, "text"):
        with suppress(sqlite3.IntegrityError):
            other.execute("UPDATE facts SET value = ? WHERE key = 'a'", (changed,))
            assert "a" not in cache
    other.execute("UPDATE facts SET value = (SELECT value FROM facts WHERE key = 'b') WHERE key = 'a'")
    other.execute("UPDATE places SET digest = (SELECT digest FROM places WHERE place = 'q') WHERE place = 'p'")
    assert "a" not in cache
    assert "b" in cache
    assert cache.digest_at("p") is None
    assert cache.digest_at("q") == "d2"
    assert "b" not in Cache(folder=tmp_path, key=bytes(32), writable=False)
    stranger = Cache(folder=tmp_path, key=bytes(32), writable=False)
    assert stranger.open()
    assert "b" not in stranger
    cache.store([("a", FACTS)])
    assert cache["a"].digest == FACTS.digest


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="rights are kept elsewhere")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused_and_left_as_it_is(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(ConfigError, match=r"others may write to it.*--no-cache"):
        Cache(folder=folder, key=KEY).open()
    assert stat.S_IMODE(folder.stat().st_mode) == mode & 0o7777
    assert not list(folder.iterdir())
    folder.chmod(0o755)
    tmp_path.chmod(0o777)
    try:
        with pytest.raises(ConfigError, match="others may rename it"):
            Cache(folder=folder, key=KEY).open()
    finally:
        tmp_path.chmod(0o700)
    opened(folder).close()


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path, suffix: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / "c").mkdir(mode=0o700)
    (tmp_path / "c" / f"facts-2.sqlite{suffix}").symlink_to(victim)
    cache = opened(tmp_path / "c")
    cache.store([("k", FACTS)])
    cache.close()
    assert victim.read_bytes() == b"mine"
    assert not (tmp_path / "c" / "facts-2.sqlite").is_symlink()


def test_the_files_of_an_earlier_version_are_taken_away(tmp_path: Path) -> None:
    (tmp_path / "facts-1.sqlite").write_bytes(b"old")
    opened(tmp_path).close()
    assert [one.name for one in tmp_path.iterdir()] == ["facts-2.sqlite"]
