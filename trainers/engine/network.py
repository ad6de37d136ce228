"""A network in two parts: an encoder that another task may borrow, and a head for this one; what is frozen and replaced."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from auditor.values.errors import ConfigError
from trainers.values.task import LearningTask


class Network(nn.Module):
    """Encoder and head. Pictures (b, C, *shape) → logits (b, K); of masks (b, K, *shape)."""

    def __init__(self, encoder: nn.Module, head: nn.Module, *, multiple: int = 1) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.multiple = multiple

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        if self.multiple == 1:
            return self._logits(images)
        # a U-Net halves and doubles: sides that do not divide are padded, and the padding is cut off again
        shape = images.shape[2:]
        padding = [(-side) % self.multiple for side in reversed(shape)]
        padded = functional.pad(images, [p for width in padding for p in (0, width)])
        logits = self._logits(padded)
        for axis, side in enumerate(shape, start=2):
            logits = logits.narrow(axis, 0, side)
        return logits

    def _logits(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.encoder(images))
        return logits


def parameters(network: nn.Module) -> int:
    """How many numbers are learnt."""
    return sum(p.numel() for p in network.parameters())


def blocks(network: nn.Module) -> list[nn.Module]:
    """The parts of the encoder that hold parameters, first to last; a lone wrapper is opened."""
    found = [child for child in network.get_submodule("encoder").children() if parameters(child)]
    while len(found) == 1 and len(list(found[0].children())) > 1:
        found = [child for child in found[0].children() if parameters(child)]
    return found


def freeze(network: nn.Module, count: int) -> list[nn.Module]:
    """Stops the first `count` blocks of the encoder (-1: all of it) from learning, and lets all the others learn.

    Returns the frozen modules: they belong in eval mode, so that their batch statistics stay as they are.
    """
    frozen = [network.get_submodule("encoder")] if count < 0 else blocks(network)[:count]
    network.requires_grad_(True)
    for module in frozen:
        module.requires_grad_(False)
    return frozen


def with_new_head(network: Network, task: LearningTask) -> Network:
    """The same network (not a copy) with a random head for another task of the same family (labels, or masks)."""
    old = network.head
    if isinstance(old, nn.Linear):
        network.head = nn.Linear(old.in_features, task.outputs)
    elif isinstance(old, (nn.Conv2d, nn.Conv3d)):
        network.head = type(old)(old.in_channels, task.outputs, 1)
    else:
        raise ConfigError("the head of this network cannot be replaced")
    return network
