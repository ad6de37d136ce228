"""Texts of a dataset are shown by their place, wherever they stand; ids, paths and classes are left alone."""

from __future__ import annotations

from dataclasses import replace

from builders import make_dataset

from auditor.evidence.privacy.places import Places, places_of
from auditor.values.privacy import TableLook
from auditor.values.results import Guess

PLACES = Places(of={"seen by tanaka": "column 6", "tanaka": "column 6", "wolkon": "site 2"}, kept=frozenset({"wolkon/a.png"}))


def test_a_text_inside_a_sentence_is_replaced_whatever_its_case() -> None:
    assert PLACES.shown("table.Seen by Tanaka tells the class") == "table.column 6 tells the class"


def test_the_longest_is_replaced_first_and_a_single_word_of_it_too() -> None:
    assert PLACES.shown("'TANAKA', 'seen by Tanaka'") == "'column 6', 'column 6'"


def test_the_word_of_a_place_is_not_said_twice() -> None:
    assert PLACES.shown("Column tanaka repeats the label; site wolkon too") == "Column 6 repeats the label; site 2 too"
    assert PLACES.shown("the columns tanaka, wolkon") == "the columns column 6, site 2"


def test_only_whole_words_are_replaced() -> None:
    assert PLACES.shown("wolkonian") == "wolkonian"


def test_a_record_id_is_shown_whole() -> None:
    assert PLACES.shown("wolkon/a.png") == "wolkon/a.png"
    assert PLACES.shown("of wolkon") == "of site 2"


def test_a_role_of_several_columns_is_shown_where_each_of_them_is() -> None:
    dataset = make_dataset(labels=["a", "b"])
    columns = ("Reader i", "Reader ii", "Seen by Tanaka")
    role = Guess(role="rater", value=", ".join(columns), column=", ".join(columns), confidence=0.9, why="w")
    dataset = replace(
        dataset,
        tables=(TableLook(name="t.csv", rows=2, headers=("image", *columns)),),
        summary=replace(dataset.summary, guesses=(role,)),
    )
    assert places_of(dataset).shown(", ".join(columns)) == "Reader i, Reader ii, column 4"
