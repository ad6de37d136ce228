"""LK001: the label can be told from one metadata field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from auditor.evidence.leakage.column_check import ColumnCheck
from auditor.evidence.leakage.corners import PURE_ALPHA, InSite, Pure, fields_in_sites, pure_fields
from auditor.evidence.leakage.field_remedies import REMEDY, remedy_of
from auditor.evidence.leakage.file_bytes import loss_is_told
from auditor.evidence.leakage.judged_fields import (
    JudgedField,
    is_no_input,
    judge_fields,
    judged_table,
    screening_coverage,
    seen_from,
    strongest_histograms,
    told_alike,
)
from auditor.statistics.contingency import contingency_of, contingency_table
from auditor.statistics.derived import Gate
from auditor.statistics.hidden import tempered
from auditor.statistics.purity import pure_values
from auditor.statistics.question import Question, ask
from auditor.statistics.screening import Screening, screen
from auditor.statistics.told import intervals_chart, largest_in_words
from auditor.statistics.unnamed import Reading
from auditor.values.dataset import Dataset
from auditor.values.fields import Field, spoken
from auditor.values.remedies import ALIKE
from auditor.values.results import Cell, Finding, Location, Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class MetadataLeakage(ColumnCheck):
    """The label can be told from one metadata field.

    ## What it does

    Predicts every class, one against the rest, from each metadata field alone, in folds that never part a patient, and reports
    the class that is told best (AUC with a 95 % interval over patients). A permutation test that exchanges patients, and
    images inside a patient, guards against chance; the false discovery rate over all fields is held at `max_q`. A field is
    reported when it is significant and its AUC reaches `min_auc`; an encoding field (bit depth, codec, channels, container,
    path) whose interval lies over `max_auc` is an error, unless it can follow the picture itself (bytes, used values, and a
    size where there are more than four of them: crops; few sizes are set where files are written). How many bytes a file has
    is information where no other way of writing has to do with the class and no loss is hidden: no decoder hands it on. Fields
    of one kind that part the records alike are one finding. Two kinds of leaks hide in a corner, too small for that AUC, and
    are asked for in the fields that were silent: values that one class alone has (exact test over patients against the share
    of the class, never of the majority), and fields that tell inside one site only. Continuous labels are cut at their median.
    Declared strata (`[design]`) give a second figure within strata; acquisition and provenance fields must pass both.

    Without usable patient ids an encoding field is an error only when the lower end would stay over `max_auc` for the groups
    that names and equal rows let guess, and else with every ten images taken for one patient's: about 50 images in each of two
    classes that it parts without exception, 30 in the smaller where the other has 150 (6 against 6 never). Where other ways of
    writing hang together inside a class, as they do when rows have patients or machines behind them, it is as many images as
    that shows, at most thirty; what would then tell nothing is information. For all else rows are taken as independent, unless
    groups can be guessed.

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
        gate = Gate(min_auc=self.min_auc, max_q=self.max_q)
        judged = judge_fields(
            screening,
            question,
            gate=gate,
            max_auc=self.max_auc,
            loss_told=loss_is_told(dataset.metadata),
            seed=self.seed,
        )
        telling = told_alike(judged)
        silent = [one for one in judged if one.severity is None]
        findings = [self._finding(one, question) for one in telling]
        findings += [
            self._of_pure(pure, question) for pure in pure_fields([(one.measured.coded, one.field) for one in silent], question)
        ]
        findings += [self._of_site(inside) for inside in self._in_sites(dataset, question, [one.field for one in silent])]
        contingencies = [
            contingency_of(one.measured.coded, one.field, question.targets, one.measured.target, question.clusters)
            for one in telling
        ]
        fields = judged_table(judged, question)
        told = len(judged) - len(silent)
        gates = {"warning": self.min_auc, "error": self.max_auc}
        title = "How well each field tells its best class (AUC, 95 % interval)"
        return Verdict(
            summary=self._summary(screening, question, findings, told),
            metrics=self._metrics(screening, question, told),
            findings=tuple(findings),
            tables=(fields, contingency_table(contingencies)) if contingencies else (fields,),
            charts=(
                intervals_chart(fields, gates, title=title, name="intervals", label="field", group="kind"),
                *strongest_histograms(contingencies, judged),
            ),
            coverage=screening_coverage(dataset.size, question, screening),
        )

    def _finding(self, judged: JudgedField, question: Question) -> Finding:
        one, field, low, high, reading = judged.measured, judged.field, judged.low, judged.high, judged.reading
        assert judged.severity is not None
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
        if same := judged.same:
            evidence["same_fields"] = len(same)
            evidence[ALIKE] = ", ".join(same)
            more = f" and {len(same) - 3} more" if len(same) > 3 else ""
            message += (
                f"; {', '.join(map(spoken, same[:3]))}{more} {'part' if len(same) > 1 else 'parts'} the records in the same way"
            )
        pure = pure_values(one.coded, question.targets, question.clusters.index, question.clusters.count)
        if pure:
            evidence["pure_values"] = len(pure)
            evidence["pure_records"] = sum(value.records for value in pure)
            evidence["pure_lift"] = round(max(value.lift for value in pure), 2)
            held = {question.targets.names[value.target] for value in pure}
            where = f"{held.pop()} only" if len(held) == 1 else "one class only"
            message += f"; {len(pure)} of its {one.coded.size} values {'occurs' if len(pure) == 1 else 'occur'} in {where}"
        if reading is not None:
            evidence["low_without_ids"] = round(reading.low, 4)
            evidence["effective_patients"] = round(min(reading.cases, reading.others), 1)
        if judged.of_records is not None:
            evidence["low_of_records"] = round(judged.of_records, 4)
        message += self._without_ids(question, judged.severity, reading)
        message += "; not an input" if is_no_input(field) else f"; {remedy_of(field, eased=judged.eased)}"
        return Finding(
            code=self.code,
            severity=judged.severity,
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
        units = "for the groups that the names tell" if named else f"if every {reading.images:.0f} images are one patient's"
        if severity is Severity.ERROR:
            return f"; no usable patient ids, the interval holds even {units}"
        return f"; {groups.note} ({units} it begins at {reading.low:.2f})"

    def _in_sites(self, dataset: Dataset, question: Question, silent: Sequence[Field]) -> tuple[InSite, ...]:
        """Fields that say nothing over all sites, asked inside each."""
        if not dataset.has("site"):
            return ()
        asked = [field for field in silent if field.kind != "clinical" and not is_no_input(field)]
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
        sure = tempered(pure.q, question.clusters.images) <= PURE_ALPHA
        told = pure.field.kind == "clinical" or is_no_input(pure.field) or not sure
        severity = Severity.INFO if told else Severity.WARNING
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
            message=f"{message}; {REMEDY[pure.field.kind]}",
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
                f"{REMEDY[inside.field.kind]}"
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
        commonest, rarest = seen_from(screening, min_auc=self.min_auc)
        span = f"AUC {commonest:.2f}" if rarest - commonest < 0.005 else f"AUC {commonest:.2f} (rarest class {rarest:.2f})"
        largest = largest_in_words(screening.measured)
        return f"None of {tested} fields tells the class ({largest}); {span} would have been seen.{note}"

    def _metrics(self, screening: Screening, question: Question, told: int) -> dict[str, Cell]:
        commonest, rarest = seen_from(screening, min_auc=self.min_auc)
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
