"""JSON records: new members, and everything else as it is written."""

from __future__ import annotations

import json

import numpy as np
import pytest

from auditor.values.errors import DatasetError
from auditor.values.image import Limits
from trainers.copying.forms.column import CorrectedColumn, Place
from trainers.copying.forms.form import written


def place(size: int, *leave: int) -> Place:
    return Place(lines=np.arange(1, size + 1), kept=np.array([row not in leave for row in range(size)]))


def column(changed: dict[int, str], *, exists: bool = False) -> CorrectedColumn:
    return CorrectedColumn(name="label_corrected", beside="label", changed=changed, exists=exists)


def test_lines_keep_spaces_numbers_and_escapes() -> None:
    content = b'{"id":  "007", "label": "NA", "x": 7.10}\n{"id": "008", "label": "\\u00e4", "x": 1e3}\n'
    assert written(Limits(), "t.jsonl", content, place(2), [column({0: "späť"})]).decode() == (
        '{"id":  "007", "label": "NA", "label_corrected": "späť", "x": 7.10}\n'
        '{"id": "008", "label": "\\u00e4", "label_corrected": "\\u00e4", "x": 1e3}\n'
    )


def test_the_new_value_is_of_the_kind_of_the_old_one() -> None:
    content = b'{"label": 1}\n{"label": true}\n{"label": ["a", "b"]}\n{"label": null}\n'
    made = written(Limits(), "t.jsonl", content, place(4), [column({0: "2", 1: "0", 2: "b|c", 3: "x"})])
    assert [json.loads(line)["label_corrected"] for line in made.splitlines()] == [2, False, ["b", "c"], "x"]


def test_a_corrected_member_that_is_there_is_filled_anew() -> None:
    content = b'{"label": "a", "label_corrected": "b"}\n'
    made = written(Limits(), "t.jsonl", content, place(1), [column({0: "c"}, exists=True)])
    assert made == b'{"label": "a", "label_corrected": "c"}\n'


def test_lists_of_objects_are_found_inside_an_object() -> None:
    content = b'{"made": "by hand", "images": [ {"label": "a"} ,\n {"label": "b"},{"label": "c"} ]}'
    made = written(Limits(), "t.json", content, place(3, 1), [column({2: "d"})])
    assert made == (
        b'{"made": "by hand", "images": [ {"label": "a", "label_corrected": "a"},{"label": "c", "label_corrected": "d"} ]}'
    )


def test_a_row_that_leaves_a_file_of_lines_leaves_whole() -> None:
    assert written(Limits(), "t.jsonl", b'{"label": "a"}\n{"label": "b"}\n', place(2, 0), []) == b'{"label": "b"}\n'


def test_images_and_their_labels_become_a_list_of_objects_that_holds_the_new_column() -> None:
    content = b'{"a.png": "x", "b.png": 7.10, "c.png": "x"}'
    made = written(Limits(), "labels.json", content, place(3, 2), [column({0: "y"})])
    assert json.loads(made) == [
        {"image": "a.png", "label": "x", "label_corrected": "y"},
        {"image": "b.png", "label": 7.1, "label_corrected": 7.1},
    ]


def test_a_table_that_is_none_any_more_is_refused() -> None:
    with pytest.raises(DatasetError, match="changed meanwhile"):
        written(Limits(), "labels.json", b'{"a": 1}', place(1), [column({0: "y"})])
