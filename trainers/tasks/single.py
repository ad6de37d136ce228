"""single: one class per record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from auditor.values.corrections import Correction
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError
from trainers.metrics.label_panels import SINGLE, single_panel
from trainers.metrics.panel import Metric, Panel
from trainers.values.pictures import Floats, Pictures, Rows
from trainers.values.places import places
from trainers.values.task import Array, Bools, LearningTask

if TYPE_CHECKING:
    from torch import Tensor, nn


class Single(LearningTask):
    """Targets are class probabilities (m, K), soft ones allowed; so are predictions."""

    kind: ClassVar[str] = "single"
    words: ClassVar[str] = "one label per picture"
    exclusive: ClassVar[bool] = True

    @classmethod
    def claims(cls, dataset: Dataset) -> bool:
        """The label says so."""
        return dataset.labels.task == cls.kind

    @classmethod
    def set_by(cls, dataset: Dataset, pictures: Pictures, rows: Rows | None = None) -> Self:  # noqa: ARG003
        """At least two classes."""
        if len(dataset.labels.classes) < 2:
            raise DatasetError("all labelled records are of one class: there is nothing to train on")
        return cls(classes=dataset.labels.classes, channels=pictures.channels, shape=pictures.shape)

    @classmethod
    def labelled(cls, dataset: Dataset) -> Bools:
        """A class is given."""
        return dataset.labels.values.notna().to_numpy(bool)

    @property
    def outputs(self) -> int:
        """One per class."""
        return len(self.classes)

    @property
    def losses(self) -> Mapping[str, Callable[..., nn.Module]]:
        """Cross-entropy, and what follows wrong labels less."""
        from trainers.losses import CrossEntropy, EarlyLearning, GeneralisedCrossEntropy, SymmetricCrossEntropy

        return {
            "cross-entropy": CrossEntropy,
            "gce": GeneralisedCrossEntropy,
            "sce": SymmetricCrossEntropy,
            "elr": EarlyLearning,
        }

    def targets(self, dataset: Dataset, corrections: Sequence[Correction] = ()) -> Floats:
        """A one for the class that is given or corrected."""
        ours = [c for c in corrections if c.field == "label"]
        number: Mapping[str, int] = {name: i for i, name in enumerate(self.classes)} | {"": -1}
        unknown = sum(c.new not in number for c in ours)
        if unknown:
            raise ValueError(f"{unknown} corrections name a class that the task does not have")
        codes = dataset.labels.codes
        codes[places(dataset.records.index, [c.record for c in ours])] = [number[c.new] for c in ours]
        return np.where(codes[:, None] >= 0, self.of_classes()[codes], np.float32(np.nan))

    def of_classes(self) -> Floats:
        """Targets of the classes, in order."""
        return np.eye(len(self.classes), dtype=np.float32)

    def truth(self, dataset: Dataset, pictures: Pictures, rows: Bools) -> Array:  # noqa: ARG002
        """Class number (records,), −1 = not known."""
        return np.asarray(dataset.labels.codes[rows])

    def strata(self, targets: Floats) -> Rows:
        """The class."""
        return np.asarray(targets.argmax(axis=1), np.int64)

    def smoothed(self, targets: Floats, share: float) -> Floats:
        """Spread over all classes."""
        return np.asarray(targets * (1 - share) + share / targets.shape[1], np.float32)

    def belief(self, logits: Tensor, given: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Of the given class."""
        own = given.argmax(1, keepdim=True)
        others = logits.scatter(1, own, -float("inf")).amax(1)
        return (logits.softmax(1) * given).sum(1), logits.gather(1, own)[:, 0] - others

    def said(self, logits: Tensor) -> Tensor:
        """Class probabilities (b, K)."""
        return logits.softmax(1)

    def soft_targets(self, predictions: Floats) -> Floats:
        """The probabilities."""
        return predictions.astype(np.float32)

    def score(self, predictions: Floats, truth: Array) -> float:
        """Balanced accuracy."""
        wanted, said = truth.argmax(1), predictions.argmax(1)
        return float(np.mean([(said[wanted == c] == c).mean() for c in np.unique(wanted)]))

    def judged(self, truth: Array) -> Bools:
        """A class is known."""
        return np.asarray(truth.astype(np.int64) >= 0)

    def metrics(self, truth: Array) -> tuple[Metric, ...]:  # noqa: ARG002
        """Balanced accuracy first."""
        return SINGLE

    def panel(self, truth: Array, prediction: Array, index: Rows, patients: int) -> Panel:
        """Per class: recall."""
        return single_panel(truth.astype(np.int64), prediction.astype(np.float64), index, patients)

    def trivial(self, truth: Array, generator: np.random.Generator) -> dict[str, Array]:
        """The commonest class, the shares, and chance."""
        n, count = len(truth), len(self.classes)
        shares = np.bincount(truth.astype(np.int64), minlength=count) / max(1, n)
        hot = np.eye(len(shares))
        return {
            "always the commonest class": np.tile(hot[shares.argmax()], (n, 1)),
            "prior probabilities": np.tile(shares, (n, 1)),
            "random by the prior": hot[generator.choice(len(shares), size=n, p=shares)],
        }
