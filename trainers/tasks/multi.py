"""multi: several labels per record, each present, absent or not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd

from auditor.naming.labels import states_of
from auditor.values.corrections import Correction
from auditor.values.dataset import Dataset
from auditor.values.labels import State
from trainers.metrics.label_panels import MULTI, multi_panel
from trainers.metrics.panel import Metric, Panel
from trainers.values.pictures import Floats, Pictures, Rows
from trainers.values.places import places
from trainers.values.task import Array, Bools, Doubles, LearningTask

if TYPE_CHECKING:
    from torch import Tensor, nn


class Multi(LearningTask):
    """Targets are 0, 1 or between, NaN = not known (m, K); predictions are a probability of each label (m, K)."""

    kind: ClassVar[str] = "multi"
    words: ClassVar[str] = "several labels per picture, each present or not"
    class_metric: ClassVar[str] = "AUC"
    truth_type: ClassVar[type[np.generic]] = np.float64
    without: ClassVar[str] = "Without both answers"

    @classmethod
    def claims(cls, dataset: Dataset) -> bool:
        """The label says so."""
        return dataset.labels.task == cls.kind

    @classmethod
    def set_by(cls, dataset: Dataset, pictures: Pictures, rows: Rows | None = None) -> Self:  # noqa: ARG003
        """All labels together."""
        return cls(classes=dataset.labels.classes, channels=pictures.channels, shape=pictures.shape)

    @classmethod
    def labelled(cls, dataset: Dataset) -> Bools:
        """One label at least is known."""
        states = dataset.labels.states
        if states is None:
            return dataset.labels.values.notna().to_numpy(bool)
        return np.asarray((states.to_numpy() >= 0).any(axis=1))

    @property
    def outputs(self) -> int:
        """One per label."""
        return len(self.classes)

    @property
    def losses(self) -> Mapping[str, Callable[..., nn.Module]]:
        """Binary cross-entropy per label."""
        from trainers.losses import BinaryCrossEntropy

        return {"binary-cross-entropy": BinaryCrossEntropy}

    def targets(self, dataset: Dataset, corrections: Sequence[Correction] = ()) -> Floats:
        """What is known of each label."""
        assert dataset.labels.states is not None
        states = dataset.labels.states[list(self.classes)].to_numpy().copy()
        column = {f"label.{name}": i for i, name in enumerate(self.classes)}
        ours = [c for c in corrections if c.field in column]
        if ours:
            new = states_of(pd.Series([c.new for c in ours]).astype("category"), State.NOT_ASSESSED)
            states[places(dataset.records.index, [c.record for c in ours]), [column[c.field] for c in ours]] = new
        return np.where(states >= 0, states, np.nan).astype(np.float32)

    def truth(self, dataset: Dataset, pictures: Pictures, rows: Bools) -> Array:  # noqa: ARG002
        """0, 1 or NaN (records, classes)."""
        assert dataset.labels.states is not None
        states = dataset.labels.states.to_numpy()[rows].astype(np.float64)
        return np.where(states >= 0, states == State.POSITIVE, np.nan)

    def smoothed(self, targets: Floats, share: float) -> Floats:
        """Spread over yes and no."""
        return (targets * (1 - share) + share / 2).astype(targets.dtype)

    def belief(self, logits: Tensor, given: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """The mean over known labels; no margin."""
        return believed_cells(logits, given), None

    def said(self, logits: Tensor) -> Tensor:
        """Probabilities (b, K)."""
        return logits.sigmoid()

    def soft_targets(self, predictions: Floats) -> Floats:
        """The probabilities."""
        return predictions.astype(np.float32)

    def score(self, predictions: Floats, truth: Array) -> float:
        """Minus the mean absolute error."""
        return -float(np.nanmean(np.abs(self.soft_targets(predictions) - truth.astype(np.float32))))

    def judged(self, truth: Array) -> Bools:
        """One label at least is known."""
        return np.asarray(np.isfinite(truth.astype(np.float64)).reshape(len(truth), -1).any(axis=1))

    def metrics(self, truth: Array) -> tuple[Metric, ...]:  # noqa: ARG002
        """Macro AUC first."""
        return MULTI

    def panel(self, truth: Array, prediction: Array, index: Rows, patients: int) -> Panel:
        """Per class: AUC."""
        return multi_panel(truth.astype(np.float64), prediction.astype(np.float64), index, patients)

    def trivial(self, truth: Array, generator: np.random.Generator) -> dict[str, Array]:
        """The shares, and chance."""
        n = len(truth)
        rates = (
            np.nan_to_num(np.nanmean(np.where(np.isfinite(truth), truth, np.nan), axis=0)) if n else np.zeros(truth.shape[1])
        )
        return {"prior probabilities": np.tile(rates, (n, 1)), "random": generator.random(truth.shape)}

    def absent(self, truth: Array) -> tuple[str, ...]:
        """Labels that are not both present and absent here."""
        return tuple(name for c, name in enumerate(self.names) if not {0.0, 1.0} <= set(truth[:, c].tolist()))

    def class_records(self, truth: Array) -> list[int]:
        """Where each label is present."""
        return [int(v) for v in (truth.astype(np.float64) == 1).sum(axis=0)]

    def confidence(self, truth: Array, prediction: Array) -> tuple[Doubles, Doubles]:
        """Of every known cell."""
        known = np.isfinite(truth.astype(np.float64))
        return prediction.astype(np.float64)[known], truth[known].astype(np.float64)

    def against_rest(self, truth: Array, c: int) -> Doubles:
        """The label itself."""
        return np.asarray(truth.astype(np.float64)[:, c])


def believed_cells(logits: Tensor, given: Tensor) -> Tensor:
    """Probability of the given answers, the mean over the known ones, (b,)."""
    import torch

    p = logits.sigmoid()
    return torch.where(given > 0.5, p, 1 - p).where(torch.isfinite(given), torch.nan).nanmean(1)
