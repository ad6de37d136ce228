"""A result as a small card for a notebook, and as one line: escaped, without pictures, a few findings and the counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from auditor.values.cells import visible
from auditor.values.corrections import Comparison
from auditor.values.results import Finding, ScanResult
from reports.cell import shown
from reports.headline import asked
from reports.wording import RUN_VERDICT, SEVERITY, STATUS, VERDICT, counted

ROWS = 8
"""Findings on a card; the rest is counted."""
_CELL = "text-align:left;vertical-align:top;padding:2px 10px 2px 0"


def scan_line(result: ScanResult) -> str:
    """Name, verdict and counts."""
    found = sum(f.waived is None for f in result.findings)
    unseen = sum(o.status in ("skipped", "crashed") for o in result.outcomes)
    parts = [counted(result.records, "record"), counted(found, "finding")]
    parts += [f"{unseen} checks not evaluated"] if unseen else []
    return f"{visible(result.dataset.name)}: {VERDICT[result.gate.verdict]}; {', '.join(parts)}"


def scan_card(result: ScanResult) -> str:
    """The verdict, how many checks passed, failed and were not evaluated, and the gravest findings."""
    statuses = [o.status for o in result.outcomes]
    counts = {word: statuses.count(status) for status, word in STATUS.items()}
    checks = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    lines = [f"{counted(result.records, 'record')}; checks: {checks}", *result.gate.reasons]
    lines += [told] if (told := asked(result.gate)) else []
    findings = [f for f in result.findings if f.waived is None]
    return _card(result.dataset.name, VERDICT[result.gate.verdict], lines, findings)


def comparison_card(comparison: Comparison) -> str:
    """The verdict, its sentence, and the findings that were introduced."""
    states: Mapping[str, Sequence[Finding]] = {
        "fixed": comparison.fixed, "remaining": comparison.remaining, "introduced": comparison.introduced,
    }  # fmt: skip
    told = ", ".join(f"{len(findings):,} {state}" for state, findings in states.items())
    applied = f"applied: {', '.join(comparison.applied)}" if comparison.applied else ""
    lines = [line for line in (comparison.summary, f"findings: {told}", applied) if line]
    return _card(comparison.dataset, RUN_VERDICT[comparison.verdict], lines, comparison.introduced)


def pending_card(name: str, pending: int, lines: Iterable[str]) -> str:
    """What a run would change that wrote nothing."""
    return _card(name, f"{pending:,} changes pending, nothing written", lines, ())


def _card(name: str, verdict: str, lines: Iterable[str], findings: Sequence[Finding]) -> str:
    head = f"<p><strong>{_safe(verdict)}</strong> {_safe(name)}</p>"
    told = "".join(f"<li>{_safe(line)}</li>" for line in lines)
    rows = "".join(
        f'<tr><td style="{_CELL}">{_safe(SEVERITY[f.severity])}</td><td style="{_CELL}">{_safe(f.code)}</td>'
        f'<td style="{_CELL}">{_safe(f.message)}</td></tr>'
        for f in findings[:ROWS]
    )
    more = f"<p>and {len(findings) - ROWS:,} more: findings_frame()</p>" if len(findings) > ROWS else ""
    table = f"<table><tbody>{rows}</tbody></table>{more}" if rows else ""
    return f'<div class="medaudit">{head}<ul>{told}</ul>{table}</div>'


def _safe(text: str) -> str:
    return escape(visible(shown(text)))
