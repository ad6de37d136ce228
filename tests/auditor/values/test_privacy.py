"""What counts as real, what a text seems to hold, and which columns tell of people."""

from __future__ import annotations

import pickle
import time

import pytest

from auditor.values.fields import words
from auditor.values.person_columns import column_kind
from auditor.values.privacy import Privacy, kinds_in, may_tell


@pytest.mark.parametrize(
    "value",
    ["", " ", "ANONYMOUS", "Anon^", "anonymized", "XXXX^XX", "REMOVED", "0", "000000", "19000101", "N/A", "unknown", "\0"],
)
def test_placeholders_are_nobody(value: str) -> None:
    assert not Privacy().is_real(value)


@pytest.mark.parametrize("value", ["Doe^Jane", "007", "LIDC-IDRI-0001", "19530817", "Ng", "王^小東", "S. Anonymowski"])
def test_values_are_real_until_a_pattern_declares_them(value: str) -> None:
    assert Privacy().is_real(value)
    assert not Privacy(pseudonyms=".*").is_real(value)


def test_a_pattern_must_match_the_whole_value() -> None:
    rules = Privacy(pseudonyms="P[0-9]+")
    assert not rules.is_real("P12")
    assert rules.is_real("P12 Doe")
    copy = pickle.loads(pickle.dumps(rules))
    assert copy == rules
    assert not copy.is_real("P12")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(a?){500}a{500}", "(.*a){12}b"])
def test_no_pattern_takes_longer_than_the_text_is_long(pattern: str) -> None:
    assert Privacy(pseudonyms=pattern).is_real("a" * 3000 + "!\udcff")


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("DOE^JANE", {"name"}),
        ("Smith_John", {"name"}),
        ("John Smith", {"name"}),
        ("Dr. Who", {"name"}),
        ("20110203", {"date"}),
        ("on 03.02.2011 in", {"date"}),
        ("2011-02-03", {"date"}),
        ("MRN1234567", {"record number"}),
        ("ssn 123-45-6789", {"record number"}),
        ("jane@example.org", {"e-mail"}),
        ("00000001_000.png", set()),
        ("1.2.840.113619.2.5.1762583153.20110203.978957063.78", set()),
        ("ImageJ=1.53k\nunit=micron", set()),
        ("FSL5.0", set()),
        ("TE=2.9e+02;Time=123206.000", set()),
        ("Lung Opacity", set()),
        ("case control study", set()),
        ("20111345", set()),
    ],
)
def test_what_a_text_seems_to_hold(text: str, kinds: set[str]) -> None:
    assert kinds_in(text) == kinds
    assert may_tell(text) or not kinds


@pytest.mark.parametrize(
    "text", ["a" * 60_000, "John " * 12_000, "a.b@" * 15_000, "2011" * 15_000, "aa^" * 20_000, "Mr. " * 9_000]
)
def test_hostile_texts_take_no_time(text: str) -> None:
    start = time.process_time()
    kinds_in(text)
    may_tell(text)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("PatientName", "name"),
        ("last_name", "name"),
        ("surname", "name"),
        ("DOB", "birth date"),
        ("birth_date", "birth date"),
        ("birth_weight", None),
        ("MRN", "record number"),
        ("e-mail", "address"),
        ("zip", "address"),
        ("file_name", None),
        ("class name", None),
        ("ReferringPhysician", "physician"),
        ("Patient ID", None),
        ("Finding Labels", None),
    ],
)
def test_columns_tell_by_their_names(column: str, kind: str | None) -> None:
    assert column_kind(words(column)) == kind
