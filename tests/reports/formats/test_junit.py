"""JUnit XML: the structure that CI servers read, counts that add up, never greener than the gate."""

import re
from dataclasses import replace

import pytest
from defusedxml import ElementTree

from auditor.values.results import Gate, Severity
from reports.format import parse_output
from reports.formats import junit

# the schema that Jenkins' xUnit plug-in publishes (junit-10.xsd): element → its attributes and its children
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "package", "id"},
    "testcase": {"name", "classname", "time", "status", "assertions"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message", "type"},
    "system-out": set(),
}
REQUIRED = {"testsuite": {"name", "tests"}, "testcase": {"name", "classname"}}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase", "system-out"},
    "testcase": {"failure", "error", "skipped", "system-out"},
}


def parsed(result):
    (content,) = junit.render(result, "junit.xml").values()
    return ElementTree.fromstring(content)


def check_structure(element) -> None:
    assert set(element.attrib) <= ATTRIBUTES[element.tag]
    assert REQUIRED.get(element.tag, set()) <= set(element.attrib)
    for key in ("tests", "failures", "errors", "skipped"):
        assert key not in element.attrib or re.fullmatch(r"\d+", element.attrib[key])
    assert "time" not in element.attrib or re.fullmatch(r"\d+\.\d{3}", element.attrib["time"])
    if "timestamp" in element.attrib:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", element.attrib["timestamp"])
    for child in element:
        assert child.tag in CHILDREN.get(element.tag, set())
        check_structure(child)


def verdicts(root) -> dict[str, str]:
    ends = ("failure", "error", "skipped")
    return {
        case.get("name").split()[0]: next((child.tag for child in case if child.tag in ends), "passed")
        for case in root.iter("testcase")
    }


@pytest.mark.parametrize("which", ["small_result", "hostile_result"])
def test_the_file_has_the_structure_of_the_schema(which, request):
    check_structure(parsed(request.getfixturevalue(which)))


def test_counts_add_up_and_every_check_is_there_once(hostile_result):
    root = parsed(hostile_result)
    for suite in root:
        cases = list(suite)
        assert int(suite.get("tests")) == len(cases)
        for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(key)) == sum(case.find(tag) is not None for case in cases)
    for key in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(key)) == sum(int(suite.get(key)) for suite in root)
    assert sorted(verdicts(root)) == sorted([*(o.code for o in hostile_result.outcomes), "verdict"])
    assert len({suite.get("name") for suite in root}) == len(root)


def test_what_was_not_evaluated_is_skipped_and_what_crashed_is_an_error(hostile_result):
    found = verdicts(parsed(hostile_result))
    for outcome in hostile_result.outcomes:
        if outcome.status in ("skipped", "crashed"):
            assert found[outcome.code] == {"skipped": "skipped", "crashed": "error"}[outcome.status]


def test_what_fails_is_what_fails_the_gate(small_result):
    outcome = small_result.outcomes[0]
    finding = replace(outcome.verdict.findings[0], severity=Severity.WARNING, waived=None)

    def end(findings, fail_on):
        changed = replace(outcome, verdict=replace(outcome.verdict, findings=findings))
        gate = replace(small_result.gate, fail_on=fail_on)
        return verdicts(parsed(replace(small_result, outcomes=(changed,), gate=gate)))[outcome.code]

    assert end((finding,), "warning") == "failure"
    assert end((finding,), "error") == "passed"
    assert end((finding,), "never") == "passed"
    assert end((replace(finding, waived="known"),), "warning") == "passed"
    assert end((replace(finding, waived="known"), finding), "info") == "failure"


def test_waived_and_milder_findings_are_told_all_the_same(small_result):
    outcome = small_result.outcomes[0]
    waived = replace(outcome.verdict.findings[0], waived="read by the board")
    changed = replace(outcome, verdict=replace(outcome.verdict, findings=(waived,)))
    root = parsed(replace(small_result, outcomes=(changed,)))
    assert "(waived: read by the board)" in root.find(".//testcase/system-out").text


@pytest.mark.parametrize(
    ("verdict", "exit_code", "end"),
    [("passed", 0, "passed"), ("failed", 1, "failure"), ("incomplete", 3, "error"), ("not enough seen", 0, "skipped"),
     ("not enough seen", 3, "error")],
)  # fmt: skip
def test_the_file_is_never_greener_than_the_gate(small_result, verdict, exit_code, end):
    gate = Gate(
        verdict=verdict, exit_code=exit_code, fail_on="never", reasons=("SP006 is required and was not evaluated: no ids",)
    )
    root = parsed(replace(small_result, gate=gate))
    assert verdicts(root)["verdict"] == end
    if end != "passed":
        assert "SP006 is required" in root.find(".//testcase[@name='verdict']/*").text


def test_many_findings_are_counted_and_hostile_names_stay_text(hostile_result):
    (content,) = junit.render(hostile_result, "j.xml").values()
    text = content.decode("utf-8")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202e]", text)
    assert "<script>" not in text
    assert "and 55 more: see result.json" in text
    odd = replace(hostile_result.outcomes[-1], status="skipped", reason="a\ufffe\x00\ud800b")
    check_structure(parsed(replace(hostile_result, outcomes=(odd,))))


def test_the_suffix_names_the_format():
    assert parse_output("reports/junit.xml")[0] == "junit"
