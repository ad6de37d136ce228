"""The pixel-forensic probe: can the class be told from what earlier encodings left in the pixels?

It asks after files were written alike, when no field of a header differs any more: a class that was once saved as JPEG, or
enlarged, or stretched from fewer grey levels keeps the traces (`trainers.rewriting.encoding_traces`), and a network reads them.
The classes are predicted from the traces out of fold, no patient being parted, and tested by the exchange of patients and of
images within patients (`auditor.statistics.combined.score_test`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from auditor.prediction.probe import fit_probe
from auditor.statistics.clusters import Clusters, clusters_of, deal_folds, draw_patients
from auditor.statistics.combined import fold_auc, score_test
from auditor.statistics.intervals import detectable_auc, logit_interval
from auditor.statistics.targets import Targets, rows_of, subset, sufficient, targets_of
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Column, Table
from trainers.rewriting.encoding_traces import COLUMNS

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
ResidualVerdict = Literal["shortcut", "no evidence", "cannot tell"]

FAMILIES: tuple[str, ...] = ("blocks", "quantisation", "levels", "resampling")
"""Traces of encoding; `noise` is shown beside them and decides nothing, because anatomy and camera make noise as well."""
RECORDS = 2000
LEAST, HOLDERS = 10, 5
FOLDS = 5
REFERENCES = 2000
ALL = "all traces"


@dataclass(frozen=True, kw_only=True)
class Told:
    """How well one family of traces tells the class that it tells best; interval of 95 %, `p` adjusted over classes."""

    family: str
    target: str
    auc: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, kw_only=True)
class Residual:
    """What the probe found.

    Args:
        verdict: `shortcut`: the class can be told from traces of encoding; `no evidence`; `cannot tell` where too few.
        summary: one sentence.
        told: all traces together first, then each family, then noise; empty where it cannot tell.
        records: how many were looked at.
        detectable: smallest AUC that would have been seen; None where it cannot tell.
        usable_ids: False where rows had to be taken as independent.
    """

    verdict: ResidualVerdict
    summary: str
    told: tuple[Told, ...] = ()
    records: int = 0
    detectable: float | None = None
    usable_ids: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def metrics(self) -> dict[str, Cell]:
        """Of all traces together."""
        shortcut = None if self.verdict == "cannot tell" else self.verdict == "shortcut"
        found: dict[str, Cell] = {"residual_shortcut": shortcut, "residual_records": self.records}
        if self.told:
            one = self.told[0]
            found |= {
                "residual_auc": round(one.auc, 4), "residual_auc_low": round(one.low, 4),
                "residual_auc_high": round(one.high, 4), "residual_p": one.p, "residual_class": one.target,
                "residual_detectable_auc": None if self.detectable is None else round(self.detectable, 4),
            }  # fmt: skip
        return found

    @property
    def table(self) -> Table:
        """One row per family."""
        return Table(
            name="encoding_traces",
            title="How well traces of earlier encodings tell the class",
            columns=(
                Column(name="traces", kind="text", title="Traces", values=[t.family for t in self.told]),
                Column(name="class", kind="class", title="Class told best", values=[t.target for t in self.told]),
                Column(name="auc", kind="fraction", title="AUC", values=[t.auc for t in self.told]),
                Column(name="low", kind="fraction", title="from", values=[t.low for t in self.told]),
                Column(name="high", kind="fraction", title="to", values=[t.high for t in self.told]),
                Column(name="p", kind="number", title="p", values=[t.p for t in self.told]),
            ),
        )


def drawn_rows(dataset: Dataset, rows: npt.NDArray[np.bool_] | None, *, records: int = RECORDS, seed: int = 0) -> Rows:
    """Positions of the records to look at: labelled, with a file, whole patients, rare classes complete."""
    targets = targets_of(dataset.labels)
    usable = targets.known.any(axis=1) if targets.names else np.zeros(dataset.size, np.bool_)
    usable = usable & dataset.records["path"].notna().to_numpy()
    candidates = np.flatnonzero(usable if rows is None else usable & rows)
    if not len(candidates):
        return candidates
    clusters = clusters_among(dataset, candidates)
    drawn = draw_patients(clusters, rows_of(targets, candidates), records=records, rare=200, seed=seed)
    return np.asarray(candidates[drawn], np.int64)


def clusters_among(dataset: Dataset, rows: Rows) -> Clusters:
    """Patients of some rows."""
    return clusters_of(dataset.records["patient"].iloc[rows] if "patient" in dataset.records.columns else None, len(rows))


def judge_traces(dataset: Dataset, rows: Rows, traces: Floats, *, seed: int = 0, min_auc: float = 0.6) -> Residual:
    """Judge traces that were measured.

    Args:
        dataset: labels and patients.
        rows: positions of the records that `traces`, shape (rows, len(COLUMNS)), belong to; NaN rows were not read.
        min_auc: a smaller effect is not worth a word.
    """
    read = np.isfinite(traces).any(axis=1)
    rows, traces = rows[read], traces[read]
    every = targets_of(dataset.labels)
    clusters = clusters_among(dataset, rows)
    targets = rows_of(every, rows)
    enough = (
        sufficient(targets, clusters.index, cases=LEAST, holders=HOLDERS) if len(rows) else np.zeros(len(every.names), np.bool_)
    )
    if not enough.any():
        why = f"a class needs at least {LEAST} readable records of {HOLDERS} patients with it, and as many without it"
        return Residual(
            verdict="cannot tell", records=len(rows), summary=f"Whether a residual shortcut is left cannot be told: {why}."
        )
    targets = subset(targets, enough)
    # One thread: the same result everywhere, and small tables run slower on several.
    with threadpool_limits(limits=1, user_api="blas"):
        told = [_told(traces, FAMILIES, ALL, targets, clusters, seed)]
        told += [_told(traces, (name,), name, targets, clusters, seed) for name in (*FAMILIES, "noise")]
    return _judged([one for one in told if one is not None], targets, clusters, min_auc)


def _judged(told: list[Told], targets: Targets, clusters: Clusters, min_auc: float) -> Residual:
    sides = [min(_patients(clusters, s) for s in sides) for sides in _sides(targets)]
    detectable = max(min_auc, detectable_auc(max(sides), max(sides), tests=len(sides)))
    if not told or told[0].family != ALL:
        return Residual(
            verdict="cannot tell", records=len(clusters.index),
            summary="Whether a residual shortcut is left cannot be told: the images are too small or too plain to show traces.",
        )  # fmt: skip
    first, noise = told[0], next((t for t in told if t.family == "noise"), None)
    found = first.p <= 0.05 and first.low > 0.5  # how faint it is changes the words, not that it is there
    open_still = first.low > 0.5 or first.high >= detectable
    figures = f"AUC {first.auc:.2f} ({first.low:.2f}–{first.high:.2f}), p = {first.p:.2g}"
    notes = []
    if found:
        named = [t.family for t in told[1:] if t.family in FAMILIES and _is_told(t, min_auc)]
        what = f" ({', '.join(named)})" if named else ""
        size = "A" if first.auc >= min_auc else "A faint"
        summary = (
            f"{size} residual shortcut is left in the pixels: traces of earlier encodings{what} tell {first.target} from the "
            f"rest, {figures}. Writing files alike cannot remove it: fetch the originals, or give all classes the same history."
        )
    elif open_still:
        summary = (
            "Whether a residual shortcut is left cannot be told: traces of earlier encodings may tell "
            f"{first.target} as well as the interval says ({figures})."
        )
    else:
        summary = (
            f"No residual shortcut was seen: traces of earlier encodings do not tell a class ({figures}); AUC {detectable:.2f} "
            "would have been seen."
        )
    if noise is not None and _is_told(noise, min_auc):
        notes.append(
            f"the noise residual tells {noise.target} from the rest (AUC {noise.auc:.2f}): camera, processing or anatomy: "
            "pixels alone cannot tell which"
        )
    if not clusters.usable:
        notes.append("traces of encoding: no usable patient ids, rows assumed independent")
    verdict: ResidualVerdict = "shortcut" if found else "cannot tell" if open_still else "no evidence"
    return Residual(
        verdict=verdict, summary=summary, told=tuple(told), records=len(clusters.index),
        detectable=detectable, usable_ids=clusters.usable, notes=tuple(notes),
    )  # fmt: skip


def _is_told(one: Told, min_auc: float) -> bool:
    return one.p <= 0.05 and one.auc >= min_auc and one.low > 0.5


def _told(traces: Floats, families: tuple[str, ...], name: str, targets: Targets, clusters: Clusters, seed: int) -> Told | None:
    """The class that these families tell best; None where nothing varies."""
    columns = [i for i, column in enumerate(COLUMNS) if column.partition(".")[0] in families]
    values = traces[:, columns]
    values = values[:, np.isfinite(values).any(axis=0)]
    if not values.shape[1] or not (np.nanstd(values, axis=0) > 0).any():
        return None
    folds = min(FOLDS, clusters.count)
    fold = deal_folds(clusters, targets, folds=folds, seed=seed)[clusters.index]
    scores = _out_of_fold(values, targets, fold, folds, seed)
    best: Told | None = None
    for c, target in enumerate(targets.names):
        positive, known = targets.positive[:, c], targets.known[:, c]
        score = np.where(known, scores[:, c], np.nan)
        auc, error = fold_auc(score, positive, clusters.index, fold, folds=folds)
        if not np.isfinite(auc):
            continue
        p = score_test(score, positive, clusters.index, fold, folds=folds)
        smaller = min(_patients(clusters, positive), _patients(clusters, known & ~positive))
        low, high = logit_interval(auc, error, smaller_side=smaller)
        one = Told(family=name, target=target, auc=auc, low=low, high=high, p=min(1.0, p * len(targets.names)))
        if best is None or (one.p, -one.auc) < (best.p, -best.auc):
            best = one
    return best


def _out_of_fold(
    values: Floats, targets: Targets, fold: npt.NDArray[np.int8], folds: int, seed: int
) -> npt.NDArray[np.float64]:
    """Scores by the audit's own probe, shape (rows, classes); NaN where a fold could not be judged."""
    scores = np.full(targets.positive.shape, np.nan)
    for h in range(folds):
        train, test = np.flatnonzero(fold != h), np.flatnonzero(fold == h)
        if not len(train) or not len(test):
            continue
        probe = fit_probe(
            values[train], targets.positive[train].astype(np.float32), targets.known[train],
            exclusive=False, references=REFERENCES, rng=np.random.default_rng([seed, h]),
        )  # fmt: skip
        scores[test] = np.where(probe.learnt, probe.probabilities(values[test]), np.nan)
    return scores


def _sides(targets: Targets) -> Iterator[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
    for c in range(len(targets.names)):
        yield targets.positive[:, c], targets.known[:, c] & ~targets.positive[:, c]


def _patients(clusters: Clusters, side: npt.NDArray[np.bool_]) -> int:
    return int(np.unique(clusters.index[side]).size)
