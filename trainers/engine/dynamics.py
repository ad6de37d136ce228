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
        size = (epochs, len(targets))
        self.probability = torch.full(size, math.nan) if task.kind in ("single", "multi", "ordinal") else None
        self.margin = torch.full(size, math.nan) if task.kind == "single" else None

    def note(self, logits: Tensor, places: Tensor, epoch: int) -> None:
        """The logits of one training batch, of the examples at these places."""
        if self.probability is None:
            return
        given, where, logits = self.targets[places], places.cpu(), logits.detach().float()
        if self.margin is None:
            p = logits.sigmoid()
            right = torch.where(given > 0.5, p, 1 - p).where(torch.isfinite(given), math.nan)
            self.probability[epoch, where] = right.nanmean(1).cpu()
            return
        self.probability[epoch, where] = (logits.softmax(1) * given).sum(1).cpu()
        own = given.argmax(1, keepdim=True)
        others = logits.scatter(1, own, -math.inf).amax(1)
        self.margin[epoch, where] = (logits.gather(1, own)[:, 0] - others).cpu()

    def arrays(self) -> tuple[Floats | None, Floats | None]:
        """Probability and margin."""
        return tuple(None if t is None else t.numpy() for t in (self.probability, self.margin))  # type: ignore[return-value]

    def state(self) -> dict[str, Tensor | None]:
        """For a checkpoint."""
        return {"probability": self.probability, "margin": self.margin}

    def resume(self, state: dict[str, Tensor | None]) -> None:
        """Go on from a state."""
        self.probability, self.margin = state["probability"], state["margin"]
