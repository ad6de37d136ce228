"""continuous: one number per record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd

from auditor.prediction.numbers import NUMBER
from auditor.values.corrections import Correction
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError
from trainers.metrics.label_panels import continuous_metrics, continuous_panel
from trainers.metrics.panel import Metric, Panel
from trainers.values.pictures import Floats, Pictures, Rows
from trainers.values.places import places
from trainers.values.task import Array, Bools, Doubles, LearningTask

if TYPE_CHECKING:
    from torch import Tensor, nn


class Continuous(LearningTask):
    """Targets are standardised (m, 1); predictions are the number in its own unit (m, 1)."""

    kind: ClassVar[str] = "continuous"
    words: ClassVar[str] = "one number per picture"
    probabilistic: ClassVar[bool] = False
    truth_type: ClassVar[type[np.generic]] = np.float64

    @classmethod
    def claims(cls, dataset: Dataset) -> bool:
        """The label says so."""
        return dataset.labels.task == cls.kind

    @classmethod
    def set_by(cls, dataset: Dataset, pictures: Pictures, rows: Rows | None = None) -> Self:
        """The mean and the scale are those of the records that may be learnt from."""
        values = numbers(dataset) if rows is None else numbers(dataset)[rows]
        values = values[np.isfinite(values)]
        if len(values) < 2 or float(values.std()) == 0:
            raise DatasetError("the label has one value for all records: there is nothing to train on")
        return cls(
            classes=(),
            channels=pictures.channels,
            shape=pictures.shape,
            target_mean=float(values.mean()),
            target_scale=float(values.std()),
        )

    @classmethod
    def labelled(cls, dataset: Dataset) -> Bools:
        """A number is given."""
        return dataset.labels.values.notna().to_numpy(bool)

    @property
    def columns(self) -> tuple[str, ...]:
        """The number."""
        return (NUMBER,)

    @property
    def outputs(self) -> int:
        """One."""
        return 1

    @property
    def losses(self) -> Mapping[str, Callable[..., nn.Module]]:
        """Smooth L1."""
        from trainers.losses import SmoothL1

        return {"smooth-l1": SmoothL1}

    def targets(self, dataset: Dataset, corrections: Sequence[Correction] = ()) -> Floats:
        """Standardised."""
        ours = [c for c in corrections if c.field == "label"]
        values = numbers(dataset)
        values[places(dataset.records.index, [c.record for c in ours])] = [float(c.new) if c.new else np.nan for c in ours]
        return ((values - self.target_mean) / self.target_scale).astype(np.float32)[:, None]

    def truth(self, dataset: Dataset, pictures: Pictures, rows: Bools) -> Array:  # noqa: ARG002
        """A number or NaN (records,)."""
        return numbers(dataset)[rows]

    def said(self, logits: Tensor) -> Tensor:
        """The number in its own unit (b, 1)."""
        return logits * self.target_scale + self.target_mean

    def soft_targets(self, predictions: Floats) -> Floats:
        """Standardised."""
        return ((predictions - self.target_mean) / self.target_scale).astype(np.float32)

    def score(self, predictions: Floats, truth: Array) -> float:
        """Minus the mean absolute error."""
        return -float(np.nanmean(np.abs(self.soft_targets(predictions) - truth.astype(np.float32))))

    def prepared(self, prediction: Array, truth: Array) -> Array:  # noqa: ARG002
        """A number (records,)."""
        return prediction.astype(np.float64).reshape(len(prediction), -1)[:, 0]

    def judged(self, truth: Array) -> Bools:
        """A number is known."""
        return np.asarray(np.isfinite(truth.astype(np.float64)))

    @property
    def names(self) -> tuple[str, ...]:
        """None."""
        return ()

    def metrics(self, truth: Array) -> tuple[Metric, ...]:
        """Mean absolute error first."""
        return continuous_metrics(truth.astype(np.float64))

    def panel(self, truth: Array, prediction: Array, index: Rows, patients: int) -> Panel:
        """Nothing per class."""
        return continuous_panel(truth.astype(np.float64), prediction.astype(np.float64), index, patients)

    def trivial(self, truth: Array, generator: np.random.Generator) -> dict[str, Array]:  # noqa: ARG002
        """Mean and median."""
        y: Doubles = truth.astype(np.float64)
        return {"always the mean": np.full(len(y), y.mean()), "always the median": np.full(len(y), np.median(y))}


def numbers(dataset: Dataset) -> Doubles:
    """The label of every record, NaN where there is none; a new array."""
    return pd.to_numeric(dataset.labels.values, errors="coerce").to_numpy(np.float64, na_value=np.nan).copy()
