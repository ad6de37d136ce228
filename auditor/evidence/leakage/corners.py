"""Leaks in a corner of the data, too small for an AUC over everything: a value that one class alone has, a field that tells in
one site only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.statistics.coding import CodedField
from auditor.statistics.multiplicity import benjamini_hochberg
from auditor.statistics.purity import PureValue, pure_values
from auditor.statistics.question import Question
from auditor.statistics.screening import Measured, screen
from auditor.statistics.targets import Targets, rows_of, subset, sufficient
from auditor.values.fields import Field

PURE_ALPHA = 0.01
"""Stricter than the false discovery rate: these are extra looks at fields whose AUC was silent."""
MOST_SITES = 20


@dataclass(frozen=True, kw_only=True)
class Pure:
    """A field with values that only one class has. `q` is adjusted over values, classes and fields."""

    field: Field
    values: tuple[PureValue, ...]
    target: str
    q: float

    @property
    def patients(self) -> int:
        """Patients (rows, where ids are not usable) with such a value."""
        return sum(value.patients for value in self.values)


@dataclass(frozen=True, kw_only=True)
class InSite:
    """A field that tells a class inside one site. `measured` counts that site's records only; `q` over sites and fields."""

    field: Field
    site: int
    target: str
    records: int
    measured: Measured
    q: float


def pure_fields(fields: Sequence[tuple[CodedField, Field]], question: Question) -> tuple[Pure, ...]:
    """Fields with pure values, false discovery rate over all fields held at `PURE_ALPHA`.

    The majority class is never pure, and a value of one patient never significant: see `auditor.statistics.purity`.
    """
    clusters, p, found = question.clusters, np.ones(len(fields)), []
    targets = _both_sides(question.targets)
    for i, (coded, field) in enumerate(fields):
        values = pure_values(coded, targets, clusters.index, clusters.count, alpha=PURE_ALPHA)
        if values:
            p[i] = values[0].p
            found.append((i, field, values))
    q = benjamini_hochberg(p)
    return tuple(
        Pure(
            field=field,
            values=tuple(value for value in values if value.target == values[0].target),
            target=targets.names[values[0].target],
            q=float(q[i]),
        )
        for i, field, values in found
        if q[i] <= PURE_ALPHA
    )


def fields_in_sites(
    columns: Sequence[tuple[pd.Series, Field]],
    question: Question,
    sites: pd.Series,
    *,
    cases: int,
    holders: int,
    draws: int,
    test_records: int,
    seed: int,
    folds: int,
    max_q: float,
    min_auc: float,
) -> tuple[InSite, ...]:
    """Fields that tell a class inside single sites, the largest `MOST_SITES` of them; see `LK001` for the thresholds."""
    codes, names = pd.factorize(sites, use_na_sentinel=True)
    if not 2 <= len(names) <= len(codes) // 20 or not columns:
        return ()
    sizes = np.bincount(codes[codes >= 0], minlength=len(names))
    looked: list[tuple[int, int, Question, Measured]] = []
    for site in np.argsort(-sizes, kind="stable")[:MOST_SITES].tolist():
        rows = np.flatnonzero(codes == site)
        part = _part(question, rows, cases=cases, holders=holders)
        if part is None:
            continue
        own = [column.iloc[rows] for column, _ in columns]
        found = screen(own, part, folds=folds, draws=draws, test_records=test_records, seed=seed)
        looked += [(site, len(rows), part, measured) for measured in found.measured]
    if not looked:
        return ()
    q = benjamini_hochberg(np.array([measured.p for *_, measured in looked]))
    known = {str(column.name): field for column, field in columns}
    return tuple(
        InSite(
            field=known[measured.coded.name],
            site=site,
            target=part.targets.names[measured.target],
            records=records,
            measured=measured,
            q=float(q[i]),
        )
        for i, (site, records, part, measured) in enumerate(looked)
        if q[i] <= max_q and measured.auc >= min_auc and measured.low > 0.5
    )


def _both_sides(targets: Targets) -> Targets:
    """Of two classes only the rarer is asked for; a value may stand in the other alone."""
    if len(targets.names) != 1:
        return targets
    other = targets.known & ~targets.positive
    return Targets(
        names=(targets.names[0], f"not {targets.names[0]}"),
        positive=np.asfortranarray(np.column_stack([targets.positive, other])),
        known=np.asfortranarray(np.repeat(targets.known, 2, axis=1)),
    )


def _part(question: Question, rows: npt.NDArray[np.int64], *, cases: int, holders: int) -> Question | None:
    """The question asked of some rows; None where no class has enough cases on either side there."""
    uniques, index = np.unique(question.clusters.index[rows], return_inverse=True)
    targets = rows_of(question.targets, rows)
    enough = sufficient(targets, index, cases=cases, holders=holders)
    if not enough.any():
        return None
    return Question(
        targets=subset(targets, enough),
        few=(),
        clusters=replace(question.clusters, index=index.astype(np.int64), count=len(uniques)),
        fields=question.fields,
        label_source=question.label_source,
        strata=None,
        stratum_names=(),
        labelled=int(targets.known.any(axis=1).sum()),
    )
