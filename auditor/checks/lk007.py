"""LK007: the site or the scanner gives the class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.leakage.column_check import ColumnCheck
from auditor.statistics.coding import partition
from auditor.statistics.contingency import contingency_table, histogram_chart
from auditor.statistics.derived import Answer, Told
from auditor.statistics.sites import sites_of, sites_table, split_table, within_chart, within_table
from auditor.statistics.told import (
    contingency,
    coverage_of,
    evidence_of,
    fields_table,
    figures_in_words,
    independence_note,
    intervals_chart,
    none_told,
)
from auditor.values.dataset import Dataset
from auditor.values.fields import Field, spoken, words
from auditor.values.results import Cell, Finding, Severity, Verdict

_SITE = "record.site"
_DICOM = re.compile(r"^dicom\.(Institution\w*|StationName|Manufacturer\w*|SoftwareVersions|DeviceSerialNumber|UIDRoot)$")
_CONTAINER = re.compile(r"^container\.(make|model|software|tiff_software)$")
_WORDS = frozenset((
    "hospital", "site", "center", "centre", "institution", "institute", "clinic", "facility", "department", "device", "scanner",
    "machine", "manufacturer", "vendor", "station", "camera",
))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SiteLeakage(ColumnCheck):
    """The site or the scanner gives the class.

    ## What it does

    Asks of every column that says where or by which machine a picture was taken (site, hospital, scanner, manufacturer,
    model, software; from the table, the folders or the headers) how well it alone tells each class. AUC, interval and test
    are those of LK001. For the column that tells most it shows the share of the class at every site, and, when there are
    predictions (yours, or the built-in probe), how well they tell the class over all sites and within each. It also deals
    whole sites to folds so that every fold has its share of the class, as far as that is possible.

    ## Why is this bad?

    Prevalence differs between hospitals for honest reasons, and hospitals differ in their pictures. Together they let a model
    tell the disease by the hospital: in pooled chest radiographs the hospital alone tells pneumonia with AUC .86, and a
    fracture model fell from .78 to .52 when scanners were balanced. A random split, even by patient, cannot show it; a drop
    from the pooled AUC to the AUC within sites does.

    ## How to fix

    Train and test on different sites: the table `split` gives folds of whole sites (at the price of fewer sites to learn from).
    Report the AUC within sites. Balance the class within sites (the prevalence changes), collect the missing combinations, or
    declare the column under `[design] strata` and waive with a reason when the design explains it.

    ## Options

    * `min_auc` (0.60): smallest AUC that is reported. `max_q` (0.05): false discovery rate over the columns.
    * `min_records` (10), `min_patients` (3): what a class needs, on either side, and a site to be shown.
    * `parts` (5): folds of whole sites, at most one per site.
    * `draws` (2000), `test_records` (30000), `folds` (5), `seed` (0): as in LK001.

    ## References

    Zech et al. 2018, PLoS Med 15:e1002683. Badgeley et al. 2019, npj Digital Medicine 2:31. Howard et al. 2021, Nature
    Communications 12:4423 (preserved-site cross-validation). Obuchowski 1997, Biometrics 53:567.
    """

    code: ClassVar[str] = "LK007"
    name: ClassVar[str] = "site-leakage"
    severity: ClassVar[Severity] = Severity.WARNING
    needs = frozenset({"predictions"})

    parts: int = 5

    def run(self, dataset: Dataset) -> Verdict:
        """Judge every column. Raises SkipCheck: no label, one class, no column about site or machine, or one site."""
        frame, fields = _columns(dataset)
        if dataset.labels.task != "none" and not fields:
            raise SkipCheck("nothing says where or by which machine the pictures were taken: name the column with --site")
        found = self.answered(dataset, frame, fields)
        question = found.question
        if not found.rows:
            raise SkipCheck("all pictures are from one site and one machine")
        titles = {name: spoken(name) for name in fields}
        table = fields_table(found, titles, name="columns", title="Every column about site or machine")
        best = (found.told or found.rows)[0]
        sites = sites_of(frame[best.name], question.clusters.index, least=self.min_patients)
        # Columns that part the records alike (all absent outside DICOM, say) are one finding: the first of them.
        alike = {partition(row.measured.coded): row for row in reversed(found.told)}
        told = [row for row in found.told if alike[partition(row.measured.coded)] is row]
        shown = [contingency(found, row, fields[row.name]) for row in told]
        tables = [table, sites_table(dataset, found, best, sites)]
        split = split_table(found, best, sites, parts=self.parts)
        if split is not None:
            tables.append(split)
        metrics: dict[str, Cell] = {
            "columns_tested": len(found.rows),
            "columns_told": len(found.told),
            "site_auc": round(best.measured.auc, 4),
            "sites": len(sites.names),
            "detectable_auc": round(found.detectable, 4),
            "rows_assumed_independent": question.clusters.independent,
        }
        charts = [
            intervals_chart(
                table, {"warning": self.min_auc}, title="How well site and machine tell the class (AUC, 95 % interval)"
            )
        ]
        within = within_table(dataset, found, best, sites, cases_each=self.min_records)
        if within is not None:
            inside, figures = within
            tables.append(inside)
            metrics |= figures
            charts.append(within_chart(inside, found.target(best)))
        if shown:
            tables.append(contingency_table(shown))
        return Verdict(
            summary=self._summary(found, best, metrics),
            metrics=metrics,
            findings=tuple(self._finding(found, row, metrics, best=row is best, split=split is not None) for row in told),
            tables=tuple(tables),
            charts=(*charts, *(histogram_chart(one) for one in shown[:4])),
            coverage=coverage_of(dataset, question),
        )

    def _finding(self, found: Answer, row: Told, metrics: dict[str, Cell], *, best: bool, split: bool) -> Finding:
        message = f"{spoken(row.name)} ({row.name}) alone {figures_in_words(found, row)}{independence_note(found.question)}"
        if best and "all_sites_auc" in metrics:
            pooled, inside = metrics["all_sites_auc"], metrics["within_sites_auc"]
            message += f"; predictions reach AUC {pooled:.2f} over all sites, {inside:.2f} within them"
        message += (
            "; train and test on different sites (the table `split` deals them; fewer sites to learn from)"
            if split
            else "; hardly a site has both sides of the class, so no split avoids it: collect the missing combinations"
        )
        message += ", balance the class within sites (the prevalence changes), or declare it under [design] strata"
        evidence: dict[str, Cell] = {**evidence_of(found, row), "sites": row.measured.coded.size}
        if best:
            evidence |= {k: metrics[k] for k in ("all_sites_auc", "within_sites_auc") if k in metrics}
        return self.finding_of(row, message, evidence, field=row.name)

    def _summary(self, found: Answer, best: Told, metrics: dict[str, Cell]) -> str:
        note = found.question.clusters.sentence
        if not found.told:
            return f"{none_told(found, 'columns about site or machine', 'the class')}.{note}"
        text = f"{spoken(best.name).capitalize()} alone {figures_in_words(found, best)}"
        if "all_sites_auc" in metrics:
            text += (
                f"; predictions: {metrics['all_sites_auc']:.2f} over all sites, {metrics['within_sites_auc']:.2f} within them"
            )
        return f"{text}.{note}"


def _columns(dataset: Dataset) -> tuple[pd.DataFrame, dict[str, Field]]:
    """Columns about site or machine: the role, the headers, the table. What the label was read from is left out by `ask`."""
    columns: dict[str, pd.Series] = {}
    if dataset.has("site"):
        columns[_SITE] = dataset.records["site"]
    for name in dataset.metadata.columns:
        family, _, rest = str(name).partition(".")
        in_table = family == "table" and bool(_WORDS & set(words(rest))) and dataset.metadata[name].dtype.kind not in "fc"
        if _DICOM.match(str(name)) or _CONTAINER.match(str(name)) or in_table:
            columns[str(name)] = dataset.metadata[name]
    fields = {name: Field(name=name, kind="provenance", identifying=True) for name in columns}
    return pd.DataFrame(columns, index=dataset.records.index), fields
