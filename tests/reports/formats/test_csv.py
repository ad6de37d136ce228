"""The findings as CSV."""

import csv
import io
from dataclasses import replace

import pytest

from auditor.values.cells import HIDDEN, visible
from auditor.values.results import Finding, Location, Outcome, Severity, Verdict
from reports.formats.csv import COLUMNS, render


def rows(result):
    return list(csv.DictReader(io.StringIO(render(result, "f.csv")["f.csv"].decode("utf-8"), newline="")))


def test_every_finding_is_a_row_most_severe_first(hostile_result):
    told, *found = rows(hostile_result)
    assert (told["code"], told["name"]) == ("GATE", "incomplete")
    assert list(found[0]) == list(COLUMNS)
    assert [r["fingerprint"] for r in found] == [f.fingerprint for f in hostile_result.findings]
    assert found[0]["severity"] == "error"
    assert {r["name"] for r in found if r["code"] == "LN002"} == {"label-noise-records"}
    assert [r["waived"] for r in found if r["waived"]] == ["reviewed by the reading room, 2026-11-02"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "\u3000＋1"])
def test_no_text_is_a_formula(small_result, text):
    finding = Finding(
        code="IN001",
        severity=Severity.ERROR,
        message=text,
        where=Location(path=text, field=text, record=text, line=3),
        subject=text,
        score=-0.5,
        waived=text,
    )
    outcome = Outcome(code="IN001", name="n", title="t", status="failed", verdict=Verdict(summary="", findings=(finding,)))
    (row,) = rows(replace(small_result, outcomes=(outcome,)))
    for key in ("path", "field", "record", "subject", "waived", "message"):
        assert row[key] == f"'{visible(text)}"
    assert (row["line"], row["score"]) == ("3", "-0.5")


def test_names_with_newlines_quotes_and_foreign_bytes_stay_in_their_cell(hostile_result, hostile_names):
    paths = [row["path"] for row in rows(hostile_result) if row["code"] == "IN001"]
    assert len(paths) == len(hostile_names)
    assert "two\\nlines.png" in paths
    assert not any(HIDDEN.search(value) for row in rows(hostile_result) for value in row.values())
    assert "caf\\udce9.png" in paths
    assert "'=cmd|' /C calc'!A0" in paths
