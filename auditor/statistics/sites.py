"""Sites: how often a class is at each, folds of whole sites, and how well predictions tell the class inside a site.

Whole sites are dealt to parts so that every part has its share of the records and of every class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.statistics.clusters import held_by
from auditor.statistics.derived import Answer, Told
from auditor.statistics.intervals import logit_interval, obuchowski_variance
from auditor.values.dataset import Dataset
from auditor.values.fields import spoken
from auditor.values.predictions import Predictions
from auditor.values.results import Cell, Chart, Column, Table

SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class Sites:
    """The column that tells most, site by site, the largest first; sites too small to show are pooled."""

    code: npt.NDArray[np.int64]  # (records,), -1 = no site
    names: tuple[str, ...]


def sites_of(column: pd.Series, clusters: npt.NDArray[np.int64], *, least: int) -> Sites:
    """Sites that enough patients are from, the largest first, as `site 1`, `site 2`: their names could identify."""
    raw, names = pd.factorize(column, use_na_sentinel=True)
    raw = raw.astype(np.int64)
    enough = held_by(raw, clusters, len(names), least=least)
    size = np.bincount(raw[raw >= 0], minlength=len(names))
    order = [int(s) for s in np.argsort(-size, kind="stable") if enough[s]][:SHOWN]
    lookup = np.full(len(names) + 1, -1, np.int64)
    lookup[order] = np.arange(len(order))
    return Sites(code=lookup[raw], names=tuple(f"site {i + 1}" for i in range(len(order))))


def sites_table(dataset: Dataset, found: Answer, best: Told, sites: Sites) -> Table:
    """Share of the class at every site."""
    target = best.measured.target
    known, positive = found.question.targets.known[:, target], found.question.targets.positive[:, target]
    count = len(sites.names)
    here = known & (sites.code >= 0)
    records = np.bincount(sites.code[here], minlength=count)
    cases = np.bincount(sites.code[here & positive], minlength=count)
    first = np.full(count, -1, np.int64)
    rows = np.flatnonzero(here)
    first[sites.code[rows][::-1]] = rows[::-1]
    example = [str(dataset.records.index[int(i)]) if i >= 0 else None for i in first]
    return Table(
        name="sites",
        title=f"How often {found.target(best)} is, by {spoken(best.name)}",
        columns=(
            Column(name="site", kind="text", title="Site", values=list(sites.names)),
            Column(name="records", kind="integer", title="Records", values=records.tolist()),
            Column(name="records_of_class", kind="integer", title="Records of the class", values=cases.tolist()),
            Column(name="class_fraction", kind="fraction", title="Share of the class",
                   values=[c / n if n else None for c, n in zip(cases.tolist(), records.tolist(), strict=True)]),
            Column(name="example", kind="record", title="A record of it", values=example),
        ),
    )  # fmt: skip


def split_table(found: Answer, best: Told, sites: Sites, *, parts: int) -> Table | None:
    """Folds of whole sites, where there are at least two sites with either side of the class."""
    target = best.measured.target
    known, positive = found.question.targets.known[:, target], found.question.targets.positive[:, target]
    here = np.flatnonzero(known & (sites.code >= 0))
    count = len(sites.names)
    cases = np.bincount(sites.code[here][positive[here]], minlength=count).astype(np.float64)
    others = np.bincount(sites.code[here][~positive[here]], minlength=count).astype(np.float64)
    parts = min(parts, int((cases > 0).sum()), int((others > 0).sum()))
    if parts < 2:
        return None
    dealt = allot(np.column_stack([cases, others]), parts=parts)
    sums = np.zeros((parts, 2))
    np.add.at(sums, dealt.part, np.column_stack([cases, others]))
    if not ((sums > 0).all(axis=1)).all():
        return None
    order = np.lexsort((np.arange(count), dealt.part))
    return Table(
        name="split",
        title="Folds of whole sites: train on all but one, test on that one",
        columns=(
            Column(name="fold", kind="integer", title="Fold", values=[int(dealt.part[s]) + 1 for s in order]),
            Column(name="site", kind="text", title="Site", values=[sites.names[s] for s in order]),
            Column(name="records", kind="integer", title="Records", values=[int(cases[s] + others[s]) for s in order]),
            Column(name="fold_class_fraction", kind="fraction", title="Share of the class in the fold",
                   values=[float(sums[dealt.part[s], 0] / sums[dealt.part[s]].sum()) for s in order]),
        ),
    )  # fmt: skip


def within_table(
    dataset: Dataset, found: Answer, best: Told, sites: Sites, *, cases_each: int
) -> tuple[Table, dict[str, Cell]] | None:
    """How well the predictions tell the class: over all sites, and within each."""
    target = best.measured.target
    score = _score(dataset.predictions, found.question.targets.names[target])
    if score is None or dataset.predictions is None:
        return None
    known, positive = found.question.targets.known[:, target], found.question.targets.positive[:, target]
    clusters = found.question.clusters.index
    scored = known & np.isfinite(score)
    rows: list[tuple[str, int, float, float, float]] = []
    weights, inside = [], []
    for name, chosen in (("all sites", scored), *((n, scored & (sites.code == s)) for s, n in enumerate(sites.names))):
        cases, others = int((chosen & positive).sum()), int((chosen & ~positive).sum())
        if min(cases, others) < cases_each:
            continue
        local = np.unique(clusters[chosen], return_inverse=True)[1].astype(np.int64)
        auc, variance = obuchowski_variance(score[chosen], positive[chosen], local)
        smaller = min(np.unique(local[side]).size for side in (positive[chosen], ~positive[chosen]))
        low, high = logit_interval(auc, float(np.sqrt(max(variance, 0.0))), smaller_side=smaller)
        rows.append((name, cases + others, auc, low, high))
        if name != "all sites":
            weights.append(cases * others)
            inside.append(auc)
    if not weights:
        return None
    mean = float(np.average(inside, weights=weights))
    table = Table(
        name="within",
        title=f"How well {dataset.predictions.origin} tells {found.target(best)}, over all sites and within each",
        columns=(
            Column(name="site", kind="text", title="Site", values=[row[0] for row in rows]),
            Column(name="records", kind="integer", title="Records", values=[row[1] for row in rows]),
            Column(name="auc", kind="fraction", title="AUC", values=[row[2] for row in rows]),
            Column(name="low", kind="fraction", title="from", values=[row[3] for row in rows]),
            Column(name="high", kind="fraction", title="to", values=[row[4] for row in rows]),
        ),
    )
    figures: dict[str, Cell] = {"within_sites_auc": round(mean, 4)}
    if rows[0][0] == "all sites":
        figures["all_sites_auc"] = round(rows[0][2], 4)
    return table, figures


def _score(predictions: Predictions | None, name: str) -> npt.NDArray[np.float64] | None:
    """Predicted probability of the class, or None."""
    if predictions is None or name not in predictions.classes:
        return None
    return np.asarray(predictions.probabilities[:, predictions.classes.index(name)], np.float64)


def within_chart(table: Table, name: str) -> Chart:
    """AUC of the predictions by site, with intervals."""
    return Chart(
        name="within",
        title=f"Predictions of {name}, over all sites and within each (AUC, 95 % interval)",
        kind="intervals",
        table=table,
        label="site",
        value="auc",
        low="low",
        high="high",
        reference={"chance": 0.5},
    )


MOVES = 200

MOST_MOVED, MOST_SWAPPED = 60, 24


@dataclass(frozen=True, kw_only=True)
class Allotment:
    """`part` of each group, shape (groups,); `worst` = largest difference of a part's share of a class from its fair one."""

    part: npt.NDArray[np.int64]
    worst: float


