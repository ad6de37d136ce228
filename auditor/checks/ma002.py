"""MA002: a baseline holds findings that are gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.values.dataset import Dataset
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class BaselineHoldsMore(Check):
    """A baseline holds findings that are gone.

    ## What it does
    Compares the findings that `--baseline` accepts with those of this scan, by fingerprint, and says how many of them this
    scan did not find, check by check. Findings of checks that came to no verdict are left alone: nobody looked.

    ## Why is this bad?
    A baseline may only shrink. What was mended and stays in it would be accepted when it comes back.

    ## How to fix
    Take the result of this scan as the new baseline: `medaudit scan DATASET -o baseline.json`, and have the change reviewed.

    ## Options
    None.

    ## References
    PHPStan, `reportUnmatchedIgnoredErrors`; ESLint, `--pass-on-unpruned-suppressions`.
    """

    code: ClassVar[str] = "MA002"
    name: ClassVar[str] = "baseline-holds-more"
    severity: ClassVar[Severity] = Severity.WARNING

    def run(self, dataset: Dataset) -> Verdict:  # noqa: ARG002
        """A dataset knows no baseline; the scan, which does, calls `report`."""
        raise SkipCheck("no baseline was given (--baseline)")

    def report(self, gone: Mapping[str, int], *, held: int, judged: int) -> Verdict:
        """The verdict on a baseline.

        Args:
            gone: code of a check → how many of its findings in the baseline are not there any more.
            held: how many findings the baseline holds.
            judged: how many of them are of checks that came to a verdict.
        """
        count = sum(gone.values())
        codes = sorted(gone)
        findings: tuple[Finding, ...] = ()
        if count:
            each = ", ".join(f"{code} {gone[code]:,}" for code in codes)
            message = (
                f"{count:,} of the {held:,} findings that the baseline accepts are gone ({each}). "
                "Take this scan's result as the new baseline, so that they cannot come back unseen"
            )
            findings = (
                Finding(
                    code=self.code, severity=self.severity, message=message, where=Location(), subject="baseline",
                    evidence={"gone": count, "held": held},
                ),
            )  # fmt: skip
        table = Table(
            name="gone",
            title="Findings of the baseline that are gone",
            columns=(
                Column(name="check", kind="text", values=codes, title="Check"),
                Column(name="gone", kind="integer", values=[gone[code] for code in codes], title="Gone"),
            ),
        )
        return Verdict(
            summary=f"{count:,} of {judged:,} findings of the baseline are gone",
            metrics={"baseline": held, "baseline_gone": count},
            findings=findings,
            tables=(table,) if count else (),
            coverage=Coverage(
                evaluated=judged, total=held, unit="findings of the baseline",
                reason="their checks came to no verdict" if judged < held else "",
            ),
        )  # fmt: skip
