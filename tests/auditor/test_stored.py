"""Files of ours that come from elsewhere: their size, depth and shape are bounded, and their paths stay inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from auditor.stored import MOST_DEPTH, Name, checked, inside, read_json
from auditor.values.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Shelf:
    books: tuple[Name, ...]
    size: int = 0


def test_a_document_of_its_shape_becomes_its_value() -> None:
    assert checked(Shelf, {"books": ["a/b.csv", "ü.csv"], "size": 3}) == Shelf(books=("a/b.csv", "ü.csv"), size=3)


@pytest.mark.parametrize("document", [None, [], {"books": [3]}, {"books": ["x"], "size": "Meier"}, {"books": ["../Meier"]}, {}])
def test_a_document_of_another_shape_is_refused_without_its_values(document: object) -> None:
    with pytest.raises(ValueError, match="wrong") as refused:
        checked(Shelf, document)
    assert "Meier" not in str(refused.value)


def test_a_file_that_is_too_large_or_too_deep_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps("x" * 100))
    assert read_json(path) == "x" * 100
    with pytest.raises(ValueError, match="larger than 50 bytes"):
        read_json(path, most_bytes=50)
    for depth in (MOST_DEPTH + 1, 100_000):
        path.write_text("[" * depth + "]" * depth)
        with pytest.raises(ValueError, match="nested too deeply"):
            read_json(path)
    path.write_text("[" * (MOST_DEPTH - 1) + "]" * (MOST_DEPTH - 1))
    read_json(path)


def test_a_file_of_more_values_than_memory_has_room_for_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.stored.MOST_VALUES", 100)
    for text in ("[" + "{}," * 60 + "0]", "[" + "1," * 120 + "0]", "[" + "[],[]," * 40 + "0]"):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(ValueError, match="more than 100 values"):
            read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text("[" + "1," * 90 + "0]")
    assert len(read_json(tmp_path / "a.json")) == 91


@pytest.mark.parametrize("name", ["..", "a/../b", "/a", "\\\\host\\a", "c:a", "a//b", "./a", "", "out/a", "a\0"])
def test_a_path_leaves_its_folder_neither_by_its_words_nor_by_a_link(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="outside"):
        inside(folder, name)


def test_a_path_inside_is_one_whether_it_is_there_or_not(tmp_path: Path) -> None:
    assert inside(tmp_path, "a/b.csv") == tmp_path / "a" / "b.csv"


@pytest.mark.parametrize("text", ['{"records": ' + "9" * 4000 + "}", '{"records": -' + "9" * 19 + "}", "[" + "1" * 5000 + "]"])
def test_a_whole_number_that_no_table_can_hold_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"too large"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text('{"uid": "1.2.840.99999999999999999999999", "records": 12}')
    assert read_json(tmp_path / "a.json")["records"] == 12
