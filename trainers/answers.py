"""Finding by finding: what would mend it, what `--strategy auto` chose for it, what it left, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from auditor.values.remedies import BYTES, answered_by, header_text, mend
from auditor.values.results import Column, Finding, ScanResult, Severity, Table
from trainers.choose import Pick


def answers(result: ScanResult, picks: Sequence[Pick], *, believed: bool) -> Table:
    """One row per check and severity that found something.

    Args:
        believed: records were there that a network could be evaluated on.
    """
    groups: dict[tuple[str, str, str, str, str], int] = {}
    for finding in result.findings:
        answering = ("harmonise",) if finding.code == "LK001" and finding.where.field in BYTES else answered_by(finding)
        chosen = [pick.strategy for pick in picks if pick.strategy in answering]
        field = finding.where.field or "" if finding.code in ("LK001", "LK003") else ""
        why = "" if chosen else left_because(finding, believed=believed)
        key = (finding.code, finding.severity.value, field, ", ".join(chosen), why)
        groups[key] = groups.get(key, 0) + 1
    rows = sorted(groups.items(), key=lambda item: (-Severity(item[0][1]).rank, item[0]))
    text: Callable[[str, str, Iterable[str]], Column] = lambda name, title, values: Column(  # noqa: E731
        name=name, kind="text", title=title, values=list(values)
    )
    return Table(
        name="answers", title="What would mend each finding, and what was chosen",
        columns=(
            text("check", "Check", (k[0] for k, _ in rows)),
            text("severity", "Severity", (k[1] for k, _ in rows)),
            text("field", "Field", (k[2] for k, _ in rows)),
            Column(name="findings", kind="integer", title="Findings", values=[n for _, n in rows]),
            text("mends", "What would mend it", (mend(k[0]) for k, _ in rows)),
            text("chosen", "Chosen", (k[3] or "left" for k, _ in rows)),
            text("why", "Why it was left", (k[4] for k, _ in rows)),
        ),
    )  # fmt: skip


def left_because(finding: Finding, *, believed: bool) -> str:
    """Why nothing was chosen for a finding."""
    named = answered_by(finding)
    if finding.waived is not None:
        return "it is waived"
    if finding.code in ("LK001", "LK003"):
        return leak_left(finding)
    if finding.severity is Severity.INFO:
        return "a note calls for nothing"
    if not named:
        return "no strategy does this: it needs a person, or other data"
    if not believed and finding.code.startswith("LN"):
        return "no record is there that a network could be evaluated on: name some with --trusted and --evaluate"
    return f"ask for it by name: --strategy {named[0]}"


def leak_left(finding: Finding) -> str:
    """Why a leak was left."""
    field = finding.where.field or ""
    if finding.severity is Severity.INFO:
        return "a note calls for nothing"
    if field.startswith("path.") or (finding.code == "LK003" and not header_text(field)):
        return (
            "names and columns are read by no network, and no picture changes with them: to rename all files all the same, ask "
            "for harmonise"
        )
    return "it follows what is shown or how it was taken: writing files alike would not remove it"
