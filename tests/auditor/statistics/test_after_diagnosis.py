import pytest

from auditor.statistics.after_diagnosis import says_after, says_how


@pytest.mark.parametrize(
    "name", ["table.treatment", "table.survival_days", "table.Biopsy Result", "table.tnmStage", "table.report"]
)
def test_columns_that_follow_a_diagnosis_are_known_by_name(name: str) -> None:
    assert says_after(name)
    assert not says_how(name)


@pytest.mark.parametrize(
    "name", ["table.dx_type", "table.diagnosis_confirm_type", "table.label_source", "table.reference standard"]
)
def test_columns_that_say_how_the_label_was_made_are_strata(name: str) -> None:
    assert says_how(name)
    assert not says_after(name)


@pytest.mark.parametrize("name", ["table.age", "table.View Position", "table.diagnosis", "table.source", "table.type"])
def test_other_columns_are_neither(name: str) -> None:
    assert not says_after(name)
    assert not says_how(name)
