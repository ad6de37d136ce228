"""Whom a file names, and where that name stands."""

from __future__ import annotations

import pytest

from trainers.rewriting.person import Person, forms, person_of, without_ordinary

JANE = person_of([("PatientName", "Kuzmenkova^Oxana"), ("PatientID", "K8830517"), ("PatientBirthDate", "19530817")])


@pytest.mark.parametrize(
    "text",
    [
        "KUZMENKOVA", "seen by oxana", "model k8830517", "8830517", "88-305-17", "born 17.08.1953", "1953-08-17", "08/17/1953",
        "KUZMENKOVAOXANA", "OKUZMENKOVA", "Kuzmenková",
    ],
)  # fmt: skip
def test_a_name_or_number_is_found_however_it_is_written(text: str) -> None:
    assert JANE.is_named_in(text)


@pytest.mark.parametrize("text", ["", "CHEST", "Philips", "8830518", "17.08.1954", "kuzmen", "ORIGINAL"])
def test_other_texts_name_nobody(text: str) -> None:
    assert not JANE.is_named_in(text)


def test_a_short_name_counts_as_a_whole_and_a_maker_is_no_patient() -> None:
    wu = person_of([("PatientName", "Li^Wu")])
    assert wu.is_named_in("for Wu, Li")
    assert not wu.is_named_in("LI")
    philip = person_of([("PatientName", "Brandauer^Philip")])
    assert philip.is_named_in("for Philip")
    assert not philip.is_named_in("Philips"), "emptied, it would say what the patient is called"


def test_ids_of_ordinary_words_name_nobody_but_a_name_of_such_does() -> None:
    coded = person_of([("PatientID", "Breast_MRI_001"), ("PatientName", "Breast_MRI_001")])
    assert not coded.is_named_in("BREAST")
    assert person_of([("PatientID", "7"), ("PatientName", "Chest^Anna")]).is_named_in("CHEST")
    operator = person_of([("OperatorsName", "Technician^Brandauer")])
    assert operator.is_named_in("Brandauer")
    assert not operator.is_named_in("technician")


def test_bytes_are_searched_for_long_words_in_the_usual_encodings() -> None:
    for encoding in ("utf-8", "utf-16-le"):
        assert JANE.is_in_bytes(b"\1\2" + "Kuzmenkova".encode(encoding) + b"\3")
    assert person_of([("PatientName", "Кузьменкова^Оксана")]).is_in_bytes("КУЗЬМЕНКОВА".encode("iso8859-5"))
    assert not JANE.is_in_bytes(b"Oxana"), "five letters stand in a picture by chance"


def test_what_is_looked_for_in_a_table_holds_no_ordinary_word() -> None:
    known = without_ordinary(
        person_of([("PatientName", "Normal^Zelenskova"), ("PatientID", "12"), ("AccessionNumber", "A4711777")])
    )
    assert known.is_named_in("of Zelenskova")
    assert not known.is_named_in("normal")
    assert not known.is_named_in("12")
    assert known.is_named_in("4711777")


def test_nobody_is_named_nowhere() -> None:
    assert not Person().is_named_in("anything 123456")
    assert not Person().is_in_bytes(b"anything")
    assert forms("Müller") == ("müller", "muller", "mueller")
