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
ComparisonVerdict = Literal["improved", "not worse", "harmed", "cannot tell", "neither learnt the task"]
RunVerdict = Literal[
    "improved", "not worse", "harmed", "cannot tell", "neither learnt the task", "no change", "corrected", "new findings"
]
ChartKind = Literal["intervals", "bars", "histogram", "matrix", "lines"]


class Severity(StrEnum):
    """How bad a finding is; SARIF's and GitHub's three levels. Compare with `rank`."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for error."""
        return ("info", "warning", "error").index(self.value)


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
    """Everything volatile: two results of one dataset differ in nothing else."""

    started: str = ""
    seconds: float = 0.0
    host: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)
    cache: Mapping[str, int] = field(default_factory=dict)


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


@dataclass(frozen=True, kw_only=True)
class Correction:
    """One value of one record that a strategy would change.

    Args:
        record: id.
        field: role of the value (`label`, `split`, `mask`); of a multi-label table `label.<class>`.
        old, new: as text; a correction whose `old` no longer holds is refused.
        code: of the finding it answers.
        strategy: which one proposes it.
        confidence: that `new` is right, 0–1, where the strategy can say.
        reason: in words, without patient values.
        safe: may be applied without a person having looked at it.
    """

    record: str
    field: str
    old: str
    new: str
    code: str
    strategy: str
    reason: str
    confidence: float | None = None
    safe: bool = False


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a strategy would do with a dataset.

    Args:
        strategy: its name.
        summary: one sentence.
        corrections: values to change; only the safe ones are applied unasked.
        weights: record → weight in training; 1 where it is not named.
        removed: record → why it should leave the collection.
        files: path in the copy → file that was made for it, in a private folder (images that were rewritten, for example).
        metrics, tables, notes: what was measured on the way, and what a reader has to know.
    """

    strategy: str
    summary: str
    corrections: tuple[Correction, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Cell] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One metric of two arms on the same records: `difference` is after − before, turned so that more is better.

    `low`–`high` is its interval, `p` two-sided and adjusted over the metrics (Holm).
    """

    metric: str
    title: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float
    verdict: ComparisonVerdict


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Before and after on records that no correction touched.

    Args:
        arm: what was compared with `baseline`.
        verdict: of the main metric, which is the first of `metrics`.
        summary: one sentence in words.
        records, patients, seeds: how many. `unit` is what `patients` counts: `picture` where no patient is known.
        margin: a loss smaller than this counts as none.
        self_graded: the evaluation labels were chosen by a model, so they flatter it.
        tables: per class, trivial predictors, calibration.
    """

    arm: str
    baseline: str
    verdict: ComparisonVerdict
    summary: str
    metrics: tuple[Measured, ...]
    records: int
    patients: int
    seeds: int
    margin: float
    unit: str = "patient"
    self_graded: bool = False
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One strategy of one run of `fix`: what it proposes, and how it did. `skipped` says why it could not be tried."""

    strategy: str
    title: str
    why: str
    proposal: Proposal | None = None
    evaluation: Evaluation | None = None
    skipped: str = ""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """One scan in numbers: its gate, its records, its unwaived findings by severity, and how many checks gave no verdict."""

    gate: GateVerdict
    records: int
    errors: int
    warnings: int
    notes: int
    waived: int = 0
    not_evaluated: int = 0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Before and after: what a correction fixed, left and introduced. The whole truth of `comparison.json`.

    Args:
        dataset: name.
        arms: the strategies that were tried, in order.
        applied: names of those whose safe corrections the copy holds.
        verdict: of the run in words; `no change` where nothing was to be corrected.
        summary: one sentence.
        trust: where the trusted and the evaluation records came from, in words.
        chosen: name of the arm whose evaluation the verdict is of; empty where no network was compared.
        before, after: the two scans in numbers.
        fixed, remaining, introduced: findings of the two scans, by fingerprint; one that became more severe is introduced.
        unclear: findings of a check that only one of the two scans could carry out: neither fixed nor introduced.
        changes: what was changed → how many.
        removed: tables of what was removed, per class, site, sex and age.
        answers: a table: finding by finding what would mend it, what was chosen, and why others were left; or nothing.
        documentation: as in ScanResult, for the codes that are named here.
        thumbnails: record → JPEG, of records that the tables name.
        pictures: record → JPEG of its picture in the copy, of some whose file was written anew; what it was is in `thumbnails`.
        notes: what a reader has to know.
    """

    schema_version: int
    tool_version: str
    dataset: str
    verdict: RunVerdict
    summary: str
    arms: tuple[Arm, ...] = ()
    applied: tuple[str, ...] = ()
    chosen: str = ""
    trust: str = ""
    fixed: tuple[Finding, ...] = ()
    remaining: tuple[Finding, ...] = ()
    introduced: tuple[Finding, ...] = ()
    unclear: tuple[Finding, ...] = ()
    before: Tally | None = None
    after: Tally | None = None
    changes: Mapping[str, int] = field(default_factory=dict)
    removed: tuple[Table, ...] = ()
    answers: tuple[Table, ...] = ()
    configuration: Mapping[str, Cell] = field(default_factory=dict)
    documentation: Mapping[str, str] = field(default_factory=dict)
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    run: Run = Run()
