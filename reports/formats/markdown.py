"""Markdown for a step summary or a pull request: verdict, causes with their commands, a row per check, findings.

GitHub cuts a step summary at 1 MiB; this one ends before `MOST_BYTES`, and says how much is left out. Texts of the data are
escaped: no link, picture, HTML, mention or table cell can come out of a file name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from auditor.values.cells import visible
from auditor.values.results import Finding, Outcome, ScanResult
from reports.causes import causes
from reports.headline import why
from reports.machine import ranked
from reports.wording import SEVERITY, STATUS, VERDICT, counted, place, plain_names, severities, unseen

SUFFIXES: tuple[str, ...] = (".md",)
MOST_BYTES = 500_000
FIRST = 3
_SIGN = {"passed": "✅", "failed": "❌", "incomplete": "⚠️", "not enough seen": "⚠️"}
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&@#$]|(?<=\bwww)\.|:(?=//)")
"""What Markdown, and GitHub's additions (mentions, issue numbers, mathematics, bare links), would read as more than text."""
_ORDER = ("failed", "crashed", "skipped", "passed")


def render(result: ScanResult, name: str) -> Mapping[str, bytes]:
    """The result as GitHub-flavoured Markdown; no side file."""
    head = [*_head(result), *_first(result), *_checks(result)]
    return {name: _fitted(head, list(_findings(result)), len(result.findings))}


def _fitted(head: list[str], rows: list[str], total: int) -> bytes:
    """The head, then as many rows as there is room for."""
    text = "\n".join(head) + "\n"
    room = MOST_BYTES - len(text.encode()) - 200
    kept: list[str] = []
    for row in rows:
        room -= len(row.encode()) + 1
        if room < 0:
            break
        kept.append(row)
    left = len(rows) - len(kept)
    end = [f"\n{total - left:,} of {counted(total, 'finding')} are listed; result.json holds all."] if left else []
    return ("\n".join([text, *kept, *end]).rstrip("\n") + "\n").encode()


def _head(result: ScanResult) -> list[str]:
    gate, dataset = result.gate, result.dataset
    facts = [counted(result.records, "record"), f"layout {escaped(dataset.layout)}"]
    facts += [f"{counted(len(dataset.classes), 'class', 'classes')}"] if dataset.classes else []
    return [
        f"## {_SIGN[gate.verdict]} medaudit: {VERDICT[gate.verdict]}",
        "",
        escaped(why(result)),
        "",
        f"**{escaped(dataset.name)}** · {' · '.join(facts)} · {severities(result.findings)} · exit code {gate.exit_code} · "
        f"fail-on {escaped(gate.fail_on)}",
        *(f"\nNot honoured: {escaped(setting)}" for setting in gate.set_aside),
        "",
    ]


def _first(result: ScanResult) -> list[str]:
    found = causes(result)
    if not found:
        return []
    lines = ["### Do these first", ""]
    for number, cause in enumerate(found[:FIRST], 1):
        extent = f"{cause.severity.value}, {cause.extent}, {', '.join(cause.codes)}"
        lines += [f"{number}. **{escaped(cause.title)}** ({extent}): {escaped(cause.action)}",
                  "   ```sh", f"   {visible(cause.command).replace('`', '')}", "   ```"]  # fmt: skip
    lines += [f"\n{counted(len(found) - FIRST, 'further cause')} below." if len(found) > FIRST else ""]
    return [*lines, ""]


def _checks(result: ScanResult) -> list[str]:
    outcomes = sorted(result.outcomes, key=lambda o: (_ORDER.index(o.status), o.code))
    lines = ["<details><summary>Checks</summary>", "", "| check | | what |", "|---|---|---|"]
    lines += [f"| {escaped(o.code)} {escaped(o.name)} | {STATUS[o.status]} | {_said(o)} |" for o in outcomes]
    return [*lines, "", "</details>", ""]


def _said(outcome: Outcome) -> str:
    words = outcome.verdict.summary if outcome.verdict and outcome.status in ("passed", "failed") else outcome.reason
    missing = unseen(outcome) if outcome.status in ("passed", "failed") else ""
    return escaped(plain_names(words)) + (f" *{escaped(missing)}*" if missing else "")


def _findings(result: ScanResult) -> Iterable[str]:
    if not result.findings:
        return
    yield from ("### Findings", "", "| | check | what | where |", "|---|---|---|---|")
    for finding in ranked(result):
        yield f"| {_level(finding)} | {escaped(finding.code)} | {escaped(plain_names(finding.message))} | {_where(finding)} |"


def _level(finding: Finding) -> str:
    return f"waived ({escaped(finding.waived)})" if finding.waived is not None else SEVERITY[finding.severity]


def _where(finding: Finding) -> str:
    return escaped(place(finding.where))


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};" if found[0] in "<>&@#.:" else f"\\{found[0]}", visible(text))
