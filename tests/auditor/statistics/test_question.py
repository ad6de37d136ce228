from builders import make_dataset

from auditor.statistics.question import ask


def test_how_the_label_was_made_is_not_asked_for_the_label() -> None:
    dataset = make_dataset(
        labels=["a", "b"] * 20,
        metadata={
            "table.dx_type": ["histology", "follow-up"] * 20,
            "table.age": [40.0, 50.0] * 20,
            "table.label": ["a", "b"] * 20,
        },
    )
    question = ask(dataset, wanted=lambda _: True, cases=5, holders=3)
    assert [field.name for field in question.fields] == ["table.age"]


def test_the_length_of_names_is_not_asked_where_they_hold_the_label() -> None:
    metadata = {"path.name_length": [8.0, 6.0] * 20, "table.age": [40.0, 50.0] * 20}
    for origin, asked in (("file name", ["table.age"]), ("label", ["path.name_length", "table.age"])):
        dataset = make_dataset(labels=["a", "b"] * 20, metadata=metadata, origin=origin)
        question = ask(dataset, wanted=lambda _: True, cases=5, holders=3)
        assert [field.name for field in question.fields] == asked
