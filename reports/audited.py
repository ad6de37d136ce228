"""What an audit can say about a data set under the headings of data documentation: biases, limits, readers, persons, splits.

One piece for every format that fills such headings. A heading gets the findings of its checks, then what was asked and not
found with the check's own sentence (how small an effect it could have seen), then what could not be asked: an empty heading
never reads as a clean one.
"""

from __future__ import annotations

from collections.abc import Mapping

from auditor.values.results import Outcome, ScanResult
from reports.causes import causes, live
from reports.wording import plain_names, unseen

TOPICS: Mapping[str, tuple[str, ...]] = {
    "biases": ("LK",),
    "limitations": ("IQ", "SZ", "LN"),
    "integrity": ("IN",),
    "splits": ("SP",),
    "annotation": ("ED", "LN"),
    "personal": ("PH",),
}
"""Topic → letters of the checks that speak of it."""


def told(result: ScanResult, topic: str) -> tuple[str, ...]:
    """The sentences of a topic: what was found, what was asked and not found, what could not be asked."""
    letters = TOPICS[topic]
    mine = [outcome for outcome in result.outcomes if outcome.code[:2] in letters]
    found = [f"{cause.title} ({', '.join(cause.codes)}, {cause.severity.value}, {cause.extent})" for cause in causes(result)
             if cause.codes[0][:2] in letters]  # fmt: skip
    clean = [_clean(o) for o in mine if o.status == "passed" or (o.status == "failed" and not live(o))]
    missing = [f"Not evaluated: {o.code} {o.name}: {o.reason}" for o in mine if o.status in ("skipped", "crashed")]
    return (*map(plain_names, found), *clean, *missing) or ("Not evaluated: no check of this was selected",)


def _clean(outcome: Outcome) -> str:
    words = outcome.verdict.summary if outcome.verdict else outcome.title
    missing = unseen(outcome)
    return f"{plain_names(words).rstrip('.')} ({outcome.code}{f'; {missing}' if missing else ''})"
