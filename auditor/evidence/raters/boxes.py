"""Agreement of raters who drew boxes or set points: F1 of those that can be matched, per pair of raters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.raters.agreement import Coefficient, bootstrap_interval
from auditor.evidence.raters.overlap import intersection_over_union
from auditor.evidence.raters.readings import patients_of
from auditor.values.dataset import Dataset
from auditor.values.results import Chart, Column, Table

Doubles = npt.NDArray[np.float64]
MIN_OVERLAP = 0.5
MAX_RATERS = 30
REPEATS = 200
BLOCK = 1_000_000
"""So many pairs are looked at at once."""
MOST_LOOKS = 300_000_000
"""So many pairs are looked at in all: a minute of computing at most. Records beyond are not compared, and not counted."""


@dataclass(frozen=True, kw_only=True)
class BoxPair:
    """Two raters on the records that both read: records, boxes (or points) of both, F1 of those of one class that match."""

    first: str
    second: str
    records: int
    boxes: int
    f1: Coefficient


def box_pairs(dataset: Dataset, *, seed: int = 0) -> tuple[BoxPair, ...]:
    """Pairs of raters who drew boxes on common records; empty where the boxes have no rater.

    A rater who read a record and drew nothing there has missed, or rightly left out, every box of the other.
    """
    boxes = dataset.boxes
    if "rater" not in boxes.columns or boxes.empty:
        return ()
    read = pd.concat([dataset.annotations[["record", "rater"]], boxes[["record", "rater"]]]).dropna().drop_duplicates()
    return _every_two(dataset, boxes, read, _box_fits, seed)


def point_pairs(dataset: Dataset, *, radius: float, seed: int = 0) -> tuple[BoxPair, ...]:
    """The same of points of one class that lie within `radius` pixels of one another; no point in a row = marked nothing."""
    points = dataset.points
    if points.empty:
        return ()
    read = pd.concat([dataset.annotations[["record", "rater"]], points[["record", "rater"]]]).dropna().drop_duplicates()
    marked = points[points["x"].notna() & points["y"].notna()]

    def fits(one: Doubles, two: Doubles) -> npt.NDArray[np.bool_]:
        distance = np.sqrt(((one[:, None] - two[None]) ** 2).sum(axis=2))
        return np.asarray(distance <= radius, dtype=bool)

    return _every_two(dataset, marked, read, fits, seed)


def _box_fits(one: Doubles, two: Doubles) -> npt.NDArray[np.bool_]:
    return np.asarray(intersection_over_union(one, two) >= MIN_OVERLAP, dtype=bool)


def _every_two(
    dataset: Dataset,
    boxes: pd.DataFrame,
    read: pd.DataFrame,
    fits: Callable[[Doubles, Doubles], npt.NDArray[np.bool_]],
    seed: int,
) -> tuple[BoxPair, ...]:
    most = sorted(read["rater"].value_counts(sort=True).index[:MAX_RATERS])
    corners = boxes[[name for name in ("x0", "y0", "x1", "y1", "x", "y") if name in boxes.columns]].to_numpy(np.float64)
    label = pd.factorize(boxes["label"].astype(str))[0]
    drawn = {key: np.asarray(rows) for key, rows in boxes.groupby(["record", "rater"]).indices.items()}
    by_rater = {name: set(group["record"]) for name, group in read.groupby("rater")}
    nothing = np.empty(0, dtype=np.int64)
    found, looks = [], 0
    for a, b in combinations(most, 2):
        common, rows = [], []
        for record in sorted(by_rater[a] & by_rater[b]):
            one, two = drawn.get((record, a), nothing), drawn.get((record, b), nothing)
            if looks + len(one) * len(two) > MOST_LOOKS:
                continue
            looks += len(one) * len(two)
            common.append(record)
            rows.append((_common(corners[one], corners[two], label[one], label[two], fits), len(one) + len(two)))
        sums = np.asarray(rows, dtype=np.float64).reshape(-1, 2)
        if sums[:, 1].sum() == 0:
            continue
        f1 = _f1(sums, patients_of(dataset, pd.Index(common)), seed)
        found.append(BoxPair(first=str(a), second=str(b), records=len(common), boxes=int(sums[:, 1].sum()), f1=f1))
    return tuple(found)


def _common(
    one: Doubles,
    two: Doubles,
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    fits: Callable[[Doubles, Doubles], npt.NDArray[np.bool_]],
) -> int:
    if len(one) == 0 or len(two) == 0:
        return 0
    from scipy.sparse import csr_array  # slow to import, and few datasets have boxes of several readers
    from scipy.sparse.csgraph import maximum_bipartite_matching

    step = max(1, BLOCK // len(two))
    found = []
    for begin in range(0, len(one), step):
        part = slice(begin, begin + step)
        rows, columns = np.nonzero(fits(one[part], two) & (first[part, None] == second[None, :]))
        found.append(np.stack([rows + begin, columns]))
    rows, columns = np.concatenate(found, axis=1)
    graph = csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(len(one), len(two)))
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def _f1(sums: Doubles, cluster: npt.NDArray[np.int64], seed: int) -> Coefficient:
    def ratio(total: Doubles) -> Doubles:
        return np.asarray(np.where(total[:, 1] > 0, 2 * total[:, 0] / np.maximum(total[:, 1], 1), np.nan))

    value = float(ratio(sums.sum(axis=0)[None, :])[0])
    low, high = bootstrap_interval(sums, ratio, value=value, cluster=cluster, repeats=REPEATS, seed=seed)
    return Coefficient(value=value, low=low, high=high)


def box_table(pairs: Sequence[BoxPair], *, radius: float | None = None) -> Table:
    """Every pair in both directions, so that a matrix can be drawn; of points where `radius` (pixels) is given."""
    things, rule = ("boxes", f"IoU {MIN_OVERLAP} or more") if radius is None else ("points", f"{radius:g} pixels apart at most")
    both = [(p.first, p.second, p) for p in pairs] + [(p.second, p.first, p) for p in pairs]
    both.sort(key=lambda row: row[:2])

    def cell(value: float) -> float | None:
        return None if np.isnan(value) else min(max(value, 0.0), 1.0)

    return Table(
        name=things, title=f"{things.capitalize()} of every two raters that match (same class, {rule})",
        columns=(
            Column(name="rater_a", kind="text", values=[a for a, _, _ in both], title="Rater"),
            Column(name="rater_b", kind="text", values=[b for _, b, _ in both], title="With"),
            Column(name="records", kind="integer", values=[p.records for *_, p in both], title="Records of both"),
            Column(name=things, kind="integer", values=[p.boxes for *_, p in both], title=f"{things.capitalize()} of both"),
            Column(name="f1", kind="fraction", values=[cell(p.f1.value) for *_, p in both], title="F1"),
            Column(name="low", kind="fraction", values=[cell(p.f1.low) for *_, p in both], title="95 % from"),
            Column(name="high", kind="fraction", values=[cell(p.f1.high) for *_, p in both], title="to"),
        ),
    )  # fmt: skip


def box_chart(table: Table) -> Chart:
    """Heat map of the pairs."""
    return Chart(
        name=table.name, title=f"Matched {table.name} of every two raters (F1)", kind="matrix", table=table,
        label="rater_a", group="rater_b", value="f1",
    )  # fmt: skip
