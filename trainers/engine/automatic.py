"""The recipe when nobody gives one: network, batch and epochs by task, size and device."""

from __future__ import annotations

import numpy as np

from trainers.values.recipe import Recipe
from trainers.values.task import LearningTask

RATES = {"small-cnn": 3e-3, "unet": 2e-3, "basic-unet": 2e-3, "attention-unet": 2e-3, "segresnet": 2e-3}
DEEP_RATE = 1e-3
"""Of every other network: the deep ones of MONAI and those of the user."""
MOST_DENSE_BATCH = 16
MOST_VOXELS = 1 << 22
"""Of a batch of volumes."""
PATCH = 96
"""Longest side of the windows in which a GPU learns masks of larger volumes."""
DETAILED, LARGE = 32, 64
"""Longest sides of what counts as tiny, and of what still trains in minutes on a CPU."""


def automatic(task: LearningTask, examples: int, device: str, network: str | None = None) -> Recipe:
    """A recipe by task, size of the pictures, number of examples, kind of device and network.

    About as many steps are made whatever the number of examples: few examples are seen up to 100 times, many at least 5.

    Args:
        network: its name; None = the smallest of its kind on a CPU, on a GPU what the pictures are worth.
    """
    side, strong = min(task.shape[-2:]), device == "cuda"
    named = network or usual_network(task, device)
    if named == "small":
        named = usual_network(task, "cpu")
    batch = 64 if examples >= 512 else 32 if examples >= 128 else 16
    if task.dense:
        batch = min(batch, MOST_DENSE_BATCH)
    if task.dims == 3:
        voxels = int(np.prod([min(side, PATCH) if task.dense and strong else side for side in task.shape]))
        batch = max(2, min(batch, MOST_VOXELS // voxels))
    # a deep network that starts from nothing takes longer; small pictures allow it
    steps = 6000 if strong and named not in RATES and side > LARGE else 1600 if strong else 800 if side <= DETAILED else 400
    width = 16 if not strong and named == "small-cnn" and (side > 16 or task.dims == 3) else 0  # a third of its habit's work
    patch = PATCH if strong and task.from_masks and task.dims == 3 and max(task.shape) > PATCH else 0
    per_epoch = max(1, -(-examples // batch))
    epochs = int(np.clip(-(-steps // per_epoch), 5, 100))
    return Recipe(network=named, width=width, epochs=epochs, batch=batch, rate=RATES.get(named, DEEP_RATE), patch=patch)


def usual_network(task: LearningTask, device: str) -> str:
    """The network that is taken where none is named: on a CPU the smallest of its kind."""
    if task.dense:
        return "basic-unet" if device == "cuda" else "unet"
    return "resnet18" if device == "cuda" and min(task.shape[-2:]) > LARGE else "small-cnn"
