"""What a report shows of columns that were asked whether they tell the class: tables, charts, figures in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auditor.statistics.contingency import Contingency, contingency_of
from auditor.statistics.derived import Answer, Told
from auditor.statistics.question import Question
from auditor.statistics.screening import Measured
from auditor.values.dataset import Dataset
from auditor.values.fields import Field
from auditor.values.results import Cell, Chart, Column, Coverage, Table


def contingency(found: Answer, row: Told, field: Field) -> Contingency:
    """Counts of the column's values for the class that it tells best."""
    return contingency_of(row.measured.coded, field, found.question.targets, row.measured.target, found.question.clusters)


def fields_table(found: Answer, titles: Mapping[str, str], *, name: str, title: str) -> Table:
    """Every column asked: what it is, the class it tells best, AUC with interval, p, q, verdict."""
    rows = found.rows
    columns = [
        Column(name="field", kind="text", title="Field", values=[row.name for row in rows]),
        Column(name="what", kind="text", title="What it is", values=[titles[row.name] for row in rows]),
        Column(name="class", kind="class", title="Class told best", values=[found.target(row) for row in rows]),
        Column(name="auc", kind="fraction", title="AUC", values=[row.measured.auc for row in rows]),
        Column(name="low", kind="fraction", title="from", values=[row.low for row in rows]),
        Column(name="high", kind="fraction", title="to", values=[row.high for row in rows]),
        Column(name="p", kind="number", title="p", values=[row.measured.p for row in rows]),
        Column(name="q", kind="number", title="q", values=[row.measured.q for row in rows]),
        Column(name="verdict", kind="text", title="Verdict", values=["told" if row.told else "passed" for row in rows]),
    ]
    if found.question.strata is not None:
        within = [row.measured.inside_auc for row in rows]
        columns.append(Column(name="within_auc", kind="fraction", title="AUC within strata", values=within))
    return Table(name=name, title=title, columns=tuple(columns))


def intervals_chart(
    table: Table, gates: Mapping[str, float], *, title: str, name: str = "", label: str = "what", group: str | None = None
) -> Chart:
    """AUC with its interval (columns `auc`, `low`, `high`) against gates: severity → smallest AUC."""
    return Chart(
        name=name or f"{table.name}:intervals",
        title=title,
        kind="intervals",
        table=table,
        label=label,
        value="auc",
        low="low",
        high="high",
        group=group,
        reference={f"{severity} {gate:.2f}": gate for severity, gate in gates.items()},
    )


def evidence_of(found: Answer, row: Told) -> dict[str, Cell]:
    """The figures behind a finding."""
    one = row.measured
    figures: dict[str, Cell] = {
        "class": found.target(row),
        "auc": round(one.auc, 4),
        "low": round(row.low, 4),
        "high": round(row.high, 4),
        "macro_auc": round(one.macro, 4),
        "p": one.p,
        "q": one.q,
        "patients": found.question.clusters.count if found.question.clusters.usable else None,
    }
    if one.inside_auc is not None:
        figures["within_auc"] = round(one.inside_auc, 4)
    return figures


def figures_in_words(found: Answer, row: Told) -> str:
    """`tells benign from the rest: AUC 0.86 (0.84–0.88), within the declared strata 0.81`."""
    text = f"tells {found.target(row)} from the rest: AUC {row.measured.auc:.2f} ({row.low:.2f}–{row.high:.2f})"
    if row.measured.inside_auc is not None:
        text += f", within the declared strata {row.measured.inside_auc:.2f}"
    return text


def none_told(found: Answer, what: str, whom: str = "a class") -> str:
    """`None of 3 dates tells a class (largest AUC 0.55); AUC 0.64 would have been seen`; of at least one column."""
    largest = largest_in_words([row.measured for row in found.rows])
    return f"None of {len(found.rows)} {what} tells {whom} ({largest}); AUC {found.detectable:.2f} would have been seen"


def largest_in_words(measured: Sequence[Measured]) -> str:
    """`largest AUC 0.55`; where strata were declared, that within them: over all strata the design explains a larger one."""
    largest = f"largest AUC {max(one.auc for one in measured):.2f}"
    within = [one.inside_auc for one in measured if one.inside_auc is not None]
    return f"{largest}, within the declared strata {max(within):.2f}" if within else largest


def independence_note(question: Question) -> str:
    """`; no usable patient ids, rows assumed independent` (or which groups were guessed), or nothing."""
    return f"; {question.clusters.note}" if question.clusters.note else ""


def coverage_of(dataset: Dataset, question: Question, reasons: Sequence[str] = ()) -> Coverage:
    """Labelled records that were looked at, and why the rest was not."""
    said = list(reasons)
    asked = len(question.clusters.index)
    if asked < dataset.size:
        said.insert(0, f"whole patients drawn up to {asked:,} records")
    if question.labelled < dataset.size and not said:
        said.append(f"{dataset.size - question.labelled:,} records have no label")
    if question.few:
        said.append(f"{len(question.few)} classes have too few records or patients")
    return Coverage(evaluated=question.labelled, total=dataset.size, reason="; ".join(said))
