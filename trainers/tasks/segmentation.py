"""segmentation: a class for each pixel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np

from auditor.values.corrections import Correction
from auditor.values.dataset import Dataset
from trainers.metrics.mask_panel import class_maps, mask_metrics, mask_panel
from trainers.metrics.panel import Metric, Panel
from trainers.values.pictures import UNKNOWN_PIXEL, Floats, Pictures, Rows
from trainers.values.task import Array, Bools, LearningTask, Movement

if TYPE_CHECKING:
    from torch import Tensor, nn


class Segmentation(LearningTask):
    """Targets are the masks; predictions are probabilities per pixel (m, K, *shape), K = 1 (object) or all classes."""

    kind: ClassVar[str] = "segmentation"
    words: ClassVar[str] = "a mask: a class for each pixel"
    rank: ClassVar[int] = 1
    dense: ClassVar[bool] = True
    from_masks: ClassVar[bool] = True
    told_as: ClassVar[Literal["columns", "objects", "masks"]] = "masks"
    probabilistic: ClassVar[bool] = False
    class_metric: ClassVar[str] = "Dice"
    inverted_by: ClassVar[str] = (
        "masks that it learnt from miss objects (LN005 tells), or lie beside them, or pixel values mean something else where "
        "it evaluates"
    )
    unflattered: ClassVar[str] = "pixel_mcc"  # all foreground has a Dice of .88 where cells fill four fifths of the picture

    @classmethod
    def claims(cls, dataset: Dataset) -> bool:
        """There are masks and no labels."""
        return dataset.labels.task == "none" and dataset.has("mask")

    @classmethod
    def set_by(cls, dataset: Dataset, pictures: Pictures, rows: Rows | None = None) -> Self:  # noqa: ARG003
        """As many classes as the masks hold."""
        # at least background and object, so that a collection of empty masks still has an output
        highest = max(1, pictures.mask_classes - 1)
        names = ("background", "object") if highest == 1 else ("background", *(f"class {i}" for i in range(1, highest + 1)))
        return cls(classes=names, channels=pictures.channels, shape=pictures.shape)

    @classmethod
    def labelled(cls, dataset: Dataset) -> Bools:
        """There is a mask."""
        return dataset.records["mask"].notna().to_numpy(bool)

    @property
    def outputs(self) -> int:
        """One for a single kind of object, else one per class."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    @property
    def losses(self) -> Mapping[str, Callable[..., nn.Module]]:
        """Dice and cross-entropy; of one kind of object also the positive-unlabelled risk."""
        from trainers.losses import DiceCrossEntropy, PositiveUnlabelled

        found: dict[str, Callable[..., nn.Module]] = {"dice-cross-entropy": DiceCrossEntropy}
        return found | {"pu": PositiveUnlabelled} if self.outputs == 1 else found

    def targets(self, dataset: Dataset, corrections: Sequence[Correction] = ()) -> Floats:  # noqa: ARG002
        """Nothing: what is learnt lies in the masks."""
        return np.zeros((dataset.size, 0), np.float32)

    def known(self, targets: Floats) -> Bools:
        """Nothing is asked."""
        return np.ones(len(targets), np.bool_)

    def truth(self, dataset: Dataset, pictures: Pictures, rows: Bools) -> Array:  # noqa: ARG002
        """Class per pixel (records, *shape)."""
        assert pictures.masks is not None
        return np.asarray(pictures.masks[np.flatnonzero(rows)])

    def moved(self, learnt: Tensor, by: Movement) -> Tensor:
        """Masks move with their pictures."""
        return by.masks(learnt)

    def said(self, logits: Tensor) -> Tensor:
        """Probabilities per pixel."""
        return logits.softmax(1) if self.outputs > 1 else logits.sigmoid()

    def soft_targets(self, predictions: Floats) -> Floats:
        """Nothing: masks have no soft targets."""
        return np.zeros((len(predictions), 0), np.float32)

    def score(self, predictions: Floats, truth: Array) -> float:
        """Dice over all pixels whose class is known and all classes that are not background."""
        both, either = 0.0, 0.0
        for start in range(0, len(predictions), 64):
            part, drawn = predictions[start : start + 64], truth[start : start + 64].astype(np.uint8)
            said = (part[:, 0] > 0.5).astype(np.uint8) if part.shape[1] == 1 else part.argmax(1).astype(np.uint8)
            known = drawn != UNKNOWN_PIXEL
            both += 2.0 * ((said == drawn) & (drawn > 0) & known).sum()
            either += float(((said > 0) & known).sum() + ((drawn > 0) & known).sum())
        return both / either if either else 1.0

    def prepared(self, prediction: Array, truth: Array) -> Array:
        """Class maps (records, *shape)."""
        maps = class_maps(prediction, truth.ndim - 1)
        if maps.shape != truth.shape:
            raise ValueError("masks and predictions differ in shape")
        return maps

    def judged(self, truth: Array) -> Bools:
        """A pixel at least is known."""
        return np.asarray((truth != UNKNOWN_PIXEL).reshape(len(truth), -1).any(axis=1))

    @property
    def names(self) -> tuple[str, ...]:
        """The background is no object: its Dice would flatter."""
        return self.classes[1:] if len(self.classes) > 1 else self.classes

    def metrics(self, truth: Array) -> tuple[Metric, ...]:
        """Dice first."""
        return mask_metrics(truth.shape[1:])

    def panel(self, truth: Array, prediction: Array, index: Rows, patients: int) -> Panel:
        """Per class: Dice."""
        maps = truth.astype(np.int64), prediction.astype(np.int64)
        return mask_panel(*maps, len(self.names), patients=index, count=patients)

    def trivial(self, truth: Array, generator: np.random.Generator) -> dict[str, Array]:
        """All background, all object, and chance."""
        shape, names = truth.shape, self.names
        share = float(((truth.astype(np.int64) > 0) & (truth != UNKNOWN_PIXEL)).mean())
        made: dict[str, Array] = {"all background": np.zeros(shape, np.int64)}
        for c, name in enumerate(names, 1):
            made["all foreground" if len(names) == 1 else f"all {name}"] = np.full(shape, c, np.int64)
        made["random pixels"] = (generator.random(shape) < share) * generator.integers(1, len(names) + 1, shape)
        return made

    def absent(self, truth: Array) -> tuple[str, ...]:
        """Classes that are drawn nowhere."""
        there = set(np.unique(truth).tolist())
        return tuple(name for c, name in enumerate(self.names, 1) if c not in there)

    def class_records(self, truth: Array) -> list[int]:
        """Where each class is drawn."""
        axes = tuple(range(1, truth.ndim))
        return [int((truth == c).any(axis=axes).sum()) for c in range(1, len(self.names) + 1)]
