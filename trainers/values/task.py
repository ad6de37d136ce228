"""What a network learns: the kind of target, its classes, and the geometry of the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["single", "multi", "ordinal", "continuous", "segmentation"]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class LearningTask:
    """What is learnt from which pictures.

    Args:
        kind: of the target.
        classes: class names in the order of the dataset's labels; of masks the background first; empty for a number.
        channels: of a picture, 1 or 3.
        shape: of a picture, (height, width) or (depth, height, width).
        target_mean, target_scale: a continuous target is learnt as (value − mean) / scale; a network's output is turned back.
    """

    kind: Kind
    classes: tuple[str, ...]
    channels: int
    shape: tuple[int, ...]
    target_mean: float = 0.0
    target_scale: float = 1.0

    @property
    def dims(self) -> Literal[2, 3]:
        """2 for pictures, 3 for volumes."""
        return 3 if len(self.shape) == 3 else 2

    @property
    def outputs(self) -> int:
        """Outputs of a network (per pixel for masks): one per class; one per threshold of grades; one for a number or a single
        kind of object."""
        if self.kind == "continuous":
            return 1
        if self.kind == "ordinal" or (self.kind == "segmentation" and len(self.classes) == 2):
            return len(self.classes) - 1
        return len(self.classes)
