"""Two scans beside each other: what was fixed, what remains, what was introduced, and what cannot be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from auditor.values.corrections import Arm, Comparison, RunVerdict, Tally
from auditor.values.results import SCHEMA_VERSION, Cell, Finding, Run, ScanResult, Severity, Table
from reports.small_picture import NOT_DRAWN
from reports.wording import counted


@dataclass(frozen=True, kw_only=True)
class Matched:
    """The findings of two scans; each is in one of the four. `remaining` are those of the later scan."""

    fixed: tuple[Finding, ...]
    remaining: tuple[Finding, ...]
    introduced: tuple[Finding, ...]
    unclear: tuple[Finding, ...]


def matched(before: ScanResult, after: ScanResult, looked: Collection[str] | None = None) -> Matched:
    """The findings matched by fingerprint.

    A finding that is gone counts as fixed only where its check was carried out again, and on its file, and a new one as
    introduced only where its check was carried out before: else nobody looked, and it is unclear. One that is there in both
    scans, but more severe in the later one, counts as introduced.

    Args:
        looked: the files that the later scan looked at; None: all.
    """
    # each fingerprint is a digest: worked out once, of two times a hundred thousand findings
    old, latest = ([(finding.fingerprint, finding) for finding in scan.findings] for scan in (before, after))
    known = {print_: finding.severity for print_, finding in old}
    left = Counter(print_ for print_, _ in latest)
    gone = []
    for print_, finding in old:
        if left[print_]:
            left[print_] -= 1
        else:
            gone.append(finding)
    there = Counter(print_ for print_, _ in old)
    remaining, new = [], []
    for print_, finding in latest:
        worse = finding.severity.rank > known.get(print_, Severity.ERROR).rank
        if there[print_] and not worse:
            there[print_] -= 1
            remaining.append(finding)
        else:
            new.append((print_, finding))
    looked_before, looked_after = _looked(before), _looked(after)
    again = [f.code in looked_after and (f.where.path is None or looked is None or f.where.path in looked) for f in gone]
    return Matched(
        fixed=tuple(f for f, there_again in zip(gone, again, strict=True) if there_again),
        remaining=tuple(remaining),
        introduced=tuple(f for print_, f in new if f.code in looked_before or print_ in known),
        unclear=(
            *(f for f, there_again in zip(gone, again, strict=True) if not there_again),
            *(f for print_, f in new if f.code not in looked_before and print_ not in known),
        ),
    )


def _looked(result: ScanResult) -> set[str]:
    """Codes of the checks that came to a verdict."""
    return {o.code for o in result.outcomes if o.status in ("passed", "failed")}


def alarming(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The unwaived findings above info: those that make `medaudit compare` fail when they were introduced."""
    return tuple(f for f in findings if f.waived is None and f.severity is not Severity.INFO)


def tally(result: ScanResult) -> Tally:
    """One scan in numbers."""
    found = result.findings
    live = Counter(f.severity for f in found if f.waived is None)
    return Tally(
        gate=result.gate.verdict,
        records=result.records,
        errors=live[Severity.ERROR],
        warnings=live[Severity.WARNING],
        notes=live[Severity.INFO],
        waived=len(found) - live.total(),
        not_evaluated=sum(o.status in ("skipped", "crashed") for o in result.outcomes),
    )


def compare_results(
    before: ScanResult,
    after: ScanResult,
    *,
    dataset: str = "",
    verdict: RunVerdict | None = None,
    summary: str = "",
    arms: Sequence[Arm] = (),
    applied: Sequence[str] = (),
    chosen: str = "",
    trust: str = "",
    changes: Mapping[str, int] | None = None,
    removed: Sequence[Table] = (),
    answers: Sequence[Table] = (),
    configuration: Mapping[str, Cell] | None = None,
    thumbnails: Mapping[str, bytes] | None = None,
    pictures: Mapping[str, bytes] | None = None,
    notes: Sequence[str] = (),
    looked: Collection[str] | None = None,
    absent: Sequence[str] = (),
    run: Run | None = None,
) -> Comparison:
    """The comparison of two scans, with what a correction did between them where there was one.

    Args:
        before, after: the two scans.
        dataset: name; that of the earlier scan when empty.
        verdict, summary: of the run; without them the findings alone decide.
        thumbnails: pictures of records that corrections name, beside those of the two scans.
        configuration: in force; that of the later scan when None.
        looked: the files that the later scan looked at; None: all.
        absent: parts of the data, in words, that the later scan could not look at.
        run: what is volatile; that of the later scan when None.
        arms, applied, chosen, trust, changes, removed, answers, pictures, notes: as in `Comparison`.

    Documentation of the codes and thumbnails of the records that are named come from the two scans.
    """
    found = matched(before, after, looked)
    named = (*found.fixed, *found.remaining, *found.introduced, *found.unclear)
    corrections = [c for arm in arms if arm.proposal for c in arm.proposal.corrections]
    codes = {f.code for f in named} | {c.code for c in corrections}
    records = {f.where.record for f in named} | {value for f in named for value in f.evidence.values()}
    records |= {c.record for c in corrections} | {r for arm in arms if arm.proposal for r in arm.proposal.removed}
    records |= set(pictures or {})
    known = {**before.thumbnails, **after.thumbnails, **(thumbnails or {})}
    documentation = {**before.documentation, **after.documentation}
    numbers = tally(before), tally(after)
    by_findings = _judged(found, *numbers, corrected=bool(applied), absent=absent)
    return Comparison(
        schema_version=SCHEMA_VERSION,
        tool_version=after.tool_version,
        dataset=dataset or before.dataset.name,
        verdict=verdict or by_findings[0],
        summary=summary or by_findings[1],
        arms=tuple(arms),
        applied=tuple(applied),
        chosen=chosen,
        trust=trust,
        fixed=found.fixed,
        remaining=found.remaining,
        introduced=found.introduced,
        unclear=found.unclear,
        before=numbers[0],
        after=numbers[1],
        changes=dict(changes or {}),
        removed=tuple(removed),
        answers=tuple(answers),
        configuration=dict(after.configuration if configuration is None else configuration),
        documentation={code: text for code, text in documentation.items() if code in codes},
        thumbnails={record: known[record] for record in sorted(known) if record in records},
        pictures=dict(pictures or {}),
        notes=tuple(notes),
        run=run or after.run,
    )


