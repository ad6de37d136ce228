"""LN001: how many labels look wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.labels import residuals
from auditor.evidence.labels.estimate import ASSUMPTION, ASSUMPTION_OF_TWO
from auditor.evidence.labels.label_noise import judge_labels, judged_records
from auditor.evidence.labels.residuals import judge_numbers
from auditor.evidence.labels.review import ReviewEstimate, Share, estimate_review
from auditor.evidence.labels.tables import class_table, joint_table, site_table
from auditor.values.dataset import Dataset
from auditor.values.judgements import JudgedTask, NoiseVerdict
from auditor.values.results import Cell, Chart, Coverage, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class EstimatedNoise(Check):
    """Labels look wrong more often than chance explains.

    ## What it does

    Compares every label with the prediction of a model that did not train on it (the built-in probe, or `--predictions`).
    It reports the share of records where both differ, with an interval over patients; what the model would differ in if all
    labels were right; and a model-based estimate of the wrong ones. That estimate rests on an assumption, printed with it:
    labels that disagree where the model is surest are wrong, and the share of wrong labels follows a line from there to the
    records it doubts; half of what the model errs by itself is taken off. The built-in probe is two models, and so are several
    files of `--predictions`: there, how often they contradict one another says how often they err.
    There are three verdicts: *noise*, *no evidence* (with the smallest noise that would have shown), and *cannot tell*, which
    is shown as not evaluated: the disagreement grows with the model's own doubt, as it does for ambiguous images with perfectly
    good labels, or the records are too few to see that it does not, or the model is too weak or too boastful to judge by, or it
    saw the labels before. Labels of a study, a lesion
    or a patient are judged once, by the pooled predictions of their images.

    Where sites are known, a table shows the disagreement of each with its interval.

    Ordinal grades: it also counts the labels that the model places two grades away or more. Continuous labels are judged by
    their residuals: how many lie further from an out-of-fold model than those of right labels do (a Student distribution on
    each side, its tails read from the inner 80 %; false discovery rate .1).

    With `--reviewed` it reports what people found instead: the share of wrong labels among all judged records with a 95 %
    interval, the share among the flagged, and a bound on what is left among the others. Then there is no assumption.

    ## Why is this bad?

    A model learns wrong labels, and a test set with wrong labels ranks models wrongly. At least 3.3 % of the labels of ten
    famous test sets are wrong.

    ## How to fix

    Have a random sample reviewed: no number here is a proof. Then review the records that LN002 ranks first, or train with
    `medaudit fix --strategy confident` or `robust`. Do not overwrite labels with predictions: on clean data that adds errors.

    ## Options

    * `max_noise_fraction`: noise up to here is tolerated (0.01).

    ## References

    * Northcutt, Jiang & Chuang: Confident learning. JAIR 70, 2021.
    * Northcutt, Athalye & Mueller: Pervasive label errors in test sets. NeurIPS 2021.
    * Patrini et al.: Making deep neural networks robust to label noise. CVPR 2017 (anchors).
    """

    code: ClassVar[str] = "LN001"
    name: ClassVar[str] = "estimated-noise"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset({"predictions"})

    max_noise_fraction: float = 0.01

    def run(self, dataset: Dataset) -> Verdict:
        """Estimate; raises SkipCheck without labels or predictions, and with the estimate where it cannot tell."""
        if dataset.labels.task == "continuous":
            return self._numbers(dataset)
        tasks = judge_labels(dataset, tolerance=self.max_noise_fraction)
        assert dataset.predictions is not None
        findings = [f for task in tasks if (f := self._finding(task, dataset)) is not None]
        per_class = class_table(tasks)
        tables, charts = [per_class], [_class_chart(per_class)]
        if (by_site := site_table(tasks, dataset)) is not None:
            tables.append(by_site)
        if len(tasks) == 1 and not tasks[0].name:
            joint = joint_table(tasks[0])
            tables.append(joint)
            charts.append(
                Chart(
                    name="confident_joint", title="Given class against confidently predicted class", kind="matrix",
                    table=joint, label="given", group="predicted", value="records",
                )
            )  # fmt: skip
        judged = int(judged_records(tasks, dataset.size).sum())
        verdict = Verdict(
            summary=_summary(tasks, in_sample=not dataset.predictions.out_of_fold),
            metrics=_metrics(tasks, dataset),
            findings=tuple(findings),
            tables=tuple(tables),
            charts=tuple(charts),
            coverage=Coverage(
                evaluated=judged, total=dataset.size, reason="" if judged == dataset.size else "no label, or no prediction"
            ),
        )
        if dataset.reviews and (estimate := estimate_review(dataset.reviews)).noise is not None:
            return self._reviewed(verdict, estimate, estimate.noise, dataset)
        told = [_verdict_of(task, in_sample=not dataset.predictions.out_of_fold) for task in tasks]
        if all(kind == "cannot tell" for kind, _ in told):
            raise SkipCheck(
                f"whether labels are wrong cannot be told from this model: {told[0][1]}", verdict=replace(verdict, findings=())
            )
        return verdict

    def _reviewed(self, verdict: Verdict, estimate: ReviewEstimate, noise: Share, dataset: Dataset) -> Verdict:
        """The verdict with what people found in place of what the model suggests."""
        wrong = noise.low > self.max_noise_fraction
        left = "" if estimate.left_high is None else f"; at most {estimate.left_high:.1%} among the labels that are not flagged"
        words = (
            f"{estimate.reviewed:,} labels were reviewed: {noise.value:.1%} of all are wrong (95 % interval {noise.low:.1%} to "
            f"{noise.high:.1%}){left}"
        )
        finding = Finding(
            code=self.code, severity=self.severity, where=Location(field=dataset.labels.origin or None), score=noise.value,
            evidence={"reviewed_labels": estimate.reviewed, "label_noise_fraction": noise.value},
            message=f"{words}; correct what the reviewers found wrong, then review the other flagged records",
        )  # fmt: skip
        reviewed: dict[str, Cell] = {
            "verdict": "noise" if wrong else "reviewed",
            "reviewed_labels": estimate.reviewed,
            "reviewed_noise_fraction": noise.value,
            "reviewed_noise_fraction_low": noise.low,
            "reviewed_noise_fraction_high": noise.high,
            "unflagged_noise_fraction_bound": estimate.left_high,
            "clean_run_controls": estimate.clean_run,
            **{f"reviewed_{name.replace(' ', '_')}": count for name, count in estimate.counts.items()},
        }
        if estimate.precision is not None:
            reviewed |= {
                "flag_precision_fraction": estimate.precision.value,
                "flag_precision_fraction_low": estimate.precision.low,
                "flag_precision_fraction_high": estimate.precision.high,
            }
        return replace(
            verdict, summary=f"{words}.", metrics={**verdict.metrics, **reviewed}, findings=(finding,) if wrong else ()
        )

    def _numbers(self, dataset: Dataset) -> Verdict:
        """The verdict on a continuous label."""
        found = judge_numbers(dataset, tolerance=self.max_noise_fraction)
        assert dataset.predictions is not None
        noise, field = found.noise, dataset.labels.origin or None
        in_sample = not dataset.predictions.out_of_fold
        told, reason = (
            ("cannot tell", "the predictions are in-sample: the model may have learnt the wrong labels by heart")
            if in_sample and found.verdict == "no evidence"
            else (found.verdict, found.reason)
        )
        start = {
            "noise": f"Some labels look wrong: about {noise.value:.1%} of the numbers",
            "no evidence": "No evidence of more wrong labels than are tolerated",
            "cannot tell": "Cannot tell from this model whether labels are wrong",
        }[told]
        finding = Finding(
            code=self.code, severity=self.severity, where=Location(field=field), score=noise.value,
            evidence={"label_noise_fraction": noise.value, "labels": noise.count},
            message=(
                f"about {noise.value:.1%} of the numbers look wrong (interval {noise.low:.1%} to {noise.high:.1%}); "
                f"{reason}; it rests on this: {residuals.ASSUMPTION}; "
                "review a random sample, then the records that LN002 ranks first"
            ),
        )  # fmt: skip
        verdict = Verdict(
            summary=f"Continuous label. {start}: {reason}.",
            metrics={
                "verdict": told,
                "label_noise_fraction": noise.value,
                "label_noise_fraction_low": noise.low,
                "label_noise_fraction_high": noise.high,
                "explained_fraction": found.skill,
                "residual_robust_deviation": found.spread,
                "tail_degrees_of_freedom": found.degrees,
                "visible_error": found.visible,
                "assumption": residuals.ASSUMPTION,
                "predictions": dataset.predictions.origin,
                "predictions_out_of_fold": dataset.predictions.out_of_fold,
            },
            findings=(finding,) if told == "noise" else (),
            coverage=Coverage(
                evaluated=len(found.records), total=dataset.size,
                reason="" if len(found.records) == dataset.size else "no label, or no prediction",
            ),
        )  # fmt: skip
        if dataset.reviews and (estimate := estimate_review(dataset.reviews)).noise is not None:
            return self._reviewed(verdict, estimate, estimate.noise, dataset)
        if told == "cannot tell":
            raise SkipCheck(f"whether labels are wrong cannot be told from this model: {reason}", verdict=verdict)
        return verdict

    def _finding(self, task: JudgedTask, dataset: Dataset) -> Finding | None:
        estimate = task.estimate
        where = Location(field=dataset.labels.origin or None)
        about = f"class {task.name!r}: " if task.name else ""
        assert dataset.predictions is not None
        verdict, reason = _verdict_of(task, in_sample=not dataset.predictions.out_of_fold)
        if verdict == "no evidence":
            return None
        evidence: dict[str, Cell] = {
            "label_noise_fraction": estimate.noise.value,
            "disagreement_fraction": estimate.disagreement.value,
            "labels": len(task.codes),
        }
        if verdict == "cannot tell":
            return Finding(
                code=self.code, severity=Severity.INFO, where=where, subject=task.name, evidence=evidence,
                message=f"{about}whether labels are wrong cannot be told from this model: {reason}",
            )  # fmt: skip
        noise = estimate.noise
        return Finding(
            code=self.code, severity=self.severity, where=where, subject=task.name, score=noise.value, evidence=evidence,
            message=(
                f"{about}about {noise.value:.1%} of the labels look wrong (interval {noise.low:.1%} to {noise.high:.1%}); "
                f"{reason}; it rests on this: {_assumption(dataset)}; "
                "review a random sample, then the records that LN002 ranks first"
            ),
        )  # fmt: skip


def _verdict_of(task: JudgedTask, *, in_sample: bool) -> tuple[NoiseVerdict, str]:
    """The estimate's verdict; a model that saw the labels cannot acquit them."""
    if in_sample and task.estimate.verdict == "no evidence":
        return "cannot tell", "the predictions are in-sample: the model may have learnt the wrong labels by heart"
    return task.estimate.verdict, task.estimate.reason


