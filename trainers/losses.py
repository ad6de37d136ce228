"""Losses: logits, targets, weight of each example, its index → one number.

All are means over the batch, each example counting by its weight. Targets are class probabilities (single-label), 0/1 or
probabilities with NaN where nobody knows (several labels; grades as P(grade > k)), numbers, or class maps (masks), in which
255 means that nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor.values.errors import ConfigError
from trainers.values.pictures import UNKNOWN_PIXEL
from trainers.values.task import LearningTask


class Loss(nn.Module):
    """What is minimised.

    `forward(logits, targets, weights, index)`: logits float32 (b, K) or (b, K, *shape); targets of the same shape or class maps
    (b, *shape); weights float32 (b,); index int64 (b,), position of the example in the training set. Returns a scalar.
    """

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor, index: Tensor) -> Tensor:
        """The loss of one batch."""
        raise NotImplementedError


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Σ w·v / Σ w; 0 when all weights are."""
    return (values * weights).sum() / weights.sum().clamp(min=1e-12)


class CrossEntropy(Loss):
    """−Σ t log p."""

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor, index: Tensor) -> Tensor:  # noqa: ARG002
        """The loss of one batch."""
        return weighted_mean(-(targets * functional.log_softmax(logits, dim=1)).sum(1), weights)


class GeneralisedCrossEntropy(Loss):
    """Σ t (1 − p^q) / q (Zhang & Sabuncu 2018): cross-entropy for q → 0, absolute error for q = 1."""

    def __init__(self, q: float = 0.7) -> None:
        super().__init__()
        if not 0 < q <= 1:
            raise ConfigError(f"loss gce: q is {q}; it must be above 0 and at most 1")
        self.q = q

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor, index: Tensor) -> Tensor:  # noqa: ARG002
        """The loss of one batch."""
        # q log p instead of p^q: the gradient stays finite where p is 0
        powered = torch.exp(self.q * functional.log_softmax(logits, dim=1))
        return weighted_mean((targets * (1 - powered) / self.q).sum(1), weights)


class SymmetricCrossEntropy(Loss):
    """α cross-entropy + β reverse cross-entropy −Σ p log t, with log 0 = −4 (Wang 2019)."""

    def __init__(self, alpha: float = 0.1, beta: float = 1.0) -> None:
        super().__init__()
        self.alpha, self.beta = alpha, beta

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor, index: Tensor) -> Tensor:  # noqa: ARG002
        """The loss of one batch."""
        logs = functional.log_softmax(logits, dim=1)
        forward = -(targets * logs).sum(1)
        reverse = -(logs.exp() * targets.clamp(min=1e-30).log().clamp(min=-4)).sum(1)
        return weighted_mean(self.alpha * forward + self.beta * reverse, weights)


class EarlyLearning(Loss):
    """Early-learning regularisation (Liu 2020): cross-entropy + λ log(1 − ⟨p, m⟩).

    m is a running mean of the network's own predictions of that example, m ← β m + (1 − β) p / Σ p. Networks learn what is
    right before they learn what is wrong; the term keeps them at what they believed early. Liu takes λ = 1 … 7 by dataset.
    """

    memory: Tensor

    def __init__(self, examples: int, classes: int, beta: float = 0.7, lam: float = 5.0) -> None:
        super().__init__()
        self.beta, self.lam = beta, lam
        self.register_buffer("memory", torch.zeros(examples, classes))

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor, index: Tensor) -> Tensor:
        """The loss of one batch; in training mode the memory of its examples moves on."""
        p = functional.softmax(logits, dim=1).clamp(1e-4, 1 - 1e-4)
        remembered = self.memory[index]
        if self.training:
            seen = p.detach()
            remembered = self.beta * remembered + (1 - self.beta) * seen / seen.sum(1, keepdim=True)
            self.memory[index] = remembered
        entropy = -(targets * functional.log_softmax(logits, dim=1)).sum(1)
        return weighted_mean(entropy + self.lam * torch.log(1 - (remembered * p).sum(1)), weights)


