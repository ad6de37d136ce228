"""What a report shows of judged metadata fields: the table of all, histograms of the strongest, what was not asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditor.evidence.leakage.judged_fields import JudgedField, is_no_input
from auditor.statistics.contingency import Contingency, histogram_chart
from auditor.statistics.intervals import detectable_auc
from auditor.statistics.question import Question
from auditor.statistics.screening import Screening
from auditor.values.results import Chart, Column, Coverage, Table

_CHARTS = 8


def judged_table(judged: Sequence[JudgedField], question: Question) -> Table:
    """Every field, strongest first: kind, the class it tells best, AUC with interval, p, q, verdict."""
    rows = sorted(judged, key=lambda one: (-one.measured.auc, one.field.name))
    found = [one.measured for one in rows]
    notes = [_note(one) for one in rows]
    columns = [
        Column(name="field", kind="text", title="Field", values=[one.field.name for one in rows]),
        Column(name="kind", kind="text", title="Kind", values=[one.field.kind for one in rows]),
        Column(name="class", kind="class", title="Class told best", values=[question.targets.names[m.target] for m in found]),
        Column(name="auc", kind="fraction", title="AUC", values=[m.auc for m in found]),
        Column(name="low", kind="fraction", title="from", values=[one.low for one in rows]),
        Column(name="high", kind="fraction", title="to", values=[one.high for one in rows]),
        Column(name="p", kind="number", title="p", values=[m.p for m in found]),
        Column(name="q", kind="number", title="q", values=[m.q for m in found]),
        Column(name="verdict", kind="text", title="Verdict", values=[one.verdict for one in rows]),
        Column(name="macro_auc", kind="fraction", title="Mean AUC", values=[m.macro for m in found]),
        Column(name="values", kind="integer", title="Values", values=[m.coded.size for m in found]),
        Column(name="note", kind="text", title="Note", values=notes),
    ]
    if question.strata is not None:
        columns += [
            Column(name="within_auc", kind="fraction", title="AUC within strata", values=[m.inside_auc for m in found]),
            Column(name="within_q", kind="number", title="q within strata", values=[m.inside_q for m in found]),
        ]
    return Table(name="fields", title="Every field tested", columns=tuple(columns))


def strongest_histograms(contingencies: Sequence[Contingency], judged: Sequence[JudgedField]) -> list[Chart]:
    """One overlaid histogram for each of the gravest and strongest flagged fields."""
    by_name = {one.field.name: one for one in judged}
    rank = {"error": 0, "warning": 1, "info": 2}
    ordered = sorted(contingencies, key=lambda c: (rank[by_name[c.field].verdict], -by_name[c.field].measured.auc, c.field))
    return [histogram_chart(one) for one in ordered[:_CHARTS]]


def seen_from(screening: Screening, *, min_auc: float) -> tuple[float, float]:
    """Smallest AUC that would have been found, for the class with most and with fewest patients on its smaller side."""
    order = np.argsort(screening.sides.min(axis=1))
    tests = max(1, len(screening.measured))
    commonest, rarest = (
        max(min_auc, detectable_auc(int(screening.sides[c, 0]), int(screening.sides[c, 1]), tests=tests))
        for c in (order[-1], order[0])
    )
    return commonest, rarest


def screening_coverage(total: int, question: Question, screening: Screening) -> Coverage:
    """Labelled records of all, and which classes and fields were not asked for."""
    reasons = []
    if question.labelled < total:
        reasons.append(f"{total - question.labelled:,} records have no label")
    if question.few:
        reasons.append(f"{len(question.few)} classes have too few records or patients")
    if question.label_source:
        reasons.append(f"{len(question.label_source)} columns are the label itself")
    if screening.constant:
        reasons.append(f"{len(screening.constant)} fields hold one value")
    return Coverage(evaluated=question.labelled, total=total, unit="records", reason="; ".join(reasons))


def _note(one: JudgedField) -> str:
    return "not an input" if is_no_input(one.field) else "survives decoding" if one.field.survives_decoding else ""