def allot(counts: npt.NDArray[np.float64], *, parts: int) -> Allotment:
    """Deal groups to parts: the largest first, each to where it does least harm, then single moves and swaps while they help.

    The aim of preserved-site cross-validation (Howard et al. 2021, Nature Communications 12:4423), solved greedily: a
    quadratic programme is no better for the few sites that there are.

    Args:
        counts: records of each group by class, shape (groups, classes).
    """
    share = counts / np.maximum(counts.sum(axis=0), 1.0)
    groups = len(share)
    part = np.zeros(groups, np.int64)
    held = np.zeros((parts, share.shape[1]))
    for g in np.argsort(-counts.sum(axis=1), kind="stable"):
        part[g] = int(np.argmin([_harm(held, share[g], p, parts) for p in range(parts)]))
        held[part[g]] += share[g]
    cost = float(((held - 1 / parts) ** 2).sum())
    for _ in range(min(MOVES, 4 * groups)):
        options: list[tuple[tuple[int, int], ...]] = [
            ((g, p),) for g in range(min(groups, MOST_MOVED)) for p in range(parts) if p != part[g]
        ]
        if groups <= MOST_SWAPPED:
            options += [((a, int(part[b])), (b, int(part[a]))) for a in range(groups) for b in range(a) if part[a] != part[b]]
        tried = [_changed(held, share, part, moves) for moves in options]
        costs = [float(((one - 1 / parts) ** 2).sum()) for one in tried]
        best = int(np.argmin(costs)) if costs else 0
        if not costs or costs[best] >= cost - 1e-12:
            break
        cost, held = costs[best], tried[best]
        for g, p in options[best]:
            part[g] = p
    return Allotment(part=part, worst=float(np.abs(held - 1 / parts).max()))


def _harm(held: npt.NDArray[np.float64], share: npt.NDArray[np.float64], p: int, parts: int) -> float:
    """Growth of the squared distance from fair shares when part `p` takes the group."""
    return float(((held[p] + share - 1 / parts) ** 2 - (held[p] - 1 / parts) ** 2).sum())


def _changed(
    held: npt.NDArray[np.float64], share: npt.NDArray[np.float64], part: npt.NDArray[np.int64], moves: Sequence[tuple[int, int]]
) -> npt.NDArray[np.float64]:
    changed = held.copy()
    for g, p in moves:
        changed[part[g]] -= share[g]
        changed[p] += share[g]
    return changed
