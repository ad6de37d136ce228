from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.degrade.flaws import Truth
from auditor.values.results import (
    Column,
    DatasetSummary,
    Finding,
    Gate,
    Location,
    Outcome,
    ScanResult,
    Severity,
    Table,
    Verdict,
)
from medaudit.demo import Planted, tell

TRUTH = (
    *(Truth(record=f"f{i}.png", kind="label-flip", old="a", new="b") for i in range(4)),
    *(Truth(record=f"m{i}.png", kind="patient-across-splits", old="train", new="test", detail=f"P{i}") for i in range(2)),
    Truth(record="c0.png", kind="exact-copy", old="o0.png", new="c0.png", detail="bytes"),
    Truth(record="c1.png", kind="exact-copy", old="o1.png", new="c1.png", detail="pixels"),
    Truth(record="c1.png", kind="copy-across-splits", old="o1.png", new="test"),
    Truth(record="c0.png", kind="contradicting-copy", old="a", new="b", detail="o0.png"),
    *(Truth(record="", kind="rater", new=f"reader_{i}", detail="0.9") for i in (1, 2)),
    Truth(record="", kind="poor-rater", new="reader_2", detail="0.61"),
    Truth(record="e.png", kind="unreadable", detail="empty"),
)
PLANTED = Planted(dataset=Path("dataset"), truth=Path("truth.csv"), rows=TRUTH, images=30, patients=12)


def table(name: str, **columns: Sequence[object]) -> Table:
    return Table(name=name, title=name, columns=tuple(Column(name=k, kind="text", values=list(v)) for k, v in columns.items()))


def finding(code: str, severity: Severity = Severity.ERROR, subject: str = "", **where: str) -> Finding:
    return Finding(code=code, severity=severity, message="m", where=Location(**where), subject=subject, score=0.95)


def outcome(code: str, *tables: Table, findings: Sequence[Finding] = ()) -> Outcome:
    verdict = Verdict(summary="s", findings=tuple(findings), tables=tables)
    return Outcome(code=code, name=code, title=code, status="failed" if findings else "passed", verdict=verdict)


def scores(flagged: set[str]) -> Table:
    """Record ids differ from paths here: `tell` must go through the table that holds both."""
    paths = [*(f"f{i}.png" for i in range(4)), "c0.png", *(f"n{i}.png" for i in range(25))]
    return table("label_scores", record=[f"r-{p}" for p in paths], path=paths, flagged=[p in flagged for p in paths])


def complete() -> dict[str, Outcome]:
    """A scan that found everything."""
    return {
        "LK001": outcome("LK001", findings=[finding("LK001", field="container.bit_depth")]),
        "SP001": outcome(
            "SP001",
            table("patients", patient=["1", "2"]),
            table("records", record=["r-m0.png", "r-m1.png", "r-x.png"], path=["m0.png", "m1.png", "x.png"]),
        ),
        "SP002": outcome(
            "SP002",
            table(
                "pairs", record_a=["ra", "rb"], record_b=["rc", "rd"], path_a=["o0.png", "c1.png"], path_b=["c0.png", "o1.png"],
                split_a=["train", "test"], split_b=["train", "train"],
            ),
        ),
        "SP003": outcome("SP003", table("groups", record=["ra", "rc"], path=["o0.png", "c0.png"])),
        "LN002": outcome("LN002", scores({"f0.png", "f1.png", "f2.png", "c0.png", "n3.png"})),
        "ED001": outcome("ED001", findings=[finding("ED001", subject="reader_2")]),
        "IN001": outcome("IN001", findings=[finding("IN001", path="e.png")]),
    }  # fmt: skip


def result(outcomes: dict[str, Outcome]) -> ScanResult:
    summary = DatasetSummary(name="d", layout="table", task="single", classes=("a", "b"), counts={}, guesses=())
    gate = Gate(verdict="failed", exit_code=1, fail_on="error")
    return ScanResult(
        schema_version=1, tool_version="0", dataset=summary, records=30, outcomes=tuple(outcomes.values()), gate=gate
    )


def test_all_is_found_and_said_with_figures():
    lines, found = tell(PLANTED, result(complete()))
    assert found
    assert all(line.startswith("found ") for line in lines)
    text = "\n".join(lines)
    assert "planted 2 patients in two splits; SP001 names 2 of them, and no other" in text
    assert "planted 2 exact copies, 1 of them in another split; SP002 pairs 2 of them, 1 across splits" in text
    assert "3 of the flips (recall 0.75), and 4 of the 5 are wrong indeed (precision 0.80)" in text
    assert "reader_2 is right in only 61%; ED001 names reader_2" in text
    assert "AUC 0.95" in text


@pytest.mark.parametrize("code", sorted(complete()))
def test_a_check_that_did_not_run_is_not_found_and_says_so(code):
    outcomes = complete()
    del outcomes[code]
    lines, found = tell(PLANTED, result(outcomes))
    assert not found
    assert [line for line in lines if line.startswith("NOT FOUND")] == [line for line in lines if f"{code} did not run" in line]
    assert sum(line.startswith("NOT FOUND") for line in lines) == 1


@pytest.mark.parametrize("code", sorted(complete()))
def test_a_skipped_check_gives_its_reason(code):
    outcomes = complete()
    outcomes[code] = replace(outcomes[code], status="skipped", verdict=None, reason="there is no label")
    lines, found = tell(PLANTED, result(outcomes))
    assert not found
    assert any(line.startswith("NOT FOUND") and f"{code} was skipped: there is no label" in line for line in lines)


@pytest.mark.parametrize(
    ("code", "spoiled"),
    [
        ("LK001", outcome("LK001", findings=[finding("LK001", Severity.WARNING, field="container.bit_depth")])),
        ("LK001", outcome("LK001", findings=[finding("LK001", field="path.extension")])),
        ("SP001", outcome("SP001", table("patients", patient=["1"]), table("records", record=["r"], path=["m0.png"]))),
        ("SP003", outcome("SP003", table("groups", record=["r"], path=["o1.png"]))),
        ("LN002", outcome("LN002", scores({"f0.png"}))),
        ("LN002", outcome("LN002", scores({"f0.png", "f1.png", *(f"n{i}.png" for i in range(25))}))),
        ("ED001", outcome("ED001", findings=[finding("ED001", subject="reader_1")])),
        ("ED001", outcome("ED001", findings=[finding("ED001", subject=f"reader_{i}") for i in (1, 2)])),
        ("IN001", outcome("IN001", findings=[finding("IN001", path="other.png")])),
    ],
)
def test_what_is_missed_is_not_called_found(code, spoiled):
    lines, found = tell(PLANTED, result(complete() | {code: spoiled}))
    assert not found
    assert sum(line.startswith("NOT FOUND") for line in lines) == 1


def test_pairs_and_patients_that_were_not_planted_are_counted():
    outcomes = complete()
    pairs = outcomes["SP002"].verdict.tables[0]
    more = tuple(replace(c, values=[*c.values, "z" + c.name]) for c in pairs.columns)
    outcomes["SP002"] = outcome("SP002", replace(pairs, columns=more))
    outcomes["SP001"] = outcome("SP001", table("patients", patient=["1", "2", "3"]), complete()["SP001"].verdict.tables[1])
    text = "\n".join(tell(PLANTED, result(outcomes))[0])
    assert "and 1 others" in text
    assert "names 2 of them and 1 more" in text
