"""A field's values against one class, as counts that may be shown: rare values are pooled, identifying ones unnamed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from auditor.statistics.clusters import Clusters, held_by
from auditor.statistics.coding import CodedField
from auditor.statistics.targets import Targets
from auditor.values.fields import Field, describe, spoken
from auditor.values.results import Chart, Column, Table

SHOWN = 12
SHOWN_FROM_PATIENTS = 5


@dataclass(frozen=True, kw_only=True)
class Contingency:
    """Counts of one field's values, shape (values,): records of the class (`cases`) and of the rest (`others`)."""

    field: str
    target: str
    values: tuple[str, ...]
    cases: tuple[int, ...]
    others: tuple[int, ...]


def contingency_of(coded: CodedField, field: Field, targets: Targets, target: int, clusters: Clusters) -> Contingency:
    """Counts of the commonest values (all bins of a number), the rest pooled as `(other)`.

    A value is shown as it stands only for encoding and acquisition fields that do not identify; otherwise it is numbered. A
    value that fewer than five patients hold is pooled.
    """
    known, positive = targets.known[:, target], targets.positive[:, target]
    cases = np.bincount(coded.codes[positive], minlength=coded.size)
    others = np.bincount(coded.codes[known & ~positive], minlength=coded.size)
    shown = held_by(coded.codes, clusters.index, coded.size, least=SHOWN_FROM_PATIENTS)
    if not coded.ordered:
        order = np.argsort(-(cases + others), kind="stable")
        shown[order[SHOWN:]] = False
    else:
        order = np.arange(coded.size)
    identifying = field.identifying or describe(field.name).identifying
    plain = field.kind in ("encoding", "acquisition") and not identifying
    rows: list[tuple[str, int, int]] = []
    for number, code in enumerate((c for c in order if shown[c]), start=1):
        text = coded.values[code]
        if not plain and not text.startswith("("):
            text = f"{'bin' if coded.ordered else 'value'} {number}"
        rows.append((text, int(cases[code]), int(others[code])))
    if (~shown).any() and (cases + others)[~shown].sum() > 0:
        rows.append(("(other)", int(cases[~shown].sum()), int(others[~shown].sum())))
    values, hits, misses = zip(*rows, strict=True)
    return Contingency(field=field.name, target=targets.names[target], values=values, cases=hits, others=misses)


def contingency_table(contingencies: Sequence[Contingency]) -> Table:
    """All contingencies below each other."""
    rows = [
        (one.field, value, one.target, cases, others, cases / (cases + others) if cases + others else None)
        for one in contingencies
        for value, cases, others in zip(one.values, one.cases, one.others, strict=True)
    ]
    return Table(
        name="contingency",
        title="Values of the flagged fields by class",
        columns=(
            Column(name="field", kind="text", title="Field", values=[row[0] for row in rows]),
            Column(name="value", kind="text", title="Value", values=[row[1] for row in rows]),
            Column(name="class", kind="class", title="Class", values=[row[2] for row in rows]),
            Column(name="records_of_class", kind="integer", title="Records of the class", values=[row[3] for row in rows]),
            Column(name="records_of_rest", kind="integer", title="Records of the rest", values=[row[4] for row in rows]),
            Column(name="class_fraction", kind="fraction", title="Share of the class", values=[row[5] for row in rows]),
        ),
    )


def histogram_chart(one: Contingency) -> Chart:
    """Overlaid histogram: share of each side's records over the values."""
    sides = ((one.target, one.cases), ("the rest", one.others))
    rows = [
        (value, group, count / max(1, sum(counts)), count)
        for group, counts in sides
        for value, count in zip(one.values, counts, strict=True)
    ]
    table = Table(
        name=f"histogram:{one.field}",
        title=f"{spoken(one.field)} by class",
        columns=(
            Column(name="value", kind="text", title=spoken(one.field), values=[row[0] for row in rows]),
            Column(name="group", kind="class", title="Class", values=[row[1] for row in rows]),
            Column(name="share", kind="fraction", title="Share of the class's records", values=[row[2] for row in rows]),
            Column(name="records", kind="integer", title="Records", values=[row[3] for row in rows]),
        ),
    )
    return Chart(
        name=table.name,
        title=f"{spoken(one.field)}: {one.target} against the rest",
        kind="histogram",
        table=table,
        label="value",
        value="share",
        group="group",
    )
