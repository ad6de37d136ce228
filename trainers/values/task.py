"""What a network learns: one class per kind of task, a module each in `trainers.tasks`.

Everything that depends on the kind is asked of the task itself: where the truth lies, what the loss compares with, how outputs
are read, what is measured, in which words it is told. Who trains, predicts, grades or writes knows no kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from auditor.values.corrections import Correction
from auditor.values.dataset import Dataset
from trainers.values.pictures import Floats, Pictures, Rows

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor, nn

Array = npt.NDArray[np.generic]
Bools = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]


class Movement(Protocol):
    """A deformation of a batch of pictures (`trainers.engine.augment.Warp`), for what lies in them."""

    def masks(self, masks: Tensor) -> Tensor:
        """Class maps (b, *shape)."""

    def points(self, points: Tensor) -> Tensor:
        """Positions in pixels (b, n, d); NaN stays NaN."""

    def boxes(self, boxes: Tensor) -> Tensor:
        """Lowest and highest corners (b, n, 2·d)."""


@dataclass(frozen=True, kw_only=True)
class LearningTask(ABC):
    """What is learnt from which pictures.

    Args:
        classes: class names in the order of the dataset's labels; of masks the background first; empty where there are none.
        channels: of a picture, 1 or 3.
        shape: of a picture, (height, width) or (depth, height, width).
        target_mean, target_scale: a number is learnt as (value − mean) / scale; a network's output is turned back.
    """

    classes: tuple[str, ...]
    channels: int
    shape: tuple[int, ...]
    target_mean: float = 0.0
    target_scale: float = 1.0

    kind: ClassVar[str]
    """Its name."""
    words: ClassVar[str]
    """What is learnt, for people: `one label per picture`."""
    rank: ClassVar[int] = 0
    """Kinds are asked in this order whether a dataset sets them."""
    dense: ClassVar[bool] = False
    """A network answers for every pixel (U-Nets), else once per picture."""
    from_masks: ClassVar[bool] = False
    """The masks are read along with the pictures, and are what is learnt."""
    told_as: ClassVar[Literal["columns", "objects", "masks"]] = "columns"
    """How predictions are written down: numbers per picture (`columns`), a table of objects (`objects`), a mask per picture."""
    exclusive: ClassVar[bool] = False
    """Predictions are probabilities of classes of which one holds."""
    probabilistic: ClassVar[bool] = True
    """Predictions are probabilities: they can be calibrated, and tested by McNemar and DeLong."""
    class_metric: ClassVar[str] = "recall"
    """What is told per class."""
    unflattered: ClassVar[str] = ""
    """A metric in which predictors that never looked at an image have nothing, where they have a lot in the main one."""
    inverted_by: ClassVar[str] = (
        "many labels that it learnt from are flipped, or classes are confused where it evaluates, or pictures of one patient "
        "stand in both parts with different labels (LN001, SP001 and SP003 tell)"
    )
    """What makes a network worse than a predictor that never looked at an image."""
    truth_type: ClassVar[type[np.generic]] = np.int64
    """Of the truth when it is graded."""
    without: ClassVar[str] = "Absent"
    """How a class is called that cannot be judged on the evaluation records."""

    @property
    def dims(self) -> Literal[2, 3]:
        """2 for pictures, 3 for volumes."""
        return 3 if len(self.shape) == 3 else 2

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the numbers that a picture gets, (m, columns), where predictions are told as such."""
        return self.classes

    # What a dataset says

    @classmethod
    @abstractmethod
    def claims(cls, dataset: Dataset) -> bool:
        """Whether the dataset sets a task of this kind."""

    @classmethod
    @abstractmethod
    def set_by(cls, dataset: Dataset, pictures: Pictures, rows: Rows | None = None) -> Self:
        """The task.

        Args:
            rows: what is measured on targets is measured on these records (default: all).

        Raises:
            DatasetError: there is nothing to learn.
        """

    @classmethod
    @abstractmethod
    def labelled(cls, dataset: Dataset) -> Bools:
        """Records of which the truth is known, (records,)."""

    @abstractmethod
    def targets(self, dataset: Dataset, corrections: Sequence[Correction] = ()) -> Floats:
        """Targets of all records in the form of `Examples.targets`, first axis the records; NaN where nothing is known.

        Raises:
            ValueError: a correction names a record, class or field that is not there.
        """

    @abstractmethod
    def truth(self, dataset: Dataset, pictures: Pictures, rows: Bools) -> Array:
        """What the labels of these records say, in the form that `panel` takes it."""

    def known(self, targets: Floats) -> Bools:
        """Which rows of targets teach something."""
        return np.asarray(np.isfinite(targets).reshape(len(targets), -1).any(axis=1))

    def strata(self, targets: Floats) -> Rows:
        """A number per row of targets; folds hold their share of each."""
        return np.zeros(len(targets), np.int64)

    # Learning

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Outputs of a network, per picture or, where `dense`, per pixel."""

    @property
    @abstractmethod
    def losses(self) -> Mapping[str, Callable[..., nn.Module]]:
        """The losses that fit, by name; the first is the natural one. See `trainers.losses.Loss`."""

    def smoothed(self, targets: Floats, share: float) -> Floats:  # noqa: ARG002
        """Targets with `share` of them spread over all classes (Szegedy 2016); the same where that has no meaning."""
        return targets

    def learnt(self, masks: Tensor | None, targets: Tensor) -> Any:
        """What the loss compares the logits with: the masks of the batch, its targets, or both."""
        return targets if masks is None else masks

    def united(self, logits: Tensor, present: Tensor) -> Tensor:
        """Logits of the pictures of bags (b · k, ...) → of the bags (b, ...): the mean over those that are there, (b, k)."""
        if present.shape[1] == 1:
            return logits
        each = logits.reshape(*present.shape, *logits.shape[1:])
        share = (present / present.sum(1, keepdim=True)).to(logits.dtype)
        return (each * share.reshape(*share.shape, *[1] * (each.ndim - 2))).sum(1)

    def moved(self, learnt: Any, by: Movement) -> Any:  # noqa: ARG002
        """What is learnt after the pictures were deformed."""
        return learnt

    def belief(self, logits: Tensor, given: Tensor) -> tuple[Tensor | None, Tensor | None]:  # noqa: ARG002
        """Probability of the given label, (b,), and how far its logit is ahead of all others; None where there is no such."""
        return None, None

    # Reading outputs

    @abstractmethod
    def said(self, logits: Tensor) -> Tensor:
        """Logits (b, outputs, ...) → predictions as `trainers.engine.predict.predict` returns them.

        In torch alone: it goes with the network into `model.pt2` and `model.onnx`.
        """

    def decoded(self, logits: Tensor) -> Floats:
        """What the logits say, off the device."""
        return np.asarray(self.said(logits).cpu().numpy(), np.float32)

    @abstractmethod
    def soft_targets(self, predictions: Floats) -> Floats:
        """Predictions → targets of the same task; NaN stays NaN."""

    @abstractmethod
    def score(self, predictions: Floats, truth: Array) -> float:
        """One number for early stopping, more is better; `truth` are targets, or masks where those are learnt."""

    def objects(self, predictions: Floats, dataset: Dataset, rows: Rows) -> pd.DataFrame:
        """Predictions of these records as a table of objects (`record`, coordinates in pixels of the file, `score`)."""
        raise NotImplementedError(f"predictions of {self.kind} are told as {self.told_as}")

    # Grading; n = records, and all arrays are numpy

    def prepared(self, prediction: Array, truth: Array) -> Array:  # noqa: ARG002
        """A prediction in the form that `panel` takes; a record with NaN in it is not judged.

        Raises:
            ValueError: its shape does not fit.
        """
        values = prediction.astype(np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.columns):
            raise ValueError("predictions need one column per class")
        return values

    @abstractmethod
    def judged(self, truth: Array) -> Bools:
        """Records whose truth is known."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the values per class."""
        return self.classes

    @abstractmethod
    def metrics(self, truth: Array) -> tuple[Any, ...]:
        """What is measured (`trainers.metrics.panel.Metric`); the first decides."""

    @abstractmethod
    def panel(self, truth: Array, prediction: Array, index: Rows, patients: int) -> Any:
        """One arm and seed as sums per patient (`trainers.metrics.panel.Panel`); `index` is the number of each patient."""

    @abstractmethod
    def trivial(self, truth: Array, generator: np.random.Generator) -> dict[str, Array]:
        """Predictions that need no image, as `prepared` gives them; shares are those of the evaluation records."""

    def absent(self, truth: Array) -> tuple[str, ...]:
        """Names that cannot be judged on these records."""
        there = set(np.unique(truth).tolist())
        return tuple(name for c, name in enumerate(self.names) if c not in there)

    def class_records(self, truth: Array) -> list[int]:
        """How many records each name has."""
        return [int((truth == c).sum()) for c in range(len(self.names))]

    def confidence(self, truth: Array, prediction: Array) -> tuple[Doubles, Doubles]:
        """How sure each prediction is, and whether it is right; where `probabilistic`."""
        p = prediction.astype(np.float64)
        return p.max(axis=1), np.asarray(p.argmax(axis=1) == truth, np.float64)

    def against_rest(self, truth: Array, c: int) -> Doubles:
        """1, 0 or NaN (not known) per record for one class; where `probabilistic`."""
        return np.asarray(truth == c, np.float64)


def described(task: LearningTask) -> dict[str, Any]:
    """As plain values, its kind first."""
    return {"kind": task.kind, **asdict(task)}
