"""corrections.csv and removed.csv: safe in a spreadsheet, and read back as they were."""

from __future__ import annotations

import csv
import io

import pytest
from copies import label
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.values.errors import ConfigError
from trainers.copying.ledger import (
    Entry,
    Removal,
    corrections_file,
    key_of,
    removed_file,
)
from trainers.copying.ledger_file import accepted_corrections, accepted_removals

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@settings(max_examples=100, deadline=None)
@given(TEXT, TEXT, TEXT)
def test_any_text_is_read_back_as_it_was_and_none_is_a_formula(record: str, old: str, new: str) -> None:
    entry = Entry(correction=label(record, old, new), applied=True)
    content = corrections_file([entry])
    assert accepted_corrections(content) == {key_of(entry.correction)}
    cells = list(csv.reader(io.StringIO(content.decode(), newline="")))[1]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in cells)


@pytest.mark.parametrize(
    ("word", "accepted"), [("yes", True), ("YES ", True), ("x", True), ("1", True), ("no", False), ("", False)]
)
def test_what_a_person_writes_into_the_column(word: str, accepted: bool) -> None:
    content = f"record,applied\n007,{word}\n".encode()
    assert accepted_removals(content) == ({"007"} if accepted else set())


def test_a_byte_order_mark_and_columns_in_another_order_do_no_harm() -> None:
    removal = Removal(record="=1", path="=1", reason="r", strategy="s", label="NA", split="train", rows=(0,), applied=True)
    rows = list(csv.reader(io.StringIO(removed_file([removal]).decode())))
    stream = io.StringIO()
    csv.writer(stream).writerows([row[::-1] for row in rows])
    assert accepted_removals(b"\xef\xbb\xbf" + stream.getvalue().encode()) == {"=1"}


def test_a_missing_column_is_told() -> None:
    with pytest.raises(ConfigError, match=r"corrections\.csv: the columns"):
        accepted_corrections(b"record,applied\n1,yes\n")
