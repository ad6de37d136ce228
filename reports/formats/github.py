"""Annotations of GitHub Actions: workflow commands, one a line, which a step prints (`-o github:-`).

GitHub shows ten of a level and step, so nine of each are told and a tenth counts the rest: one of every check first, in the
order of their causes, so that thirty findings of one check do not hide the others. The escapes are those of GitHub's own
toolkit (actions/toolkit, packages/core/src/command.ts): no text of the data can begin a command.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from auditor.values.cells import visible
from auditor.values.results import Finding, ScanResult, Severity
from reports.headline import why
from reports.machine import ranked, unjudged
from reports.wording import VERDICT, place, plain_names

SUFFIXES: tuple[str, ...] = ()
SHOWN = 9
_LEVEL: Mapping[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(result: ScanResult, name: str) -> Mapping[str, bytes]:
    """One command a line; the gate's verdict is the last, at the level of what it means for the build."""
    live = _mixed([finding for finding in ranked(result) if finding.waived is None])
    lines: list[str] = []
    for severity, level in _LEVEL.items():
        same = [finding for finding in live if finding.severity is severity]
        lines += [_annotation(level, finding) for finding in same[:SHOWN]]
        if left := len(same) - SHOWN if len(same) > SHOWN else 0:
            lines.append(_command(level, "medaudit", f"and {left:,} more of this level: see the report"))
    lines.append(_verdict(result))
    return {name: ("\n".join(lines) + "\n").encode()}


def _mixed(findings: list[Finding]) -> list[Finding]:
    """The first of every check, then the second of every check, ..."""
    nth: Counter[str] = Counter()
    turns = []
    for finding in findings:
        turns.append(nth[finding.code])
        nth[finding.code] += 1
    return [finding for _, finding in sorted(zip(turns, findings, strict=True), key=lambda pair: pair[0])]


def _verdict(result: ScanResult) -> str:
    words = f"{VERDICT[result.gate.verdict]} (exit code {result.gate.exit_code}). {why(result)}"
    worst = unjudged(result)
    level = _LEVEL[worst] if worst else "error" if result.gate.verdict == "failed" else "notice"
    return _command(level, f"medaudit: {VERDICT[result.gate.verdict]}", words)


def _annotation(level: str, finding: Finding) -> str:
    where = place(finding.where)
    words = plain_names(finding.message)
    text = words if not where or where in words else f"{words} ({where})"
    return _command(level, f"medaudit {finding.code}", text, file=finding.where.path, line=finding.where.line)


def _command(level: str, title: str, message: str, *, file: str | None = None, line: int | None = None) -> str:
    properties = {"file": file, "line": line, "title": title}
    told = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None)
    return f"::{level} {told}::{_data(message)}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
