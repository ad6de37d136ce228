"""The proof that nothing crosses: the checks of leakage, run on the new split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.check import Check, SkipCheck
from auditor.checks.sp001 import PatientAcrossSplits
from auditor.checks.sp002 import ExactDuplicate
from auditor.checks.sp004 import NearDuplicate
from auditor.checks.sp005 import AcquisitionAcrossSplits
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict

PROOF: Mapping[str, tuple[type[Check], ...]] = {
    "patient": (PatientAcrossSplits, ExactDuplicate, NearDuplicate, AcquisitionAcrossSplits),
    "study": (ExactDuplicate, NearDuplicate, AcquisitionAcrossSplits),
    "series": (ExactDuplicate, NearDuplicate),
    "image": (ExactDuplicate, NearDuplicate),
}


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What one check says about the new split: `passed`, `failed` (something crosses) or `not evaluated`."""

    code: str
    status: str
    words: str


def proof_of(check: Check, dataset: Dataset) -> Proof:
    """What a check says about the new split; groups within one split are no matter here."""
    try:
        verdict: Verdict = check.run(dataset)
    except SkipCheck as skipped:
        return Proof(code=check.code, status="not evaluated", words=str(skipped))
    errors = [f.message for f in verdict.findings if f.severity is Severity.ERROR]
    if errors:
        return Proof(code=check.code, status="failed", words=errors[0])
    words = verdict.summary if not verdict.findings else "nothing stands in more than one split"
    return Proof(code=check.code, status="passed", words=words)
