import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sp005 import AcquisitionAcrossSplits
from auditor.stages.link import link
from auditor.values.dataset import Dataset
from auditor.values.results import Finding, Severity, Table, Verdict

SPLITS = ["train", "train", "train", "test", "test", "val"]
UID = "1.2.840.99.1.{}".format


def errors(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.findings if f.severity is Severity.ERROR]


def table(verdict: Verdict) -> Table:
    return next(t for t in verdict.tables if t.name == "groups")


def built(**columns: list[str | None]) -> Dataset:
    return link(make_dataset(splits=SPLITS, columns=columns))


def test_a_study_in_train_and_test_is_one_error_and_names_its_records() -> None:
    verdict = AcquisitionAcrossSplits().run(built(study=[UID(1), UID(1), UID(2), UID(1), UID(3), UID(4)]))
    (error,) = errors(verdict)
    assert error.message.startswith("1 study stands in both train and test (2 records and 1 record)")
    assert error.score == 0.5
    assert verdict.metrics == {"studies": 4, "studies_shared": 1}
    columns = {c.name: list(c.values) for c in table(verdict).columns}
    assert columns["record"] == ["r0000", "r0001", "r0003"]
    assert columns["split"] == ["train", "train", "test"]
    assert set(columns["evidence"]) == {"same study"}
    (place,) = [f for f in verdict.findings if f.severity is Severity.WARNING]
    assert place.message == "study 1 stands in several splits: 2 in train, 1 in test"


def test_a_series_speaks_only_where_the_study_is_not_known() -> None:
    series = [UID(10), UID(11), UID(12), UID(10), UID(11), UID(13)]
    study = [UID(1), None, UID(2), UID(1), None, UID(3)]
    verdict = AcquisitionAcrossSplits().run(built(series=series, study=study))
    assert [f.subject for f in errors(verdict)] == ["study: train / test", "series: train / test"]
    assert [f.evidence["shared"] for f in errors(verdict)] == [1, 1]


def test_no_identifier_is_shown() -> None:
    study = [UID(7777), UID(7777), UID(2), UID(7777), UID(3), UID(4)]
    assert "7777" not in repr(AcquisitionAcrossSplits().run(built(study=study)))


def test_whole_studies_pass_with_numbers() -> None:
    verdict = AcquisitionAcrossSplits().run(built(study=[UID(i) for i in (1, 1, 2, 3, 3, 4)]))
    assert verdict.findings == ()
    assert "4 studies compared" in verdict.summary


def test_a_study_uid_that_an_anonymisation_wrote_everywhere_identifies_nothing() -> None:
    patients = ["a", "a", "b", "b", "c", "c", "d", "d", "e", "e"]
    splits = ["train"] * 6 + ["test"] * 4
    dataset = link(make_dataset(patients=patients, splits=splits, columns={"study": [UID(1)] * 10}))
    with pytest.raises(SkipCheck, match="tells nothing"):
        AcquisitionAcrossSplits().run(dataset)


def test_one_study_uid_for_a_thousand_records_identifies_nothing() -> None:
    splits = ["train", "test"] * 500
    with pytest.raises(SkipCheck, match="tells nothing"):
        AcquisitionAcrossSplits().run(link(make_dataset(splits=splits, columns={"study": [UID(1)] * 1000})))


def test_a_series_uid_over_many_sites_or_studies_identifies_nothing() -> None:
    splits = ["train", "test"] * 5
    sites = [f"site {i // 2}" for i in range(10)]
    many = link(make_dataset(splits=splits, sites=sites, columns={"series": [UID(1)] * 10}))
    with pytest.raises(SkipCheck, match="tells nothing"):
        AcquisitionAcrossSplits().run(many)


def test_numbers_of_studies_count_within_their_patient() -> None:
    patients = ["a", "a", "a", "b", "b", "b"]
    dataset = link(make_dataset(patients=patients, splits=["train"] * 3 + ["test"] * 3, columns={"study": list("112112")}))
    assert AcquisitionAcrossSplits().run(dataset).findings == ()


def test_without_identifiers_or_splits_it_is_not_evaluated() -> None:
    with pytest.raises(SkipCheck, match="no identifiers"):
        AcquisitionAcrossSplits().run(built())
    with pytest.raises(SkipCheck, match="placeholders"):
        AcquisitionAcrossSplits().run(built(study=["unknown"] * 6))
    with pytest.raises(SkipCheck, match="--split"):
        AcquisitionAcrossSplits().run(link(make_dataset(n=4, columns={"study": [UID(1), UID(1), UID(2), UID(3)]})))
