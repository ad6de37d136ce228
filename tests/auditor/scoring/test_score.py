"""A scan against the truth: what was found, what was flagged beside it, and what nobody looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy.stats import binomtest

from auditor.degrade.flaws import Truth
from auditor.scoring.questions import QUESTIONS
from auditor.scoring.score import Score, as_json, as_text, score_result
from auditor.values.errors import ConfigError
from auditor.values.results import (
    SCHEMA_VERSION,
    Column,
    Coverage,
    DatasetSummary,
    Finding,
    Gate,
    Location,
    Outcome,
    Run,
    ScanResult,
    Severity,
    Table,
    Verdict,
)


def outcome(code: str, *, tables: dict[str, dict[str, list]] | None = None, unit: str = "records", evaluated: int = 100,
            findings: tuple[Finding, ...] = (), metrics: dict | None = None) -> Outcome:  # fmt: skip
    made = tuple(
        Table(name=name, title=name, columns=tuple(Column(name=n, kind="text", values=v) for n, v in columns.items()))
        for name, columns in (tables or {}).items()
    )
    verdict = Verdict(summary="", tables=made, findings=findings, metrics=metrics or {},
                      coverage=Coverage(evaluated=evaluated, total=100, unit=unit))  # fmt: skip
    return Outcome(code=code, name=code, title=code, status="failed", verdict=verdict)


def result(*outcomes: Outcome, records: int = 100) -> ScanResult:
    return ScanResult(
        schema_version=SCHEMA_VERSION, tool_version="", records=records, outcomes=outcomes,
        dataset=DatasetSummary(name="d", layout="folders", task="single", classes=(), counts={}, guesses=()),
        gate=Gate(verdict="passed", exit_code=0, fail_on="error"), documentation={}, configuration={},
        thumbnails={}, run=Run(started="", seconds=0, host="", stages={}),
    )  # fmt: skip


def flips(*records: str) -> list[Truth]:
    return [Truth(record=r, kind="label-flip", old="a", new="b") for r in records]


def labels(flagged: set[int]) -> Outcome:
    rows = {"record": [f"r{i}" for i in range(100)], "flagged": [i in flagged for i in range(100)]}
    return outcome("LN002", tables={"label_scores": rows})


def only(scan: ScanResult, truth: list[Truth]) -> Score:
    (row,) = score_result(scan, truth).rows
    return row


def test_recall_and_false_alarms_of_labels_with_their_intervals() -> None:
    row = only(result(labels({0, 1, 2, 50})), flips("r0", "r1", "r2", "r3", "r4"))
    assert (row.recall.hits, row.recall.total, row.alarms.hits, row.alarms.total) == (3, 5, 1, 95)
    oracle = binomtest(3, 5).proportion_ci(0.95, method="wilson")
    assert (row.recall.low, row.recall.high) == pytest.approx((oracle.low, oracle.high), abs=1e-4)
    assert row.recall.value == 0.6


def test_a_check_that_did_not_look_has_no_recall() -> None:
    left = Outcome(code="LN002", name="", title="", status="skipped", reason="no pixels")
    for scan, reason in ((result(left), "no pixels"), (result(), "did not ask")):
        scores = score_result(scan, flips("r0", "r1"))
        assert scores.rows[0].recall is None
        assert reason in scores.rows[0].reason
        assert scores.rows[0].planted == 2
        assert "not evaluated" in "\n".join(as_text(scores))
        assert as_json(scores)["rows"][0]["recall"] is None


@pytest.mark.parametrize("code", ["SP002", "SP004"])
def test_copies_are_found_with_their_originals_alone(code: str) -> None:
    kind = "near-copy" if code == "SP004" else "exact-copy"
    truth = [Truth(record=f"c{i}", kind=kind, old=f"r{i}", new=f"c{i}") for i in range(4)]
    pairs = {"record_a": ["r0", "c1", "r2", "x"], "record_b": ["c0", "r1", "r3", "y"]}
    row = only(result(outcome(code, tables={"pairs": pairs})), truth)
    assert (row.recall.hits, row.recall.total) == (2, 4)
    assert (row.alarms.hits, row.alarms.total) == (2, 92)


def test_patients_are_counted_and_their_other_records_are_no_alarm() -> None:
    rows = {"patient": ["A", "A", "B", "C"], "record": ["r0", "r1", "r5", "r9"]}
    scan = result(outcome("SP001", tables={"records": rows}, metrics={"patients": 40}))
    truth = [Truth(record=r, kind="patient-across-splits", old="train", new="test") for r in ("r0", "r5", "r7")]
    row = only(scan, truth)
    assert (row.recall.hits, row.recall.total, row.alarms.hits, row.alarms.total) == (2, 3, 1, 37)


def test_a_missing_object_is_found_where_a_listed_one_lies_in_its_box() -> None:
    truth = [
        Truth(record="r0", kind="missing-object", old="10 20 30 40"),
        Truth(record="r0", kind="missing-object", old="50 50 60 60"),
        Truth(record="r1", kind="missing-object", old="0 0 5 5"),
    ]
    listed = {"record": ["r0", "r0", "r2"], "row": [30.0, 90.0, 2.0], "column": [20.0, 90.0, 2.0]}
    scan = result(outcome("LN005", tables={"missing_objects": listed}, metrics={"scored_masks": 9}, unit="masks"))
    objects = score_result(scan, truth).rows[0]
    assert (objects.recall.hits, objects.recall.total, objects.alarms.hits, objects.alarms.total) == (1, 3, 2, 3)
    blind = score_result(result(outcome("LN005", unit="masks")), truth).rows[0]
    assert blind.recall is None
    assert "--predictions" in blind.reason


def test_a_reader_is_found_where_a_finding_names_it() -> None:
    finding = Finding(code="ED001", severity=Severity.WARNING, message="", evidence={"rater": "b"})
    scan = result(outcome("ED001", findings=(finding,), tables={"raters": {"rater": ["a", "b", "c"]}}))
    scored = score_result(scan, [Truth(record="", kind="poor-rater", new="b")])
    row = next(r for r in scored.rows if r.code == "ED001")
    assert (row.recall.hits, row.alarms.hits, row.alarms.total) == (1, 0, 2)


def test_a_depth_is_found_by_its_own_field_above_info() -> None:
    where = Location(field="container.bit_depth")
    for severity, field, hits in (
        (Severity.ERROR, where, 1),
        (Severity.INFO, where, 0),
        (Severity.ERROR, Location(field="container.width"), 0),
    ):
        found = Finding(code="LK001", severity=severity, message="", where=field)
        row = only(result(outcome("LK001", findings=(found,))), [Truth(record="r1", kind="bit-depth", new="8")])
        assert (row.recall.hits, row.recall.total, row.alarms) == (hits, 1, None)


def test_the_truth_of_another_copy_is_refused() -> None:
    size = Truth(record="", kind="dataset", new="99")
    with pytest.raises(ConfigError, match="of this copy"):
        score_result(result(labels(set())), [*flips("r0"), size])
    with pytest.raises(ConfigError, match="none of the records"):
        score_result(result(labels(set())), flips("z0"))
    with pytest.raises(ConfigError, match="nothing that was planted"):
        score_result(result(labels(set())), [replace(size, new="100")])


def test_what_no_check_answers_for_is_told() -> None:
    scores = score_result(result(labels({0})), [*flips("r0"), Truth(record="r1", kind="point-moved")])
    assert scores.unasked == {"point-moved": 1}
    assert "point-moved: 1 planted, which no check answers for" in as_text(scores)


def test_every_question_is_asked_of_a_check_that_is_there() -> None:
    from auditor.check import check_classes

    assert {question.code for question in QUESTIONS} <= {kind.code for kind in check_classes()}


@pytest.mark.parametrize(
    "row",
    [
        Truth(record="r1", kind="missing-object", old="a b c d"),
        Truth(record="r1", kind="missing-box", old="1 2 3"),
        Truth(record="r1", kind="missing-box", old="1 2 3 inf"),
        Truth(record="", kind="severity", new="much"),
        Truth(record="", kind="severity", new="nan"),
    ],
)
def test_a_truth_with_words_for_numbers_is_refused_in_one_line(row: Truth) -> None:
    with pytest.raises(ConfigError, match="the truth"):
        score_result(result(labels({1})), [*flips("r1"), row])


def test_what_a_truth_calls_a_kind_runs_nothing_in_the_terminal() -> None:
    told = as_text(score_result(result(labels({1})), [*flips("r1"), Truth(record="r1", kind="\x1b[2Jkind")]))
    assert not any("\x1b" in line for line in told)


def test_a_kind_that_is_called_like_a_person_is_shown_by_its_place() -> None:
    scores = score_result(result(labels({1})), [*flips("r1"), Truth(record="r1", kind="Wojciechowska_Agnieszka")])
    assert scores.unasked == {"kind 1": 1}
