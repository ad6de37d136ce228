"""LK001: the label can be told from one metadata field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import Check
from auditor.evidence.leakage.corners import InSite, Pure, fields_in_sites, pure_fields
from auditor.statistics.coding import partition
from auditor.statistics.contingency import Contingency, contingency_of, contingency_table, histogram_chart
from auditor.statistics.intervals import detectable_auc
from auditor.statistics.purity import pure_values
from auditor.statistics.question import Question, ask
from auditor.statistics.screening import Measured, Screening, closer_interval, measured_for, screen
from auditor.statistics.unnamed import IMAGES_PER_PATIENT, Reading, read_without_ids
from auditor.values.dataset import Dataset
from auditor.values.fields import Field, follows_picture, spoken
from auditor.values.results import Cell, Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict

_CHARTS = 8

_REMEDY = {
    "encoding": "write all files in one encoding, or balance it between the classes (prevalence changes), before training",
    "acquisition": "balance or match it between the classes, or declare it under [design] strata if the design explains it",
    "provenance": "train and test across its values, or declare it under [design] strata if the design explains it",
    "clinical": "for information: judge whether a model should be allowed to use it",
}

_SIZE_REMEDY = (
    "it may follow what is shown, or the machine: bring all records to one size and format, balance it between the classes "
    "(prevalence changes), or waive it with a reason"
)

_PLAINEST = ("container.bit_depth", "container.format", "container.channels", "container.photometric", "path.extension")
"""Which of several fields that say the same is named, before all others."""

_Told = tuple[Measured, Field, float, float, Severity, Reading | None]


@dataclass(frozen=True, kw_only=True)
class MetadataLeakage(Check):
    """The label can be told from one metadata field.

    ## What it does

    Predicts every class, one against the rest, from each metadata field alone, in folds that never part a patient, and reports
    the class that is told best (AUC with a 95 % interval over patients). A permutation test that exchanges patients, and images
    inside a patient, guards against chance; the false discovery rate over all fields is held at `max_q`. A field is reported
    when it is significant and its AUC reaches `min_auc`; an encoding field (bit depth, codec, channels, container, path) whose
    interval lies over `max_auc` is an error, unless it can follow the picture itself (size, bytes, used values). Fields of one
    kind that part the records alike are one finding. Two kinds of leaks hide in a corner, too small for that AUC, and are
    asked for in the fields that were silent: values that one class alone has (exact test over patients against the share of
    the class, never of the majority), and fields that tell inside one site only. Continuous labels are cut at their median.
    Declared strata (`[design]`) give a second figure within strata; acquisition and provenance fields must pass both.

    Without usable patient ids an encoding field is an error only when the lower end would stay over `max_auc` for the groups
    that names and equal rows let guess, and else with every ten images taken for one patient's: about 50 images in each of two
    classes that it parts without exception, 30 in the smaller where the other has 150 (6 against 6 never). For all else rows
    are then taken as independent, unless groups can be guessed.

    ## Why is this bad?

    A model will learn the shortcut: 16-bit against 8-bit files, one hospital's scanner, the folder a file came from. It then
    looks excellent on this dataset and fails elsewhere. Hospital alone told pneumonia with AUC .86 in pooled chest radiographs.
    Association is not yet leakage: prevalence differs between hospitals and devices for honest reasons. Only how a file was
    written can have no honest relation to disease.

    ## How to fix

    Rewrite the files in one encoding; balance or match the field between the classes (at the price of a changed prevalence);
    collect the missing combinations; drop the field if it is an input; declare it under `[design] strata` when the design
    explains it; or waive the finding with a reason.

    ## Options

    * `max_auc` (0.75): an encoding field is an error when its interval's lower end is at or above this.
    * `min_auc` (0.60): smallest AUC that is reported.
    * `max_q` (0.05): false discovery rate.
    * `min_records` (10), `min_patients` (3): what a class needs, on either side, to be tested.
    * `draws` (2000): most permutations per level; null fields stop early, tails are extrapolated.
    * `test_records` (30000): the permutation test uses whole patients up to about this many records.
    * `folds` (5), `seed` (0).

    ## References

    Zech et al. 2018, PLoS Med 15:e1002683. Obuchowski 1997, Biometrics 53:567. Besag & Clifford 1991, Biometrika 78:301.
    Knijnenburg et al. 2009, Bioinformatics 25:i161. Benjamini & Hochberg 1995, JRSS B 57:289.
    """

    code: ClassVar[str] = "LK001"
    name: ClassVar[str] = "metadata-leakage"
    severity: ClassVar[Severity] = Severity.ERROR

    max_auc: float = 0.75
    min_auc: float = 0.60
    max_q: float = 0.05
    min_records: int = 10
    min_patients: int = 3
    draws: int = 2000
    test_records: int = 30_000
    folds: int = 5
    seed: int = 0

    def run(self, dataset: Dataset) -> Verdict:
        """Judge every field. Raises SkipCheck: no label, one class, too few records, no field."""
        question = ask(dataset, wanted=lambda _: True, cases=self.min_records, holders=self.min_patients)
        screening = screen(
            (dataset.metadata[field.name] for field in question.fields),
            question,
            folds=self.folds,
            draws=self.draws,
            test_records=self.test_records,
            seed=self.seed,
        )
        known = {field.name: field for field in question.fields}
        findings: list[Finding] = []
        contingencies: list[Contingency] = []
        rows: list[tuple[Measured, Field, str, float, float]] = []
        told: list[_Told] = []
        families = _ways_of_encoding(screening.measured, known) * len(question.targets.names)
        for one in screening.measured:
            field = known[one.coded.name]
            low, high, verdict = one.low, one.high, "passed"
            if self._is_told(one, field):
                low, high = closer_interval(one, question, screening, resamples=400, seed=self.seed)
            if self._is_told(one, field) and low > 0.5:
                reading = None
                if not question.clusters.usable and _is_made(field):
                    one, reading = _surest_class(one, question, screening)
                    low, high = closer_interval(one, question, screening, resamples=400, seed=self.seed)
                severity = self._severity(field, low, reading, families)
                if reading is not None and severity is Severity.ERROR:
                    low = min(low, reading.low)
                verdict = severity.value
                told.append((one, field, low, high, severity, reading))
            rows.append((one, field, verdict, low, high))
        for (one, field, low, high, severity, reading), same in _alike(told):
            findings.append(self._finding(one, field, question, low, high, severity, reading, same))
            contingencies.append(contingency_of(one.coded, field, question.targets, one.target, question.clusters))
        silent = [(one.coded, field) for one, field, verdict, *_ in rows if verdict == "passed"]
        findings += [self._of_pure(pure, question) for pure in pure_fields(silent, question)]
        findings += [self._of_site(inside) for inside in self._in_sites(dataset, question, [field for _, field in silent])]
        fields = _fields_table(rows, question)
        tables = (fields, contingency_table(contingencies)) if contingencies else (fields,)
        return Verdict(
            summary=self._summary(screening, question, findings, len(told)),
            metrics=self._metrics(screening, question, len(told)),
            findings=tuple(findings),
            tables=tables,
            charts=(self._intervals(fields), *_histograms(contingencies, rows)),
            coverage=_coverage(dataset, question, screening),
        )

    def _is_told(self, one: Measured, field: Field) -> bool:
        """Significant, large enough, and the interval of its best class leaves .5; within strata too where that is asked."""
        told = one.q <= self.max_q and one.auc >= self.min_auc and one.low > 0.5
        if told and field.kind in ("acquisition", "provenance") and one.inside_q is not None and one.inside_auc is not None:
            told = one.inside_q <= self.max_q and one.inside_auc >= self.min_auc
        return told

    def _severity(self, field: Field, low: float, reading: Reading | None, families: int) -> Severity:
        if field.kind == "clinical" or _is_no_input(field):
            return Severity.INFO
        sure = low >= self.max_auc
        if reading is not None:
            sure = sure and reading.low >= self.max_auc and reading.p * families <= self.max_q
        return Severity.ERROR if _is_made(field) and sure else Severity.WARNING

    def _finding(
        self,
        one: Measured,
        field: Field,
        question: Question,
        low: float,
        high: float,
        severity: Severity,
        reading: Reading | None,
        same: Sequence[str],
    ) -> Finding:
        name = question.targets.names[one.target]
        message = f"{spoken(field.name)} ({field.name}) tells {name} from the rest: AUC {one.auc:.2f} ({low:.2f}–{high:.2f})"
        if one.inside_auc is not None:
            message += f", within the declared strata {one.inside_auc:.2f}"
        evidence: dict[str, Cell] = {
            "kind": field.kind,
            "class": name,
            "auc": round(one.auc, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "macro_auc": round(one.macro, 4),
            "p": one.p,
            "q": one.q,
            "values": one.coded.size,
            "patients": question.clusters.count if question.clusters.usable else None,
            "survives_decoding": field.survives_decoding,
        }
        if same:
            evidence["same_fields"] = len(same)
            more = f" and {len(same) - 3} more" if len(same) > 3 else ""
            message += f"; {', '.join(map(spoken, same[:3]))}{more} part the records in the same way"
        pure = pure_values(one.coded, question.targets, question.clusters.index, question.clusters.count)
        if pure:
            evidence["pure_values"] = len(pure)
            evidence["pure_records"] = sum(value.records for value in pure)
            evidence["pure_lift"] = round(max(value.lift for value in pure), 2)
            message += f"; {len(pure)} of its {one.coded.size} values occur in one class only"
        if reading is not None:
            evidence["low_without_ids"] = round(reading.low, 4)
            evidence["effective_patients"] = round(min(reading.cases, reading.others), 1)
        message += self._without_ids(question, severity, reading)
        remedy = _SIZE_REMEDY if field.kind == "encoding" and follows_picture(field.name) else _REMEDY[field.kind]
        message += "; not an input" if _is_no_input(field) else f"; {remedy}"
        return Finding(
            code=self.code,
            severity=severity,
            message=message,
            where=Location(field=field.name),
            score=one.auc,
            evidence=evidence,
        )

    def _without_ids(self, question: Question, severity: Severity, reading: Reading | None) -> str:
        """How sure it is where patients are not known, in words."""
        groups = question.clusters
        if reading is None or groups.usable:
            return f"; {groups.note}" if groups.note else ""
        named = groups.guessed == "names"
        units = "for the groups that the names tell" if named else f"if every {IMAGES_PER_PATIENT:.0f} images are one patient's"
        if severity is Severity.ERROR:
            return f"; no usable patient ids, the interval holds even {units}"
        return f"; {groups.note} ({units} it begins at {reading.low:.2f})"

    def _in_sites(self, dataset: Dataset, question: Question, silent: Sequence[Field]) -> tuple[InSite, ...]:
        """Fields that say nothing over all sites, asked inside each."""
        if not dataset.has("site"):
            return ()
        asked = [field for field in silent if field.kind != "clinical" and not _is_no_input(field)]
        return fields_in_sites(
            [(dataset.metadata[field.name], field) for field in asked],
            question,
            dataset.records["site"],
            cases=self.min_records,
            holders=self.min_patients,
            draws=self.draws,
            test_records=self.test_records,
            seed=self.seed,
            folds=self.folds,
            max_q=self.max_q,
            min_auc=self.min_auc,
        )

    def _of_pure(self, pure: Pure, question: Question) -> Finding:
        severity = Severity.INFO if pure.field.kind == "clinical" or _is_no_input(pure.field) else Severity.WARNING
        unit = "patients" if question.clusters.usable else "records"
        count = len(pure.values)
        value = pure.values[0]
        message = (
            f"{'One value' if count == 1 else f'{count} values'} of {spoken(pure.field.name)} ({pure.field.name}) "
            f"{'stands' if count == 1 else 'stand'} in {pure.patients:,} {unit}, every one of them {pure.target}, "
            f"of which there are {value.base_rate:.0%} overall"
        )
        if not question.clusters.usable:
            message += f"; {question.clusters.note}"
        return Finding(
            code=self.code,
            severity=severity,
            message=f"{message}; {_REMEDY[pure.field.kind]}",
            where=Location(field=pure.field.name),
            subject="pure values",
            score=value.lift,
            evidence={"class": pure.target, "values": count, unit: pure.patients, "lift": round(value.lift, 2), "q": pure.q},
        )

    def _of_site(self, inside: InSite) -> Finding:
        one = inside.measured
        return Finding(
            code=self.code,
            severity=Severity.WARNING,
            message=(
                f"{spoken(inside.field.name)} ({inside.field.name}) tells {inside.target} from the rest inside one site "
                f"({inside.records:,} records): AUC {one.auc:.2f} ({one.low:.2f}–{one.high:.2f}), though not over all sites; "
                f"{_REMEDY[inside.field.kind]}"
            ),
            where=Location(field=inside.field.name),
            subject=f"site {inside.site + 1}",
            score=one.auc,
            evidence={
                "class": inside.target,
                "site": inside.site + 1,
                "records": inside.records,
                "auc": round(one.auc, 4),
                "low": round(one.low, 4),
                "high": round(one.high, 4),
                "q": inside.q,
            },
        )

    def _seen_from(self, screening: Screening) -> tuple[float, float]:
        """Smallest AUC that would have been found, for the class with most and with fewest patients on its smaller side."""
        order = np.argsort(screening.sides.min(axis=1))
        tests = max(1, len(screening.measured))
        commonest, rarest = (
            max(self.min_auc, detectable_auc(int(screening.sides[c, 0]), int(screening.sides[c, 1]), tests=tests))
            for c in (order[-1], order[0])
        )
        return commonest, rarest

    def _summary(self, screening: Screening, question: Question, findings: Sequence[Finding], told: int) -> str:
        note = question.clusters.sentence
        tested = len(screening.measured)
        if tested == 0:
            return f"All {len(screening.constant)} fields hold one value: none can tell the class.{note}"
        if findings:
            plain = [finding for finding in findings if not finding.subject] or list(findings)
            top = max(plain, key=lambda finding: (finding.severity.rank, finding.score or 0.0))
            corner = " A corner of the data only." if not told else ""
            also = f" {told} of {tested} fields tell the class." if told > 1 else corner or f" One of {tested} fields."
            return f"{top.message.split(';')[0]}.{also}{note}"
        commonest, rarest = self._seen_from(screening)
        span = f"AUC {commonest:.2f}" if rarest - commonest < 0.005 else f"AUC {commonest:.2f} (rarest class {rarest:.2f})"
        largest = max(one.auc for one in screening.measured)
        return f"None of {tested} fields tells the class (largest AUC {largest:.2f}); {span} would have been seen.{note}"

    def _metrics(self, screening: Screening, question: Question, told: int) -> dict[str, Cell]:
        commonest, rarest = self._seen_from(screening)
        return {
            "fields_tested": len(screening.measured),
            "fields_constant": len(screening.constant),
            "fields_flagged": told,
            "largest_auc": max((round(one.auc, 4) for one in screening.measured), default=None),
            "detectable_auc": round(commonest, 4),
            "detectable_auc_rarest": round(rarest, 4),
            "classes_tested": len(question.targets.names),
            "patients": question.clusters.count if question.clusters.usable else None,
            "rows_assumed_independent": question.clusters.independent,
            "records_in_test": screening.tested,
        }

    def _intervals(self, fields: Table) -> Chart:
        return Chart(
            name="intervals",
            title="How well each field tells its best class (AUC, 95 % interval)",
            kind="intervals",
            table=fields,
            label="field",
            value="auc",
            low="low",
            high="high",
            group="kind",
            reference={f"warning {self.min_auc:.2f}": self.min_auc, f"error {self.max_auc:.2f}": self.max_auc},
        )


def _alike(told: Sequence[_Told]) -> list[tuple[_Told, list[str]]]:
    """Fields of one kind that part the records alike are one finding: the gravest and plainest, and the names of the others."""
    groups: dict[tuple[str, str], list[_Told]] = {}
    for one in told:
        groups.setdefault((one[1].kind, partition(one[0].coded)), []).append(one)
    found = []
    for members in groups.values():
        members.sort(key=lambda m: (-m[4].rank, _PLAINEST.index(m[1].name) if m[1].name in _PLAINEST else len(_PLAINEST)))
        found.append((members[0], [member[1].name for member in members[1:]]))
    return found


def _is_made(field: Field) -> bool:
    """How the file was written, and nothing that the picture itself decides."""
    return field.kind == "encoding" and not follows_picture(field.name)


def _surest_class(one: Measured, question: Question, screening: Screening) -> tuple[Measured, Reading]:
    """Of the classes that the field tells without patient ids, the one whose interval begins highest."""
    found = [
        read_without_ids(one.coded, question, target, screening.record_fold) for target in range(len(question.targets.names))
    ]
    target = max(range(len(found)), key=lambda t: (found[t].low, t == one.target))
    if target == one.target or found[target].low <= found[one.target].low:
        return one, found[one.target]
    return measured_for(one, question, screening, target), found[target]


def _ways_of_encoding(measured: Sequence[Measured], known: Mapping[str, Field]) -> int:
    """Encoding fields that part the records differently: so many chances of an accident."""
    return max(1, len({partition(one.coded) for one in measured if _is_made(known[one.coded.name])}))


def _is_no_input(field: Field) -> bool:
    """No model reads it: declared so, and not visible in the decoded pixels either."""
    return not field.is_input and not field.survives_decoding


def _fields_table(rows: Sequence[tuple[Measured, Field, str, float, float]], question: Question) -> Table:
    rows = sorted(rows, key=lambda row: (-row[0].auc, row[1].name))
    columns = [
        Column(name="field", kind="text", title="Field", values=[field.name for _, field, *_ in rows]),
        Column(name="kind", kind="text", title="Kind", values=[field.kind for _, field, *_ in rows]),
        Column(name="class", kind="class", title="Class told best", values=[question.targets.names[r[0].target] for r in rows]),
        Column(name="auc", kind="fraction", title="AUC", values=[r[0].auc for r in rows]),
        Column(name="low", kind="fraction", title="from", values=[r[3] for r in rows]),
        Column(name="high", kind="fraction", title="to", values=[r[4] for r in rows]),
        Column(name="p", kind="number", title="p", values=[r[0].p for r in rows]),
        Column(name="q", kind="number", title="q", values=[r[0].q for r in rows]),
        Column(name="verdict", kind="text", title="Verdict", values=[r[2] for r in rows]),
        Column(name="macro_auc", kind="fraction", title="Mean AUC", values=[r[0].macro for r in rows]),
        Column(name="values", kind="integer", title="Values", values=[r[0].coded.size for r in rows]),
        Column(
            name="note",
            kind="text",
            title="Note",
            values=[
                "not an input" if _is_no_input(r[1]) else "survives decoding" if r[1].survives_decoding else "" for r in rows
            ],
        ),
    ]
    if question.strata is not None:
        columns += [
            Column(name="within_auc", kind="fraction", title="AUC within strata", values=[r[0].inside_auc for r in rows]),
            Column(name="within_q", kind="number", title="q within strata", values=[r[0].inside_q for r in rows]),
        ]
    return Table(name="fields", title="Every field tested", columns=tuple(columns))


def _histograms(contingencies: Sequence[Contingency], rows: Sequence[tuple[Measured, Field, str, float, float]]) -> list[Chart]:
    """One overlaid histogram for each of the strongest flagged fields."""
    strength = {field.name: (one.auc, verdict) for one, field, verdict, *_ in rows}
    rank = {"error": 0, "warning": 1, "info": 2}
    ordered = sorted(contingencies, key=lambda c: (rank[strength[c.field][1]], -strength[c.field][0], c.field))
    return [histogram_chart(one) for one in ordered[:_CHARTS]]


def _coverage(dataset: Dataset, question: Question, screening: Screening) -> Coverage:
    reasons = []
    if question.labelled < dataset.size:
        reasons.append(f"{dataset.size - question.labelled:,} records have no label")
    if question.few:
        reasons.append(f"{len(question.few)} classes have too few records or patients")
    if question.label_source:
        reasons.append(f"{len(question.label_source)} columns are the label itself")
    if screening.constant:
        reasons.append(f"{len(screening.constant)} fields hold one value")
    return Coverage(evaluated=question.labelled, total=dataset.size, unit="records", reason="; ".join(reasons))
