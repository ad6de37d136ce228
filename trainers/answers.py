"""Finding by finding: what would mend it, what `--strategy auto` chose for it, what it left, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from auditor.values.results import Column, Finding, ScanResult, Severity, Table
from trainers.choose import BYTES, Pick, answered_by, header_text

MENDS: dict[str, str] = {
    "IN": "fetch or repair the files, or mend the list; a copy cannot make pixels that are not there",
    "LK001": "write all files alike (harmonise), where the field says how a file was written",
    "LK003": "take the words out of headers (harmonise) or of the columns that a model reads",
    "LK": "balance the classes over sources and machines, or collect more; what is in the pixels stays there",
    "SP": "a split by whole groups (resplit), one copy of each picture (deduplicate)",
    "SP003": "a person decides on the copies that contradict each other (deduplicate sets them aside)",
    "SP006": "ids of the patients in the table or the headers",
    "LN005": "complete the masks (weak), or have them drawn anew",
    "LN006": "have the boxes drawn anew",
    "LN": "read the suspect labels again (review); train with less trust in them (robust, confident, teacher)",
    "ED": "one label of all readers (consensus), or a further reader",
    "IQ": "take new pictures, or leave them out by hand",
    "SZ": "more patients; augmentation or a borrowed encoder (augment, transfer) help a little",
    "PH": "a copy without what tells of a person (deidentify)",
    "MA": "mend the configuration or the waiver",
}
"""By code, or else by its letters."""


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


def mend(code: str) -> str:
    """What would mend a finding of this check."""
    return MENDS.get(code) or MENDS.get(code[:2], "see what its check says on how to fix it")


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
