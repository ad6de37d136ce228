"""A folder of images that nobody here can read is a data set of which nothing was seen, and never a mistake in the call."""

from __future__ import annotations

from pathlib import Path

import pytest

import medaudit

CZI, EXR = b"ZISRAWFILE", b"v/1\x01\x02\0\0\0"


@pytest.mark.parametrize(("suffix", "magic"), [("czi", CZI), ("exr", EXR), ("brik", b""), ("mov", b"\0\0\0\x18ftypqt  ")])
def test_not_enough_was_seen_of_a_folder_of_one_unread_format(tmp_path: Path, suffix: str, magic: bytes) -> None:
    for folder in ("benign", "malignant"):
        (tmp_path / folder).mkdir()
        for number in range(6):
            (tmp_path / folder / f"{folder}{number}.{suffix}").write_bytes(magic + folder.encode() + bytes(range(number + 40)))
    result = medaudit.scan(tmp_path)
    assert result.gate.verdict == "not enough seen", result.gate
    assert result.gate.exit_code == 3
    unread = [finding for finding in result.findings if finding.code == "IN001"]
    assert len(unread) == 12
    assert "not read" in unread[0].message
