"""Networks that were trained apart from one start, made one: the mean of their weights (McMahan 2017)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch

from trainers.values.recipe import Trained


def merged(networks: Sequence[Trained], weights: Sequence[float]) -> Trained:
    """One network whose weights and statistics are the weighted means of all; counters are those of the first.

    Args:
        networks: of one architecture; what is told of the training is that of the first, records and seconds of all together.
        weights: of each, usually how many examples it learnt from.
    """
    total = float(sum(weights))
    states = [network.network.state_dict() for network in networks]
    mean = dict(states[0])
    for name, first in states[0].items():
        if first.is_floating_point():
            parts = [state[name] * (weight / total) for state, weight in zip(states, weights, strict=True)]
            mean[name] = torch.stack(parts).sum(0)
    network = copy.deepcopy(networks[0].network)
    network.load_state_dict(mean)
    return replace(
        networks[0], network=network, records=sum(n.records for n in networks), seconds=sum(n.seconds for n in networks)
    )