class BinaryCrossEntropy(Loss):
    """Binary cross-entropy over the known cells: of several labels, or of the thresholds between grades.

    An example counts by its mean over known cells; one without any known cell does not count.
    """

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor, index: Tensor) -> Tensor:  # noqa: ARG002
        """The loss of one batch."""
        known = torch.isfinite(targets)
        cells = functional.binary_cross_entropy_with_logits(logits, targets.nan_to_num(0), reduction="none") * known
        count = known.sum(1)
        return weighted_mean(cells.sum(1) / count.clamp(min=1), weights * (count > 0))


class SmoothL1(Loss):
    """(ŷ − y)² / 2 below 1, |ŷ − y| − 1/2 above (Girshick 2015)."""

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor, index: Tensor) -> Tensor:  # noqa: ARG002
        """The loss of one batch."""
        return weighted_mean(functional.smooth_l1_loss(logits, targets, reduction="none").mean(1), weights)


class DiceCrossEntropy(Loss):
    """1 − Dice + cross-entropy per pixel (Isensee 2021); Dice over the whole batch, so that empty pictures do no harm.

    With one output the mask is object or not; with more, Dice is the mean over the classes that are not background.
    """

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor, index: Tensor) -> Tensor:  # noqa: ARG002
        """The loss of one batch."""
        known = (targets != UNKNOWN_PIXEL) * _per_pixel(weights, targets)
        classes = targets.long().masked_fill(targets == UNKNOWN_PIXEL, 0)
        if logits.shape[1] == 1:
            truth = (classes > 0).to(logits.dtype)
            entropy = functional.binary_cross_entropy_with_logits(logits[:, 0], truth, reduction="none")
            p, t = logits.sigmoid(), truth[:, None]
        else:
            entropy = functional.cross_entropy(logits, classes, reduction="none")
            p = functional.softmax(logits, dim=1)[:, 1:]
            t = functional.one_hot(classes, logits.shape[1]).movedim(-1, 1)[:, 1:].to(logits.dtype)
        axes = [0, *range(2, p.ndim)]
        weight = known[:, None]
        both, either = (p * t * weight).sum(axes), ((p + t) * weight).sum(axes)
        dice = (2 * both + 1e-5) / (either + 1e-5)
        return (1 - dice).mean() + weighted_mean(entropy, known)


class PositiveUnlabelled(Loss):
    """Non-negative positive-unlabelled risk (Kiryo 2017) per pixel: marked pixels are object, the others may be.

    π R⁺ₚ + max(0, R⁻ₓ − π R⁻ₚ) with the logistic loss: p = marked pixels, x = all pixels, π = true share of object pixels.
    """

    def __init__(self, prior: float = 0.25) -> None:
        super().__init__()
        if not 0 < prior < 1:
            raise ConfigError(f"loss pu: prior is {prior}; it is the share of object pixels, between 0 and 1")
        self.prior = prior

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor, index: Tensor) -> Tensor:  # noqa: ARG002
        """The loss of one batch."""
        known = (targets != UNKNOWN_PIXEL) * _per_pixel(weights, targets)
        marked = known * (targets > 0)
        as_object, as_background = functional.softplus(-logits[:, 0]), functional.softplus(logits[:, 0])
        unmarked = weighted_mean(as_background, known) - self.prior * weighted_mean(as_background, marked)
        return self.prior * weighted_mean(as_object, marked) + unmarked.clamp(min=0)


def _per_pixel(weights: Tensor, targets: Tensor) -> Tensor:
    return weights.reshape(-1, *[1] * (targets.ndim - 1)).expand(targets.shape)


def loss_named(name: str, task: LearningTask, *, examples: int, options: Mapping[str, float] | None = None) -> nn.Module:
    """The loss of that name for a task; `natural` = the usual one of its kind.

    Args:
        examples: size of the training set (`elr` remembers a prediction for each).

    Raises:
        ConfigError: it does not fit the task, or it has no such option.
    """
    fit = task.losses
    name = next(iter(fit)) if name == "natural" else name
    if name not in fit:
        raise ConfigError(
            f"loss {name} does not fit a task of kind {task.kind} with {task.outputs} outputs, or there is none of that name; "
            f"natural, or one of {', '.join(fit)}"
        )
    given = dict(options or {})
    fixed = {"examples": examples, "classes": task.outputs} if fit[name] is EarlyLearning else {}
    try:
        return fit[name](**fixed, **given)
    except TypeError as error:
        raise ConfigError(f"loss {name} has no option among {', '.join(sorted(given))}") from error
