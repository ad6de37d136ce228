"""Softer targets by mixup of pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from auditor.values.errors import ConfigError


def mixed(images: Tensor, targets: Tensor, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Each picture blended with another of its batch, and so its targets (Zhang 2018)."""
    if not isinstance(targets, Tensor) or not targets.is_floating_point():
        raise ConfigError("recipe: mixup blends labels; masks cannot be blended, set it to 0")
    other = torch.randperm(len(images), generator=generator, device=images.device)
    return share * images + (1 - share) * images[other], share * targets + (1 - share) * targets[other]
