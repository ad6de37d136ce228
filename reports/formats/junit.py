"""JUnit XML, as CI servers read it: a suite per family, a case per check, and the gate as a suite of its own.

What fails is what fails the gate: an unwaived finding at or above `fail-on`. A check that crashed is an error, one that was not
evaluated is skipped with its reason, never passed. The case of the gate is an error wherever the audit gives no verdict on the
whole (a required check that was skipped, for example), so that a server is never greener than the exit code.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping

from auditor.values.cells import visible
from auditor.values.results import Finding, Outcome, ScanResult
from reports.headline import asked
from reports.machine import fails
from reports.wording import FAMILIES, SEVERITY, VERDICT, place

SUFFIXES: tuple[str, ...] = (".xml",)
LINES = 100
"""Findings that one case lists; the rest is counted."""
_UNFIT = re.compile("[\ufffe\uffff]")


def render(result: ScanResult, name: str) -> Mapping[str, bytes]:
    """The result as JUnit XML; no side file."""
    families: dict[str, list[ET.Element]] = {}
    for outcome in result.outcomes:
        families.setdefault(outcome.code[:2], []).append(_case(outcome, result.gate.fail_on))
    suites = [_suite(FAMILIES.get(family, family), cases, result) for family, cases in families.items()]
    suites.append(_suite("Gate", [_gate_case(result)], result))
    root = ET.Element("testsuites", {"name": _fit(f"medaudit {result.dataset.name}"), **_counts(suites)})
    root.extend(suites)
    ET.indent(root)
    return {name: ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"}


def _suite(title: str, cases: list[ET.Element], result: ScanResult) -> ET.Element:
    kinds = [{child.tag for child in case} for case in cases]
    counts = {plural: str(sum(tag in tags for tags in kinds)) for plural, tag in _COUNTED.items()}
    seconds = sum(float(case.get("time", "0")) for case in cases)
    attributes = {"name": title, "tests": str(len(cases)), **counts, "time": f"{seconds:.3f}"}
    if result.run.started:
        attributes["timestamp"] = result.run.started[:19]
    suite = ET.Element("testsuite", attributes)
    suite.extend(cases)
    return suite


_COUNTED: Mapping[str, str] = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def _counts(suites: Iterable[ET.Element]) -> dict[str, str]:
    """What the suites add up to."""
    suites = list(suites)
    totals = {key: str(sum(int(suite.get(key, "0")) for suite in suites)) for key in ("tests", *_COUNTED)}
    return {**totals, "time": f"{sum(float(suite.get('time', '0')) for suite in suites):.3f}"}


def _case(outcome: Outcome, fail_on: str) -> ET.Element:
    """One check."""
    case = ET.Element(
        "testcase",
        {
            "name": _fit(f"{outcome.code} {outcome.name}"),
            "classname": _fit(f"medaudit.{outcome.code[:2]}"),
            "time": f"{outcome.seconds:.3f}",
        },
    )
    findings = outcome.verdict.findings if outcome.verdict is not None else ()
    failing = [f for f in findings if fails(f, fail_on)]
    if outcome.status == "crashed":
        ET.SubElement(case, "error", {"message": _fit(outcome.reason), "type": "crashed"})
    elif outcome.status == "skipped":
        ET.SubElement(case, "skipped", {"message": _fit(outcome.reason)})
    elif failing:
        worst = max(failing, key=lambda f: f.severity.rank)
        summary = outcome.verdict.summary if outcome.verdict is not None else ""
        body = ET.SubElement(case, "failure", {"message": _fit(summary), "type": SEVERITY[worst.severity]})
        body.text = _listed(failing)
    others = [f for f in findings if f not in failing]
    if others:
        ET.SubElement(case, "system-out").text = _listed(others)
    return case


def _gate_case(result: ScanResult) -> ET.Element:
    gate = result.gate
    case = ET.Element("testcase", {"name": "verdict", "classname": "medaudit.gate", "time": "0.000"})
    if gate.verdict != "passed":
        # what exits 0 must not fail a server's build, and must not be counted among the passed either
        tag = "failure" if gate.verdict == "failed" else "error" if gate.exit_code else "skipped"
        told = ET.SubElement(case, tag, {"message": VERDICT[gate.verdict], "type": gate.verdict})
        told.text = "\n".join(map(_fit, gate.reasons))
    notes = [note for note in (asked(gate), *(f"not honoured: {setting}" for setting in gate.set_aside)) if note]
    if notes:
        ET.SubElement(case, "system-out").text = "\n".join(map(_fit, notes))
    return case


def _listed(findings: list[Finding]) -> str:
    lines = [_line(finding) for finding in findings[:LINES]]
    left = len(findings) - len(lines)
    return "\n".join([*lines, *([f"and {left:,} more: see result.json"] if left else [])])


def _line(finding: Finding) -> str:
    waived = f" (waived: {finding.waived})" if finding.waived is not None else ""
    where = place(finding.where)
    return _fit(f"{SEVERITY[finding.severity]}: {f'{where}: ' if where else ''}{finding.message}{waived}")


def _fit(text: str) -> str:
    """The text with nothing that XML 1.0 forbids, and nothing that hides."""
    return _UNFIT.sub("\ufffd", visible(text))
