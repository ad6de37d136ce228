"""Work that is kept for the next run is taken up as it was written, or not at all."""

import os
from pathlib import Path

import pytest

from auditor.sealed import seal, unsealed


def test_what_was_sealed_comes_back(tmp_path: Path) -> None:
    for content in (b"", b"x", bytes(range(256)) * 100):
        (tmp_path / "a").write_bytes(seal("size", content))
        assert unsealed("size", tmp_path / "a", most_bytes=len(content)) == content


@pytest.mark.parametrize("at", [0, 5, 20, 45, 46, -1])
def test_no_byte_can_be_changed(tmp_path: Path, at: int) -> None:
    changed = bytearray(seal("size", b"content"))
    changed[at] ^= 1
    (tmp_path / "a").write_bytes(changed)
    with pytest.raises(ValueError, match="not as your medaudit wrote it"):
        unsealed("size", tmp_path / "a", most_bytes=100)


def test_what_is_larger_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.truncate(1 << 40)  # takes no room, and no memory has room for it
    with pytest.raises(ValueError, match="larger than 1,000 bytes"):
        unsealed("size", tmp_path / "a", most_bytes=1000)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(OSError, match="not a regular file"):
        unsealed("size", tmp_path / "a", most_bytes=1000)


def test_another_purpose_or_another_key_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(seal("size", b"content"))
    with pytest.raises(ValueError, match="not as your"):
        unsealed("plan", tmp_path / "a", most_bytes=100)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    with pytest.raises(ValueError, match="not as your"):
        unsealed("size", tmp_path / "a", most_bytes=100)
