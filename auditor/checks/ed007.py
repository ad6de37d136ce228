"""ED007: who read goes together with what was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.evidence.raters.readings import complete_readings, patients_of
from auditor.statistics.multiplicity import holm
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict

SEED = 0
MAX_DRAWN = 30


@dataclass(frozen=True, kw_only=True)
class ConfoundedRaters(Check):
    """Readers and classes, sites or splits are confounded.

    ## What it does

    Asks whether who read a record goes together with its released class, its site or its split. For each, the table of readers
    against values is compared with what dealing the records at random would give: the values are permuted over patients
    (records, where there are no ids). Reported are associations that are significant (Holm) and stronger than `max_cramer_v`.
    Where every reader reads everything nothing can be confounded.

    ## Why is this bad?

    When one reader reads all images of one hospital, the reader's habit and the hospital cannot be told apart. When positives
    were read by one and negatives by another, the label says who read. When the test set was read by other people than the
    training set, the test measures the difference between the readers.

    ## How to fix

    Deal records to readers at random, blind to class and site, and let some records be read by all. Where it is too late, have
    a random part read again by the other readers, and treat the reader as a stratum.

    ## Options

    * `max_cramer_v`: association (Cramér's V beyond chance) up to here is tolerated (.3).
    * `max_p`: significance over class, site and split (.05).

    ## References

    * Bergsma: A bias-correction for Cramér's V and Tschuprow's T. Journal of the Korean Statistical Society 2013.
    * Badgeley et al.: Deep learning predicts hip fracture using confounding patient and healthcare variables. npj Digital
      Medicine 2019.
    """

    code: ClassVar[str] = "ED007"
    name: ClassVar[str] = "confounded-raters"
    severity: ClassVar[Severity] = Severity.WARNING

    max_cramer_v: float = 0.3
    max_p: float = 0.05

    def run(self, dataset: Dataset) -> Verdict:
        """Test; raises SkipCheck without readings by two raters, or without class, site and split."""
        readings = complete_readings(dataset).astype({"record": str, "rater": str}).drop_duplicates(["record", "rater"])
        record, records = pd.factorize(readings["record"])
        rater, raters = pd.factorize(readings["rater"], sort=True)
        if len(raters) < 2:
            raise SkipCheck("all readings are by one rater: nothing can be told apart")
        index = pd.Index(records)
        cluster = patients_of(dataset, index)
        found: list[tuple[str, tuple[str, ...], Confounding]] = []
        for what, column in _attributes(dataset):
            code, given = pd.factorize(column.reindex(index), sort=True)
            names = tuple(str(name) for name in given)
            unit, value = _units(code.astype(np.int64), cluster)
            measured = confounded(unit[record], rater.astype(np.int64), value, raters=len(raters), values=len(names), seed=SEED)
            if measured is not None:
                found.append((what, names, measured))
        if not found:
            raise SkipCheck("neither a released class, nor a site, nor a split varies among the records that were read")
        q = holm(np.array([measured.p for *_, measured in found]))
        loud = [bool(p <= self.max_p and m.cramer > self.max_cramer_v) for p, (*_, m) in zip(q, found, strict=True)]
        findings = [
            Finding(
                code=self.code, severity=self.severity, where=Location(field=what if what != "class" else None), subject=what,
                score=m.cramer,
                message=(
                    f"who reads goes together with the {what}: Cramér's V = {m.cramer:.2f} beyond chance (p = {p:.2g}); "
                    f"{_example(m, names, [str(r) for r in raters], what)}: deal records to readers at random"
                ),
                evidence={"cramer_v": m.cramer, "q": float(p), "raters": len(raters)},
            )
            for (what, names, m), p, flagged in zip(found, q, loud, strict=True)
            if flagged
        ]  # fmt: skip
        tables = [_summary_table(found, q, loud)]
        charts = []
        for what, names, m in found:
            table = _cross_table(m, names, [str(r) for r in raters], what)
            tables.append(table)
            charts.append(
                Chart(
                    name=f"raters_by_{what}", title=f"What each reader read, by {what}", kind="matrix", table=table,
                    label="rater", group="value", value="fraction",
                )
            )  # fmt: skip
        metrics: dict[str, Cell] = {"raters": len(raters)}
        for (what, _, m), p in zip(found, q, strict=True):
            metrics |= {f"{what}_cramer_v": m.cramer, f"{what}_q": float(p)}
        told = "; ".join(f"{what} {m.cramer:.2f} (p = {p:.2g})" for (what, _, m), p in zip(found, q, strict=True))
        return Verdict(
            summary=f"Association of readers, Cramér's V beyond chance: {told}; above {self.max_cramer_v} is reported.",
            metrics=metrics,
            findings=tuple(findings),
            tables=tuple(tables),
            charts=tuple(charts),
            coverage=Coverage(evaluated=len(records), total=len(records)),
        )


def _attributes(dataset: Dataset) -> list[tuple[str, pd.Series]]:
    found = []
    if dataset.labels.task in ("single", "ordinal"):
        found.append(("class", dataset.labels.values))
    return found + [(role, dataset.records[role]) for role in ("site", "split") if dataset.has(role)]


def _units(code: npt.NDArray[np.int64], cluster: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Unit of each record and value of each unit: patients where the value is theirs, else records."""
    patient, inverse = np.unique(cluster, return_inverse=True)
    known = code >= 0
    low, high = np.full(len(patient), np.iinfo(np.int64).max), np.full(len(patient), -1)
    np.minimum.at(low, inverse[known], code[known])
    np.maximum.at(high, inverse[known], code[known])
    if (high[inverse[known]] == low[inverse[known]]).all():
        return inverse.astype(np.int64), high
    return np.arange(len(code), dtype=np.int64), code


def _example(found: Confounding, names: tuple[str, ...], raters: list[str], what: str) -> str:
    """The reader and value furthest from the common mix."""
    total = found.table.sum()
    expected = found.table.sum(axis=1, keepdims=True) * found.table.sum(axis=0, keepdims=True) / total
    residual = np.where(expected > 0, (found.table - expected) / np.sqrt(np.where(expected > 0, expected, 1)), 0)
    r, v = (int(k) for k in np.unravel_index(int(residual.argmax()), residual.shape))
    own = found.table[r, v] / found.table[r].sum()
    every = found.table[:, v].sum() / total
    return f"of the readings of rater {raters[r]}, {own:.0%} are of {what} {names[v]!r}, of all readings {every:.0%}"


def _summary_table(
    found: list[tuple[str, tuple[str, ...], Confounding]], q: npt.NDArray[np.float64], loud: list[bool]
) -> Table:
    return Table(
        name="confounding", title="Does who reads go together with what is read?",
        columns=(
            Column(name="attribute", kind="text", values=[what for what, _, _ in found], title="Attribute"),
            Column(name="values", kind="integer", values=[len(names) for _, names, _ in found], title="Values"),
            Column(name="cramer_v", kind="fraction", values=[m.cramer for *_, m in found], title="Cramér's V beyond chance"),
            Column(name="p", kind="number", values=[m.p for *_, m in found], title="p"),
            Column(name="q", kind="number", values=q.tolist(), title="p over all"),
            Column(name="flagged", kind="boolean", values=loud, title="Confounded"),
        ),
    )  # fmt: skip


def _cross_table(found: Confounding, names: tuple[str, ...], raters: list[str], what: str) -> Table:
    """Readers who read most × the most frequent values, as shares of each reader's readings."""
    top_r = np.sort(np.argsort(-found.table.sum(axis=1), kind="stable")[:MAX_DRAWN])
    top_v = np.sort(np.argsort(-found.table.sum(axis=0), kind="stable")[:MAX_DRAWN])
    share = found.table / np.maximum(found.table.sum(axis=1, keepdims=True), 1)
    cells = [(int(r), int(v)) for r in top_r for v in top_v]
    return Table(
        name=f"raters_by_{what}", title=f"What each reader read, by {what}",
        columns=(
            Column(name="rater", kind="text", values=[raters[r] for r, _ in cells], title="Rater"),
            Column(name="value", kind="text", values=[names[v] for _, v in cells], title=what.capitalize()),
            Column(name="readings", kind="integer", values=[int(found.table[r, v]) for r, v in cells], title="Readings"),
            Column(name="fraction", kind="fraction", values=[float(share[r, v]) for r, v in cells], title="Share"),
        ),
    )  # fmt: skip


Doubles = npt.NDArray[np.float64]

Codes = npt.NDArray[np.int64]

ENOUGH = 20

LEAST = 99


@dataclass(frozen=True, kw_only=True)
class Confounding:
    """Raters against the values of an attribute.

    Args:
        table: (raters, values) readings.
        cramer: Cramér's V, corrected for what chance alone gives (Bergsma 2013); 0 = every rater has the same mix, 1 =
            each value has its own raters.
        p: by permuting the attribute over the units.
    """

    table: Doubles
    cramer: float
    p: float


def confounded(
    unit: Codes, rater: Codes, value: Codes, *, raters: int, values: int, permutations: int = 999, seed: int = 0
) -> Confounding | None:
    """Association of who read with what the unit is.

    Args:
        unit, rater: one entry per reading; units are what the attribute belongs to (patients, or records).
        value: (units,) code of the attribute, −1 where it is not known.
        raters, values: how many there are.

    Returns:
        None where fewer than two raters or two values are left.
    """
    known = value[unit] >= 0
    unit, rater = unit[known], rater[known]
    kept = np.flatnonzero(value >= 0)
    place = np.full(len(value), -1)
    place[kept] = np.arange(len(kept))
    where = place[unit]
    code = value[kept]

    def counted(values_of_units: Codes) -> Doubles:
        cells = rater * values + values_of_units[where]
        return np.bincount(cells, minlength=raters * values).reshape(raters, values).astype(np.float64)

    table = counted(code)
    if (table.sum(axis=1) > 0).sum() < 2 or (table.sum(axis=0) > 0).sum() < 2:
        return None
    observed = _chi_square(table)
    rng = np.random.default_rng(seed)
    values_drawn: list[float] = []
    hits = 0
    # Sequential (Besag & Clifford 1991): where chance does as well often enough, more draws would not change the verdict.
    while len(values_drawn) < permutations and (hits < ENOUGH or len(values_drawn) < LEAST):
        values_drawn.append(_chi_square(counted(rng.permutation(code))))
        hits += values_drawn[-1] >= observed - 1e-9
    drawn = np.array(values_drawn)
    p = (hits + 1) / (len(drawn) + 1)
    total = float(table.sum())
    rows, columns = int((table.sum(axis=1) > 0).sum()), int((table.sum(axis=0) > 0).sum())
    # What chance gives under the permutations replaces Bergsma's (r−1)(c−1)/(n−1): readings of one unit are not independent.
    phi = max(0.0, (observed - float(drawn.mean())) / total)
    top = max(min(rows, columns) - 1 - float(drawn.mean()) / total, 1e-9)
    return Confounding(table=table, cramer=float(min(1.0, np.sqrt(phi / top))), p=p)


def _chi_square(table: Doubles) -> float:
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / max(float(table.sum()), 1)
    return float(np.divide((table - expected) ** 2, expected, out=np.zeros_like(table), where=expected > 0).sum())
