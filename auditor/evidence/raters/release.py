"""From the readings of a dataset to a table of consensus labels: what `medaudit consensus` writes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.raters.consensus import METHODS, Consensus, consensus
from auditor.evidence.raters.measurements import variances
from auditor.evidence.raters.models import vote_shares
from auditor.evidence.raters.readings import Readings, collect_readings, finding_sets
from auditor.evidence.raters.scores import Scores, collect_scores
from auditor.evidence.raters.tables import record_agreement
from auditor.naming.labels import NEGATIVE_CLASSES
from auditor.prediction.files import read_predictions
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError
from auditor.values.labels import Labels

MIN_GAIN = 0.02


@dataclass(frozen=True, kw_only=True)
class Release:
    """Consensus labels.

    Args:
        frame: one row per record that was read: `record`, `label`, `confidence`, `readings`, `agreement`, `tie`, `one_more`
            (one more reading is worth it), `gain` (by how much it is expected to raise the confidence), and the soft label,
            one column `p_<class>` per class. Measurements: `label` is the mean, `confidence` its reliability.
        method: what made it.
        why: why that method, in words.
        worth: records that one more reading is worth it for.
        classes: names of the classes or findings; empty for measurements.
    """

    frame: pd.DataFrame
    method: str
    why: str
    worth: int
    classes: tuple[str, ...]

    @property
    def told(self) -> str:
        """In words."""
        worth = f"one more reading is worth it for {self.worth:,} of them"
        return f"{len(self.frame):,} records, method {self.method} ({self.why}); {worth}"


def release(
    dataset: Dataset,
    *,
    method: str = "auto",
    predictions: Path | None = None,
    classes: tuple[str, ...] | None = None,
    min_gain: float = MIN_GAIN,
    seed: int = 0,
) -> Release:
    """Consensus of the readings of a dataset.

    Args:
        dataset: with readings.
        method: one of METHODS.
        predictions: out-of-fold class probabilities of the records, for CROWDLAB.
        classes: order of their columns.
        min_gain: one more reading is worth it when it is expected to raise the confidence by so much.
        seed: of random starts.

    Raises:
        ConfigError: an unknown method, or one that does not fit the readings.
        DatasetError: there are no readings by several raters.
    """
    if method not in METHODS:
        raise ConfigError(f"--method {method}: there are {', '.join(METHODS)}")
    try:
        scores = collect_scores(dataset)
        if scores is not None:
            return _of_scores(scores, method, min_gain)
        readings = collect_readings(dataset)
    except SkipCheck as reason:
        raise DatasetError(f"{dataset.summary.name}: {reason}; name the columns with --rater, --label and --path") from None
    probabilities = None if predictions is None else _probabilities(dataset, readings, predictions, classes)
    if readings.several:
        if probabilities is not None:
            raise ConfigError("--predictions: sets of findings are decided finding by finding, without a model")
        return _of_sets(readings, method, min_gain, seed)
    found = _decide(readings, readings.label, len(readings.classes), method, probabilities, seed)
    return _frame(
        readings, found, [readings.classes[c] for c in found.label], found.confidence, found.gain, found.truth,
        readings.classes, min_gain,
    )  # fmt: skip


def _decide(
    readings: Readings,
    label: npt.NDArray[np.int64],
    classes: int,
    method: str,
    probabilities: npt.NDArray[np.float64] | None,
    seed: int,
) -> Consensus:
    try:
        return consensus(
            readings.unit, readings.rater, label, units=len(readings.records), raters=len(readings.raters), classes=classes,
            method=method, probabilities=probabilities, seed=seed,
        )  # fmt: skip
    except ValueError as reason:
        raise ConfigError(f"--method {method}: {reason} (see --predictions)") from None


def _of_sets(readings: Readings, method: str, min_gain: float, seed: int) -> Release:
    """Every finding is decided on its own; the record is as sure as its least sure finding.

    `No Finding` and the like are no finding but the empty set: the label of a record without any, where a reader said so. Where
    none is agreed on and nobody saw nothing, there is no label.
    """
    every, holds = finding_sets(readings.classes)
    negative = np.array([name.lower() in NEGATIVE_CLASSES for name in every])
    negative &= not negative.all()
    names, members = tuple(np.array(every, dtype=object)[~negative].tolist()), holds[:, ~negative]
    nothing = (holds & negative).any(axis=1)
    clear = np.bincount(readings.unit, nothing[readings.label], minlength=len(readings.records)) > 0
    said_by = dict(zip(every, (readings.counts.sum(axis=0) @ holds).tolist(), strict=True))
    word = max((name for name, no in zip(every, negative, strict=True) if no), key=lambda name: said_by[name], default="")
    parts = [_decide(readings, members[readings.label, f].astype(np.int64), 2, method, None, seed) for f in range(len(names))]
    positive = np.column_stack([part.truth[:, 1] for part in parts])
    confidence = np.column_stack([part.confidence for part in parts]).min(axis=1)
    gain = np.column_stack([part.gain for part in parts]).max(axis=1)
    said = np.column_stack([part.label == 1 for part in parts])
    labels = [
        "|".join(name for name, there in zip(names, row, strict=True) if there) or (word if one_said_so else "")
        for row, one_said_so in zip(said, clear, strict=True)
    ]
    usual = max({part.method for part in parts}, key=[part.method for part in parts].count)
    shown = replace(next(part for part in parts if part.method == usual), tied=np.any([part.tied for part in parts], axis=0))
    return _frame(readings, shown, labels, confidence, gain, positive, names, min_gain)


def _frame(
    readings: Readings,
    found: Consensus,
    labels: list[str],
    confidence: npt.NDArray[np.float64],
    gain: npt.NDArray[np.float64],
    soft: npt.NDArray[np.float64],
    classes: tuple[str, ...],
    min_gain: float,
) -> Release:
    worth = gain >= min_gain
    frame = pd.DataFrame(
        {
            "record": [str(r) for r in readings.records],
            "label": labels,
            "confidence": confidence.round(6),
            "readings": readings.counts.sum(axis=1).astype(np.int64),
            "agreement": record_agreement(readings.counts).round(6),
            "tie": found.tied,
            "one_more": worth,
            "gain": gain.round(6),
        }
    )
    parts = pd.DataFrame({f"p_{name}": soft[:, c].round(6) for c, name in enumerate(classes)})
    return Release(
        frame=pd.concat([frame, parts], axis=1), method=found.method, why=found.why, worth=int(worth.sum()), classes=classes
    )


def _of_scores(scores: Scores, method: str, min_gain: float) -> Release:
    """The mean of the measurements; its reliability by the variance components (Spearman-Brown)."""
    if method not in ("auto", "majority"):
        raise ConfigError(f"--method {method}: the readings are measurements, whose consensus is their mean (--method auto)")
    there = ~np.isnan(scores.values)
    n = there.sum(axis=1)
    mean = np.where(there, scores.values, 0.0).sum(axis=1) / np.maximum(n, 1)
    parts = variances(scores.values)
    noise = parts.rater + parts.error

    def reliability(times: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return np.asarray(parts.unit / np.maximum(parts.unit + noise / np.maximum(times, 1), 1e-300))

    gain = reliability(n + 1) - reliability(n)
    worth = gain >= min_gain
    frame = pd.DataFrame(
        {
            "record": [str(r) for r in scores.records], "label": mean.round(6), "confidence": reliability(n).round(6),
            "readings": n, "agreement": np.nan, "tie": False, "one_more": worth, "gain": gain.round(6),
        }
    )  # fmt: skip
    return Release(
        frame=frame, method="mean", why="the readings are measurements: their mean, and its reliability",
        worth=int(worth.sum()), classes=(),
    )  # fmt: skip


def _probabilities(dataset: Dataset, readings: Readings, path: Path, order: tuple[str, ...] | None) -> npt.NDArray[np.float64]:
    """Rows aligned with `readings.records`, columns with `readings.classes`."""
    share = vote_shares(readings.unit, readings.label, units=len(readings.records), classes=len(readings.classes))
    majority = np.array(readings.classes, dtype=object)[share.argmax(axis=1)]
    index = dataset.records.index
    values = pd.Series(majority, index=readings.records, dtype=object).reindex(index).astype("str")
    named = replace(dataset, labels=Labels(task="single", values=values, classes=readings.classes))
    found = read_predictions(path, named, classes=order)
    columns = [found.classes.index(name) for name in readings.classes]
    rows = index.get_indexer(pd.Index([str(r) for r in readings.records]))
    chosen = found.probabilities[rows][:, columns].astype(np.float64)
    if np.isnan(chosen).any():
        raise DatasetError(f"{path}: some records that were read have no prediction")
    return chosen
