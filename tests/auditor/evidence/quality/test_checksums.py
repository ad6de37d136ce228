import hashlib
import json
from pathlib import Path

import pytest

from auditor.evidence.quality.checksums import measure_checksums
from auditor.values.image import Limits


def described(root: Path, *objects: dict[str, object]) -> dict[str, str]:
    (root / "croissant.json").write_text(
        json.dumps({"distribution": [{"@type": "cr:FileObject", **o} for o in objects]}), "utf-8"
    )
    frame, problems = measure_checksums(root, Limits())
    assert problems == ()
    return dict(zip(frame["path"], frame["state"], strict=True))


def test_a_changed_file_is_told_from_one_that_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"1,2")
    (tmp_path / "b.csv").write_bytes(b"changed")
    right = hashlib.sha256(b"1,2").hexdigest()
    old = hashlib.md5(b"original").hexdigest()
    found = described(
        tmp_path,
        {"contentUrl": "a.csv", "sha256": right.upper()},
        {"contentUrl": "b.csv", "md5": old},
        {"contentUrl": "gone.csv", "sha256": right},
        {"contentUrl": "odd.csv", "sha256": "12"},
        {"contentUrl": "https://example.org/c.zip", "sha256": right},
        {"contentUrl": "../outside.csv", "sha256": right},
        {"contentUrl": "without.csv"},
    )
    assert found == {
        "a.csv": "same", "b.csv": "differs", "gone.csv": "missing", "odd.csv": "malformed",
        "https://example.org/c.zip": "remote", "../outside.csv": "remote",
    }  # fmt: skip


@pytest.mark.parametrize(
    "content", ["{", "[" * 100_000, "[1, 2]", '{"distribution": 5}', '{"distribution": [7, {"@type": 3}]}']
)
def test_any_content_is_survived(tmp_path: Path, content: str) -> None:
    (tmp_path / "croissant.json").write_text(content, "utf-8")
    frame, problems = measure_checksums(tmp_path, Limits())
    assert len(frame) == 0
    assert [p.path for p in problems] == (["croissant.json"] if content[:2] in ("{", "[[") else [])


def test_a_folder_without_a_description_declares_nothing(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text(
        '{"distribution": [{"@type": "FileObject", "contentUrl": "x", "md5": "0"}]}', "utf-8"
    )
    assert len(measure_checksums(tmp_path, Limits())[0]) == 0


def test_an_address_that_is_no_text_is_shown_as_one_that_is(tmp_path: Path) -> None:
    assert set(described(tmp_path, {"contentUrl": "\udcff.csv", "md5": "0" * 32})) == {"?.csv"}