def _judged(found: Matched, before: Tally, after: Tally, *, corrected: bool, absent: Sequence[str]) -> tuple[RunVerdict, str]:
    """Verdict and sentence where no network was compared.

    New findings outweigh those that were fixed. Only where something was corrected between the scans, and fewer errors and
    warnings are left and no error is new, it is a correction: checks that train a probe name other records on other data.
    """
    fixed, introduced = counted(len(found.fixed), "finding"), counted(len(found.introduced), "finding")
    rest = f"{counted(len(found.remaining), 'finding')} in both scans."
    unsure = (
        f"{counted(len(found.unclear), 'finding')} of checks or files that only one of the scans could look at; {fixed} fixed"
    )
    alarms = alarming(found.introduced)
    fewer = after.errors + after.warnings < before.errors + before.warnings
    if alarms and not (corrected and fewer and not any(f.severity is Severity.ERROR for f in alarms)):
        return "new findings", f"{introduced} introduced, {len(found.fixed):,} fixed; {rest}"
    if alarming(found.unclear):  # what went out of sight is not corrected
        return "cannot tell", f"{unsure}{f', {introduced} introduced' if alarms else ''}; {rest}"
    if absent:  # a copy of fewer parts has fewer findings
        return (
            "cannot tell",
            f"the copy does not hold the {' and the '.join(absent)} as before, and nobody looked at them again; "
            f"{fixed} fixed; {rest}",
        )
    if alarms:
        return "corrected", f"{fixed} fixed, {introduced} introduced, no error among them; {rest}"
    if found.fixed:
        new = f", {introduced} introduced, notes only" if found.introduced else ", none introduced"
        if not (fewer or alarming(found.fixed)):  # no error and no warning is gone
            return "no change", f"only notes were fixed ({fixed}){new}; {rest}"
        return "corrected", f"{fixed} fixed{new}; {rest}"
    what = "The copy differs, and no finding with it: nothing" if corrected else "Nothing"
    return "no change", f"{what} was fixed, and nothing above a note was introduced; {rest}"


def differences(before: ScanResult, after: ScanResult) -> tuple[str, ...]:
    """What makes two results hard to compare, one sentence each; empty when nothing does."""
    notes = []
    old, new = before.dataset, after.dataset
    if old.name != new.name or (old.task, set(old.classes)) != (new.task, set(new.classes)):
        what = [
            words
            for differs, words in (
                (old.name != new.name, f"names {old.name} and {new.name}"),
                (old.task != new.task, f"tasks {old.task or 'unknown'} and {new.task or 'unknown'}"),
                (set(old.classes) != set(new.classes), "different classes"),
            )
            if differs
        ]
        notes.append(
            f"These may be two different datasets ({', '.join(what)}). Findings are matched by path, record and field: "
            "of two different datasets, all of the first would count as fixed and all of the second as introduced."
        )
    if before.tool_version != after.tool_version:
        notes.append(
            f"The scans were made by medaudit {before.tool_version} and {after.tool_version}: a check may have changed."
        )
    keys = sorted({*before.configuration, *after.configuration})
    if changed := [key for key in keys if before.configuration.get(key) != after.configuration.get(key)]:
        notes.append(f"The scans were made with different options: {', '.join(changed)}.")
    told = {note for scan in (before, after) for note in scan.dataset.notes if note.startswith(NOT_DRAWN)}
    return (*notes, *sorted(told))
