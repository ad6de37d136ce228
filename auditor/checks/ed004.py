"""ED004: readers err more as they tire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from auditor.check import Check, SkipCheck
from auditor.evidence.raters.drift import DriftTest, RaterCusum, cusums, published_effect, session_effect, session_trend
from auditor.evidence.raters.drift_tables import curve_chart, curve_table, cusum_table, effects_chart, effects_table, path_table
from auditor.evidence.raters.worklists import Worklists, collect_worklists, paces
from auditor.statistics.multiplicity import holm
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Chart, Coverage, Finding, Location, Severity, Verdict

SEED = 0
SHORT = 0.1
"""Share of each reader's readings that count as very short."""
PACE_AXIS = "Reading time among the reader's own (0 shortest, 1 longest)"


@dataclass(frozen=True, kw_only=True)
class FatigueOrDrift(Check):
    """Readers err more, or less, as a session or a day goes on.

    ## What it does

    Asks whether the errors of the readers change from the first to the last position of a session, from the earlier to the
    later session, with the hour of the day, and whether they are more frequent in the shortest tenth of each reader's
    reading times. An error is a difference from the released label, or, without one, from the majority of the other
    readers; scores against a label of two classes are judged by 1 − AUC. How hard each record is, and how good each reader
    is, are taken out first: worklists are not random, and only readings of the same records are compared. Trends and short
    readings are tested by permuting within session, session and hour by flipping the sign within reader; all p-values
    together by Holm. A CUSUM per reader finds where somebody's errors begin to rise. Beside each p-value stands the power:
    the chance to have seen the published effect (AUC .885 before and .852 after a day, which is 3.2 points of accuracy).

    ## Why is this bad?

    Labels from the end of a long day are worse than the others, and when the worklist is sorted by hospital, class or date,
    the errors are too.

    A reading of a second or two is a click, not a look.

    ## How to fix

    Have the readings of the affected sessions repeated, in random order, or weigh them less. Deal worklists at random, with
    breaks. A passed check with low power says nothing: gather more readings of the same records.

    ## Options

    * `max_p`: significance over all tests (.05).
    * `min_effect`: changes of the error smaller than this are not reported (.01).
    * `max_findings`: so many readers are listed by their CUSUM (20).

    ## References

    * Krupinski et al.: Long radiology workdays reduce detection and accommodation accuracy. JACR 2010.
    * Page: Continuous inspection schemes. Biometrika 1954 (CUSUM).
    * Freedman & Lane: A nonstochastic interpretation of reported significance levels. JBES 1983.
    """

    code: ClassVar[str] = "ED004"
    name: ClassVar[str] = "fatigue-or-drift"
    severity: ClassVar[Severity] = Severity.WARNING

    max_p: float = 0.05
    min_effect: float = 0.01
    max_findings: int = 20

    def run(self, dataset: Dataset) -> Verdict:
        """Test; raises SkipCheck where order and sessions are not known, or cannot be told from the cases."""
        lists = collect_worklists(dataset)
        sums = cusums(lists.error, lists.order, lists.record, lists.rater)
        tests = self._tests(lists, watched=bool(sums))
        if not tests and not sums:
            raise SkipCheck(
                "drift cannot be told from the cases: no record was read at different positions or in both sessions by enough "
                "readers (six for a session effect)"
            )
        p = [test.p for _, test in tests] + ([min(c.q for c in sums)] if sums else [])
        q = holm(np.array(p)).tolist()
        table = effects_table(tests, q, lists)
        curve = curve_table(lists, lists.position)
        hurry = curve_table(lists, paces(lists), name="reading_time", title="Error by reading time", axis=PACE_AXIS)
        tables = [table] + [t for t in (curve, hurry) if t.length]
        charts = [effects_chart(table)] if table.length else []
        charts += [curve_chart(t, lists) for t in (curve, hurry) if t.length]
        flagged = [c for c in sums if c.q <= self.max_p and q[-1] <= self.max_p]
        if sums:
            tables.append(cusum_table(sums, lists))
            paths = path_table(flagged or sorted(sums, key=lambda c: -c.peak)[:1], lists)
            tables.append(paths)
            charts.append(
                Chart(
                    name="cusum", title="Errors beyond what the records explain, summed up", kind="lines", table=paths,
                    label="reading", value="excess_errors", group="rater",
                )
            )  # fmt: skip
        findings = [
            self._finding(name, test, corrected, lists)
            for (name, test), corrected in zip(tests, q, strict=False)
            if corrected <= self.max_p and abs(test.effect) >= self.min_effect
        ]
        findings += [self._cusum_finding(c, lists) for c in flagged[: self.max_findings]]
        return Verdict(
            summary=_summary(tests, q, flagged, lists),
            metrics=_metrics(tests, q, lists),
            findings=tuple(findings),
            tables=tuple(tables),
            charts=tuple(charts),
            coverage=Coverage(
                evaluated=len(lists.error), total=len(dataset.annotations), unit="readings",
                reason="" if len(lists.error) == len(dataset.annotations) else "nothing to judge the reading by",
            ),
        )  # fmt: skip

    def _tests(self, lists: Worklists, *, watched: bool) -> list[tuple[str, DriftTest]]:
        expected = published_effect(auc=lists.auc)
        found: list[tuple[str, DriftTest | None]] = []
        several = [("session", lists.late)] + ([("hour", lists.hour)] if _clocked(lists) else [])
        pace = paces(lists)
        planned = len(several) + int(not np.isnan(lists.position).all()) + int(not np.isnan(pace).all()) + int(watched)
        level = self.max_p / max(planned, 1)
        for name, value in several:
            known = ~np.isnan(value)
            # An hour of a reading day of eight is an eighth of the published effect.
            scale = expected if name == "session" else expected / 8
            if len(np.unique(value[known])) > 1:
                test = session_effect(
                    lists.error[known], value[known], lists.record[known], lists.rater[known], expected=scale, level=level,
                    seed=SEED,
                )  # fmt: skip
                found.append((name, test))
        trend = session_trend(
            lists.error, lists.position, lists.record, lists.session, expected=expected, level=level, seed=SEED
        )
        found.append(("position", trend))
        short = np.where(np.isnan(pace), np.nan, (pace < SHORT).astype(np.float64))
        hurried = session_trend(lists.error, short, lists.record, lists.session, expected=expected, level=level, seed=SEED)
        found.append(("reading time", hurried))
        return [(name, test) for name, test in found if test is not None]

    def _finding(self, name: str, test: DriftTest, q: float, lists: Worklists) -> Finding:
        change = "rises" if test.effect > 0 else "falls"
        where = {
            "session": f"from the session {lists.sessions[0]!r} to {lists.sessions[1]!r}",
            "position": "from the first to the last reading of a session",
            "hour": "per hour of the day",
            "reading time": "in the shortest tenth of each reader's reading times",
        }[name]
        return Finding(
            code=self.code, severity=self.severity, where=Location(), subject=name, score=test.effect,
            message=(
                f"the error {change} by {abs(test.effect):.3f} {where} ({test.low:.3f} to {test.high:.3f}, p = {q:.2g} "
                f"over all tests), at equal difficulty of the records; measured as {lists.measure}: "
                + ("repeat the shortest" if name == "reading time" else "repeat readings of the affected part in random order")
            ),
            evidence={"effect": test.effect, "q": q, "power": test.power, "readings": test.readings},
        )  # fmt: skip

    def _cusum_finding(self, found: RaterCusum, lists: Worklists) -> Finding:
        name = lists.raters[found.rater]
        return Finding(
            code=self.code, severity=self.severity, where=Location(), subject=f"rater {name}", score=found.peak,
            message=(
                f"the errors of rater {name} change after reading {found.at:,} of {found.readings:,} (CUSUM, p = {found.q:.2g} "
                "over all raters): look at the readings from there on"
            ),
            evidence={"rater": name, "reading": found.at, "readings": found.readings, "q": found.q},
        )  # fmt: skip


