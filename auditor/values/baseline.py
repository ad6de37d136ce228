"""The findings of an earlier scan that somebody accepted as they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from auditor.values.results import Severity

REASON = "in the baseline"
"""Why a finding counts for nothing that a baseline accepts."""

NO_AMOUNT = frozenset(("group", "waiver", "position", "reading", "k", "p", "q", "low", "power"))
"""Numbers of evidence that count nothing: a number in a list, a chance, the lower end of an interval."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """One finding of a baseline.

    Args:
        code: of its check.
        score: how strong it was; None: the check measures no strength.
        counts: the numbers of its evidence (records, pairs, shares) by their names.
    """

    code: str
    severity: Severity
    score: float | None = None
    counts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Fingerprint → what was accepted."""

    findings: Mapping[str, Accepted] = field(default_factory=dict)


def numbers(evidence: Mapping[str, Any]) -> dict[str, float]:
    """What of the evidence of a finding says how much there is of it: numbers that are neither a place nor a chance."""
    return {
        name: float(value)
        for name, value in evidence.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and name not in NO_AMOUNT
    }
