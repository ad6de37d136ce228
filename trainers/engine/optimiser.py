"""What moves the weights: AdamW, its rate over time, what holds them back, and their running average."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from trainers.values.recipe import Recipe


def optimiser_of(network: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW; matrices and kernels decay, biases and norms do not."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.rate, fused=True)


def schedule(progress: float, warmup: float) -> float:
    """Share of the highest rate at this share of all steps: a straight rise, then half a cosine down to 0."""
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / max(1e-9, 1 - warmup)))


class Anchor:
    """Holds a network near the weights that it has now: adds μ/2 · ‖w − w₀‖² to the loss (FedProx, Li 2020); μ = 0: nothing."""

    def __init__(self, network: nn.Module, mu: float) -> None:
        self.network, self.mu = network, mu
        self.begun = [p.detach().clone() for p in network.parameters()] if mu else []

    def pull(self) -> Tensor | float:
        """What is added to the loss."""
        if not self.begun:
            return 0.0
        away = [(now - then).square().sum() for now, then in zip(self.network.parameters(), self.begun, strict=True)]
        return self.mu / 2 * torch.stack(away).sum()


class Average:
    """Running mean of a network's weights and batch statistics (Polyak 1992): a ← d·a + (1 − d)·w after each step.

    d rises as (1 + step) / (10 + step) to `decay`, so that the random start is soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.decay = decay
        # the tensors themselves: asking for the state of both networks at every step costs more than the average does
        pairs = list(zip(self.network.state_dict().values(), network.state_dict().values(), strict=True))
        self.averaged = [mine for mine, _ in pairs if mine.is_floating_point()]
        self.latest = [theirs for mine, theirs in pairs if mine.is_floating_point()]
        self.counters = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes in the network's weights after step number `step`, counted from 1."""
        keep = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.averaged, self.latest, 1 - keep)
        for mine, theirs in self.counters:
            mine.copy_(theirs)
