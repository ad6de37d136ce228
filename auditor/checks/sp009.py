"""SP009: the splits do not look like draws from one collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.groups import partition, split_names
from auditor.statistics.association import associate, count_cells
from auditor.statistics.clusters import Clusters, clusters_of, deal_folds, draw_patients
from auditor.statistics.coding import CodedField, code_field
from auditor.statistics.combined import Combined, combine
from auditor.statistics.intervals import logit_interval
from auditor.statistics.targets import Targets
from auditor.values.dataset import Dataset
from auditor.values.fields import describe, spoken
from auditor.values.results import Chart, Column, Coverage, Finding, Severity, Table, Verdict

LABEL = "label"
HEADERS = frozenset(("container", "dicom", "nifti", "table"))
GRIDS = frozenset(("gradients", "patches", "zones"))
"""Features of places in the picture, hundreds of them: no word says what one is, and the others tell a shift as well."""
SPLIT_WORDS = frozenset(("split", "set", "subset", "fold", "partition", "phase", "usage"))


@dataclass(frozen=True, kw_only=True)
class _Told:
    """One split against all others: what the classifier told, and the single fields that tell it best."""

    split: str
    combined: Combined
    low: float
    high: float
    p: float
    fields: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class SplitShift(Check):
    """The splits differ in how they are distributed.

    ## What it does
    A classifier two-sample test: boosted trees try to tell each split from all others by the metadata fields, the pixel
    features (not those of places in the picture) and the label, in folds that never part a patient. Reported are the
    out-of-fold AUC with an interval over patients, a p-value from the exchange of whole patients between splits (and of images
    within patients), multiplied by the number of splits, and the single fields that tell the split best. Paths, and columns
    that name the split, take no part. A warning only where `[design] splits = "random"` is declared, because a split by site or
    by time differs by intent; else info.

    ## Why is this bad?
    A random split cannot be told but by chance. Where it can, it was not random, or something happened to one part after it:
    another conversion, another site, another year, a filter. The test score then says something else than it seems to.

    ## How to fix
    Look at the fields that tell. Convert all parts in one run; split again with the site and the label as strata
    (`medaudit split`). Where the shift is meant (external test), declare it in `[design]`, and report it.

    ## Options
    * `min_auc` (0.60): smallest AUC that is reported.
    * `max_p` (0.05): largest p-value, after correction for the number of splits.
    * `max_splits` (6): splits that are compared, the largest first.
    * `max_records` (8000): whole patients up to about this many records are used.
    * `min_records` (20), `min_patients` (10): what a split, and the rest, need.
    * `folds` (5), `seed` (0).

    ## References
    Lopez-Paz & Oquab 2017, ICLR (classifier two-sample tests); Rabanser et al. 2019, NeurIPS (detecting dataset shift);
    Obuchowski 1997, Biometrics 53:567 (clustered AUC).
    """

    code: ClassVar[str] = "SP009"
    name: ClassVar[str] = "split-shift"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset({"features"})

    min_auc: float = 0.60
    max_p: float = 0.05
    max_splits: int = 6
    max_records: int = 8_000
    min_records: int = 20
    min_patients: int = 10
    folds: int = 5
    seed: int = 0

    def run(self, dataset: Dataset) -> Verdict:
        """Try to tell the splits apart."""
        splits = partition(dataset)
        if splits is None:
            raise SkipCheck("no splits are known (two to fifty are needed): name their column with --split")
        clusters = clusters_of(dataset.records["patient"] if "patient" in dataset.records.columns else None, dataset.size)
        names = self.judged(splits, clusters)
        if not names:
            raise SkipCheck(
                f"too few records: a split, and the rest, need {self.min_records} records of {self.min_patients} patients each"
            )
        known = splits.notna().to_numpy(bool)
        matrix = np.column_stack([(splits == name).fillna(False).to_numpy(bool) for name in names])
        targets = Targets(names=names, positive=matrix, known=np.repeat(known[:, None], len(names), axis=1))
        rows = draw_patients(clusters, targets, records=self.max_records, rare=200, seed=self.seed)
        rows = rows[known[rows]]
        index = np.unique(clusters.index[rows], return_inverse=True)[1].astype(np.int64)
        coded = coded_fields(dataset, rows, index)
        if not coded:
            raise SkipCheck("no metadata field, pixel feature or label varies: there is nothing to tell the splits by")
        sample = Targets(names=names, positive=targets.positive[rows], known=targets.known[rows])
        local = Clusters(index=index, count=int(index.max()) + 1, usable=clusters.usable)
        fold = deal_folds(local, sample, folds=self.folds, seed=self.seed)[index]
        found = [self.told(number, coded, sample, index, fold) for number in range(len(names))]
        return self.verdict(dataset, found, coded, len(rows), usable=clusters.usable)

    def judged(self, splits: pd.Series, clusters: Clusters) -> tuple[str, ...]:
        """Splits with enough records and patients on either side; of two splits the second alone says it all."""
        known = splits.notna().to_numpy(bool)
        able: list[tuple[int, str]] = []
        for name in split_names(splits):
            inside = (splits == name).fillna(False).to_numpy(bool)
            sides = (inside, known & ~inside)
            if all(s.sum() >= self.min_records and np.unique(clusters.index[s]).size >= self.min_patients for s in sides):
                able.append((int(inside.sum()), name))
        kept = {name for _, name in sorted(able, key=lambda item: -item[0])[: self.max_splits]}
        names = tuple(name for name in split_names(splits) if name in kept)
        return names[1:] if splits.nunique() == 2 and len(names) == 2 else names

    def told(
        self,
        number: int,
        coded: tuple[CodedField, ...],
        targets: Targets,
        clusters: npt.NDArray[np.int64],
        fold: npt.NDArray[np.int8],
    ) -> _Told:
        """One split against all others."""
        positive, known = targets.positive[:, number], targets.known[:, number]
        combined = combine(coded, positive, known, clusters, fold, folds=self.folds, seed=self.seed)
        smaller = min(np.unique(clusters[side]).size for side in (positive, ~positive))
        low, high = logit_interval(combined.auc, combined.error, smaller_side=smaller)
        one = Targets(names=(targets.names[number],), positive=positive[:, None], known=known[:, None])
        single = [float(associate(count_cells(f, one, fold, folds=self.folds), f).auc[0]) for f in coded]
        order = np.argsort(-np.nan_to_num(np.array(single), nan=0.5), kind="stable")[:10]
        return _Told(
            split=targets.names[number],
            combined=combined,
            low=low,
            high=high,
            p=min(1.0, combined.p * len(targets.names)),
            fields=tuple((coded[k].name, single[k]) for k in order.tolist() if np.isfinite(single[k])),
        )

    def verdict(
        self, dataset: Dataset, found: list[_Told], coded: tuple[CodedField, ...], records: int, *, usable: bool
    ) -> Verdict:
        """Words and figures."""
        shifted = [one for one in found if one.p <= self.max_p and one.combined.auc >= self.min_auc]
        best = max(found, key=lambda one: np.nan_to_num(one.combined.auc))
        note = "" if usable else ". No usable patient ids: rows assumed independent"
        # told for information where the splits may differ by right: the check has passed, and the sentence says why
        meant = "" if dataset.design.splits == "random" else ": no fault, unless the splits are meant to be random"
        summary = (
            f"{', '.join(one.split for one in shifted)} can be told from the rest by fields and features (AUC up to "
            f"{best.combined.auc:.2f}){meant}{note}"
            if shifted
            else f"No split can be told from the rest by {len(coded):,} fields and features: "
            f"largest AUC {best.combined.auc:.2f} (from {best.low:.2f} to {best.high:.2f}); "
            f"{self.min_auc:.2f} would have been reported{note}"
        )
        table = splits_table(found)
        return Verdict(
            summary=summary,
            metrics={
                "largest_auc": round(best.combined.auc, 4),
                "smallest_p": min(one.p for one in found),
                "fields": len(coded),
                "splits_compared": len(found),
                "rows_assumed_independent": not usable,
            },
            findings=tuple(self.finding(one, random=dataset.design.splits == "random") for one in shifted),
            tables=(table, fields_table(shifted)) if shifted else (table,),
            charts=(
                Chart(
                    name="splits", title="How well each split can be told from the rest (AUC, 95 % interval)", kind="intervals",
                    table=table, label="split", value="auc", low="low", high="high",
                    reference={"chance": 0.5, f"reported from {self.min_auc:.2f}": self.min_auc},
                ),
            ),
            coverage=Coverage(
                evaluated=records,
                total=dataset.size,
                reason="" if records == dataset.size else f"no split, or patients drawn up to {self.max_records:,} records",
            ),
        )  # fmt: skip

    def finding(self, one: _Told, *, random: bool) -> Finding:
        """One split that can be told."""
        names = ", ".join(f"{called(name)} ({auc:.2f})" for name, auc in one.fields[:3])
        meant = (
            "It was declared random, and is not: look at these fields"
            if random
            else "Where the split is meant to be random, look at these fields; else declare it in [design]"
        )
        return Finding(
            code=self.code,
            severity=self.severity if random else Severity.INFO,
            message=(
                f"{one.split} can be told from the other splits: AUC {one.combined.auc:.2f} (from {one.low:.2f} to "
                f"{one.high:.2f}, p {one.p:.2g}). Single fields that tell it best: {names}. {meant}"
            ),
            subject=one.split,
            score=round(one.combined.auc, 4),
            evidence={
                "split": one.split,
                "auc": round(one.combined.auc, 4),
                "low": round(one.low, 4),
                "high": round(one.high, 4),
                "p": one.p,
                "fields": ", ".join(name for name, _ in one.fields[:3]),
            },
        )


def called(name: str) -> str:
    """A field as a person says it; a feature by its module and name, `texture s2contrast4`."""
    return spoken(name) if name.partition(".")[0] in HEADERS else name.replace(".", " ")


def coded_fields(dataset: Dataset, rows: npt.NDArray[np.int64], patients: npt.NDArray[np.int64]) -> tuple[CodedField, ...]:
    """Fields, features and the label as codes; what names the split, and paths, left out."""
    split = dataset.guess("split")
    named = {str(split.column), f"table.{split.column}"} if split is not None and split.column else set()
    columns: list[pd.Series] = []
    for name in map(str, dataset.metadata.columns):
        bare = name.partition(".")[2].lower()
        field = dataset.fields.get(name) or describe(name)
        if name in named or name.startswith("path.") or bare in SPLIT_WORDS or field.identifying:
            continue
        columns.append(dataset.metadata[name].iloc[rows])
    features = [str(name) for name in dataset.features.columns if str(name).partition(".")[0] not in GRIDS]
    columns += [dataset.features[name].iloc[rows] for name in features]
    if dataset.labels.task in ("single", "ordinal", "continuous"):
        columns.append(dataset.labels.values.iloc[rows].rename(LABEL))
    elif dataset.labels.task == "multi" and dataset.labels.states is not None:
        states = dataset.labels.states.iloc[rows]
        columns += [(states[name] == 1).astype(float).rename(f"{LABEL}.{name}") for name in dataset.labels.classes]
    return tuple(field for field in (code_field(column, patients) for column in columns) if field is not None)


def splits_table(found: list[_Told]) -> Table:
    """Every split that was compared."""
    return Table(
        name="splits",
        title="Splits against the rest",
        columns=(
            Column(name="split", kind="text", title="Split", values=[one.split for one in found]),
            Column(name="auc", kind="fraction", title="AUC", values=[bounded(one.combined.auc) for one in found]),
            Column(name="low", kind="fraction", title="from", values=[bounded(one.low) for one in found]),
            Column(name="high", kind="fraction", title="to", values=[bounded(one.high) for one in found]),
            Column(name="p", kind="fraction", title="p", values=[one.p for one in found]),
            Column(name="best_field", kind="text", title="Best single field",
                   values=[one.fields[0][0] if one.fields else None for one in found]),
        ),
    )  # fmt: skip


def fields_table(shifted: list[_Told]) -> Table:
    """The ten single fields that tell each shifted split best."""
    rows = [(one.split, name, auc) for one in shifted for name, auc in one.fields]
    return Table(
        name="fields",
        title="Single fields that tell the split",
        columns=(
            Column(name="split", kind="text", title="Split", values=[split for split, _, _ in rows]),
            Column(name="field", kind="text", title="Field or feature", values=[name for _, name, _ in rows]),
            Column(name="auc", kind="fraction", title="AUC", values=[bounded(auc) for _, _, auc in rows]),
        ),
    )


def bounded(value: float) -> float | None:
    """A fraction, or nothing where it could not be computed."""
    return float(min(1.0, max(0.0, value))) if np.isfinite(value) else None
