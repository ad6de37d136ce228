"""Networks by name: our own, those of MONAI, what installed packages add (`medaudit.networks`), and the user's own."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from torch import nn

from auditor.values.errors import ConfigError
from auditor.values.suggestion import suggestion
from trainers.engine.network import Network, with_new_head
from trainers.engine.own_network import installed, is_own, own_network
from trainers.values.recipe import Recipe, Trained
from trainers.values.task import LearningTask

SMALL_SIDE = 64
"""Pictures of so many pixels and less keep their detail: no stride and no pooling before the first stage."""


class SmallEncoder(nn.Sequential):
    """Pairs of 3×3 convolutions with batch norm, halving the side until 2–8 are left, pooled to 2 × 2; features = all of it.

    Stages of width, 2 × width, then 4 × width. Pictures above 64 pixels a side are halved by a 5×5 convolution first.
    """

    def __init__(self, channels: int, shape: tuple[int, ...], width: int, dropout: float) -> None:
        dims, side = len(shape), min(shape)
        convolution, norm, pool, last = _LAYERS[dims]
        large = side > SMALL_SIDE
        stages = min(6, round(math.log2(side)) - 2) if large else min(4, max(2, round(math.log2(side)) - 1))
        blocks: list[nn.Module] = []
        before = channels
        if large:
            stem = convolution(channels, width, 5, stride=2, padding=2, bias=False)
            blocks.append(nn.Sequential(stem, norm(width), nn.ReLU(inplace=True)))
            before = width
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

        small = min(task.shape) <= SMALL_SIDE
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


def _densenet(name: str) -> Callable[[LearningTask, int, float], Network]:
    def build(task: LearningTask, width: int, dropout: float) -> Network:  # noqa: ARG001
        from monai.networks import nets

        encoder: Any = getattr(nets, name)(spatial_dims=task.dims, in_channels=task.channels, out_channels=1)
        features = encoder.class_layers.out.in_features
        encoder.class_layers.out = nn.Identity()
        return Network(encoder, nn.Linear(features, task.outputs))

    return build


def _efficientnet(task: LearningTask, width: int, dropout: float) -> Network:  # noqa: ARG001
    from monai.networks.nets import EfficientNetBN

    encoder: Any = EfficientNetBN(
        "efficientnet-b0", pretrained=False, spatial_dims=task.dims, in_channels=task.channels, num_classes=1
    )
    features = encoder._fc.in_features
    encoder._fc = nn.Identity()
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


def _attention_unet(task: LearningTask, width: int, dropout: float) -> Network:
    """U-Net with attention gates (Oktay 2018), as deep as the shortest side allows."""
    from monai.networks.nets import AttentionUnet

    width = width or 16
    levels = min(5, max(2, round(math.log2(min(task.shape))) - 1))
    encoder: Any = AttentionUnet(
        spatial_dims=task.dims, in_channels=task.channels, out_channels=width,
        channels=[width * min(8, 2**level) for level in range(levels)], strides=[2] * (levels - 1), dropout=dropout,
    )  # fmt: skip
    return Network(encoder, _pixel_head(task, width), multiple=2 ** (levels - 1))


def _segresnet(task: LearningTask, width: int, dropout: float) -> Network:
    """Residual encoder and decoder (Myronenko 2018), three halvings."""
    from monai.networks.nets import SegResNet

    width = width or 16
    encoder: Any = SegResNet(
        spatial_dims=task.dims, init_filters=width, in_channels=task.channels, out_channels=width, dropout_prob=dropout or None,
        norm=("GROUP", {"num_groups": math.gcd(width, 8)}),
    )  # fmt: skip
    return Network(encoder, _pixel_head(task, width), multiple=8)


def _pixel_head(task: LearningTask, features: int) -> nn.Module:
    return _LAYERS[task.dims][0](features, task.outputs, 1)


NETWORKS: Mapping[str, Callable[[LearningTask, int, float], Network]] = {
    "small-cnn": _small_cnn,
    "resnet10": _resnet("resnet10"),
    "resnet18": _resnet("resnet18"),
    "resnet34": _resnet("resnet34"),
    "resnet50": _resnet("resnet50"),
    "densenet121": _densenet("DenseNet121"),
    "densenet169": _densenet("DenseNet169"),
    "efficientnet-b0": _efficientnet,
    "unet": _unet,
    "basic-unet": _basic_unet,
    "attention-unet": _attention_unet,
    "segresnet": _segresnet,
}
DENSE = ("unet", "basic-unet", "attention-unet", "segresnet")
"""Networks that answer for every pixel; the others answer once per picture."""
SMALL = "small"
"""The smallest of its kind, by one name for both."""


def known_network(name: str) -> str:
    """The name, which there is: of ours, of an installed package, or of the user's own code or program.

    Raises:
        ConfigError: there is none of that name; it says which one may be meant.
    """
    if name in NETWORKS or name == SMALL or is_own(name) or name in installed():
        return name
    raise ConfigError(
        f"--network {name}: there is none of that name{suggestion(name, [SMALL, *NETWORKS, *installed()])}; "
        "your own is module:factory or a .pt2 program"
    )


def network_named(name: str, task: LearningTask, *, width: int = 0, dropout: float = 0.0) -> Network:
    """A network with random weights, drawn from torch's generator; a program has those of its file.

    Args:
        width: feature maps of the first stage; 0 = its own habit. Our own network and the U-Nets heed it.
        dropout: before the head of `small-cnn`, inside `attention-unet` and `segresnet`; the others have none.

    Raises:
        ConfigError: there is none of that name, or it does not fit the kind of task.
    """
    known_network(name)
    if name == SMALL:
        name = "unet" if task.dense else "small-cnn"
    if name not in NETWORKS:
        return own_network(name, task)
    if (name in DENSE) != task.dense:
        wanted = ", ".join(DENSE if task.dense else (n for n in NETWORKS if n not in DENSE))
        raise ConfigError(f"--network {name}: cannot learn a task of kind {task.kind}; one of {wanted}")
    return NETWORKS[name](task, width, dropout)


def first_network(task: LearningTask, recipe: Recipe, start: Trained | None) -> Network:
    """Random weights, or a copy of those to start from, with a new head where the classes are others."""
    if start is None:
        return network_named(recipe.network, task, width=recipe.width, dropout=recipe.dropout)
    network = copy.deepcopy(cast(Network, start.network))
    same = type(start.task) is type(task) and start.task.classes == task.classes
    return network if same else with_new_head(network, task)
