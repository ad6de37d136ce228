"""What the checks of integrity share: faults of single files, reported one by one, the rest counted, all in one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.kin.groups import location
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Column, Coverage, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One file's fault: what is wrong, in words, and what to do. `subject` tells two faults of one file apart."""

    where: Location
    kind: str
    message: str
    severity: Severity = Severity.ERROR
    subject: str = ""
    evidence: dict[str, Cell] = field(default_factory=dict)


def report(
    code: str,
    faults: Sequence[Fault],
    *,
    what: str,
    unit: str,
    evaluated: int,
    total: int,
    why_not: str,
    max_findings: int,
    metrics: dict[str, Cell] | None = None,
) -> Verdict:
    """Faults → Verdict: at most `max_findings` findings of their own, one more per severity that counts the rest.

    The same words about more than `ONE_LINE` files are one finding that counts them, unless they are errors; the table
    lists all.

    Args:
        what: `3 of 80 {unit} {what}`, e.g. `have the wrong extension`.
        why_not: why `total − evaluated` units were not looked at.
    """
    ordered = sorted(faults, key=lambda f: (-f.severity.rank, f.where.path or "", f.where.record or "", f.subject))
    shown = _together(ordered, unit)
    findings = [
        Finding(
            code=code, severity=f.severity, message=f.message, where=f.where, subject=f.subject or f.kind, evidence=f.evidence
        )
        for f in shown[:max_findings]
    ]
    for level in (Severity.ERROR, Severity.WARNING, Severity.INFO):
        rest = sum(f.severity is level for f in shown[max_findings:])
        if rest:
            message = f"{rest:,} more {unit} {what}: the table `files` of this check lists all"
            findings.append(
                Finding(code=code, severity=level, message=message, subject=f"the rest: {level.value}", evidence={"rest": rest})
            )
    count = len({(f.where.path, f.where.record) for f in faults})
    table = Table(
        name="files",
        title=f"The {unit} that {what}",
        columns=(
            Column(name="record", kind="record", values=[f.where.record for f in ordered], title="Record"),
            Column(name="path", kind="path", values=[f.where.path for f in ordered], title="File"),
            Column(name="kind", kind="text", values=[f.kind for f in ordered], title="Kind"),
            Column(name="message", kind="text", values=[f.message for f in ordered], title="What is wrong"),
        ),
    )
    return Verdict(
        summary=f"{count:,} of {evaluated:,} {unit} {what}" if count else f"None of {evaluated:,} {unit} {what}",
        metrics={
            "evaluated": evaluated,
            "faults": len(faults),
            "faults_fraction": min(1.0, count / evaluated) if evaluated else 0.0,
        }
        | (metrics or {}),
        findings=tuple(findings),
        tables=(table,) if faults else (),
        coverage=Coverage(
            evaluated=evaluated, total=total, unit=unit,
            reason=f"{total - evaluated:,} {unit} were not looked at: {why_not}" if total > evaluated else "",
        ),
    )  # fmt: skip


ONE_LINE = 5
"""So many files get a finding each; where more have the same said of them, fifty lines hide the one of another kind."""


def _together(faults: Sequence[Fault], unit: str) -> list[Fault]:
    """The faults, in their order, with those of the same words in the place of the first of them."""
    alike = Counter((f.severity, f.kind, f.message) for f in faults if f.where != Location())
    told: dict[tuple[Severity, str, str], Fault] = {}
    for fault in faults:
        words = (fault.severity, fault.kind, fault.message)
        if fault.severity is Severity.ERROR or alike[words] <= ONE_LINE:
            told[(*words[:2], f"{fault.message}\n{fault.where}\n{fault.subject}")] = fault
        elif words not in told:
            what = fault.message[:1].lower() + fault.message[1:]
            message = f"{alike[words]:,} {unit}, listed in the table `files` of this check: {what}"
            told[words] = Fault(
                where=Location(), kind=fault.kind, message=message, severity=fault.severity, subject=fault.kind,
                evidence={unit: alike[words]},
            )  # fmt: skip
    return list(told.values())


ONE_BY_ONE = 0.5
"""Up to this share of the images each is told; what most of them have is one finding about the collection."""


def told(dataset: Dataset, which: npt.NDArray[np.bool_], kind: str, *, one: str, most: str) -> list[Fault]:
    """Warnings of the images that have one fault: one by one, or as one sentence where most of the collection has it.

    Args:
        one: goes on from `The header`.
        most: goes on from `12 of 20 images`.
    """
    count = int(which.sum())
    if count > max(1, ONE_BY_ONE * dataset.size):
        message = f"{count:,} of {dataset.size:,} images {most}"
        evidence: dict[str, Cell] = {"images": count}
        return [Fault(where=Location(), kind=kind, message=message, severity=Severity.WARNING, subject=kind, evidence=evidence)]
    return [
        Fault(where=place(dataset, position), kind=kind, message=f"The header {one}", severity=Severity.WARNING)
        for position in np.flatnonzero(which).tolist()
    ]


def numbers(frame: pd.DataFrame, name: str, size: int) -> npt.NDArray[np.float64]:
    """A numeric column, shape (size,), NaN where it is missing or not there."""
    if name not in frame.columns or not pd.api.types.is_numeric_dtype(frame[name]):
        return np.full(size, np.nan)
    return np.asarray(frame[name].to_numpy(dtype=np.float64))


def place(dataset: Dataset, position: int | np.integer) -> Location:
    """Where the record at this position is."""
    return location(dataset, int(position))
