"""How errors change along sessions and readings, as tables and charts: the effects tested, curves, and a CUSUM per reader."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.evidence.raters.drift import DriftTest, RaterCusum
from auditor.evidence.raters.worklists import Worklists
from auditor.values.results import Chart, Column, Table

PARTS = 10
PATHS_DRAWN = 6
POINTS_DRAWN = 60


def effects_table(tests: list[tuple[str, DriftTest]], q: list[float], lists: Worklists) -> Table:
    """A row per effect that was tested; `q` is their p over all tests, in that order."""
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


def effects_chart(table: Table) -> Chart:
    """The effects with their intervals."""
    return Chart(
        name="drift", title="Change of the error at equal difficulty", kind="intervals", table=table,
        label="effect_of", value="effect", low="low", high="high", reference={"no change": 0.0},
    )  # fmt: skip


def curve_table(
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


def curve_chart(table: Table, lists: Worklists) -> Chart:
    """A curve beside the mean of all readings."""
    return Chart(
        name=table.name, title=f"{table.title}, at equal difficulty", kind="lines", table=table,
        label="position", value="error", low="low", high="high", reference={"mean": float(lists.error.mean())},
    )  # fmt: skip


def cusum_table(sums: list[RaterCusum], lists: Worklists) -> Table:
    """A row per reader: the peak and where it is reached."""
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


def path_table(drawn: list[RaterCusum], lists: Worklists) -> Table:
    """The way of the first few of these sums, at most POINTS_DRAWN points each."""
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
