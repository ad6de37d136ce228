"""IN002: the label table and the files on disk do not match."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.values.dataset import Dataset, Problem
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict

LEVELS = {"missing": Severity.ERROR, "outside-root": Severity.ERROR, "unlisted": Severity.WARNING}
MESSAGES = {
    "missing": "Listed in the label table, but not on disk. Restore the file or remove the row",
    "outside-root": "The path leaves the dataset's folder and was not followed. Move the file inside and correct the row",
    "unlisted": "On disk, but no row of the label table names it. Add its row, or remove the file",
}
SUMMARIES = {
    "missing": "listed but missing",
    "outside-root": "listed outside the folder",
    "unlisted": "on disk but not listed",
}


@dataclass(frozen=True, kw_only=True)
class MissingOrUnlisted(Check):
    """A listed file is missing, or a file is not listed.

    ## What it does
    Compares the label table with the files on disk. A row whose file is missing, or whose path leaves the dataset's
    folder (such a path is never followed), is an error. A file that no row names is a warning. Where the folders are
    the labels, nothing is listed and there is nothing to compare.

    ## Why is this bad?
    Rows without a picture vanish in training without a word, and the published numbers then speak of another dataset
    than the one that was used. If they vanish in one class or one site more than in another, the model learns that.
    A path such as `../../` reads, or leaks, files that nobody meant to share.

    ## How to fix
    Restore the missing files or remove their rows; correct paths so that they stay inside the folder (`--root` says
    where the paths of a table start); list the unlisted files or take them out.

    ## Options
    * `max_findings`: so many files get a finding of their own; the rest are counted in one more per kind. The table
      `files` lists all.

    ## References
    MITRE CWE-22 (a path that leaves its folder); Gebru et al. 2021, Datasheets for Datasets (what is missing, and why).
    """

    code: ClassVar[str] = "IN002"
    name: ClassVar[str] = "missing-or-unlisted"
    severity: ClassVar[Severity] = Severity.ERROR

    max_findings: int = 200

    def run(self, dataset: Dataset) -> Verdict:
        """Judge what the layout found when it compared rows with files."""
        problems = sorted(
            (p for p in dataset.problems if p.kind in LEVELS),
            key=lambda p: (list(LEVELS).index(p.kind), p.line or 0, p.path, p.record or ""),
        )
        listed = dataset.records["path"].notna() & (dataset.records["line"].fillna(0).astype("int64") > 0)
        if not problems and not listed.any():
            raise SkipCheck("there is no label table that names image files: nothing to compare the files with")
        if not problems and dataset.summary.counts.get("images") == 0:
            raise SkipCheck("no image file was found where the table says: name their folder with --root")
        rows = listed_count(dataset, problems)
        counts = Counter(p.kind for p in problems)
        parts = [f"{counts[kind]:,} {words}" for kind, words in SUMMARIES.items() if counts[kind]]
        summary = f"Table and files differ: {', '.join(parts)}" if parts else f"All {rows:,} listed images have their file"
        return Verdict(
            summary=summary,
            metrics={
                "rows_listed": rows,
                "files_missing": counts["missing"],
                "files_missing_fraction": counts["missing"] / rows if rows else 0.0,
                "files_outside_root": counts["outside-root"],
                "files_unlisted": counts["unlisted"],
            },
            findings=self.findings(problems),
            tables=(table_of(problems),) if problems else (),
            coverage=Coverage(evaluated=rows + counts["unlisted"], total=rows + counts["unlisted"], unit="rows and files"),
        )

    def findings(self, problems: list[Problem]) -> tuple[Finding, ...]:
        """One per row or file; past `max_findings` one more per kind that counts the rest."""
        rows = Counter((p.kind, p.path, p.record) for p in problems)
        first = {(p.kind, p.path, p.record): p for p in reversed(problems)}
        found = [
            Finding(
                code=self.code,
                severity=LEVELS[key[0]],
                message=MESSAGES[key[0]] + (f" ({count:,} rows name it)" if count > 1 else ""),
                where=Location(path=key[1], line=first[key].line, record=key[2]),
                subject=key[0],
                evidence={"kind": key[0], "rows": count},
            )
            for key, count in list(rows.items())[: self.max_findings]
        ]
        rest = Counter(kind for kind, _, _ in list(rows)[self.max_findings :])
        found += [
            Finding(
                code=self.code,
                severity=LEVELS[kind],
                message=f"{count:,} more {SUMMARIES[kind]}: the table `files` of this check lists all",
                subject=f"the rest: {kind}",
                evidence={"kind": kind, "files": count},
            )
            for kind, count in rest.items()
        ]
        return tuple(found)


def listed_count(dataset: Dataset, problems: list[Problem]) -> int:
    """Rows that name a file: those that became records, and those that did not because their file is missing."""
    known = set(dataset.records.index)
    named = int((dataset.records["path"].notna() & (dataset.records["line"].fillna(0).astype("int64") > 0)).sum())
    return named + sum(p.kind in ("missing", "outside-root") and p.record not in known for p in problems)


def table_of(problems: list[Problem]) -> Table:
    """All rows and files, one row each."""
    return Table(
        name="files",
        title="Table and files do not match",
        columns=(
            Column(name="path", kind="path", values=tuple(p.path for p in problems), title="File"),
            Column(name="kind", kind="text", values=tuple(p.kind for p in problems), title="Kind"),
            Column(name="reason", kind="text", values=tuple(p.reason for p in problems), title="Reason"),
            Column(name="line", kind="integer", values=tuple(p.line for p in problems), title="Line of the table"),
        ),
    )
