"""SZ007: whether more of this data would still help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, Need
from auditor.evidence.quality.learning_curve import learning_curve
from auditor.evidence.quality.sample_size import labelled
from auditor.feature import feature_needs
from auditor.prediction.predict import MODULES
from auditor.values.dataset import Dataset
from auditor.values.results import Chart, Column, Finding, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class LearningCurve(Check):
    """Whether more of this data would still help.

    ## What it does

    Trains the built-in probe on nested parts of the patients (1/16 to 3/4 of them) and tests it on the last quarter, several
    times over; fits a power law and an exponential plateau to the balanced accuracy and forecasts what twice the data would
    give, with the interval of a bootstrap over the repetitions and the range of the two fits. A step whose interval lies
    below zero is named: data that harms. It speaks about the built-in probe, which is simpler than a network: a network gains
    longer.

    ## Why is this bad?

    Where the curve is flat, more of the same data is wasted effort; better labels or other patients are not.

    ## How to fix

    Steep: collect more. Flat: improve labels, images or model, or add what is rare.

    ## Options

    * `repeats`: how many times the parts are drawn.
    * `seed`: of the draws.
    * `min_gain`: a forecast gain above this, with its whole interval above zero, is told as worthwhile.
    * `max_findings`: so many get a finding of their own; the tables list all.

    ## References

    * Figueroa et al.: BMC Medical Informatics 2012 (inverse power law); Sun et al.: ICCV 2017; Kang 2022 (data that harms).
    """

    code: ClassVar[str] = "SZ007"
    name: ClassVar[str] = "learning-curve"
    severity: ClassVar[Severity] = Severity.INFO
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints"}) | feature_needs(*MODULES)

    repeats: int = 6
    seed: int = 0
    min_gain: float = 0.01
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        curve = learning_curve(dataset, repeats=self.repeats, seed=self.seed)
        forecast = curve.forecast
        findings = []
        if forecast.low > 0 and forecast.gain > self.min_gain:
            findings.append(
                Finding(
                    code=self.code,
                    severity=Severity.INFO,
                    subject="more data",
                    score=round(forecast.gain, 6),
                    message=f"Twice the data is forecast to gain {100 * forecast.gain:.1f} points of balanced accuracy "
                    f"({100 * forecast.low:.1f} to {100 * forecast.high:.1f}) for the built-in probe: collecting more helps",
                    evidence={"gain": round(forecast.gain, 6), "low": round(forecast.low, 6), "high": round(forecast.high, 6)},
                )
            )
        for size, step, low, high in curve.harmful:
            findings.append(
                Finding(
                    code=self.code,
                    severity=Severity.INFO,
                    subject=f"step to {size}",
                    score=round(step, 6),
                    message=f"Going to {size:,} images lost {-100 * step:.1f} points ({100 * low:.1f} to {100 * high:.1f}): "
                    "look at what is noisy",
                    evidence={"step": round(step, 6)},
                )
            )
        table = Table(
            name="curve",
            title="Learning curve of the built-in probe",
            columns=(
                Column(name="images", kind="integer", values=list(curve.sizes), title="Training images"),
                Column(name="series", kind="text", values=list(curve.series), title="Measured or forecast"),
                Column(name="accuracy", kind="fraction", values=[round(v, 6) for v in curve.values], title="Balanced accuracy"),
                Column(name="low", kind="fraction", values=[round(v, 6) for v in curve.low], title="Low"),
                Column(name="high", kind="fraction", values=[round(v, 6) for v in curve.high], title="High"),
            ),
        )
        verdict = (
            "more of this data still helps"
            if forecast.low > 0 and forecast.gain > self.min_gain
            else "no clear gain from more of it"
        )
        return Verdict(
            summary=f"Twice the data: {100 * forecast.gain:+.1f} points of balanced accuracy "
            f"({100 * forecast.low:+.1f} to {100 * forecast.high:+.1f}) for the built-in probe; {verdict}",
            metrics={
                "forecast_gain": round(forecast.gain, 6),
                "forecast_gain_low": round(forecast.low, 6),
                "forecast_gain_high": round(forecast.high, 6),
                "balanced_accuracy": round(curve.values[curve.measured - 1], 6),
                "images_training": curve.sizes[curve.measured - 1],
            },
            findings=tuple(findings[: self.max_findings]),
            tables=(table,),
            coverage=labelled(dataset),
            charts=(
                Chart(
                    name="curve",
                    title="Balanced accuracy by training images",
                    kind="lines",
                    table=table,
                    label="images",
                    value="accuracy",
                    low="low",
                    high="high",
                    group="series",
                ),
            ),
        )
