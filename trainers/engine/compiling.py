"""`torch.compile` where it works: it needs a C compiler, which a machine with a GPU may lack, and a network it understands.

Nobody asked for it where it is automatic, so that a failure there costs speed and no result: the network is called as it
is, and the reason is told (`Trained.uncompiled`).
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor, nn

from auditor.values.errors import ConfigError

AUTOMATIC = frozenset({"cuda"})
"""Kinds of devices on which networks are compiled unasked."""
MOST_WORDS = 160
"""Characters of an error that are told."""


class Compiled(nn.Module):
    """A network that is compiled at its first call.

    Args:
        network: trained by its own parameters; what is compiled shares them.
        forced: the user asked for it: what cannot be compiled is an error, and not called as it is.
    """

    def __init__(self, network: nn.Module, *, forced: bool) -> None:
        super().__init__()
        self.network, self.forced = network, forced
        self.failed = hindrance(next(network.parameters()).device)
        self._check()
        # in a list: as a module of its own it would hold every parameter twice
        self._compiled = [] if self.failed else [torch.compile(network)]

    def forward(self, images: Tensor) -> Tensor:
        """What the network says."""
        from torch._dynamo.exc import TorchDynamoException  # takes a second, and a CPU needs none of it

        for compiled in self._compiled:
            try:
                return compiled(images)  # type: ignore[no-any-return]
            except TorchDynamoException as error:
                self.failed = words(error)
                self._check()
        self._compiled = []
        return self.network(images)  # type: ignore[no-any-return]

    def _check(self) -> None:
        if self.failed and self.forced:
            raise ConfigError(f"recipe: the network cannot be compiled here ({self.failed}); set compile to auto or false")


def ready(network: nn.Module, wanted: bool | Literal["auto"], device: torch.device) -> nn.Module:
    """The network, compiled where that is wanted (`Recipe.compile`).

    Raises:
        ConfigError: it was asked for by name, and there is no compiler.
    """
    if wanted is False or (wanted == "auto" and device.type not in AUTOMATIC):
        return network
    return Compiled(network, forced=wanted is True)


@cache
def hindrance(device: torch.device) -> str:
    """Why nothing can be compiled for this device, or nothing where it can; tried on four numbers, forwards and backwards.

    A compiler that is missing is noticed here, before a step of the training could have been half made.
    """
    numbers = torch.ones(4, device=device, requires_grad=True)
    try:
        found: Any = torch.compile(_trial)(numbers)
        found.backward()
    except Exception as error:  # noqa: BLE001 - Triton and Inductor raise whatever their compilers raise
        return words(error)
    return ""


def _trial(numbers: Tensor) -> Tensor:
    return (numbers * 2).sin().sum()


def words(error: BaseException) -> str:
    """The first lines of an error, cut: PyTorch's own begins with one that names no reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2] or [type(error).__name__])[:MOST_WORDS]
