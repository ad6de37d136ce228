"""From findings to strategies: DESIGN's table, and no change where nothing was found."""

from dataclasses import replace

import numpy as np
import pytest

from auditor.values.remedies import MASK_PLACE, encoding
from auditor.values.results import DatasetSummary, Finding, Gate, Location, Outcome, ScanResult, Severity, Verdict
from trainers.choose import answers, recommended
from trainers.values.trust import Trust


def scanned(*findings: Finding, noise: float = 0.2) -> ScanResult:
    by_code: dict[str, list[Finding]] = {"LN001": []}
    for finding in findings:
        by_code.setdefault(finding.code, []).append(finding)
    outcomes = [
        Outcome(
            code=code, name=code, title=code, status="failed",
            verdict=Verdict(summary="", findings=tuple(found), metrics={"label_noise_fraction": noise}),
        )
        for code, found in by_code.items()
    ]  # fmt: skip
    return ScanResult(
        schema_version=1, tool_version="", records=1, outcomes=tuple(outcomes),
        dataset=DatasetSummary(name="", layout="", task="single", classes=(), counts={}, guesses=()),
        gate=Gate(verdict="failed", exit_code=1, fail_on="error"),
    )  # fmt: skip


def found(code: str, severity: str = "warning", field: str | None = None, waived: str | None = None) -> Finding:
    return Finding(code=code, severity=Severity(severity), message="", where=Location(field=field), waived=waived)


def trust(*, self_graded: bool) -> Trust:
    none = np.zeros(1, dtype=bool)
    return Trust(trusted=none, validation=none, evaluation=none, training=none, origin="", self_graded=self_graded)


def names(*findings: Finding, self_graded: bool = True, unlabelled: bool = False, noise: float = 0.2) -> list[str]:
    picks = recommended(scanned(*findings, noise=noise), trust(self_graded=self_graded), unlabelled=unlabelled)
    return [pick.strategy for pick in picks]


@pytest.mark.parametrize(
    ("finding", "strategy"),
    [
        (found("SP001", "error"), "resplit"),
        (found("SP004", "error"), "resplit"),
        (found("SP005", "error"), "resplit"),
        (found("SP002", "warning"), "deduplicate"),
        (found("SP004", "warning"), "deduplicate"),
        (found("LK001", "error", "container.bit_depth"), "harmonise"),
        (found("LK001", "warning", "container.bit_depth"), "harmonise"),
        (found("LK001", "warning", "container.width"), "harmonise"),
        (found("LK003", "warning", "dicom.StudyDescription"), "harmonise"),
        (found("PH001", "error"), "deidentify"),
        (found("ED001"), "consensus"),
        (found("ED006", "error"), "consensus"),
        (found("LN005"), "weak"),
        (found("SZ001", "info"), "augment"),
    ],
)
def test_a_finding_calls_for_its_strategy(finding, strategy):
    assert names(finding) == [strategy]


def test_masks_in_the_wrong_place_call_for_no_training_on_masks_that_miss_objects():
    assert names(replace(found("LN005"), subject=MASK_PLACE)) == []
    assert names(replace(found("LN005"), subject=MASK_PLACE), found("LN005")) == ["weak"]


def test_nothing_found_nothing_recommended():
    assert names() == []
    assert names(found("LN004", "info"), found("ED005", "info"), found("LK007")) == []


def test_a_leak_named_for_the_suffix_is_one_of_encoding_where_the_files_part_the_classes_in_the_same_way():
    suffix = Finding(code="LK001", severity=Severity.WARNING, message="x", where=Location(field="path.extension"))
    assert not encoding(suffix)
    assert encoding(replace(suffix, evidence={"alike": "container.jpeg_quality, path.depth"}))


def test_a_leak_through_the_view_is_not_one_of_encoding():
    assert names(found("LK001", "warning", "dicom.ViewPosition")) == []


def test_a_field_that_may_follow_the_picture_is_no_reason_to_rewrite_files():
    assert names(found("LK001", "warning", "container.bytes_per_pixel")) == []


def test_waived_findings_call_for_nothing():
    assert names(found("SP001", "error", waived="known")) == []


def test_label_noise_without_trusted_records_is_trained_around():
    assert names(found("LN001"), found("LN002")) == ["robust", "confident"]


def test_with_trusted_records_the_noise_decides_who_goes_first():
    few, many = (names(found("LN001"), self_graded=False, noise=n) for n in (0.2, 0.4))
    assert few == ["robust", "teacher", "confident"]
    assert many == ["teacher", "robust", "confident"]
    assert names(found("LN001"), self_graded=False, unlabelled=True)[0] == "teacher"


def test_a_chain_is_in_the_order_of_application_and_says_why():
    picks = recommended(
        scanned(found("LN001"), found("SP002", "warning"), found("SP001", "error"), found("PH001", "error")),
        trust(self_graded=True), unlabelled=False,
    )  # fmt: skip
    assert [p.strategy for p in picks] == ["deidentify", "resplit", "deduplicate", "robust", "confident"]
    assert all(p.why[:2] in ("PH", "SP", "LN") for p in picks)


def test_where_nothing_can_be_evaluated_no_network_is_recommended():
    picks = recommended(scanned(found("LN001"), found("SP001", "error")), None, unlabelled=False)
    assert [p.strategy for p in picks] == ["resplit"]


def test_names_that_repeat_the_class_are_no_reason_to_write_all_files_anew():
    assert names(found("LK001", "error", "path.token_1")) == []
    assert names(found("LK003", "warning", "file name"), found("LK003", "warning", "folder 1")) == []


def test_labels_that_the_audit_cannot_judge_are_judged_by_records_that_were_named():
    untold = scanned(found("LN001", "info"))
    vouched = replace(trust(self_graded=False), named=np.ones(1, dtype=bool))
    assert [p.strategy for p in recommended(untold, vouched, unlabelled=False)] == ["robust", "teacher", "confident"]
    assert recommended(untold, trust(self_graded=False), unlabelled=False) == ()
    assert recommended(scanned(), vouched, unlabelled=False) == ()


def test_every_finding_is_answered_or_left_with_a_reason():
    result = scanned(
        found("SP001", "error"), found("LK001", "error", "path.token_1"), found("LK001", "warning", "dicom.KVP"),
        found("IQ001"), found("SP002", "error", waived="known"), found("LN002"),
    )  # fmt: skip
    picks = recommended(result, None, unlabelled=False)
    table = answers(result, picks, believed=False)
    values = {column.name: column.values for column in table.columns}
    rows = {(code, field): (chosen, why) for code, field, chosen, why in
            zip(values["check"], values["field"], values["chosen"], values["why"], strict=True)}  # fmt: skip
    assert rows["SP001", ""] == ("resplit", "")
    assert rows["SP002", ""] == ("left", "it is waived")
    assert "no picture changes" in rows["LK001", "path.token_1"][1]
    assert "how it was taken" in rows["LK001", "dicom.KVP"][1]
    assert "needs a person" in rows["IQ001", ""][1]
    assert "--trusted" in rows["LN002", ""][1]
    assert all(chosen != "left" or why for chosen, why in rows.values())
    assert all(values["mends"])


def test_a_size_of_files_goes_with_what_calls_for_writing_them_alike():
    size = found("LK001", "warning", "container.file_size")
    alone, together = scanned(size), scanned(size, found("LK001", "error", "container.bit_depth"))
    for result, chosen in ((alone, ["left"]), (together, ["harmonise", "harmonise"])):
        table = answers(result, recommended(result, None, unlabelled=False), believed=False)
        assert next(c for c in table.columns if c.name == "chosen").values == chosen
