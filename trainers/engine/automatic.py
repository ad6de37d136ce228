"""The recipe when nobody gives one: network, batch and epochs by task, size and device."""

from __future__ import annotations

import numpy as np

from trainers.values.recipe import Recipe
from trainers.values.task import LearningTask


def automatic(task: LearningTask, examples: int, device: str) -> Recipe:
    """A recipe by task, size of the pictures, number of examples and kind of device.

    About as many steps are made whatever the number of examples: few examples are seen up to 100 times, many at least 5.
    """
    side, strong = min(task.shape[-2:]), device == "cuda"
    batch = 64 if examples >= 512 else 32 if examples >= 128 else 16
    steps = 1600 if strong else 800 if side <= 32 else 400
    network, width, rate = "small-cnn", 0, 3e-3
    if task.dense:
        network, rate, batch = ("basic-unet" if strong else "unet"), 2e-3, min(batch, 16)
    elif strong and side > 64:
        network, rate, steps = "resnet18", 1e-3, 6000
    elif not strong and (side > 16 or task.dims == 3):
        width = 16  # three times as fast as its habit of 32
    per_epoch = max(1, -(-examples // batch))
    epochs = int(np.clip(-(-steps // per_epoch), 5, 100))
    return Recipe(network=network, width=width, epochs=epochs, batch=batch, rate=rate)