def _assumption(dataset: Dataset) -> str:
    """What the estimate rests on."""
    assert dataset.predictions is not None
    return ASSUMPTION if dataset.predictions.agreed is None else ASSUMPTION_OF_TWO


def _summary(tasks: tuple[JudgedTask, ...], *, in_sample: bool) -> str:
    doubt = " The predictions are in-sample, so the true disagreement is larger." if in_sample else ""
    if len(tasks) > 1 or tasks[0].name:
        noisy = [t.name for t in tasks if t.estimate.verdict == "noise"]
        untold = sum(t.estimate.verdict == "cannot tell" for t in tasks)
        shown = ", ".join(noisy[:5]) + (f" and {len(noisy) - 5} more" if len(noisy) > 5 else "")
        words = f"Label noise in {len(noisy)} of {len(tasks)} classes{f' ({shown})' if noisy else ''}"
        return f"{words}; for {untold} it cannot be told from this model.{doubt}"
    estimate = tasks[0].estimate
    start = {
        "noise": f"The labels look noisy: about {estimate.noise.value:.1%} may be wrong",
        "no evidence": "No evidence of label noise",
        "cannot tell": "Cannot tell from this model whether labels are wrong",
    }[estimate.verdict]
    return f"{start}: {estimate.reason}.{doubt}"


