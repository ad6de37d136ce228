"""ordinal: one grade per record, in order; learnt as the probability of being above each grade (Frank & Hall 2001)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from trainers.metrics.label_panels import ordinal_metrics, ordinal_panel
from trainers.metrics.panel import Metric, Panel
from trainers.tasks.multi import believed_cells
from trainers.tasks.single import Single
from trainers.values.pictures import Floats, Rows
from trainers.values.task import Array

if TYPE_CHECKING:
    from torch import Tensor, nn


class Ordinal(Single):
    """Targets are P(grade > k) for every threshold (m, K − 1); predictions are probabilities of the grades (m, K)."""

    kind: ClassVar[str] = "ordinal"
    words: ClassVar[str] = "one grade per picture, in order"
    exclusive: ClassVar[bool] = False

    @property
    def outputs(self) -> int:
        """One per threshold between grades."""
        return len(self.classes) - 1

    @property
    def losses(self) -> Mapping[str, Callable[..., nn.Module]]:
        """Binary cross-entropy per threshold."""
        from trainers.losses import BinaryCrossEntropy

        return {"binary-cross-entropy": BinaryCrossEntropy}

    def of_classes(self) -> Floats:
        """P(grade > k) of the grades."""
        return cumulative(super().of_classes())

    def strata(self, targets: Floats) -> Rows:
        """The grade."""
        return np.asarray(np.nansum(targets > 0.5, axis=1), np.int64)

    def smoothed(self, targets: Floats, share: float) -> Floats:
        """Spread over yes and no."""
        return (targets * (1 - share) + share / 2).astype(targets.dtype)

    def belief(self, logits: Tensor, given: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """The mean over thresholds; no margin."""
        return believed_cells(logits, given), None

    def said(self, logits: Tensor) -> Tensor:
        """Probabilities of the grades (b, K); thresholds that cross are made monotone."""
        import torch

        above = [logits[:, 0].sigmoid()]
        for threshold in range(1, logits.shape[1]):
            above.append(torch.minimum(above[-1], logits[:, threshold].sigmoid()))
        edges = torch.stack([torch.ones_like(above[0]), *above, torch.zeros_like(above[0])], 1)
        return edges[:, :-1] - edges[:, 1:]

    def soft_targets(self, predictions: Floats) -> Floats:
        """P(grade > k)."""
        return cumulative(predictions)

    def score(self, predictions: Floats, truth: Array) -> float:
        """Minus the mean absolute error per threshold."""
        return -float(np.nanmean(np.abs(self.soft_targets(predictions) - truth.astype(np.float32))))

    def prepared(self, prediction: Array, truth: Array) -> Array:
        """Probabilities of the grades; those of being above each (records, K − 1) are turned into them."""
        values = prediction.astype(np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.classes) - 1:
            return super().prepared(prediction, truth)
        ends = np.ones((len(values), 1))
        # Above grade k can be no more likely than above k − 1, whatever the network says.
        above = np.concatenate([ends, np.minimum.accumulate(values, axis=1), 0 * ends], axis=1)
        return np.asarray(above[:, :-1] - above[:, 1:])

    def metrics(self, truth: Array) -> tuple[Metric, ...]:  # noqa: ARG002
        """Quadratic κ first."""
        return ordinal_metrics(len(self.classes))

    def panel(self, truth: Array, prediction: Array, index: Rows, patients: int) -> Panel:
        """Per class: recall."""
        return ordinal_panel(truth.astype(np.int64), prediction.astype(np.float64), index, patients)


def cumulative(probabilities: Floats) -> Floats:
    """Probabilities of K grades (m, K) → P(grade > k) for k = 0 … K − 2, shape (m, K − 1)."""
    above = np.cumsum(probabilities[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return np.asarray(np.clip(above, 0, 1), np.float32)
