"""What the public functions return: the plain values of `auditor.values`, and how a person looks at them.

The values stay without methods, since checks, strategies and renderers read them as data; what needs pandas or draws a page
for a notebook is added here, in subclasses with the same fields, so that every report takes them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from auditor.values import corrections
from auditor.values import results as values

if TYPE_CHECKING:
    import pandas as pd

    from trainers.fix import Fixed

V = TypeVar("V", "ScanResult", "Comparison")


def shown_as(kind: type[V], value: values.ScanResult | corrections.Comparison) -> V:
    """The value as its public subclass; the fields are shared, not copied."""
    return value if isinstance(value, kind) else kind(**{f.name: getattr(value, f.name) for f in fields(value)})


@dataclass(frozen=True, kw_only=True, repr=False)
class ScanResult(values.ScanResult):
    """The whole truth about one scan: the gate's verdict, the findings, and what every check measured."""

    def findings_frame(self) -> pd.DataFrame:
        """One row per finding, most severe first: code, severity, where, message, waiver, fingerprint."""
        from medaudit.frames import findings_frame

        return findings_frame(self.findings, {o.code: o.name for o in self.outcomes})

    def checks_frame(self) -> pd.DataFrame:
        """One row per check: its status (passed, failed, skipped, crashed), its summary, and why it was not evaluated."""
        from medaudit.frames import checks_frame

        return checks_frame(self.outcomes)

    def table(self, code: str, name: str) -> pd.DataFrame:
        """What a check measured, for example `table("LK001", "fields")`.

        Raises:
            MedauditError: there is no such check or table; it says what there is.
        """
        from medaudit.frames import table_frame, table_in

        return table_frame(table_in(self, code, name))

    def tables(self) -> dict[str, tuple[str, ...]]:
        """Code → names of the tables that `table` gives, of the checks that measured any."""
        from reports.document import keyed

        found = {o.code: keyed(o.verdict.tables, o.verdict.charts) for o in self.outcomes if o.verdict is not None}
        return {code: tuple(key for key, _, _ in entries) for code, entries in found.items() if entries}

    def __repr__(self) -> str:
        from reports.card import scan_line

        return f"<ScanResult {scan_line(self)}>"

    def _repr_html_(self) -> str:
        from reports.card import scan_card

        return scan_card(self)


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison(corrections.Comparison):
    """Two scans, and what lies between them: findings fixed, remaining, introduced; strategies tried, and how they did."""

    def findings_frame(self) -> pd.DataFrame:
        """One row per finding with `state` (introduced, remaining, fixed, unclear) first."""
        from medaudit.frames import findings_frame

        states = {state: getattr(self, state) for state in ("introduced", "remaining", "fixed", "unclear")}
        state = [name for name, findings in states.items() for _ in findings]
        return findings_frame([f for findings in states.values() for f in findings], {}, state=state)

    def corrections_frame(self) -> pd.DataFrame:
        """One row per value that a strategy would change: record, field, old, new, reason; `safe` says whether the copy
        holds it."""
        from medaudit.frames import table_frame
        from reports.proposal import corrections_table

        proposals = [arm.proposal for arm in self.arms if arm.proposal is not None]
        return table_frame(corrections_table([c for proposal in proposals for c in proposal.corrections]))

    def table(self, strategy: str, name: str) -> pd.DataFrame:
        """What a strategy or its evaluation measured.

        Raises:
            MedauditError: there is no such strategy or table; it says what there is.
        """
        from auditor.values.errors import MedauditError
        from auditor.values.suggestion import suggestion
        from medaudit.frames import named_table, table_frame

        arm = next((a for a in self.arms if a.strategy == strategy), None)
        if arm is None:
            raise MedauditError(f"no strategy {strategy!r} was tried{suggestion(strategy, [a.strategy for a in self.arms])}")
        parts = [part for part in (arm.proposal, arm.evaluation) if part is not None]
        tables, charts = [t for p in parts for t in p.tables], [c for p in parts for c in p.charts]
        return table_frame(named_table(name, tables, charts, strategy))

    def __repr__(self) -> str:
        return f"<Comparison {self.dataset}: {self.verdict}; {len(self.fixed)} fixed, {len(self.introduced)} introduced>"

    def _repr_html_(self) -> str:
        from reports.card import comparison_card

        return comparison_card(self)


@dataclass(frozen=True, kw_only=True, repr=False)
class FixResult:
    """What `medaudit.fix` did.

    Args:
        before: the scan of the dataset.
        after: the scan of the copy; None with `check=True`.
        comparison: before and after, with the strategies that were tried; None with `check=True`.
        copy: the folder of the corrected copy; None with `check=True`.
        reports: the folder of its reports; the copy itself, or one beside it that a copy without identities may not hold.
        pending: corrections, weights, removals and files that the chosen strategies would make or made.
        harmed: the evaluation said harmed, and nothing was applied.
        lines: what would be done, strategy by strategy, in words.
    """

    before: ScanResult
    after: ScanResult | None
    comparison: Comparison | None
    copy: Path | None
    reports: Path | None
    pending: int
    harmed: bool
    lines: tuple[str, ...]

    @classmethod
    def of(cls, fixed: Fixed, comparison: corrections.Comparison | None, lines: list[str]) -> FixResult:
        """The public view of a run of `trainers.fix`."""
        return cls(
            before=shown_as(ScanResult, fixed.corrected.before),
            after=None if fixed.after is None else shown_as(ScanResult, fixed.after),
            comparison=None if comparison is None else shown_as(Comparison, comparison),
            copy=None if fixed.applied is None else fixed.applied.output,
            reports=None if fixed.applied is None else fixed.applied.reports,
            pending=fixed.corrected.pending,
            harmed=fixed.harmed,
            lines=tuple(lines),
        )

    def findings_frame(self) -> pd.DataFrame:
        """The findings of the comparison with their `state`; of the scan alone where nothing was written."""
        return self.before.findings_frame() if self.comparison is None else self.comparison.findings_frame()

    def __repr__(self) -> str:
        if self.comparison is None:
            return f"<FixResult {self.before.dataset.name}: nothing written, {self.pending} changes pending>"
        return f"<FixResult {self.comparison.dataset}: {self.comparison.verdict}, copy in {self.copy}>"

    def _repr_html_(self) -> str:
        from reports.card import comparison_card, pending_card

        if self.comparison is not None:
            return comparison_card(self.comparison)
        return pending_card(self.before.dataset.name, self.pending, self.lines)
