"""How a network is trained (`Recipe`) and what comes out (`Trained`): plain values without a training loop in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from auditor.values.errors import ConfigError
from trainers.values.pictures import Floats, Pictures, Rows
from trainers.values.task import LearningTask

if TYPE_CHECKING:
    from torch import nn

SAMPLED_PICTURES = 512


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Args:
        network: name, see `trainers.engine.models.NETWORKS`; or the user's own, see `trainers.engine.own_network`.
        width: feature maps of its first stage; 0 = its own habit. Only our own networks and the U-Nets heed it.
        dropout: before the head of `small-cnn`.
        epochs: passes over the examples.
        offset, planned: the training is one round of a longer one, of `planned` epochs (0: it is whole) of which `offset` are
            over: order, rate and augmentation go on from there.
        batch: examples per step (over all processes together).
        rate: highest learning rate of AdamW; it rises over the first `warmup` of all steps and falls as a half cosine to 0.
        weight_decay: of AdamW, on weight matrices and kernels alone.
        loss: `natural` (cross-entropy; binary cross-entropy per label or grade; smooth L1; Dice + cross-entropy for masks), or
            a name of `trainers.losses.LOSSES`.
        loss_options: its parameters, such as `lam` and `beta` of `elr`, `q` of `gce`, `prior` of `pu`.
        proximal: μ of FedProx (Li 2020): μ/2 times the squared distance from the weights that the training began with is added
            to the loss.
        ema: decay per step of the averaged weights that are used in the end; None = the last weights.
        augmentation: on the device, see `trainers.engine.augment`.
        flips: axes that the task is indifferent to; augmentation mirrors half of the pictures along each.
        mixup: α of the Beta distribution (Zhang 2018); 0 = off.
        label_smoothing: share of a target that is spread over all classes.
        frozen: how many of the first blocks of the encoder do not learn; -1 = the whole encoder.
        thaw: epoch from which on they do; None = never.
        patience: stop after so many epochs without a better score on the validation examples, and keep the best weights;
            None = train all epochs, so that arms that are compared have had the same compute.
        precision: `auto` = bf16 autocast on CUDA, fp32 elsewhere.
        compile: `torch.compile` of the network; `auto` = on CUDA, where it can be.
        patch: masks of larger pictures are learnt in windows of at most so many pixels a side, drawn anew each time a picture
            is seen, and put together from overlapping ones; 0 = whole.
    """

    network: str = "small-cnn"
    width: int = 0
    dropout: float = 0.0
    epochs: int = 40
    offset: int = 0
    planned: int = 0
    batch: int = 64
    rate: float = 3e-3
    warmup: float = 0.1
    weight_decay: float = 1e-2
    loss: str = "natural"
    loss_options: Mapping[str, float] = field(default_factory=dict)
    proximal: float = 0.0
    ema: float | None = None
    augmentation: Literal["off", "standard", "strong"] = "off"
    flips: tuple[int, ...] = ()
    mixup: float = 0.0
    label_smoothing: float = 0.0
    frozen: int = 0
    thaw: int | None = None
    patience: int | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    compile: bool | Literal["auto"] = "auto"
    patch: int = 0

    def window(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """What the network sees at once of a picture of this shape."""
        return tuple(min(side, self.patch or side) for side in shape)

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 1:
            raise ConfigError(f"recipe: epochs {self.epochs} and batch {self.batch} must be at least 1")
        if self.planned and self.offset + self.epochs > self.planned:
            raise ConfigError(f"recipe: {self.epochs} epochs after {self.offset} are more than the {self.planned} planned")
        if self.mixup and self.loss == "elr":
            raise ConfigError(
                "recipe: mixup and elr exclude each other: elr remembers one prediction per picture, mixup blends two"
            )


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """A stored pixel p enters the network as (p / largest value of its type − mean) / deviation, per channel."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @staticmethod
    def of(pictures: Pictures, rows: Rows) -> Normalisation:
        """Measured on the pictures of these rows; of many, on 512 evenly spaced ones."""
        rows = rows[rows >= 0]  # of bags, one after the other
        some = rows[np.linspace(0, len(rows) - 1, min(len(rows), SAMPLED_PICTURES)).astype(np.int64)]
        count, total, square = 0, np.zeros(pictures.channels), np.zeros(pictures.channels)
        for start in range(0, len(some), 32):
            part = pictures.array[some[start : start + 32]].astype(np.float64) / pictures.top
            axes = (0, *range(2, part.ndim))
            count += part.size // pictures.channels
            total += part.sum(axis=axes)
            square += (part**2).sum(axis=axes)
        mean = total / count
        deviation = np.sqrt(np.maximum(square / count - mean**2, 0))
        deviation = np.where(deviation > 1e-4, deviation, 1)  # a constant channel must not become a huge one
        return Normalisation(mean=tuple(map(float, mean)), deviation=tuple(map(float, deviation)))


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass over the examples: mean loss, score on the validation examples (more is better), wall seconds."""

    loss: float
    score: float | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained network and how it came to be.

    Args:
        network: in eval mode, on the CPU; the averaged weights where the recipe asks for them.
        history: one entry per epoch.
        seconds: of training, all runs of a resumed one together.
        records: how many examples it learnt from.
        complete: False when the deadline came before the last epoch.
        dynamics: float32 (epochs, examples): probability of the given label in training, epoch by epoch (data maps, Swayamdipta
            2020); NaN in epochs that were not trained. For multi-label targets the mean over known labels.
        margins: float32 (epochs, examples): logit of the given class − the largest other (area under the margin, Pleiss 2020);
            single-label only.
        temperature: logits are divided by it before they become probabilities (Guo 2017).
        uncompiled: why the network was not compiled, where it should have been.
    """

    network: nn.Module
    task: LearningTask
    recipe: Recipe
    normalisation: Normalisation
    seed: int
    history: tuple[Epoch, ...] = ()
    seconds: float = 0.0
    records: int = 0
    complete: bool = True
    dynamics: Floats | None = None
    margins: Floats | None = None
    temperature: float = 1.0
    uncompiled: str = ""
