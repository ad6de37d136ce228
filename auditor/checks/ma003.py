"""MA003: a check crashed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from auditor.check import Check
from auditor.values.dataset import Dataset
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class CheckCrashed(Check):
    """A check crashed.

    ## What it does
    Names every check that ended with an unexpected error instead of a verdict, with the kind of the error and the line
    of the program. The text of the error is left out, because it may hold values of patients. The other checks are not
    affected; the scan ends with exit code 3 (incomplete).

    ## Why is this bad?
    What the crashed check looks for was not looked for. A gate that passes because a check broke is worse than none.

    ## How to fix
    It is a fault of medaudit or of a plug-in, not of the dataset. Report the kind of the error, the line and the version
    (`medaudit --version`). Until it is mended, `--ignore CODE` leaves the check out, openly: the report lists what was ignored.

    ## Options
    None.

    ## References
    The rule that one crashed audit cannot hide the others is that of Lighthouse (github.com/GoogleChrome/lighthouse).
    """

    code: ClassVar[str] = "MA003"
    name: ClassVar[str] = "check-crashed"
    severity: ClassVar[Severity] = Severity.ERROR

    def run(self, dataset: Dataset) -> Verdict:  # noqa: ARG002
        """Nothing crashed, as far as one dataset can tell; the scan, which sees the crashes, calls `report`."""
        return self.report((), checks=1)

    def report(self, crashed: Sequence[tuple[str, str]], *, checks: int) -> Verdict:
        """The verdict on what crashed.

        Args:
            crashed: code of the check, and the name of the exception's type with file and line
                (`ZeroDivisionError in lk001.py:88`); never the exception's text.
            checks: how many ran.
        """
        findings = tuple(
            Finding(
                code=self.code,
                severity=self.severity,
                message=f"{code} crashed ({what}): it gave no verdict. Report this error; --ignore {code} leaves the check out",
                where=Location(),
                subject=code,
                evidence={"check": code, "error": what},
            )
            for code, what in crashed
        )
        table = Table(
            name="crashes",
            title="Checks that crashed",
            columns=(
                Column(name="check", kind="text", values=tuple(code for code, _ in crashed), title="Check"),
                Column(name="error", kind="text", values=tuple(what for _, what in crashed), title="Error"),
            ),
        )
        summary = "No check crashed" if not crashed else f"{len(crashed):,} of the checks crashed and gave no verdict"
        return Verdict(
            summary=summary, metrics={"checks_crashed": len(crashed)}, findings=findings, tables=(table,) if crashed else (),
            coverage=Coverage(evaluated=checks, total=checks, unit="checks"),
        )  # fmt: skip
