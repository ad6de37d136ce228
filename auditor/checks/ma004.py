"""MA004: a waiver fits nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.values.dataset import Dataset
from auditor.values.results import Coverage, Finding, Location, Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class WaiverFitsNothing(Check):
    """A waiver fits no finding.

    ## What it does
    Names every waiver that no finding of this scan fits, by its number in the file, and the key in which it differs where
    all its other keys fit one. A waiver of a check that did not come to a verdict is left alone: there was nothing to waive.

    ## Why is this bad?
    Either the flaw is gone, and the waiver waits for the next one that happens to fit; or a key is mis-spelt, and whoever
    wrote it believes something accepted that is not.

    ## How to fix
    Take the waiver out, or write its keys as the finding in `result.json` has them (`code`, `path`, `field`, `record`,
    `subject`, `fingerprint`).

    ## Options
    None.

    ## References
    ruff, RUF100 (an unused suppression is a finding of its own).
    """

    code: ClassVar[str] = "MA004"
    name: ClassVar[str] = "waiver-fits-nothing"
    severity: ClassVar[Severity] = Severity.WARNING

    def run(self, dataset: Dataset) -> Verdict:  # noqa: ARG002
        """A dataset knows no waivers; the scan, which does, calls `report`."""
        raise SkipCheck("no finding is waived: there is no waiver to look at")

    def report(self, stale: Sequence[tuple[int, str]], *, waivers: int, judged: int) -> Verdict:
        """The verdict on the waivers.

        Args:
            stale: number of the waiver in its file, from 1, and what it comes to.
            waivers: how many there are.
            judged: how many of them speak of a check that came to a verdict.
        """
        findings = tuple(
            Finding(
                code=self.code, severity=self.severity, where=Location(), subject=f"waiver {number}",
                message=f"Waiver {number} of {waivers} fits no finding{why}. Take it out, or correct its keys",
                evidence={"waiver": number},
            )
            for number, why in stale
        )  # fmt: skip
        return Verdict(
            summary=f"{len(stale):,} of {judged:,} waivers fit no finding" if stale else f"All of {judged:,} waivers fit",
            metrics={"waivers": waivers, "waivers_stale": len(stale)},
            findings=findings,
            coverage=Coverage(
                evaluated=judged, total=waivers, unit="waivers",
                reason="their checks came to no verdict" if judged < waivers else "",
            ),
        )  # fmt: skip
