"""SARIF: valid against the official schema, a result per finding, never greener than the gate.

`sarif-2.1.0.json` is the schema that OASIS published, as the package @microsoft/sarif-multitool (MIT) holds it.
"""

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import pytest

from auditor.values.results import Finding, Gate, Location, Severity
from reports.format import parse_output
from reports.formats import sarif

SCHEMA = json.loads((Path(__file__).parent / "sarif-2.1.0.json").read_text())


def run_of(result):
    (content,) = sarif.render(result, "r.sarif").values()
    return json.loads(content)["runs"][0]


def with_findings(result, findings):
    first = result.outcomes[0]
    return replace(result, outcomes=(replace(first, verdict=replace(first.verdict, findings=tuple(findings))),))


@pytest.mark.parametrize("which", ["small_result", "hostile_result"])
@pytest.mark.parametrize("verdict", ["failed", "incomplete", "not enough seen"])
def test_the_official_schema_accepts_it(which, verdict, request):
    result = request.getfixturevalue(which)
    result = replace(result, gate=replace(result.gate, verdict=verdict))
    (content,) = sarif.render(result, "r.sarif").values()
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(json.loads(content))) == []


def test_the_schema_would_see_a_wrong_file(small_result):
    document = json.loads(sarif.render(small_result, "r.sarif")["r.sarif"])
    document["runs"][0]["results"][0]["level"] = "info"
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(document))


def test_every_finding_is_a_result_with_its_fingerprint_and_rule(hostile_result):
    run = run_of(hostile_result)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert {r["partialFingerprints"]["medaudit/v1"] for r in run["results"]} >= {f.fingerprint for f in hostile_result.findings}
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"])
    assert all(r["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1 for r in run["results"])


def test_a_waiver_is_a_suppression_and_a_level_is_sarifs(small_result):
    finding = replace(small_result.findings[0], severity=Severity.INFO, waived="read by the board")
    (told,) = run_of(with_findings(small_result, [finding]))["results"]
    assert told["level"] == "note"
    assert told["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "read by the board"}]


@pytest.mark.parametrize("path", ["a b/é#?.png", "caf\udce9.png", "/etc/passwd", "c:\\x\\y.png", "a%20b.png"])
def test_a_path_is_a_relative_uri(small_result, path):
    finding = Finding(code="LK001", severity=Severity.ERROR, message="m", where=Location(path=path, line=0))
    (told,) = run_of(with_findings(small_result, [finding]))["results"]
    place = told["locations"][0]["physicalLocation"]
    assert not place["artifactLocation"]["uri"].startswith("/")
    assert re.fullmatch(r"[A-Za-z0-9/._~%-]+", place["artifactLocation"]["uri"])
    assert place["region"]["startLine"] == 1
    plain = path.replace("\\", "/").lstrip("/")
    assert unquote(place["artifactLocation"]["uri"], errors="surrogateescape") == plain


@pytest.mark.parametrize(("code", "level"), [(0, "warning"), (3, "error")])
def test_no_verdict_is_a_result_of_its_own(small_result, code, level):
    quiet = replace(with_findings(small_result, []), gate=Gate(verdict="not enough seen", exit_code=code, fail_on="error"))
    (told,) = run_of(quiet)["results"]
    assert (told["ruleId"], told["level"]) == (sarif.GATE, level)
    assert "NOT ENOUGH SEEN" in told["message"]["text"]
    passed = replace(quiet, gate=Gate(verdict="passed", exit_code=0, fail_on="error"))
    assert run_of(passed)["results"] == []


def test_what_was_not_asked_is_a_notification(hostile_result):
    (invocation,) = run_of(hostile_result)["invocations"]
    told = {note["associatedRule"]["id"] for note in invocation["toolExecutionNotifications"] if "associatedRule" in note}
    assert told == {o.code for o in hostile_result.outcomes if o.status in ("skipped", "crashed")}


def test_more_than_servers_take_is_cut_the_gravest_first_and_counted(small_result, monkeypatch):
    monkeypatch.setattr(sarif, "MOST", 3)
    base = small_result.findings[0]
    findings = [replace(base, severity=Severity.INFO, subject=str(n)) for n in range(4)]
    run = run_of(with_findings(small_result, [*findings, replace(base, severity=Severity.ERROR, subject="e")]))
    assert [r["level"] for r in run["results"]] == ["error", "note", "note"]
    assert any("2 further findings" in n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"])


def test_the_suffix_names_the_format():
    assert parse_output("audit.sarif")[0] == "sarif"
