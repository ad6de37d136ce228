"""ED004: readers err more as they tire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from auditor.check import Check, SkipCheck
from auditor.evidence.raters.drift import DriftTest, RaterCusum, cusums, published_effect, session_effect, session_trend
from auditor.evidence.raters.worklists import Worklists, collect_worklists, paces
from auditor.statistics.multiplicity import holm
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Chart, Column, Coverage, Finding, Location, Severity, Table, Verdict

SEED = 0
PARTS = 10
PATHS_DRAWN = 6
POINTS_DRAWN = 60
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
        table = _test_table(tests, q, lists)
        curve = _curve_table(lists, lists.position)
        hurry = _curve_table(lists, paces(lists), name="reading_time", title="Error by reading time", axis=PACE_AXIS)
        tables = [table] + [t for t in (curve, hurry) if t.length]
        charts = [_test_chart(table)] if table.length else []
        charts += [_curve_chart(t, lists) for t in (curve, hurry) if t.length]
        flagged = [c for c in sums if c.q <= self.max_p and q[-1] <= self.max_p]
        if sums:
            tables.append(_cusum_table(sums, lists))
            paths = _path_table(flagged or sorted(sums, key=lambda c: -c.peak)[:1], lists)
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


def _test_table(tests: list[tuple[str, DriftTest]], q: list[float], lists: Worklists) -> Table:
    names = {
        "session": f"{lists.sessions[0]} → {lists.sessions[1]}",
        "position": "first → last of a session",
        "hour": "per hour",
        "reading time": "shortest tenth of the reading times",
    }
    return Table(
        name="drift", title="Change of the error at equal difficulty",
        columns=(
            Column(name="effect_of", kind="text", values=[names[n] for n, _ in tests], title="Effect of"),
            Column(name="effect", kind="number", values=[test.effect for _, test in tests], title="Change of the error"),
            Column(name="low", kind="number", values=[float(test.low) for _, test in tests], title="95 % from"),
            Column(name="high", kind="number", values=[float(test.high) for _, test in tests], title="to"),
            Column(name="p", kind="number", values=[test.p for _, test in tests], title="p"),
            Column(name="q", kind="number", values=q[: len(tests)], title="p over all tests"),
            Column(name="power", kind="fraction", values=[test.power for _, test in tests], title="Power, published effect"),
            Column(name="readings", kind="integer", values=[test.readings for _, test in tests], title="Readings"),
        ),
    )  # fmt: skip


def _test_chart(table: Table) -> Chart:
    return Chart(
        name="drift", title="Change of the error at equal difficulty", kind="intervals", table=table,
        label="effect_of", value="effect", low="low", high="high", reference={"no change": 0.0},
    )  # fmt: skip


def _curve_table(
    lists: Worklists,
    place: npt.NDArray[np.float64],
    *,
    name: str = "curve",
    title: str = "Error along the session",
    axis: str = "Position in the session (0 first, 1 last)",
) -> Table:
    """Mean error by tenths of `place` (0 to 1), freed of what the record explains."""
    known = ~np.isnan(place)
    rows: list[tuple[float, float, float, float, int]] = []
    if known.any():
        mean = np.bincount(lists.record, lists.error) / np.maximum(np.bincount(lists.record), 1)
        value = (lists.error - mean[lists.record])[known] + float(lists.error.mean())
        part = np.minimum((place[known] * PARTS).astype(np.int64), PARTS - 1)
        for k in range(PARTS):
            inside = value[part == k]
            if len(inside) >= 5:
                width = 1.96 * float(inside.std(ddof=1)) / np.sqrt(len(inside))
                centre = float(inside.mean())
                rows.append(((k + 0.5) / PARTS, centre, centre - width, centre + width, len(inside)))
    names = ("position", "error", "low", "high", "readings")
    whole = "readings"
    titles = (axis, "Mean error, equal difficulty", "95 % from", "to", "Readings")
    return Table(
        name=name, title=title,
        columns=tuple(
            Column(name=column, kind="integer" if column == whole else "number", values=[row[k] for row in rows], title=said)
            for k, (column, said) in enumerate(zip(names, titles, strict=True))
        ),
    )  # fmt: skip


def _curve_chart(table: Table, lists: Worklists) -> Chart:
    return Chart(
        name=table.name, title=f"{table.title}, at equal difficulty", kind="lines", table=table,
        label="position", value="error", low="low", high="high", reference={"mean": float(lists.error.mean())},
    )  # fmt: skip


def _cusum_table(sums: list[RaterCusum], lists: Worklists) -> Table:
    return Table(
        name="cusum", title="CUSUM per rater",
        columns=(
            Column(name="rater", kind="text", values=[lists.raters[c.rater] for c in sums], title="Rater"),
            Column(name="readings", kind="integer", values=[c.readings for c in sums], title="Readings in order"),
            Column(name="peak", kind="number", values=[c.peak for c in sums], title="Peak in standard deviations"),
            Column(name="at", kind="integer", values=[c.at for c in sums], title="Reached after reading"),
            Column(name="q", kind="number", values=[c.q for c in sums], title="p over all raters"),
        ),
    )  # fmt: skip


def _path_table(drawn: list[RaterCusum], lists: Worklists) -> Table:
    rows: list[tuple[str, int, float]] = []
    for found in drawn[:PATHS_DRAWN]:
        places = np.unique(np.linspace(0, found.readings - 1, min(POINTS_DRAWN, found.readings)).astype(np.int64))
        rows += [(lists.raters[found.rater], int(k) + 1, float(found.path[k])) for k in places]
    return Table(
        name="cusum_paths", title="CUSUM in the order of reading",
        columns=(
            Column(name="rater", kind="text", values=[r for r, _, _ in rows], title="Rater"),
            Column(name="reading", kind="integer", values=[k for _, k, _ in rows], title="Reading"),
            Column(name="excess_errors", kind="number", values=[v for *_, v in rows], title="Errors beyond the expected"),
        ),
    )  # fmt: skip
