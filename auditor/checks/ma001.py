"""MA001: a waiver has expired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check, SkipCheck
from auditor.values.dataset import Dataset
from auditor.values.results import Coverage, Finding, Location, Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class WaiverExpired(Check):
    """A waiver has expired.

    ## What it does
    Names every waiver whose `expires` lies in the past, by its number in the file. It accepts nothing any more: findings that
    only it accepted fail the gate again. On the day itself it still holds.

    ## Why is this bad?
    A flaw was accepted for a time, and the time is over. What nobody looks at again stays for ever.

    ## How to fix
    Mend what the waiver accepted and take it out, or look at it again and give it a new `expires`.

    ## Options
    None.

    ## References
    Trivy, `.trivyignore` (`exp:`); OWASP Dependency-Check, suppressions (`until`).
    """

    code: ClassVar[str] = "MA001"
    name: ClassVar[str] = "waiver-expired"
    severity: ClassVar[Severity] = Severity.WARNING

    def run(self, dataset: Dataset) -> Verdict:  # noqa: ARG002
        """A dataset knows no waivers; the scan, which does, calls `report`."""
        raise SkipCheck("no finding is waived: there is no waiver to look at")

    def report(self, expired: Sequence[tuple[int, str, int]], *, waivers: int) -> Verdict:
        """The verdict on the dates of the waivers.

        Args:
            expired: number of the waiver in its file, from 1, its last day (ISO 8601), and how many findings it accepted.
            waivers: how many there are.
        """
        findings = tuple(
            Finding(
                code=self.code, severity=self.severity, where=Location(), subject=f"waiver {number}",
                message=f"Waiver {number} of {waivers} expired on {day}"
                + (f"; {fits:,} {'finding' if fits == 1 else 'findings'} that it accepted count again" if fits else "")
                + ". Mend what it accepted, or look at it again and set a new date",
                evidence={"waiver": number, "expired": day, "findings": fits},
            )
            for number, day, fits in expired
        )  # fmt: skip
        return Verdict(
            summary=f"{len(expired):,} of {waivers:,} waivers have expired",
            metrics={"waivers": waivers, "waivers_expired": len(expired)},
            findings=findings,
            coverage=Coverage(evaluated=waivers, total=waivers, unit="waivers"),
        )  # fmt: skip
