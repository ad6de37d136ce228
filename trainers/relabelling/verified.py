"""How often a suggested label is right, bounded by what people verified: what a released label may be rewritten on.

Groups are the suggested class and the stratum of confidence, because a model that is right about one class, or where it is
sure, need not be right elsewhere. Of each group the Clopper–Pearson lower bound counts, at 95 % over all groups that hold a
verified item together (Bonferroni): 59 items of one group without an error reach .95, no smaller number does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.statistics.distributions import beta
from auditor.values.results import Column, Table

STRATA: tuple[float, ...] = (0.9, 0.7, 0.0)
"""Lower ends of the strata of confidence."""
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Group:
    """Suggestions of one class in one stratum of confidence.

    Args:
        suggested: the class.
        stratum: lower end of the confidence.
        count: suggestions; verified: how many of them a person judged; right: how many suggestions were right.
        low: lower bound of the precision; 0 without a verified item.
    """

    suggested: str
    stratum: float
    count: int
    verified: int
    right: int
    low: float


def stratum_of(confidence: float) -> float:
    """Lower end of the stratum that a confidence is in."""
    return next((low for low in STRATA if confidence >= low), STRATA[-1])


def bounded_groups(
    suggested: Sequence[str], confidence: Sequence[float], answers: Sequence[bool | None]
) -> dict[tuple[str, float], Group]:
    """Groups by (class, stratum).

    Args:
        suggested, confidence: of every suggestion.
        answers: True where a person found the suggestion right, False where not, None where nobody looked.
    """
    keys = [(name, stratum_of(value)) for name, value in zip(suggested, confidence, strict=True)]
    members: dict[tuple[str, float], list[bool | None]] = {}
    for key, answer in zip(keys, answers, strict=True):
        members.setdefault(key, []).append(answer)
    verified = {key: [a for a in own if a is not None] for key, own in members.items()}
    tests = max(1, sum(bool(own) for own in verified.values()))
    return {
        key: Group(
            suggested=key[0], stratum=key[1], count=len(members[key]), verified=len(verified[key]),
            right=sum(verified[key]), low=lower_bound(sum(verified[key]), len(verified[key]), level=1 - (1 - LEVEL) / tests),
        )
        for key in sorted(members, key=lambda key: (key[0], -key[1]))
    }  # fmt: skip


def lower_bound(right: int, verified: int, *, level: float = LEVEL) -> float:
    """One-sided lower bound of a proportion (Clopper & Pearson, Biometrika 1934): 59 of 59: .9505; 58 of 58: .9497."""
    return 0.0 if right == 0 else float(beta.ppf(1 - level, right, verified - right + 1))


def group_table(groups: Sequence[Group], gate: float) -> Table:
    """One row per group."""
    return Table(
        name="suggestion_precision",
        title="How many suggestions people found right",
        columns=(
            Column(name="suggested", kind="class", title="Suggested", values=[g.suggested for g in groups]),
            Column(name="confidence", kind="fraction", title="Confidence from", values=[g.stratum for g in groups]),
            Column(name="suggestions", kind="integer", title="Suggestions", values=[g.count for g in groups]),
            Column(name="verified", kind="integer", title="Verified", values=[g.verified for g in groups]),
            Column(name="right", kind="integer", title="Right", values=[g.right for g in groups]),
            Column(name="low", kind="fraction", title="Precision at least", values=[g.low for g in groups]),
            Column(name="rewritten", kind="boolean", title="Rewritten", values=[g.low >= gate for g in groups]),
        ),
    )
