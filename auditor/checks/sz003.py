"""SZ003: how many training samples there are per trainable parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.evidence.quality.sample_size import training_rows
from auditor.values.dataset import Dataset
from auditor.values.results import Coverage, Finding, Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class SamplesPerParameter(Check):
    """How many training samples there are per trainable parameter.

    ## What it does

    Divides the training images and training patients by the number of trainable parameters of a declared model. The old rule
    asks for 10 to 20 samples per parameter. It is information only: it comes from regression, and networks with pre-training,
    weight decay and augmentation do well far below it; it says how much must come from those.

    ## Why is this bad?

    A model with a thousand times more parameters than patients can learn every one of them by heart; only a test set of other
    patients shows it.

    ## How to fix

    Choose a smaller model, freeze what was pre-trained, augment, or collect more patients. Judge by a test of unseen
    patients.

    ## Options

    * `parameters`: trainable parameters of the model; 0 = none is declared, the check is skipped.
    * `samples_low`, `samples_high`: the rule.
    * `max_findings`: so many get a finding of their own; the tables list all.

    ## References

    * Harrell, Lee & Mark: Statistics in Medicine 1996 (events per variable); Baum & Haussler: Neural Computation 1989; Zhang
      et al.: ICLR 2017 (why it does not bind networks).
    """

    code: ClassVar[str] = "SZ003"
    name: ClassVar[str] = "samples-per-parameter"
    severity: ClassVar[Severity] = Severity.INFO

    parameters: int = 0
    samples_low: float = 10.0
    samples_high: float = 20.0
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        if self.parameters <= 0:
            raise SkipCheck("no model is declared: write parameters = N under [checks.SZ003] in medaudit.toml")
        training = training_rows(dataset)
        images = int(training.sum())
        patients = int(dataset.records["patient"][training].nunique()) if dataset.has("patient") else None
        ratio = images / self.parameters
        findings = []
        if ratio < self.samples_low:
            of = f" of {patients:,} patients" if patients is not None else ""
            findings.append(
                Finding(
                    code=self.code,
                    severity=Severity.INFO,
                    score=round(ratio, 6),
                    message=f"{images:,} training images{of} for {self.parameters:,} parameters: {ratio:.3g} each, the rule of "
                    f"{self.samples_low:.0f} to {self.samples_high:.0f} asks for {self.samples_low * self.parameters:,.0f}. "
                    "Rely on pre-training, augmentation and a test of unseen patients",
                    evidence={"images_training": images, "parameters": self.parameters},
                )
            )
        return Verdict(
            summary=f"{ratio:.3g} training images per trainable parameter",
            metrics={
                "samples_per_parameter": round(ratio, 8),
                "images_training": images,
                "patients_training": patients,
                "parameters": self.parameters,
                "parameters_allowed_low": int(images / self.samples_high),
                "parameters_allowed_high": int(images / self.samples_low),
            },
            findings=tuple(findings[: self.max_findings]),
            coverage=Coverage(evaluated=images, total=images, unit="training images"),
        )
