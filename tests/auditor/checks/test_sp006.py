import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sp006 import IdsCannotTell


@pytest.mark.parametrize(
    ("patients", "columns", "reason"),
    [
        (None, {}, "no patient ids"),
        ([None, "anonymous", "", "unknown"], {}, "no patient ids"),
        (["a", "b", "c", "d"], {}, "every image has its own patient id \\(4 ids\\)"),
        (["a", "a", "a", "a"], {}, "same patient id"),
        (None, {"lesion": ["1", "1", "2", "3"]}, "lesion ids but no patient ids"),
        (None, {"study": ["1", "1", "2", "3"], "series": ["1", "2", "3", "4"]}, "study and series ids"),
    ],
)
def test_ids_that_cannot_tell_are_never_passed(
    patients: list[str | None] | None, columns: dict[str, list[str]], reason: str
) -> None:
    with pytest.raises(SkipCheck, match=reason):
        IdsCannotTell().run(make_dataset(n=4, patients=patients, columns=columns))


def test_ids_that_can_tell_pass_with_numbers() -> None:
    verdict = IdsCannotTell().run(make_dataset(patients=["a", "a", "a", "b"]))
    assert verdict.findings == ()
    assert verdict.metrics == {
        "patients": 2,
        "patients_with_several_records": 1,
        "records_per_patient_mean": 2.0,
        "records_per_patient_max": 3,
        "known_id_fraction": 1.0,
    }
    assert "2 patients, 2.0 records each on average" in verdict.summary


def test_missing_ids_are_a_warning_that_names_the_split() -> None:
    patients = ["a"] * 10 + ["b"] * 8 + [None, None]
    verdict = IdsCannotTell().run(make_dataset(patients=patients, splits=["train"] * 16 + ["test"] * 4))
    assert [f.subject for f in verdict.findings] == ["", "test"]
    assert verdict.findings[0].evidence == {"records_without_id": 2}
    assert verdict.findings[1].message == "2 of 4 records of test have no patient id"
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (18, 20)


def test_codes_in_a_column_that_stand_in_several_splits_are_told_without_their_values() -> None:
    n = 180
    codes = [f"K-{i % 45:03d}" for i in range(n)]
    dataset = make_dataset(n=n, splits=["train", "test"] * (n // 2), metadata={"table.Bogen": codes})
    verdict = IdsCannotTell().run(dataset)
    finding = verdict.findings[0]
    assert finding.where.field == "table.Bogen"
    assert "45 of 45 codes in a column of the table stand in several splits (180 images)" in finding.message
    assert "K-0" not in finding.message + verdict.summary
    assert verdict.coverage is not None
    assert verdict.coverage.evaluated == 0


def test_codes_that_stand_in_one_split_each_are_no_finding() -> None:
    n = 180
    codes = [f"K-{i % 90:03d}" for i in range(n)]
    with pytest.raises(SkipCheck, match="no patient ids"):
        IdsCannotTell().run(make_dataset(n=n, splits=["train", "test"] * (n // 2), metadata={"table.Bogen": codes}))
