"""PH006: declared quasi-identifiers single patients out (k-anonymity)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.values.dataset import Dataset
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class KAnonymity(Check):
    """Declared quasi-identifiers single patients out.

    ## What it does
    Groups the patients (the records, where no patient ids are there) by the values of the fields that
    `[privacy] quasi-identifiers` in `medaudit.toml` declares, all together, a missing value being a value of its own, and
    counts those whose group has fewer than `min_k` members. A patient with several values of a field is grouped by all of
    them. Without a declaration there is nothing to judge: which fields an outsider could know, only people can say.

    ## Why is this bad?
    Age, sex and postcode are on no list of identifiers, and together they name most people. A group of one is a person
    that somebody who knows these facts can find in the table, with the diagnosis beside them.

    ## How to fix
    Coarsen the fields (ages in bands of ten years, regions instead of postcodes, years instead of dates), or leave out the
    fields or the few patients that stand alone.

    ## Options
    * `min_k`: smallest group that is accepted.

    ## References
    Sweeney 2002, k-anonymity, Int. J. Uncertainty, Fuzziness and Knowledge-Based Systems 10:557; El Emam & Dankar 2008.
    """

    code: ClassVar[str] = "PH006"
    name: ClassVar[str] = "k-anonymity"
    severity: ClassVar[Severity] = Severity.WARNING

    min_k: int = 5

    def run(self, dataset: Dataset) -> Verdict:
        """Sizes of the groups."""
        declared = dataset.privacy.quasi_identifiers
        if not declared:
            raise SkipCheck("no quasi-identifiers are declared in [privacy]: what outsiders could know is not told")
        missing = [name for name in declared if name not in dataset.metadata]
        if missing:
            raise SkipCheck(f"declared quasi-identifiers are no metadata of this dataset: {', '.join(missing)}")
        groups, unit = group_of_each(dataset, declared)
        sizes = np.bincount(groups)
        size_of_each = sizes[groups]
        small = int((size_of_each < self.min_k).sum())
        k = int(sizes.min())
        names = ", ".join(declared)
        finding = Finding(
            code=self.code,
            severity=self.severity,
            message=f"{small:,} of {len(groups):,} {unit} stand in groups of fewer than {self.min_k} by {names}; "
            f"{int((size_of_each == 1).sum()):,} stand alone. Coarsen these fields, or leave the few out",
            where=Location(field=declared[0] if len(declared) == 1 else None),
            subject=names,
            score=small / len(groups),
            evidence={"k": k, unit: len(groups), "in_small_groups": small, "alone": int((size_of_each == 1).sum())},
        )
        bounds = [1, 2, 3, 4, 5, 10, 20, 50, 100]
        counts = [
            (low, int(((size_of_each >= low) & (size_of_each < high)).sum()))
            for low, high in zip(bounds, [*bounds[1:], len(groups) + 101], strict=True)
        ]
        return Verdict(
            summary=f"Every one of {len(groups):,} {unit} shares {names} with at least {k - 1:,} others (k = {k:,})",
            metrics={"k": k, f"{unit}_evaluated": len(groups), f"{unit}_in_small_groups_fraction": small / len(groups)},
            findings=(finding,) if small else (),
            tables=(
                Table(
                    name="groups",
                    title="Sizes of the groups",
                    columns=(
                        Column(name="size", kind="integer", values=tuple(low for low, _ in counts), title="Group of at least"),
                        Column(name=unit, kind="integer", values=tuple(n for _, n in counts), title=unit.capitalize()),
                    ),
                ),
            ),
            coverage=Coverage(evaluated=len(groups), total=len(groups), unit=unit),
        )


def group_of_each(dataset: Dataset, fields: tuple[str, ...]) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], str]:
    """Group number per patient (records without an id count one each), and what was grouped."""
    values = dataset.metadata[list(fields)].astype(object)
    keys = values.where(values.notna(), "").astype(str).agg("\x1f".join, axis=1)
    if dataset.has("patient"):
        patient = dataset.records["patient"].astype(object)
        own = pd.Series([f"\x1f{i}" for i in range(dataset.size)], index=patient.index)
        named = patient.where(patient.notna(), own)
        keys = keys.groupby(named.to_numpy(), sort=True).agg(lambda part: "\x1e".join(sorted(set(part))))
        return pd.factorize(keys)[0].astype(np.int64), "patients"
    return pd.factorize(keys)[0].astype(np.int64), "records"
