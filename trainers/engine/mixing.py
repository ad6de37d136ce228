"""Softer targets: label smoothing, and mixup of pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from auditor.values.errors import ConfigError
from trainers.values.pictures import Floats
from trainers.values.task import LearningTask


def smoothed(targets: Floats, task: LearningTask, share: float) -> Floats:
    """Targets with `share` of them spread over all classes (Szegedy 2016); numbers and masks stay."""
    if not share or task.kind in ("continuous", "segmentation"):
        return targets
    classes = targets.shape[1] if task.kind == "single" else 2
    return (targets * (1 - share) + share / classes).astype(targets.dtype)


def mixed(images: Tensor, targets: Tensor, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Each picture blended with another of its batch, and so its targets (Zhang 2018)."""
    if not targets.is_floating_point():
        raise ConfigError("recipe: mixup blends labels; masks cannot be blended, set it to 0")
    other = torch.randperm(len(images), generator=generator, device=images.device)
    return share * images + (1 - share) * images[other], share * targets + (1 - share) * targets[other]
