"""Agreement of every two raters, of every class, and of raters with themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.evidence.raters.agreement import Coefficient, Weights, bootstrap_interval, krippendorff_alpha, weight_matrix

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
MAX_RATERS = 30
MIN_SHARED = 5


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two raters on the records that both read: indices of the raters, records, share of equal labels, Cohen's κ."""

    first: int
    second: int
    shared: int
    percent: float
    kappa: Coefficient


def rater_pairs(
    unit: Codes,
    rater: Codes,
    label: Codes,
    *,
    units: int,
    raters: int,
    classes: int,
    weights: Weights = "none",
    cluster: Codes | None = None,
    repeats: int = 0,
    seed: int = 0,
) -> list[Pair]:
    """Every pair with MIN_SHARED common records among the MAX_RATERS raters who read most, with a bootstrap interval of κ."""
    most = np.argsort(-np.bincount(rater, minlength=raters), kind="stable")[:MAX_RATERS]
    place = np.full(raters, -1)
    place[np.sort(most)] = np.arange(len(most))
    used = place[rater] >= 0
    table = np.full((units, len(most)), -1, dtype=np.int64)
    table[unit[used], place[rater[used]]] = label[used]
    names = np.sort(most)
    similarity = weight_matrix(classes, weights)
    found = []
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            both = (table[:, a] >= 0) & (table[:, b] >= 0)
            if both.sum() < MIN_SHARED:
                continue
            one, two = table[both, a], table[both, b]
            inside = None if cluster is None else cluster[both]
            kappa = _kappa(one, two, similarity, cluster=inside, repeats=repeats, seed=seed)
            found.append(
                Pair(
                    first=int(names[a]), second=int(names[b]), shared=int(both.sum()), percent=float((one == two).mean()),
                    kappa=kappa,
                )
            )  # fmt: skip
    return found


def class_alphas(
    counts: Doubles, *, cluster: Codes | None = None, repeats: int = 0, seed: int = 0
) -> list[tuple[float, Coefficient]]:
    """Per class, against all others: share of agreeing among the pairs that name it (specific agreement), and α.

    Args:
        counts: (units, classes) of readings.
    """
    n = counts.sum(axis=1)
    return [
        (_specific(counts[:, c], n), krippendorff_alpha(
            np.column_stack([n - counts[:, c], counts[:, c]]), cluster=cluster, repeats=repeats, seed=seed))
        for c in range(counts.shape[1])
    ]  # fmt: skip


def finding_alphas(
    counts: Doubles, members: npt.NDArray[np.bool_], *, cluster: Codes | None = None, repeats: int = 0, seed: int = 0
) -> list[tuple[float, Coefficient]]:
    """`class_alphas` of single findings where labels are sets; `members` (labels, findings)."""
    n = counts.sum(axis=1)
    named = counts @ members.astype(np.float64)
    return [
        (_specific(named[:, f], n), krippendorff_alpha(
            np.column_stack([n - named[:, f], named[:, f]]), cluster=cluster, repeats=repeats, seed=seed))
        for f in range(members.shape[1])
    ]  # fmt: skip


def set_similarity(members: npt.NDArray[np.bool_]) -> Doubles:
    """Jaccard similarity of sets of findings, (sets, findings) → (sets, sets); two empty sets are equal."""
    inside = members.astype(np.float64)
    common = inside @ inside.T
    size = inside.sum(axis=1)
    union = size[:, None] + size[None, :] - common
    return np.asarray(np.where(union > 0, common / np.where(union > 0, union, 1), 1.0))


def _specific(named: Doubles, n: Doubles) -> float:
    """Σ c(c−1) / Σ c(n−1): of a reading that names the class, the chance that another reading does too."""
    possible = float((named * (n - 1)).sum())
    return float((named * (named - 1)).sum() / possible) if possible > 0 else float("nan")


def _kappa(one: Codes, two: Codes, similarity: Doubles, *, cluster: Codes | None, repeats: int, seed: int) -> Coefficient:
    classes = len(similarity)
    columns = np.column_stack([np.eye(classes)[one], np.eye(classes)[two], similarity[one, two], np.ones(len(one))])

    def kappa(sums: Doubles) -> Doubles:
        n = np.maximum(sums[:, -1], 1e-300)
        first, second = sums[:, :classes] / n[:, None], sums[:, classes : 2 * classes] / n[:, None]
        expected = ((first @ similarity) * second).sum(axis=1)
        usable = expected < 1 - 1e-12
        return np.where(usable, (sums[:, -2] / n - expected) / np.where(usable, 1 - expected, 1), np.nan)

    value = float(kappa(columns.sum(axis=0)[None, :])[0])
    if repeats == 0 or np.isnan(value):
        return Coefficient(value=value, low=float("nan"), high=float("nan"))
    low, high = bootstrap_interval(columns, kappa, value=value, cluster=cluster, repeats=repeats, seed=seed)
    return Coefficient(value=value, low=low, high=high)
