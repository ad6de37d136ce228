"""Networks of several sites made one: weighted means of what they learnt, their batch statistics kept apart (McMahan 2017)."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn


@torch.no_grad()
def merged(networks: Sequence[nn.Module], sizes: Sequence[float]) -> nn.Module:
    """One network: of every parameter and every statistic the mean, each network counted as `sizes` says; sums in float64.

    Args:
        networks: of one kind.
        sizes: examples that each learnt from.
    """
    shares = torch.tensor(sizes, dtype=torch.float64) / sum(sizes)
    found = copy.deepcopy(networks[0])
    states = [network.state_dict() for network in networks]
    for name, value in found.state_dict().items():
        if value.is_floating_point():
            parts = torch.stack([state[name].double() for state in states])
            value.copy_((shares.reshape(-1, *[1] * value.ndim) * parts).sum(0).to(value.dtype))
    return found


@torch.no_grad()
def with_statistics_of(network: nn.Module, own: nn.Module) -> nn.Module:
    """The network with the buffers (batch statistics) of another, which never leave their site in training (Li 2021, FedBN)."""
    found = copy.deepcopy(network)
    there = dict(own.named_buffers())
    for name, buffer in found.named_buffers():
        buffer.copy_(there[name])
    return found
