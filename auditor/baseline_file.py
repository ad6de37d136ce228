"""The findings in a result.json that is given as a baseline. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from auditor.stored import checked, read_json
from auditor.values.baseline import REASON, Accepted, numbers
from auditor.values.errors import ConfigError
from auditor.values.image import Limits
from auditor.values.results import SCHEMA_VERSION, Severity

Code = Annotated[str, Field(max_length=20)]
Mark = Annotated[str, Field(min_length=32, max_length=32, pattern="^[0-9a-f]{32}$")]


class _Finding(BaseModel):
    code: Code
    severity: Severity
    fingerprint: Mark
    score: float | None = None
    evidence: dict[str, Any] = {}
    waived: str | None = None


class _Outcome(BaseModel):
    findings: list[_Finding] = []


class _Result(BaseModel):
    kind: str = ""
    schema_version: int
    outcomes: list[_Outcome]


def entries(limits: Limits, path: Path) -> dict[str, Accepted]:  # noqa: ARG001 - what a worker may use is set outside
    """Fingerprint → finding, of the earlier scan; what a waiver accepted then hangs on that waiver, and is left out.

    Raises:
        ConfigError: no result of a scan, or one of a newer medaudit.
    """
    try:
        document: Any = read_json(path)
        found = checked(_Result, document)
    except OSError as error:
        raise ConfigError(f"{path}: the baseline cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise ConfigError(f"{path}: no result.json of `medaudit scan` ({error})") from None
    if found.kind == "comparison":
        raise ConfigError(f"{path}: this is a comparison; a baseline is the result.json of one scan")
    if found.schema_version > SCHEMA_VERSION:
        raise ConfigError(f"{path}: the baseline was written by a newer medaudit")
    return {
        finding.fingerprint: Accepted(
            code=finding.code, severity=finding.severity, score=finding.score, counts=numbers(finding.evidence)
        )
        for outcome in found.outcomes
        for finding in outcome.findings
        if finding.waived in (None, REASON)
    }
