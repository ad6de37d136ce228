"""IN014: a file of labels lies there unused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.placement.unused import gathered
from auditor.values.dataset import Dataset, Problem
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict

LEVELS = {"unused-table": Severity.WARNING, "table-aside": Severity.INFO}


@dataclass(frozen=True, kw_only=True)
class UnusedLabelFile(Check):
    """A file of labels lies there unused.

    ## What it does
    Lists the tables and other files of labels that the layout did not read, each with the reason: it cannot be read, no
    column names the image files, its kind is not known, a sheet of a workbook could not be joined, or another table was taken.
    Documents (JSON, YAML, TOML, XML) that name the images, and arrays, objects and broken documents called as labels are, are
    among them.
    A further table beside one that was read is told as an information; everything else is a warning, and the scan says that
    not enough was seen.

    ## Why is this bad?
    Labels, patients and splits that nobody reads are questions that nobody asks. The scan would be silent on leakage and
    overlap, and silence looks like a pass.

    ## How to fix
    Name the table (`medaudit scan labels.csv --root images/`, or `[dataset] tables` in `medaudit.toml`) and the column of the
    file names (`--path`); save the sheet as csv in UTF-8; convert annotations to a table. A file that is none of the
    dataset belongs outside its folder.

    ## Options
    * `max_findings`: so many files get a finding of their own (more than three of one kind in one folder are one); the table
      `files` lists all.

    ## References
    Gebru et al. 2021, Datasheets for Datasets (what each file is, and how the labels were made).
    """

    code: ClassVar[str] = "IN014"
    name: ClassVar[str] = "unused-label-file"
    severity: ClassVar[Severity] = Severity.WARNING

    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge what the layout left unread."""
        problems = sorted((p for p in dataset.problems if p.kind in LEVELS), key=lambda p: (list(LEVELS).index(p.kind), p.path))
        tables = dataset.summary.counts.get("tables", 0)
        if not problems and not tables:
            raise SkipCheck("no table or other file of labels lies there")
        unused = sum(p.kind == "unused-table" for p in problems)
        total = max(tables, len(problems))
        summary = (
            f"{unused:,} {'file' if unused == 1 else 'files'} of labels not read" if unused else "No label table lies unused"
        )
        return Verdict(
            summary=summary,
            metrics={"files_unused": unused, "tables_aside": len(problems) - unused},
            findings=tuple(self._finding(problem) for problem in gathered(problems)[: self.max_findings]),
            tables=(_table(problems),) if problems else (),
            coverage=Coverage(evaluated=total, total=total, unit="files"),
        )

    def _finding(self, problem: Problem) -> Finding:
        what = "Labels may lie here that were not read" if problem.kind == "unused-table" else "A further table, not joined"
        return Finding(
            code=self.code,
            severity=LEVELS[problem.kind],
            message=f"{what}: {problem.reason}",
            where=Location(path=problem.path),
            subject=problem.kind,
        )


def _table(problems: list[Problem]) -> Table:
    return Table(
        name="files",
        title="Files of labels that were not read",
        columns=(
            Column(name="path", kind="path", values=tuple(p.path for p in problems), title="File"),
            Column(name="reason", kind="text", values=tuple(p.reason for p in problems), title="Reason"),
        ),
    )
