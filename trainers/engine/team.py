"""One process, or several that train one network together under `torchrun` (DistributedDataParallel).

Every process holds all weights and computes its part of each batch; gradients are averaged. NCCL on GPUs, Gloo on CPUs.

Networks that were trained apart from one start are made one by the mean of their weights (McMahan 2017).
"""

from __future__ import annotations

import atexit
import copy
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from auditor.values.errors import ConfigError
from trainers.engine.predict import device_of
from trainers.values.recipe import Trained

PATIENCE = timedelta(days=7)
"""So long a process waits for another: the first one may scan and write for hours. One that has ended is noticed at once."""


def opened(device: torch.device) -> None:
    """Connects this process with the others, once."""
    if device.type == "cuda":
        check_gpus(torch.cuda.device_count(), int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if not dist.is_initialized():
        # with GPUs, what lies in main memory still goes by Gloo
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
        # threads of a group that is left to the end of the process now and then abort it, and with it the whole team
        atexit.register(closed)


def closed() -> None:
    """Ends the connection, where there is one; the others, which may be gone, are not waited for."""
    if dist.is_initialized():
        with suppress(RuntimeError):
            dist.destroy_process_group()


def check_gpus(there: int, processes: int) -> None:
    """Every process of a machine computes on a GPU of its own.

    Raises:
        ConfigError: there are fewer GPUs than processes.
    """
    if there < processes:
        raise ConfigError(
            f"torchrun started {processes} processes here, and there are {there} GPUs: start as many as there are, or say "
            "--device cpu"
        )


@dataclass(frozen=True, kw_only=True)
class Team:
    """This process (`rank`) among `size`, and the device that it computes on."""

    rank: int
    size: int
    device: torch.device

    @staticmethod
    def joined(device: str | torch.device) -> Team:
        """The team that torchrun's variables name; without them a team of one."""
        place = device_of(device)
        if not dist.is_torchelastic_launched():  # torchrun's mark; WORLD_SIZE alone is set by some clusters, too
            return Team(rank=0, size=1, device=place)
        if place.type == "cuda":
            place = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        opened(place)
        return Team(rank=dist.get_rank(), size=dist.get_world_size(), device=place)

    def wrapped(self, network: nn.Module) -> nn.Module:
        """The network with its gradients averaged over the team."""
        if self.size == 1:
            return network
        ids = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(network, device_ids=ids)

    def shared(self, value: float) -> float:
        """The first process's value, so that all of them decide alike."""
        if self.size == 1:
            return value
        told = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.broadcast(told, 0)
        return float(told)

    def told(self, what: Any) -> Any:
        """The first process's object."""
        if self.size == 1:
            return what
        box = [what if self.rank == 0 else None]
        dist.broadcast_object_list(box, 0, device=torch.device("cpu"))
        return box[0]

    def share(self, mine: Tensor, weights: Tensor, batch: npt.NDArray[np.int64]) -> Tensor | float:
        """What this process's mean counts for: gradients are averaged over the team, and its part may have more weight.

        Args:
            mine: weights of its part of the batch; `weights`: of all examples, of which the whole batch holds `batch`.
        """
        if self.size == 1:
            return 1.0
        whole = weights[torch.from_numpy(batch).to(self.device)].sum()
        return mine.sum() * self.size / whole.clamp(min=1e-12)

    def same(self, tensors: Iterable[Tensor]) -> None:
        """Gives all processes the first one's tensors, in place."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def combine(self, tensor: Tensor, before: Tensor) -> None:
        """Adds up, in place, what every process changed since `before`; no two of them changed the same rows."""
        if self.size > 1:
            change = tensor - before
            dist.all_reduce(change)
            tensor.copy_(before + change)


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
