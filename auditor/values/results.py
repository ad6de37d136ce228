"""The plain, frozen values that flow from the checks to the reports. Standard library only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

SCHEMA_VERSION = 2
"""Of result.json: rises when a reader of the old one would misread the new one."""

Cell = str | int | float | bool | None
Status = Literal["passed", "failed", "skipped", "crashed"]
GateVerdict = Literal["passed", "failed", "incomplete", "not enough seen"]
ColumnKind = Literal["text", "integer", "number", "fraction", "boolean", "record", "path", "class"]
ChartKind = Literal["intervals", "bars", "histogram", "matrix", "lines"]


class Severity(StrEnum):
    """How bad a finding is; SARIF's and GitHub's three levels. Compare with `rank`."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for error."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where a finding points. All empty means the whole dataset."""

    path: str | None = None
    line: int | None = None
    field: str | None = None
    record: str | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a check found.

    `subject` tells two findings of one place apart (a class pair, a rater, a pair of records).
    `score` is the check's measure of strength; `evidence` holds field names, counts and record ids, never patient values.
    """

    code: str
    severity: Severity
    message: str
    where: Location = Location()
    subject: str = ""
    score: float | None = None
    evidence: Mapping[str, Cell] = field(default_factory=dict)
    waived: str | None = None

    @property
    def fingerprint(self) -> str:
        """Stable identity: code, path, field, record and subject; never score, message or line."""
        parts = (self.code, self.where.path or "", self.where.field or "", self.where.record or "", self.subject)
        return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Column:
    """One typed column of a table. `values` is any sequence; all columns of a table are equally long.

    Kinds `record` and `path` are links to a record (a report may show its thumbnail); `fraction` is 0–1.
    """

    name: str
    kind: ColumnKind
    values: Sequence[Cell]
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Typed rows that a check measured, stored by column. `name` is its key within the outcome."""

    name: str
    title: str
    columns: tuple[Column, ...]

    @property
    def length(self) -> int:
        """Number of rows."""
        return len(self.columns[0].values) if self.columns else 0


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture of a table: which columns to draw, and how. Data only; a report draws it.

    * `intervals`: one row per `label` with `value` and `low`–`high`; `reference` lines are the gates.
    * `bars` / `histogram`: `value` over `label`, one series per distinct value of `group`.
    * `matrix`: cell (`label`, `group`) holds `value`.
    * `lines`: `value` over `label` (numeric), one line per `group`, band `low`–`high`.

    The names are columns of `table`. `reference` maps a caption to a position on the value axis.
    """

    name: str
    title: str
    kind: ChartKind
    table: Table
    label: str
    value: str
    low: str | None = None
    high: str | None = None
    group: str | None = None
    reference: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How much a check could look at: `evaluated` of `total` units, and why the rest was not."""

    evaluated: int
    total: int
    unit: str = "records"
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a check returns. `summary` is one sentence in words; a pass names the smallest effect it could have seen."""

    summary: str
    metrics: Mapping[str, Cell] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    coverage: Coverage | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One check's end. `reason` says why it was skipped or crashed.

    `verdict` is there when it passed or failed, and when it measured something but cannot tell.
    """

    code: str
    name: str
    title: str
    status: Status
    verdict: Verdict | None = None
    reason: str = ""
    seconds: float = 0.0


SURE = 0.5
"""A guess below this is told, and nothing is corrected that rests on it."""


@dataclass(frozen=True, kw_only=True)
class Guess:
    """How a role was found: `value` (a column, a folder rule), `confidence` 0–1 and `why`. `pinned` by option or file.

    `column` is the table column that holds it, where it is one: what `[roles]` in medaudit.toml can pin.
    """

    role: str
    value: str
    confidence: float
    why: str
    pinned: bool = False
    column: str | None = None


@dataclass(frozen=True, kw_only=True)
class DatasetSummary:
    """What was opened: `counts` adds up (files by use, rows by use); no patient value.

    `samples`: class → a few records of it, so that a person sees what was taken for what before any finding; empty where there
    are no classes, or very many.
    """

    name: str
    layout: str
    task: str
    classes: tuple[str, ...]
    counts: Mapping[str, int]
    guesses: tuple[Guess, ...]
    notes: tuple[str, ...] = ()
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One of the questions that matter most about a dataset, and whether this scan could ask it.

    Args:
        subject: a word: `labels`, `patients`, `splits`, ...
        asked: it could be asked, whatever the answer.
        why: what it lacked, in a few words; empty where it was asked.
    """

    subject: str
    asked: bool
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The verdict for CI. Exit codes: 0 passed, 1 failed, 3 incomplete (outranks 1).

    `not enough seen` is no pass: nothing serious was found, in a scan that could not look. It exits 0, or 3 where it must
    not be overlooked (`--strict`, a family of files that nobody could read, a label file that was not used).

    Args:
        reasons: why, in words; empty where all is well.
        questions: those that matter most, in order, of which the selected checks ask.
        waived: findings that were accepted, and count for nothing here.
        set_aside: settings of a medaudit.toml that was found in the dataset, and that were not honoured.
    """

    verdict: GateVerdict
    exit_code: int
    fail_on: str
    reasons: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    waived: int = 0
    set_aside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything volatile: two results of one dataset differ in nothing else.

    `unchanged_since` is the start of the earlier scan whose result this is, nothing it depended on having changed; else empty.
    """

    started: str = ""
    seconds: float = 0.0
    host: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)
    cache: Mapping[str, int] = field(default_factory=dict)
    unchanged_since: str = ""


@dataclass(frozen=True, kw_only=True)
class ScanResult:
    """The whole truth about one scan; every report is drawn from it alone.

    `documentation` maps a check's code to its docstring (title line, then `## ` sections), for the outcomes that are there.
    `thumbnails` maps a record to a small picture (JPEG; older: WebP), only for records that findings or charts point to.
    """

    schema_version: int
    tool_version: str
    dataset: DatasetSummary
    records: int
    outcomes: tuple[Outcome, ...]
    gate: Gate
    configuration: Mapping[str, Cell] = field(default_factory=dict)
    documentation: Mapping[str, str] = field(default_factory=dict)
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    run: Run = Run()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, most severe first, in the order of codes."""
        found = [f for o in self.outcomes if o.verdict for f in o.verdict.findings]
        return tuple(sorted(found, key=lambda f: (-f.severity.rank, f.code)))
