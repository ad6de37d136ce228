"""What the network thinks of each label while it learns: wrong labels are believed late, or never."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trainers.values.pictures import Floats
from trainers.values.task import LearningTask


class Dynamics:
    """Probability of the given label, and its margin, per epoch and example; see `trainers.values.recipe.Trained`.

    Args:
        targets: as in `trainers.values.pictures.Examples`, on the device; not smoothed.
    """

    def __init__(self, task: LearningTask, targets: Tensor, epochs: int) -> None:
        self.task, self.targets = task, targets
        self.epochs = epochs
        self.probability: Tensor | None = None
        self.margin: Tensor | None = None

    def note(self, logits: Tensor, places: Tensor, epoch: int) -> None:
        """The logits of one training batch, of the examples at these places."""
        where = places.cpu()
        probability, margin = self.task.belief(logits.detach().float(), self.targets[places])
        if probability is not None:
            self.probability = self._room(self.probability)
            self.probability[epoch, where] = probability.cpu()
        if margin is not None:
            self.margin = self._room(self.margin)
            self.margin[epoch, where] = margin.cpu()

    def _room(self, noted: Tensor | None) -> Tensor:
        return torch.full((self.epochs, len(self.targets)), math.nan) if noted is None else noted

    def arrays(self) -> tuple[Floats | None, Floats | None]:
        """Probability and margin."""
        return tuple(None if t is None else t.numpy() for t in (self.probability, self.margin))  # type: ignore[return-value]

    def state(self) -> dict[str, Tensor | None]:
        """For a checkpoint."""
        return {"probability": self.probability, "margin": self.margin}

    def resume(self, state: dict[str, Tensor | None]) -> None:
        """Go on from a state."""
        self.probability, self.margin = state["probability"], state["margin"]
