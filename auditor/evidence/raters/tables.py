"""What the measures of agreement look like in a report: typed tables and charts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from auditor.evidence.raters.agreement import Coefficient
from auditor.evidence.raters.models import entropy_bits
from auditor.evidence.raters.pairs import Pair
from auditor.evidence.raters.readings import Readings
from auditor.values.results import Cell, Chart, Column, Table


def number(value: float) -> float | None:
    """A number for a cell: NaN is nothing."""
    return None if np.isnan(value) else float(value)


def numbers(values: npt.NDArray[np.float64]) -> list[Cell]:
    """Numbers for a column."""
    return [number(value) for value in values.tolist()]


def coefficient_table(rows: Sequence[tuple[str, Coefficient]]) -> Table:
    """One row per measure of agreement."""
    return Table(
        name="agreement", title="How far the readers agree",
        columns=(
            Column(name="measure", kind="text", values=[name for name, _ in rows], title="Measure"),
            Column(name="value", kind="number", values=[number(c.value) for _, c in rows], title="Value"),
            Column(name="low", kind="number", values=[number(c.low) for _, c in rows], title="95 % from"),
            Column(name="high", kind="number", values=[number(c.high) for _, c in rows], title="to"),
        ),
    )  # fmt: skip


def coefficient_chart(table: Table, floor: float) -> Chart:
    """The measures with their intervals."""
    return Chart(
        name="agreement", title="Agreement of the readers", kind="intervals", table=table,
        label="measure", value="value", low="low", high="high", reference={"floor of α": floor},
    )  # fmt: skip


def pair_table(pairs: Sequence[Pair], raters: Sequence[str]) -> Table:
    """Every pair of raters, once in each direction, so that a matrix can be drawn of it."""
    both = [(p.first, p.second, p) for p in pairs] + [(p.second, p.first, p) for p in pairs]
    both.sort(key=lambda row: (row[0], row[1]))
    return Table(
        name="pairs", title="Agreement of every two raters",
        columns=(
            Column(name="rater_a", kind="text", values=[raters[a] for a, _, _ in both], title="Rater"),
            Column(name="rater_b", kind="text", values=[raters[b] for _, b, _ in both], title="With"),
            Column(name="records", kind="integer", values=[p.shared for *_, p in both], title="Records of both"),
            Column(name="agreement", kind="fraction", values=[p.percent for *_, p in both], title="Same label"),
            Column(name="kappa", kind="number", values=[number(p.kappa.value) for *_, p in both], title="Cohen's κ"),
            Column(name="low", kind="number", values=[number(p.kappa.low) for *_, p in both], title="95 % from"),
            Column(name="high", kind="number", values=[number(p.kappa.high) for *_, p in both], title="to"),
        ),
    )  # fmt: skip


def pair_chart(table: Table) -> Chart:
    """Heat map of the pairs."""
    return Chart(
        name="pairs", title="Agreement of every two raters", kind="matrix", table=table,
        label="rater_a", group="rater_b", value="agreement",
    )  # fmt: skip


def class_table(names: Sequence[str], rows: Sequence[tuple[float, Coefficient]], readings: Sequence[int]) -> Table:
    """One row per class or finding."""
    return Table(
        name="classes", title="Agreement per class",
        columns=(
            Column(name="class", kind="class", values=list(names), title="Class"),
            Column(name="readings", kind="integer", values=list(readings), title="Readings that name it"),
            Column(name="specific_agreement", kind="fraction", values=[number(s) for s, _ in rows], title="Another agrees"),
            Column(name="alpha", kind="number", values=[number(c.value) for _, c in rows], title="Krippendorff's α"),
            Column(name="low", kind="number", values=[number(c.low) for _, c in rows], title="95 % from"),
            Column(name="high", kind="number", values=[number(c.high) for _, c in rows], title="to"),
        ),
    )  # fmt: skip


def record_agreement(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Share of agreeing pairs of readings per record, NaN with one reading."""
    n = counts.sum(axis=1)
    pairs = (counts * (counts - 1)).sum(axis=1) / np.maximum(n * (n - 1), 1)
    return np.asarray(np.where(n >= 2, pairs, np.nan))


def record_table(
    readings: Readings, pairs: npt.NDArray[np.float64], disputed: npt.NDArray[np.bool_], *, name: str = "records"
) -> Table:
    """One row per record that was read."""
    counts = readings.counts
    n = counts.sum(axis=1)
    entropy = entropy_bits(counts / n[:, None])
    top = counts.max(axis=1)
    tied = (counts == top[:, None]).sum(axis=1) > 1
    names = np.array(readings.classes, dtype=object)[counts.argmax(axis=1)]
    names[tied] = None
    return Table(
        name=name, title="Records and what their readers say",
        columns=(
            Column(name="record", kind="record", values=[str(r) for r in readings.records], title="Record"),
            Column(name="readings", kind="integer", values=n.astype(np.int64).tolist(), title="Readings"),
            Column(name="labels", kind="integer", values=(counts > 0).sum(axis=1).tolist(), title="Different labels"),
            Column(name="majority", kind="class", values=names.tolist(), title="Most frequent label (empty: tie)"),
            Column(name="agreement", kind="fraction", values=numbers(pairs), title="Agreeing pairs"),
            Column(name="entropy_bits", kind="number", values=entropy.round(6).tolist(), title="Entropy in bits"),
            Column(name="disputed", kind="boolean", values=disputed.tolist(), title="Disputed"),
        ),
    )  # fmt: skip
