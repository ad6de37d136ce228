"""IN001: a file cannot be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from auditor.check import Check, Need, SkipCheck
from auditor.values.dataset import Dataset, Problem
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict

BROKEN: tuple[str, ...] = (
    "empty", "truncated", "malformed", "not-an-image", "too-large", "refused", "timeout", "crashed",
)  # fmt: skip
"""Faults of a file. Nothing that reads the dataset can use it, or only at a risk."""
UNDECODED: tuple[str, ...] = ("missing-codec", "unsupported", "over-limit", "memory")
"""Limits of this installation and of what a file may cost, not faults of the file: it was not judged."""
LARGE: tuple[str, ...] = ("over-limit", "memory")
WITHOUT_PIXELS = "no-pixels"
"""Files that hold no picture by right (DICOM reports, plans)."""

ADVICE = {
    "empty": "Copy or export it again",
    "truncated": "Copy or export it again: the end is missing",
    "malformed": "Export it again from the source",
    "not-an-image": "Remove it, or give the file that belongs here",
    "too-large": "Look at it apart from the others before anything opens it, or raise the limit it names in medaudit.toml",
    "refused": "Put a regular, readable file inside the dataset's folder in its place",
    "timeout": "Look at it apart from the others before anything opens it",
    "over-limit": "Not evaluated; raise the limit if it must be audited",
    "memory": "Not evaluated; raise `[limits] memory-bytes` in medaudit.toml if it must be audited",
    "crashed": "Look at it apart from the others before anything opens it",
    "missing-codec": "Install the codecs: pip install 'medaudit[codecs]'",
    "unsupported": "Convert it to a common format if it must be audited",
}


@dataclass(frozen=True, kw_only=True)
class Unreadable(Check):
    """A file cannot be read, or is dangerous to open.

    ## What it does
    Lists every file that could not be opened and decoded within the limits of time, memory and size: empty, truncated,
    malformed, no image in spite of its name, a small file that declares more than the limit (a decompression bomb), a link
    that leaves the dataset, or one at which the reader hung or crashed, twice and the second time alone. The content decides,
    never the suffix. A file that needs a codec which is not installed, or a variant that no reader here knows, and a file as
    large as it says that is larger than the limit or needs more memory, is a warning and counts as not evaluated: that is a
    limit of this installation, not a fault of the file (`[limits]` in medaudit.toml raises it). A DICOM file that holds no
    picture by right (a report, a plan) is only counted.

    ## Why is this bad?
    Training code skips what it cannot read, or stops in the middle of a run. What is skipped is seldom random: often it is
    one scanner, one site or one class. A 261 kB DICOM file can cost 512 MiB of memory, an 874 kB PNG can declare
    30,000 × 30,000 pixels.

    ## How to fix
    Copy or export the file again; remove what is no image, together with its row in the label table. Before anything
    else opens them, look at oversized files apart from the others. For missing codecs: `pip install 'medaudit[codecs]'`.

    ## Options
    * `max_findings`: so many files get a finding of their own; the rest are counted in one more. The table `files` lists all.

    ## References
    DICOM PS3.5 and PS3.10; PNG specification (ISO/IEC 15948); CVE-2026-32711 (pydicom).
    """

    code: ClassVar[str] = "IN001"
    name: ClassVar[str] = "unreadable-file"
    severity: ClassVar[Severity] = Severity.ERROR
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints"})

    max_findings: int = 200

    def run(self, dataset: Dataset) -> Verdict:
        """Judge the problems that the pass over the files met."""
        problems = distinct(p for p in dataset.problems if p.kind in (*BROKEN, *UNDECODED))
        opened = not dataset.fingerprints.empty and bool(
            dataset.fingerprints.drop(columns="constant", errors="ignore").notna().any(axis=None)
        )
        if not problems and not opened:
            raise SkipCheck("no file was opened: the dataset is a table without images, or the pixels were not read")
        broken = [p for p in problems if p.kind in BROKEN]
        unknown = {p.path for p in problems if p.kind in UNDECODED}
        without = {p.path for p in dataset.problems if p.kind == WITHOUT_PIXELS}
        absent = {p.path for p in dataset.problems if p.kind in ("missing", "outside-root")}
        files = (set(dataset.records["path"].dropna().astype(str)) - absent) | {p.path for p in problems} | without
        faults = len({p.path for p in broken})
        if broken:
            summary = f"{faults:,} of {len(files):,} files cannot be read"
        elif unknown and len(unknown) < len(files):
            summary = f"{len(unknown):,} of {len(files):,} files {_why(problems)}; the others can be read"
        elif len(unknown) < len(files):
            summary = f"All files can be read ({len(files):,})"
        else:
            summary = "No file could be judged: see what is missing"
        return Verdict(
            summary=summary,
            metrics={
                "files": len(files),
                "files_unreadable": faults,
                "files_unreadable_fraction": faults / len(files) if files else 0.0,
                "files_not_decoded": len(unknown),
                "files_without_pixels": len(without),
            },
            findings=self.findings(problems),
            tables=(table_of(problems),) if problems else (),
            coverage=Coverage(
                evaluated=len(files) - len(unknown), total=len(files), unit="files", reason=reasons(problems, len(without))
            ),
        )

    def findings(self, problems: list[Problem]) -> tuple[Finding, ...]:
        """One per file, faults first; past `max_findings` one more that counts the rest."""
        found = [
            Finding(
                code=self.code,
                severity=level_of(p),
                message=f"Cannot be read ({p.kind}): {p.reason.rstrip('.')}. {ADVICE[p.kind]}",
                where=Location(path=p.path, line=p.line, record=p.record),
                subject=p.kind,
                evidence={"kind": p.kind},
            )
            for p in problems[: self.max_findings]
        ]
        rest = problems[self.max_findings :]
        if rest:
            kinds = Counter(p.kind for p in rest)
            listed = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
            level = max((level_of(p) for p in rest), key=lambda s: s.rank)
            found.append(
                Finding(
                    code=self.code,
                    severity=level,
                    message=f"{len(rest):,} more files cannot be read ({listed}): the table `files` of this check lists all",
                    subject="the rest",
                    evidence=dict(kinds),
                )
            )
        return tuple(found)


def distinct(problems: Iterable[Problem]) -> list[Problem]:
    """One problem per file, kind and reason, faults first: a broken npz is one file, however many records it was to hold."""
    first: dict[tuple[str, str, str], Problem] = {}
    for problem in problems:
        key = (problem.path, problem.kind, problem.reason)
        first[key] = replace(problem, record=None, line=None) if key in first else problem
    return sorted(first.values(), key=lambda p: (p.kind in UNDECODED, p.path, p.kind, p.reason))


def level_of(problem: Problem) -> Severity:
    """A fault of the file is an error; a limit of this installation a warning."""
    return Severity.WARNING if problem.kind in UNDECODED else Severity.ERROR


def _why(problems: Iterable[Problem]) -> str:
    """What keeps files from being judged that are no faulty ones."""
    large = {p.path for p in problems if p.kind in LARGE}
    odd = {p.path for p in problems if p.kind in UNDECODED} - large
    parts = (["have a format or codec that is not read here"] if odd else []) + (["are larger than the limit"] if large else [])
    return " or ".join(parts)


def reasons(problems: Iterable[Problem], without: int) -> str:
    """Why files were not judged, in words."""
    listed = list(problems)
    large = len({p.path for p in listed if p.kind in LARGE})
    undecoded = len({p.path for p in listed if p.kind in UNDECODED}) - large
    parts = []
    if undecoded:
        parts.append(f"{undecoded:,} files need a codec or a variant that is not available here")
    if large:
        parts.append(f"{large:,} files are larger than the limit, which `[limits]` in medaudit.toml raises")
    if without:
        parts.append(f"{without:,} files hold no picture by right (reports, plans)")
    return "; ".join(parts)


def table_of(problems: list[Problem]) -> Table:
    """All files, one row each."""
    return Table(
        name="files",
        title="Files that cannot be read",
        columns=(
            Column(name="path", kind="path", values=tuple(p.path for p in problems), title="File"),
            Column(name="kind", kind="text", values=tuple(p.kind for p in problems), title="Kind"),
            Column(name="reason", kind="text", values=tuple(p.reason for p in problems), title="Reason"),
            Column(name="line", kind="integer", values=tuple(p.line for p in problems), title="Line of the table"),
        ),
    )
