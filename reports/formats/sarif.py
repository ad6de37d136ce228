"""SARIF 2.1.0, as code scanning reads it (OASIS, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).

A rule per check with its documentation as help, a result per finding with our fingerprint; a waiver is a suppression. What was
not evaluated or crashed is a notification of the invocation, never an empty list alone: where the scan gave no verdict on the
whole, a result of the rule `GATE` says so, because servers show nothing else. GitHub accepts 25,000 results of a run and wants
a place of each: findings of the whole dataset point at its folder. At most `MOST` are written, the gravest first; a
notification counts the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from auditor.values.cells import visible
from auditor.values.results import Finding, Outcome, ScanResult, Severity
from reports.cell import plain, plain_mapping
from reports.headline import why
from reports.machine import GATE, ranked, unjudged
from reports.wording import FAMILIES, VERDICT, counted, place

SUFFIXES: tuple[str, ...] = (".sarif",)
MOST = 25_000
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://pypi.org/project/medaudit/"
BASE = "DATASET"
"""What the places are relative to: the folder of the dataset, wherever it lies."""
_LEVEL: Mapping[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(result: ScanResult, name: str) -> Mapping[str, bytes]:
    """The result as SARIF; no side file."""
    findings = ranked(result)
    rules = [*_rules(result.outcomes, result.documentation), *_gate_rule(result)]
    places = {rule["id"]: number for number, rule in enumerate(rules)}
    told = [_gate_result(result)] if unjudged(result) else []
    told += [_result(finding, result.dataset.name) for finding in findings[: MOST - len(told)]]
    for item in told:
        item["ruleIndex"] = places[item["ruleId"]]
    run = {
        "tool": {"driver": {
            "name": "medaudit", "version": _text(result.tool_version) or "0", "informationUri": HOME, "rules": rules,
        }},
        "automationDetails": {"id": f"medaudit/{_text(result.dataset.name)}/"},
        "originalUriBaseIds": {BASE: {"description": {"text": "The folder of the dataset."}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(result, len(findings) + bool(unjudged(result)) - len(told))],
        "results": told,
        "properties": {"verdict": result.gate.verdict, "records": result.records, "layout": _text(result.dataset.layout)},
    }  # fmt: skip
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return {name: (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()}


def _rules(outcomes: Sequence[Outcome], documentation: Mapping[str, str]) -> list[dict[str, Any]]:
    rules = []
    for outcome in outcomes:
        text = _text(documentation.get(outcome.code, "") or outcome.title, lines=True)
        help_ = "\n".join(text.splitlines()[1:]).strip() or text
        rules.append({
            "id": _text(outcome.code),
            "name": _text(outcome.name),
            "shortDescription": {"text": _text(outcome.title).rstrip(".") + "."},
            "fullDescription": {"text": _first(help_) or _text(outcome.title)},
            "help": {"text": help_, "markdown": help_},
            "properties": {"tags": [FAMILIES.get(outcome.code[:2], outcome.code[:2])]},
        })  # fmt: skip
    return rules


def _first(text: str) -> str:
    """The first paragraph that is no heading."""
    blocks = (block.strip() for block in text.split("\n\n"))
    return next((" ".join(block.split()) for block in blocks if block and not block.startswith("#")), "")


def _gate_rule(result: ScanResult) -> list[dict[str, Any]]:
    if not unjudged(result):
        return []
    text = "The audit gives no verdict on the whole: nothing here counts as passed."
    return [{"id": GATE, "name": "gate", "shortDescription": {"text": text}, "fullDescription": {"text": text},
             "help": {"text": text, "markdown": text}}]  # fmt: skip


def _gate_result(result: ScanResult) -> dict[str, Any]:
    severity = unjudged(result) or Severity.WARNING
    words = f"{VERDICT[result.gate.verdict]}: {_text(why(result))}"
    return {
        "ruleId": GATE, "level": _LEVEL[severity], "message": {"text": words}, "locations": [_location(result.dataset.name)],
        "partialFingerprints": {"medaudit/v1": GATE},
    }  # fmt: skip


def _result(finding: Finding, dataset: str) -> dict[str, Any]:
    where = finding.where
    item: dict[str, Any] = {
        "ruleId": _text(finding.code),
        "level": _LEVEL[finding.severity],
        "message": {"text": _text(finding.message)},
        "locations": [_location(where.path or dataset, where.line)],
        "partialFingerprints": {"medaudit/v1": finding.fingerprint},
    }
    if described := place(where):
        item["locations"][0]["message"] = {"text": described}
    if finding.waived is not None:
        item["suppressions"] = [{"kind": "external", "status": "accepted", "justification": _text(finding.waived)}]
    properties = {_text(key): _plain(value) for key, value in plain_mapping(finding.evidence).items()}
    if finding.score is not None:
        properties["score"] = plain(finding.score)
    if properties:
        item["properties"] = properties
    return item


def _location(path: str, line: int | None = None) -> dict[str, Any]:
    """A place relative to the dataset. A row of a table is a line of it; every other finding stands at line 1, because
    servers show none without a line."""
    uri = quote(path.replace("\\", "/").lstrip("/").encode("utf-8", "surrogateescape"), safe="/") or "."
    region = {"startLine": max(1, line if line is not None else 1)}
    return {"physicalLocation": {"artifactLocation": {"uri": uri, "uriBaseId": BASE}, "region": region}}


def _invocation(result: ScanResult, left_out: int) -> dict[str, Any]:
    """How the run ended, and what it could not ask."""
    notes = [
        {
            "level": "error" if outcome.status == "crashed" else "note",
            "message": {"text": f"{_text(outcome.code)} {'crashed' if outcome.status == 'crashed' else 'not evaluated'}: "
                                f"{_text(outcome.reason)}"},
            "associatedRule": {"id": _text(outcome.code), "index": number},
        }
        for number, outcome in enumerate(result.outcomes)
        if outcome.status in ("crashed", "skipped")
    ]  # fmt: skip
    if left_out > 0:
        more = f"{counted(left_out, 'further finding')} left out; result.json holds all"
        notes.append({"level": "warning", "message": {"text": more}})
    notes += [{"level": "warning", "message": {"text": f"not honoured: {_text(setting)}"}} for setting in result.gate.set_aside]
    ended = {
        "executionSuccessful": result.gate.verdict != "incomplete", "exitCode": result.gate.exit_code,
        "exitCodeDescription": f"{VERDICT[result.gate.verdict]}: {_text(why(result))}",
        "toolExecutionNotifications": notes,
    }  # fmt: skip
    if result.run.started.endswith(("Z", "+00:00")):
        ended["startTimeUtc"] = result.run.started.replace("+00:00", "Z")
    return ended


def _plain(value: Any) -> Any:
    return _text(value) if isinstance(value, str) else value


def _text(text: str, *, lines: bool = False) -> str:
    """Nothing that hides or that UTF-8 has no form for; line ends stay where the text is Markdown."""
    return "\n".join(visible(line) for line in text.splitlines()) if lines else visible(text)
