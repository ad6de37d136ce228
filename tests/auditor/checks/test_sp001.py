import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sp001 import PatientAcrossSplits
from auditor.values.results import Finding, Severity, Table, Verdict

SPLITS = ["train", "train", "train", "test", "test", "val"]


def table(verdict: Verdict, name: str) -> Table:
    return next(t for t in verdict.tables if t.name == name)


def errors(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.findings if f.severity is Severity.ERROR]


def test_a_patient_in_train_and_test_is_one_error_for_the_pair_of_splits() -> None:
    dataset = make_dataset(patients=["ZZ1", "ZZ1", "ZZ2", "ZZ1", "ZZ3", "ZZ4"], splits=SPLITS)
    verdict = PatientAcrossSplits().run(dataset)
    (error,) = errors(verdict)
    assert error.message.startswith("1 patient stands in both train and test (2 and 1 records; 50.0% of the patients of test)")
    assert verdict.metrics["patients_shared"] == 1
    assert verdict.metrics["patients"] == 4
    assert verdict.metrics["test_patients_in_train_fraction"] == 0.5
    (row,) = [f for f in verdict.findings if f.severity is Severity.WARNING]
    assert row.message == "patient 1 stands in several splits: 2 records in train, 1 in test"
    assert row.where.record == "r0000"
    assert verdict.coverage is not None
    assert verdict.coverage.evaluated == 6


def test_every_pair_of_splits_is_told_apart() -> None:
    dataset = make_dataset(patients=["a", "b", "c", "a", "c", "a"], splits=SPLITS)
    verdict = PatientAcrossSplits().run(dataset)
    assert {f.subject for f in errors(verdict)} == {"patient: train / test", "patient: train / val", "patient: val / test"}
    patients = table(verdict, "patients")
    assert [c.name for c in patients.columns] == ["patient", "records", "records_train", "records_val", "records_test"]
    assert [list(c.values) for c in patients.columns] == [["patient 1", "patient 2"], [3, 2], [1, 1], [1, 0], [1, 1]]
    assert list(table(verdict, "records").columns[1].values) == ["r0000", "r0003", "r0005", "r0002", "r0004"]


def test_no_patient_id_is_shown() -> None:
    dataset = make_dataset(patients=["CANARY^ONE", "CANARY^ONE", "b", "CANARY^ONE", "c", "d"], splits=SPLITS)
    assert "CANARY" not in repr(PatientAcrossSplits().run(dataset))


def test_whole_patients_in_their_splits_pass_with_numbers() -> None:
    verdict = PatientAcrossSplits().run(make_dataset(patients=["a", "a", "b", "c", "c", "d"], splits=SPLITS))
    assert verdict.findings == ()
    assert verdict.metrics == {"patients": 4, "patients_shared": 0, "test_patients_in_train_fraction": 0.0}
    assert "4 patients compared" in verdict.summary


def test_007_and_7_are_two_patients() -> None:
    verdict = PatientAcrossSplits().run(make_dataset(patients=["007", "007", "7", "7"], splits=["a", "a", "b", "b"]))
    assert verdict.findings == ()


@pytest.mark.parametrize(
    ("patients", "columns", "reason"),
    [
        (None, {}, "no patient ids"),
        (["a", "b", "c", "d", "e", "f"], {}, "every image has its own patient id"),
        (["a"] * 6, {}, "same patient id"),
        (["Anonymous"] * 6, {}, "no patient ids"),
        (None, {"lesion": ["1", "1", "2", "3", "3", "4"]}, "lesion ids but no patient ids"),
        (["a", "a", "b", None, None, None], {}, "only 0% of the records of val"),
        (["a", "a", "b", None, None, "c"], {}, "only 0% of the records of test"),
    ],
)
def test_ids_that_cannot_tell_skip(patients: list[str | None] | None, columns: dict[str, list[str]], reason: str) -> None:
    dataset = make_dataset(n=6, patients=patients, splits=SPLITS, columns=columns)
    with pytest.raises(SkipCheck, match=reason):
        PatientAcrossSplits().run(dataset)


def test_without_splits_there_is_nothing_to_cross() -> None:
    with pytest.raises(SkipCheck, match="--split"):
        PatientAcrossSplits().run(make_dataset(patients=["a", "a", "b"]))


@pytest.mark.parametrize("role", ["lesion", "study", "series"])
def test_another_id_that_crosses_proves_a_shared_patient(role: str) -> None:
    dataset = make_dataset(n=6, splits=SPLITS, columns={role: ["1", "1", "2", "1", "3", "4"]})
    verdict = PatientAcrossSplits().run(dataset)
    (error,) = errors(verdict)
    assert error.subject == f"{role}: train / test"
    assert error.message.startswith(f"1 {role} stands in both train and test")
    assert "patients_shared" not in verdict.metrics


def test_the_best_of_several_ids_speaks_once() -> None:
    ids = ["1.2.3.4.1", "1.2.3.4.1", "1.2.3.4.2", "1.2.3.4.1", "1.2.3.4.3", "1.2.3.4.4"]
    dataset = make_dataset(n=6, splits=SPLITS, columns={"lesion": ids, "study": ids})
    assert [f.subject for f in errors(PatientAcrossSplits().run(dataset))] == ["lesion: train / test"]


def test_a_lesion_speaks_for_records_without_a_patient_id_only() -> None:
    dataset = make_dataset(
        patients=["a", "a", None, "b", None, "c"], splits=SPLITS, columns={"lesion": ["9", "9", "1", "9", "1", "2"]}
    )
    verdict = PatientAcrossSplits().run(dataset)
    assert [f.subject for f in errors(verdict)] == ["lesion: train / test"]
    assert verdict.metrics["lesions_shared"] == 1


def test_folds_are_judged_where_there_is_no_split() -> None:
    dataset = make_dataset(patients=["a", "a", "b"], columns={"fold": ["0", "1", "1"]})
    assert [f.subject for f in errors(PatientAcrossSplits().run(dataset))] == ["patient: 0 / 1"]


def test_past_max_findings_the_table_still_lists_all() -> None:
    patients = [f"p{i}" for i in range(30)] * 2
    dataset = make_dataset(patients=patients, splits=["train"] * 30 + ["test"] * 30)
    verdict = PatientAcrossSplits(max_findings=5).run(dataset)
    assert len(verdict.findings) == 1 + 5
    assert table(verdict, "patients").length == 30
    assert table(verdict, "records").length == 60
