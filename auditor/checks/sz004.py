"""SZ004: how many independent images the collection is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, Need
from auditor.evidence.quality.sample_size import feature_space, vendi_score, worth_of
from auditor.feature import feature_needs
from auditor.prediction.predict import MODULES
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Coverage, Finding, Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class EffectiveNumber(Check):
    """How many independent images the collection is worth.

    ## What it does

    Three numbers. Distinct pictures: copies of the same pixels count once. Worth in independent images: n / (1 + (m − 1) ·
    ICC), with the mean number m of images per patient (weighted by size) and the intraclass correlation of the principal
    components within patients. Diversity: the Vendi score, the exponential of the entropy of the eigenvalues of the
    similarity matrix, on at most 1,000 pictures: how many completely different pictures would be as diverse.

    ## Why is this bad?

    Neighbouring frames and slices are nearly copies. Intervals computed from the number of images are too narrow, and the
    model sees less than the table says.

    ## How to fix

    Count patients, and resample by patient. Collect other patients, devices and sites before more images of the same.

    ## Options

    * `min_worth_fraction`: below this share of the images, the worth is named as a finding.
    * `max_findings`: so many get a finding of their own; the tables list all.

    ## References

    * Kish: Survey Sampling. 1965 (design effect).
    * Friedman & Dieng: The Vendi score. TMLR 2023.
    """

    code: ClassVar[str] = "SZ004"
    name: ClassVar[str] = "effective-number"
    severity: ClassVar[Severity] = Severity.INFO
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints"}) | feature_needs(*MODULES)

    min_worth_fraction: float = 0.5
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        space = feature_space(dataset)
        distinct = int(dataset.fingerprints.loc[space.rows, "pixels"].nunique()) if "pixels" in dataset.fingerprints else None
        n = len(space.rows)
        vendi = vendi_score(space.values)
        metrics: dict[str, Cell] = {"images": n, "images_distinct": distinct, "vendi_score": round(vendi, 2)}
        findings, text = [], f"diversity {vendi:.1f} (Vendi score)"
        if dataset.has("patient"):
            patients = dataset.records.loc[space.rows, "patient"]
            worth, correlation, size = worth_of(space.values, patients)
            metrics |= {
                "images_worth": round(worth, 1),
                "intraclass_correlation": round(correlation, 4),
                "patients": int(patients.nunique()),
            }
            text = f"worth {worth:,.0f} independent ones (ICC {correlation:.2f}, {size:.1f} images per patient); {text}"
            if worth < self.min_worth_fraction * n:
                findings.append(
                    Finding(
                        code=self.code,
                        severity=Severity.INFO,
                        score=round(worth / n, 4),
                        message=f"{n:,} images are worth about {worth:,.0f} independent ones: images of one patient are alike. "
                        "Count and resample patients",
                        evidence={"images": n, "images_worth": round(worth, 1)},
                    )
                )
        copies = f", {distinct:,} distinct" if distinct is not None and distinct < n else ""
        return Verdict(
            summary=f"{n:,} images{copies}: {text}",
            metrics=metrics,
            findings=tuple(findings[: self.max_findings]),
            coverage=Coverage(
                evaluated=n,
                total=dataset.size,
                unit="images",
                reason="the others have no pixels that could be read" if n < dataset.size else "",
            ),
        )
