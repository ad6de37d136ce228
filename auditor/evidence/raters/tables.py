"""What the measures of agreement look like in a report: typed tables and charts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from auditor.evidence.raters.agreement import Coefficient
from auditor.evidence.raters.models import dawid_skene, entropy_bits
from auditor.evidence.raters.pairs import Pair
from auditor.evidence.raters.raters import RaterTest
from auditor.evidence.raters.readings import Readings
from auditor.evidence.raters.summary import Agreement
from auditor.values.results import Cell, Chart, Column, Table

_KEYS = {
    "Fleiss' κ": "fleiss_kappa",
    "Gwet's AC1": "gwet_ac1",
    "Fleiss' κ, quadratic weights": "weighted_kappa",
    "Gwet's AC2, quadratic weights": "gwet_ac2",
    "ICC(2,1)": "icc_single",
    "ICC(3,k)": "icc_average",
}


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


def rater_table(readings: Readings, test: RaterTest, poor: npt.NDArray[np.bool_]) -> Table:
    """One row per rater: agreement with the others, and accuracy where the truth is inferred."""
    fitted = dawid_skene(
        readings.unit, readings.rater, readings.label,
        units=len(readings.records), raters=len(readings.raters), classes=len(readings.classes),
    )  # fmt: skip
    return Table(
        name="raters", title="Raters against the others who read the same records",
        columns=(
            Column(name="rater", kind="text", values=[str(r) for r in readings.raters], title="Rater"),
            Column(name="readings", kind="integer", values=test.readings.tolist(), title="Readings shared with others"),
            Column(name="informative", kind="integer", values=test.informative.tolist(), title="That tell who dissents"),
            Column(name="agreement", kind="fraction", values=numbers(test.agreement), title="Agreement with the others"),
            Column(name="others", kind="fraction", values=numbers(test.others), title="The others among themselves"),
            Column(name="kappa", kind="number", values=numbers(test.kappa), title="κ with the others"),
            Column(name="accuracy", kind="fraction", values=numbers(fitted.accuracy), title="Accuracy (Dawid-Skene)"),
            Column(name="q", kind="number", values=test.q.tolist(), title="p over all raters"),
            Column(name="flagged", kind="boolean", values=poor.tolist(), title="Stands apart"),
        ),
    )  # fmt: skip


def rater_chart(table: Table, test: RaterTest) -> Chart:
    """A bar per rater."""
    usual = float(np.nanmean(test.agreement))
    return Chart(
        name="rater_agreement", title="Agreement of each rater with the others", kind="bars", table=table,
        label="rater", value="agreement", reference={"mean": usual},
    )  # fmt: skip


def offset_table(rows: npt.NDArray[np.float64], names: Sequence[str]) -> Table:
    """How far every rater measures from the mean of all; rows (records, raters), NaN = not measured."""
    offset = np.array([float(np.nanmean(c)) if (~np.isnan(c)).any() else np.nan for c in (rows - _means(rows)).T])
    return Table(
        name="raters", title="Raters against the mean of all who measured the same records",
        columns=(
            Column(name="rater", kind="text", values=list(names), title="Rater"),
            Column(name="readings", kind="integer", values=(~np.isnan(rows)).sum(axis=0).tolist(), title="Readings"),
            Column(name="offset", kind="number", values=numbers(offset), title="Mean difference from the mean"),
        ),
    )  # fmt: skip


def agreement_metrics(readings: Readings, found: Agreement, poor: int, disputed: int, read_twice: int) -> dict[str, Cell]:
    """Every coefficient with its interval, and the counts, as figures of a verdict."""
    by_name = dict(found.measures)
    coefficients = {"krippendorff_alpha": found.alpha} | {_KEYS[n]: c for n, c in by_name.items() if n in _KEYS}
    metrics: dict[str, Cell] = {"percent_agreement_fraction": number(by_name["percent agreement"].value)}
    for name, coefficient in coefficients.items():
        metrics[name] = number(coefficient.value)
        metrics[f"{name}_low"], metrics[f"{name}_high"] = number(coefficient.low), number(coefficient.high)
    kappas = [p.kappa.value for p in found.pairs if not np.isnan(p.kappa.value)]
    metrics |= {
        "mean_cohen_kappa": float(np.mean(kappas)) if kappas else None,
        "scale": found.metric,
        "raters": len(readings.raters),
        "poor_raters": poor,
        "readings": len(readings.unit),
        "incomplete_readings": readings.incomplete,
        "repeated_readings": readings.repeats,
        "repeat_agreement_fraction": number(readings.repeat_agreement),
        "records_read_twice": read_twice,
        "disputed_records": disputed,
        "disputed_fraction": disputed / read_twice,
    }
    return metrics


def _means(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean of each record, shape (records, 1); NaN where nobody measured."""
    there = ~np.isnan(values)
    n = there.sum(axis=1, keepdims=True)
    total = np.where(there, values, 0.0).sum(axis=1, keepdims=True)
    return np.asarray(np.where(n > 0, total / np.maximum(n, 1), np.nan))
