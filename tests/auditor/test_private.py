import os
import stat
from pathlib import Path

import pytest

from auditor.private import keyed, others_write, private_key

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="rights are kept elsewhere")


def test_a_key_is_made_once_and_is_for_its_user_alone(tmp_path: Path) -> None:
    key = private_key(tmp_path / "state")
    assert key is not None
    assert len(key) == 32
    assert private_key(tmp_path / "state") == key
    assert private_key(tmp_path / "other") != key
    assert stat.S_IMODE((tmp_path / "state" / "key").stat().st_mode) == 0o600
    assert [one.name for one in (tmp_path / "state").iterdir()] == ["key"]


def test_a_key_that_others_could_see_or_that_is_a_link_is_replaced(tmp_path: Path) -> None:
    key = private_key(tmp_path)
    file = tmp_path / "key"
    file.chmod(0o644)
    seen = private_key(tmp_path)
    assert seen not in (key, None)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert private_key(tmp_path) not in (seen, None)
    assert not file.is_symlink()
    file.write_bytes(b"short")
    assert len(private_key(tmp_path) or b"") == 32


def test_there_is_no_key_where_others_may_write_or_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert private_key(tmp_path / "open") is None
    (tmp_path / "file").write_text("in the way")
    assert private_key(tmp_path / "file") is None
    assert private_key(tmp_path / "file" / "below") is None


def test_who_may_write_is_told(tmp_path: Path) -> None:
    assert others_write(tmp_path) is None
    link = tmp_path / "link"
    (tmp_path / "there").mkdir(mode=0o700)
    link.symlink_to(tmp_path / "there")
    assert others_write(link) is None
    (tmp_path / "there").chmod(0o722)
    assert others_write(link) == "others may write to it"


def test_digests_of_two_purposes_differ() -> None:
    assert keyed(b"k" * 32, "a", b"x") != keyed(b"k" * 32, "b", b"x") != keyed(b"l" * 32, "b", b"x")
