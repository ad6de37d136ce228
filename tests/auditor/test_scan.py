from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
from builders import make_dataset

from auditor.check import Check, SkipCheck
from auditor.evidence.privacy.withhold import Withholding
from auditor.outcomes import graded, judge, status_of
from auditor.plan import plan_for
from auditor.progress import Silent
from auditor.scan import examine
from auditor.values.dataset import Dataset
from auditor.values.results import Coverage, Finding, Outcome, Severity, Verdict


def outcome(code: str, severity: Severity | None = None, *, status: str | None = None, waived: str | None = None) -> Outcome:
    findings = () if severity is None else (Finding(code=code, severity=severity, message="m", waived=waived),)
    chosen = status or ("failed" if findings else "passed")
    verdict = None if chosen in ("skipped", "crashed") else Verdict(summary="s", findings=findings)
    return Outcome(code=code, name="n", title="t", status=chosen, verdict=verdict, reason="why")  # type: ignore[arg-type]


def test_a_severity_of_the_user_changes_findings_and_status() -> None:
    lowered = graded(outcome("A1", Severity.ERROR), {"A1": Severity.INFO})
    assert lowered.status == "passed"
    assert lowered.verdict is not None
    assert lowered.verdict.findings[0].severity is Severity.INFO


@dataclass(frozen=True, kw_only=True)
class Broken(Check):
    """A check that breaks."""

    code: ClassVar[str] = "ZZ001"
    name: ClassVar[str] = "broken"
    severity: ClassVar[Severity] = Severity.ERROR

    def run(self, dataset: Dataset) -> Verdict:
        raise ValueError("ZZCANARY^NAME")


@dataclass(frozen=True, kw_only=True)
class Inapplicable(Check):
    """A check that does not apply."""

    code: ClassVar[str] = "ZZ002"
    name: ClassVar[str] = "inapplicable"
    severity: ClassVar[Severity] = Severity.ERROR

    def run(self, dataset: Dataset) -> Verdict:
        raise SkipCheck("no label")


def test_a_check_that_crashes_hides_no_other_and_tells_no_value() -> None:
    outcomes = {o.code: o for o in judge(make_dataset(n=3), [Broken(), Inapplicable()], Silent())}
    assert outcomes["ZZ001"].status == "crashed"
    assert outcomes["ZZ002"].status == "skipped"
    assert outcomes["ZZ002"].reason == "no label"
    assert outcomes["MA003"].status == "failed"
    assert "ZZCANARY" not in repr(outcomes)
    assert "test_scan.py" in outcomes["ZZ001"].reason


def test_what_a_result_shows_of_names_is_worked_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To hide names is a walk through every text of every outcome: thumbnails for the review do not walk it again."""
    walks: list[Withholding] = []
    monkeypatch.setattr("auditor.scan.Withholding", lambda names: walks.append(Withholding(names)) or walks[-1])
    rows = [f"{i}.png,{'ab'[i % 2]},Anna Musterfrau {i}" for i in range(40)]
    (tmp_path / "labels.csv").write_text("image,label,patient\n" + "\n".join(rows) + "\n")
    found = examine(plan_for(tmp_path / "labels.csv"))
    assert len(walks) == 1
    assert found.names is walks[0].names


@pytest.mark.parametrize(("detectable", "status"), [(0.7, "passed"), (0.94, "passed"), (0.95, "skipped"), (1.0, "skipped")])
def test_a_check_that_could_have_seen_nothing_does_not_pass(detectable: float, status: str) -> None:
    verdict = Verdict(summary="s", metrics={"detectable_auc": detectable}, coverage=Coverage(evaluated=160, total=160))
    assert status_of(verdict)[0] == status
    note = Finding(code="LK001", severity=Severity.INFO, message="m")
    assert status_of(replace(verdict, findings=(note,)))[0] == status
    found = replace(note, severity=Severity.WARNING)
    assert status_of(replace(verdict, findings=(note, found)))[0] == "failed"
    blind = Outcome(code="LK001", name="n", title="t", status=status_of(verdict)[0], verdict=replace(verdict, findings=(note,)))
    assert graded(blind, {"LK001": Severity.ERROR}).status == "failed"
    assert graded(blind, {"LK001": Severity.INFO}).status == status


def test_what_a_check_noted_that_would_not_judge_is_not_raised() -> None:
    note = Finding(code="LN002", severity=Severity.INFO, message="m")
    verdict = Verdict(summary="s", findings=(note,), coverage=Coverage(evaluated=60, total=60))
    skipped = Outcome(code="LN002", name="n", title="t", status="skipped", reason="cannot be told", verdict=verdict)
    assert graded(skipped, {"LN002": Severity.ERROR}) == skipped
