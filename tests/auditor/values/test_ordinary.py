"""What is made of ordinary words is shown; what could be a name is not."""

from __future__ import annotations

import pytest

from auditor.values.ordinary import is_code, is_harmless, shown_as, shown_columns, shown_error


@pytest.mark.parametrize(
    "text",
    ["BoneAge", "patientId", "Finding Labels", "reader_3", "T2w", "hospital 7", "3.25", "north", "SIEMENS"],
)
def test_ordinary_words_numbers_and_short_codes_are_shown(text: str) -> None:
    assert is_harmless(text)


@pytest.mark.parametrize(
    "header",
    ["xmin", "ymax", "bbox_x", "isic_id", "anatom_site_general_challenge", "age_approx", "MMSE", "CDR", "nWBV",
     "Enlarged_Cardiomediastinum", "retinopathy_grade", "risk_of_macular_edema", "EncodedPixels", "RT_PCR_positive",
     "went_icu", "subtlety", "spiculation",
     "tumor_patch_x_coord", "coordX", "seriesuid", "wsi_path"],
)  # fmt: skip
def test_headers_of_published_tables_are_shown(header: str) -> None:
    assert is_harmless(header)


@pytest.mark.parametrize(
    "text",
    ["Mikulowska", "score_mikulowska", "seen by Tanaka", "MUELLER", "Müller", "Anna", "555123456", "Kowalski1", "田中太郎",
     "the patient was seen and sent to the ward by night"],
)  # fmt: skip
def test_names_numbers_of_people_and_sentences_are_not(text: str) -> None:
    assert not is_harmless(text)


def test_an_id_with_digits_is_a_code_and_a_name_is_none() -> None:
    assert is_code("ISIC_0024310")
    assert not is_code("Tanaka")
    assert not is_code("Smith_John_01")


def test_columns_are_numbered_by_their_place_in_the_table() -> None:
    assert shown_columns(["age", "of Tanaka"], ["path", "of Tanaka", "age"]) == ["age", "column 2"]


def test_a_message_withholds_parts_of_paths_that_name_somebody_and_keeps_days() -> None:
    assert shown_error("/data/Maria Schmidt/a.csv: the table is empty") == "/data/withheld/a.csv: the table is empty"
    assert shown_error("/data/2024-01-05/a.csv: no rows") == "/data/2024-01-05/a.csv: no rows"


def test_a_withheld_header_is_found_by_the_place_that_is_shown_for_it() -> None:
    headers = ["patient", "Kowalski", "label"]
    assert shown_as("column 2", headers) == "Kowalski"
    assert [shown_as(place, headers) for place in ("column 1", "column 3", "column 4", "Kowalski", "patient")] == [None] * 5