def _metrics(tasks: tuple[JudgedTask, ...], dataset: Dataset) -> dict[str, Cell]:
    """Of a multi-label dataset: the means over the classes, weighted by judged records."""
    assert dataset.predictions is not None
    sizes = np.array([len(t.codes) for t in tasks], dtype=np.float64)

    def mean(values: list[float]) -> float:
        return float(np.average(values, weights=sizes))

    estimates = [t.estimate for t in tasks]
    verdicts = [_verdict_of(t, in_sample=not dataset.predictions.out_of_fold)[0] for t in tasks]
    verdict = next((v for v in ("noise", "cannot tell") if v in verdicts), "no evidence")
    beyond: dict[str, Cell] = {}
    if dataset.labels.task == "ordinal":
        apart = np.abs(tasks[0].probabilities.argmax(axis=1) - tasks[0].codes.astype(np.int64))
        beyond["two_grades_apart_fraction"] = float(np.mean(apart >= 2))
    return {
        "verdict": verdict,
        **beyond,
        "disagreement_fraction": mean([e.disagreement.value for e in estimates]),
        "disagreement_fraction_low": mean([e.disagreement.low for e in estimates]),
        "disagreement_fraction_high": mean([e.disagreement.high for e in estimates]),
        "null_disagreement_fraction": mean([e.null_disagreement for e in estimates]),
        "sure_disagreement_fraction": mean([e.sure.value for e in estimates]),
        "label_noise_fraction": mean([e.noise.value for e in estimates]),
        "label_noise_fraction_low": mean([e.noise.low for e in estimates]),
        "label_noise_fraction_high": mean([e.noise.high for e in estimates]),
        "assumption": _assumption(dataset),
        "predictions": dataset.predictions.origin,
        "predictions_out_of_fold": dataset.predictions.out_of_fold,
        "tasks": len(tasks),
    }


def _class_chart(table: Table) -> Chart:
    return Chart(
        name="disagreement", title="Where model and label disagree", kind="intervals", table=table,
        label="class", value="disagreement_fraction", low="low", high="high",
    )  # fmt: skip
