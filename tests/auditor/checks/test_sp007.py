from dataclasses import replace

import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sp007 import PatientUnderSeveralIds
from auditor.evidence.kin.components import components
from auditor.stages.link import link
from auditor.values.results import Finding, Severity, Verdict


def loud(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.findings if f.subject in ("same picture", "same study", "similar id (candidate)")]


def test_one_picture_under_two_ids_is_found() -> None:
    dataset = link(
        make_dataset(
            patients=["a", "a", "b", "b", "c", "c"],
            same_pixels=["p0", "p1", "p2", "p0", "p4", "p4"],
            splits=["train", "train", "test", "test", "test", "test"],
        )
    )
    verdict = PatientUnderSeveralIds().run(dataset)
    (finding,) = loud(verdict)
    assert finding.severity is Severity.WARNING
    assert finding.message.startswith("1 identical images stand under different patient ids (2 ids, 2 records)")
    assert finding.message.endswith("; 1 of the groups stands in several splits")
    (table,) = verdict.tables
    columns = {c.name: list(c.values) for c in table.columns}
    assert columns["record"] == ["r0000", "r0003"]
    assert columns["patient"] == ["patient 1", "patient 2"]


def test_one_study_of_two_patients_is_found_and_one_of_ten_is_nobodys() -> None:
    two = make_dataset(patients=["a", "a", "b", "b"], columns={"study": ["1.2.3.4.5", "1.2.3.4.6", "1.2.3.4.5", "1.2.3.4.7"]})
    assert [f.subject for f in loud(PatientUnderSeveralIds().run(link(two)))] == ["same study"]
    ten = make_dataset(patients=[f"p{i // 2}" for i in range(20)], columns={"study": ["1.2.3.4.5"] * 20})
    assert PatientUnderSeveralIds().run(link(ten)).findings == ()


def test_a_near_copy_under_another_id_is_found_and_an_exact_one_is_told_once() -> None:
    patients = ["a", "a", "b", "b", "c", "c"]
    near = make_dataset(patients=patients, links=[("r0000", "r0002", "near", 0.9), ("r0001", "r0004", "bytes", 1.0)])
    assert [f.subject for f in PatientUnderSeveralIds().run(near).findings if f.evidence.get("groups")] == [
        "same picture", "near-copy",
    ]  # fmt: skip


def test_two_patients_in_one_frame_of_reference_are_a_candidate_and_ten_are_not() -> None:
    def framed(patients: list[str]) -> Verdict:
        dataset = make_dataset(patients=patients, same_pixels=[f"p{i}" for i in range(len(patients))])
        marks = dataset.fingerprints.assign(frame_of_reference=["1.2.3.4.5"] * 3 + [None] * (len(patients) - 3))
        if len(patients) > 10:
            marks["frame_of_reference"] = "1.2.3.4.5"
        return PatientUnderSeveralIds().run(link(replace(dataset, fingerprints=marks)))

    verdict = framed(["a", "a", "b", "b"])
    assert verdict.metrics["frames_of_reference"] == 1
    assert [f.severity for f in verdict.findings] == [Severity.WARNING, Severity.INFO]
    assert framed([f"p{i // 2}" for i in range(20)]).findings == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("007", "7"),
        ("ABC", "abc"),
        ("P12_L", "P12_R"),
        ("P12L", "P12"),
        ("A-12", "A12"),
        ("siteA|9", "9"),
        ("X01-right", "x1"),
        ("12.0", "12"),
        ("7.00", "007"),
    ],
)
def test_ids_that_are_nearly_alike_are_offered_and_never_merged(one: str, other: str) -> None:
    dataset = link(make_dataset(patients=[one, one, other, other, "zzz", "zzz"]))
    verdict = PatientUnderSeveralIds().run(dataset)
    (finding,) = loud(verdict)
    assert finding.subject == "similar id (candidate)"
    assert finding.evidence["ids"] == 2
    assert verdict.metrics["similar_ids"] == 1
    assert components(dataset).nunique() == 3


@pytest.mark.parametrize(
    ("one", "other"), [("17", "71"), ("100", "10"), ("anna", "annal"), ("P1", "P10"), ("floor", "floo"), ("3.0", "30")]
)
def test_ids_that_differ_are_not_offered(one: str, other: str) -> None:
    assert PatientUnderSeveralIds().run(link(make_dataset(patients=[one, one, other, other]))).findings == ()


def test_no_id_is_shown() -> None:
    dataset = link(make_dataset(patients=["CANARY_L", "CANARY_L", "CANARY_R", "b", "b"]))
    assert "CANARY" not in repr(PatientUnderSeveralIds().run(dataset))


def test_ids_per_image_are_judged_by_their_spelling_alone() -> None:
    copies = make_dataset(patients=["a", "b", "c"], same_pixels=["p", "p", "q"])
    with pytest.raises(SkipCheck, match="every image has its own"):
        PatientUnderSeveralIds().run(link(copies))
    eyes = make_dataset(patients=["1_L", "1_R", "2_L", "2_R"], same_pixels=["p", "p2", "p", "q"])
    assert [f.evidence["groups"] for f in loud(PatientUnderSeveralIds().run(link(eyes)))] == [2]


def test_without_patient_ids_it_is_not_evaluated() -> None:
    with pytest.raises(SkipCheck, match="no patient ids"):
        PatientUnderSeveralIds().run(link(make_dataset(n=5)))


def test_clean_ids_pass_with_numbers() -> None:
    verdict = PatientUnderSeveralIds().run(link(make_dataset(patients=["a", "a", "b", "b"], same_pixels=["p", "p", "q", "r"])))
    assert verdict.findings == ()
    assert verdict.summary.startswith("No two of 2 patient ids")


def test_how_many_groups_one_issuer_wrote_in_two_ways_stand_in_two_splits_is_counted() -> None:
    splits = ["train", "train", "test", "test", "train", "test"]
    dataset = link(make_dataset(patients=["007", "007", "7", "7", "abc", "ABC"], splits=splits))
    (finding,) = loud(PatientUnderSeveralIds().run(dataset))
    assert finding.evidence["spelled_across_splits"] == 2
    sites = link(make_dataset(patients=["siteA|007", "siteA|007", "siteB|7", "siteB|7", "abc", "abd"], splits=splits))
    (finding,) = loud(PatientUnderSeveralIds().run(sites))
    assert (finding.evidence["across_splits"], finding.evidence["spelled_across_splits"]) == (1, 0)
