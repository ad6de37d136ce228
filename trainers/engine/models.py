"""Networks by name, each in two parts: an encoder that another task may borrow, and a head for this one."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional

from auditor.values.errors import ConfigError
from trainers.values.recipe import Recipe, Trained
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


class SmallEncoder(nn.Sequential):
    """Pairs of 3×3 convolutions with batch norm, halving the side until 2–4 are left; features = what is left, flattened.

    Made for pictures of 8–64 pixels a side: three stages of width, 2 × width, 4 × width at most, and larger pictures are
    pooled to 2 × 2 in the end.
    """

    def __init__(self, channels: int, shape: tuple[int, ...], width: int, dropout: float) -> None:
        dims = len(shape)
        convolution, norm, pool, last = _LAYERS[dims]
        stages = min(4, max(2, round(math.log2(min(shape))) - 1))
        blocks: list[nn.Module] = []
        before = channels
        for stage in range(stages):
            after = width * min(4, 2**stage)
            layers: list[nn.Module] = [] if stage == 0 else [pool(2, ceil_mode=True)]
            for inputs in (before, after):
                layers += [convolution(inputs, after, 3, padding=1, bias=False), norm(after), nn.ReLU(inplace=True)]
            blocks.append(nn.Sequential(*layers))
            before = after
        super().__init__(*blocks, nn.Sequential(last(2), nn.Flatten(), nn.Dropout(dropout)))
        self.features = before * 2**dims


_LAYERS: Mapping[int, tuple[Callable[..., nn.Module], ...]] = {
    2: (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AdaptiveAvgPool2d),
    3: (nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d, nn.AdaptiveAvgPool3d),
}


def _small_cnn(task: LearningTask, width: int, dropout: float) -> Network:
    encoder = SmallEncoder(task.channels, task.shape, width or 32, dropout)
    return Network(encoder, nn.Linear(encoder.features, task.outputs))


def _resnet(name: str) -> Callable[[LearningTask, int, float], Network]:
    def build(task: LearningTask, width: int, dropout: float) -> Network:  # noqa: ARG001
        from monai.networks import nets

        # pictures of 64 pixels and less keep their detail: no pooling and no stride before the first stage
        small = min(task.shape) <= 64
        encoder: Any = getattr(nets, name)(
            spatial_dims=task.dims,
            n_input_channels=task.channels,
            num_classes=1,
            conv1_t_size=3 if small else 7,
            conv1_t_stride=1 if small else 2,
            no_max_pool=small,
        )
        features = encoder.fc.in_features
        encoder.fc = nn.Identity()
        return Network(encoder, nn.Linear(features, task.outputs))

    return build


def _densenet121(task: LearningTask, width: int, dropout: float) -> Network:  # noqa: ARG001
    from monai.networks.nets import DenseNet121

    encoder: Any = DenseNet121(spatial_dims=task.dims, in_channels=task.channels, out_channels=1)
    features = encoder.class_layers.out.in_features
    encoder.class_layers.out = nn.Identity()
    return Network(encoder, nn.Linear(features, task.outputs))


def _unet(task: LearningTask, width: int, dropout: float) -> Network:  # noqa: ARG001
    """Residual U-Net (Kerfoot 2018), as deep as the shortest side allows."""
    from monai.networks.nets import UNet

    width = width or 16
    levels = min(5, max(2, round(math.log2(min(task.shape))) - 1))
    encoder: Any = UNet(
        spatial_dims=task.dims,
        in_channels=task.channels,
        out_channels=width,
        channels=[width * min(8, 2**level) for level in range(levels)],
        strides=[2] * (levels - 1),
        num_res_units=1,
        norm="batch",
    )
    return Network(encoder, _pixel_head(task, width), multiple=2 ** (levels - 1))


def _basic_unet(task: LearningTask, width: int, dropout: float) -> Network:  # noqa: ARG001
    """U-Net (Falk 2019) with four halvings."""
    from monai.networks.nets import BasicUNet

    width = width or 32
    features = (width, width, 2 * width, 4 * width, 8 * width, width)
    encoder: Any = BasicUNet(spatial_dims=task.dims, in_channels=task.channels, out_channels=1, features=features, norm="batch")
    encoder.final_conv = nn.Identity()
    return Network(encoder, _pixel_head(task, width), multiple=16)


def _pixel_head(task: LearningTask, features: int) -> nn.Module:
    return _LAYERS[task.dims][0](features, task.outputs, 1)


NETWORKS: Mapping[str, Callable[[LearningTask, int, float], Network]] = {
    "small-cnn": _small_cnn,
    "resnet18": _resnet("resnet18"),
    "resnet50": _resnet("resnet50"),
    "densenet121": _densenet121,
    "unet": _unet,
    "basic-unet": _basic_unet,
}
_DENSE = ("unet", "basic-unet")
"""Networks that answer for every pixel."""


def network_named(name: str, task: LearningTask, *, width: int = 0, dropout: float = 0.0) -> Network:
    """A network with random weights, drawn from torch's generator.

    Raises:
        ConfigError: there is none of that name, or it does not fit the kind of task.
    """
    if name not in NETWORKS:
        raise ConfigError(f"network {name}: there is none of that name; one of {', '.join(NETWORKS)}")
    if (name in _DENSE) != task.dense:
        wanted = ", ".join(_DENSE if task.dense else (n for n in NETWORKS if n not in _DENSE))
        raise ConfigError(f"network {name} cannot learn a task of kind {task.kind}; one of {wanted}")
    return NETWORKS[name](task, width, dropout)


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


def first_network(task: LearningTask, recipe: Recipe, start: Trained | None) -> Network:
    """Random weights, or a copy of those to start from, with a new head where the classes are others."""
    if start is None:
        return network_named(recipe.network, task, width=recipe.width, dropout=recipe.dropout)
    network = copy.deepcopy(cast(Network, start.network))
    same = type(start.task) is type(task) and start.task.classes == task.classes
    return network if same else with_new_head(network, task)
