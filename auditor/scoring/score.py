"""A scan against the truth: recall and false alarms per kind of harm, with intervals; what nobody looked at says so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.degrade.flaws import Truth
from auditor.scoring.questions import ASIDE, PLACED, QUESTIONS, Answer, Question, Unit
from auditor.statistics.wilson import wilson
from auditor.values.cells import visible
from auditor.values.errors import ConfigError
from auditor.values.ordinary import is_harmless
from auditor.values.results import Outcome, ScanResult

LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Share:
    """`hits` of `total` and the 95 % interval of Wilson; both ends 0–1."""

    hits: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """0–1; None of none."""
        return self.hits / self.total if self.total else None


@dataclass(frozen=True, kw_only=True)
class Score:
    """One kind of harm as one check sees it.

    Args:
        kind, code, unit: what was planted, who answers for it, and what is counted.
        planted: how many units.
        recall: share of them that was found; None where it was not evaluated.
        alarms: share of `among` that was flagged and not planted; None where there is no such share.
        reason: why it was not evaluated.
    """

    kind: str
    code: str
    unit: Unit
    planted: int
    recall: Share | None = None
    alarms: Share | None = None
    among: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """All of them; `unasked`: kinds that no check answers for → how many were planted; `severity`: of the copy, or None."""

    rows: tuple[Score, ...]
    unasked: Mapping[str, int]
    severity: float | None


def score_result(result: ScanResult, truth: Sequence[Truth]) -> Scores:
    """Score a result.

    Raises:
        ConfigError: the truth is empty, or that of another copy.
    """
    by_kind: dict[str, list[Truth]] = {}
    for row in truth:
        by_kind.setdefault(row.kind, []).append(row)
    if not set(by_kind) - {"severity", "dataset"}:
        raise ConfigError("the truth names nothing that was planted")
    for row in by_kind.get("dataset", []):
        if row.new != str(result.records):
            number = row.new if is_harmless(row.new) else "another number"
            raise ConfigError(
                f"the result is of {result.records:,} records, the truth of {number}: give the result of a scan of this copy"
            )
    for row in (row for kind, rows in by_kind.items() if kind in PLACED for row in rows):
        if len([_number(part) for part in row.old.split()]) != 4:
            raise ConfigError("the truth names a place by other than four numbers; give the one that `medaudit degrade` wrote")
    _same_records(result, truth)
    outcomes = {outcome.code: outcome for outcome in result.outcomes}
    rows = [_score(question, by_kind[question.kind], outcomes) for question in QUESTIONS if question.kind in by_kind]
    known = {question.kind for question in QUESTIONS} | ASIDE
    severity = next((_number(row.new) for row in by_kind.get("severity", [])), None)
    others = [kind for kind in by_kind if kind not in known]
    # a truth may come from elsewhere: a kind that is made of other than ordinary words is shown by its place
    unasked = {kind if is_harmless(kind) else f"kind {place}": len(by_kind[kind]) for place, kind in enumerate(others, 1)}
    return Scores(rows=tuple(rows), unasked=unasked, severity=severity)


def _number(text: str) -> float:
    """Raises ConfigError where the truth says something else."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError("the truth says something else where a number belongs; give the one that `medaudit degrade` wrote")
    return value


def _same_records(result: ScanResult, truth: Sequence[Truth]) -> None:
    """Raise where a table lists all records and none of the truth is among them."""
    scored = next((o for o in result.outcomes if o.code == "LN002" and o.verdict is not None), None)
    named = {row.record for row in truth if row.kind == "label-flip"}
    if scored is None or scored.verdict is None or not named:
        return
    for table in scored.verdict.tables:
        if table.name == "label_scores":
            ids = {str(value) for column in table.columns if column.name == "record" for value in column.values}
            if ids and not named & ids:
                raise ConfigError("the result names none of the records of the truth: give the result of a scan of this copy")


def _score(question: Question, rows: Sequence[Truth], outcomes: Mapping[str, Outcome]) -> Score:
    outcome = outcomes.get(question.code)
    if outcome is None:
        answer = Answer(reason="the scan did not ask this check")
    elif outcome.verdict is None or outcome.status not in ("passed", "failed"):
        answer = Answer(reason=outcome.reason or f"the check {outcome.status}")
    else:
        answer = question.answer(outcome, rows)
    shown = {"kind": question.kind, "code": question.code, "unit": question.unit}
    if answer.reason:
        return Score(**shown, planted=_planted(question, rows), reason=answer.reason)  # type: ignore[arg-type]
    alarms, others = answer.alarms, answer.others
    return Score(
        **shown,  # type: ignore[arg-type]
        planted=answer.planted,
        recall=_share(answer.found, answer.planted),
        alarms=None if alarms is None or others is None else _share(alarms, max(others, alarms)),
        among=answer.among,
    )


def _planted(question: Question, rows: Sequence[Truth]) -> int:
    """How many units were planted, where no check looked for them."""
    if question.unit == "dataset":
        return 1
    if question.unit == "readers":
        return len({row.new for row in rows})
    return len({row.record for row in rows}) if question.unit == "records" else len(rows)


def _share(hits: int, total: int) -> Share:
    low, high = wilson(hits, total, level=LEVEL)
    return Share(hits=hits, total=total, low=round(low, 4), high=round(high, 4))


def as_json(scores: Scores) -> dict[str, Any]:
    """For `medaudit score -o`."""

    def share(one: Share | None) -> dict[str, Any] | None:
        return None if one is None else {"value": one.value, **vars(one)}

    rows = [{**vars(row), "recall": share(row.recall), "alarms": share(row.alarms)} for row in scores.rows]
    return {"kind": "score", "level": LEVEL, "severity": scores.severity, "rows": rows, "unasked": dict(scores.unasked)}


def as_text(scores: Scores) -> list[str]:
    """A table for the terminal."""
    head = ("planted", "check", "counted", "recall (95 %)", "false alarms (95 %)")
    lines = [(row.kind, row.code, f"{row.planted:,} {row.unit}", *_cells(row)) for row in scores.rows]
    wide = [max(len(line[i]) for line in (head, *lines)) for i in range(5)]
    found = ["  ".join(cell.ljust(w) for cell, w in zip(line, wide, strict=True)).rstrip() for line in (head, *lines)]
    found += [f"{row.kind}, {row.code} not evaluated: {row.reason}" for row in scores.rows if row.reason]
    found += [f"{kind}: {count:,} planted, which no check answers for" for kind, count in sorted(scores.unasked.items())]
    if scores.severity is not None:
        found.append(f"severity: mean pixel F1 of the copy against the original {scores.severity:.3f}")
    return [visible(line) for line in found]  # kinds and reasons are words of files


def _cells(row: Score) -> tuple[str, str]:
    if row.recall is None:
        return "not evaluated", ""
    alarms = "" if row.alarms is None else f"{_text(row.alarms)} of {row.among}"
    return _text(row.recall), alarms


def _text(share: Share) -> str:
    value = "–" if share.value is None else f"{share.value:.2f}"
    return f"{value} ({share.low:.2f}–{share.high:.2f}; {share.hits:,} of {share.total:,})"