def _clocked(lists: Worklists) -> bool:
    """Three hours of the day or more, and a rater reads at different ones in different sessions."""
    hours = np.floor(lists.hour[~np.isnan(lists.hour)])
    return len(np.unique(hours)) >= 3


def _summary(tests: list[tuple[str, DriftTest]], q: list[float], flagged: list[RaterCusum], lists: Worklists) -> str:
    parts = [
        f"{name}: error {test.effect:+.3f} (p = {corrected:.2g} over all tests; power for published effect {test.power:.0%})"
        for (name, test), corrected in zip(tests, q, strict=False)
    ]
    about = "; ".join(parts) if parts else "no effect of session or position can be told from the cases"
    return f"{about}; {len(flagged)} raters change in their CUSUM. Errors are {lists.measure}."


def _metrics(tests: list[tuple[str, DriftTest]], q: list[float], lists: Worklists) -> dict[str, Cell]:
    found: dict[str, Cell] = {
        "readings": len(lists.error), "raters": len(np.unique(lists.rater)), "error_fraction": float(lists.error.mean()),
        "measure": lists.measure, "published_effect": published_effect(auc=lists.auc),
    }  # fmt: skip
    for (name, test), corrected in zip(tests, q, strict=False):
        key = name.replace(" ", "_")
        found |= {
            f"{key}_effect": test.effect, f"{key}_effect_low": test.low, f"{key}_effect_high": test.high,
            f"{key}_p": test.p, f"{key}_q": corrected, f"{key}_power": test.power,
        }  # fmt: skip
    return found
