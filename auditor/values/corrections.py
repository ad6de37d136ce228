"""What a strategy would change, and whether it helped: proposals, evaluations, and the comparison of before and after.

Plain, frozen values as those of `auditor.values.results`. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from auditor.values.results import Cell, Chart, Finding, GateVerdict, Run, Table

ComparisonVerdict = Literal["improved", "not worse", "harmed", "cannot tell", "neither learnt the task"]
RunVerdict = Literal[
    "improved", "not worse", "harmed", "cannot tell", "neither learnt the task", "no change", "corrected", "new findings"
]


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
    run: Run = field(default_factory=Run)
