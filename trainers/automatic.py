"""The recipe when nobody gives one: network, batch and epochs by task, size and device, fitted to the time there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from trainers.data import Examples, Pictures
from trainers.loop import train
from trainers.recipe import Recipe
from trainers.task import LearningTask


def automatic(task: LearningTask, examples: int, device: str) -> Recipe:
    """A recipe by task, size of the pictures, number of examples and kind of device.

    About as many steps are made whatever the number of examples: few examples are seen up to 100 times, many at least 5.
    """
    large = min(task.shape[-2:]) > 64
    strong = device == "cuda"
    batch = 64 if examples >= 512 else 32 if examples >= 128 else 16
    steps = 800
    if task.kind == "segmentation":
        network, rate, batch, steps = ("basic-unet" if strong else "unet"), 2e-3, min(batch, 16), 600
    elif large and strong:
        network, rate, steps = "resnet18", 1e-3, 3000
    else:
        network, rate = "small-cnn", 3e-3
    if strong:
        steps *= 2
    per_epoch = max(1, -(-examples // batch))
    return Recipe(
        network=network,
        width=16 if network == "small-cnn" and (large or task.dims == 3) and not strong else 0,
        epochs=int(np.clip(-(-steps // per_epoch), 5, 100)),
        batch=batch,
        rate=rate,
    )


def fitted(
    recipe: Recipe, pictures: Pictures, examples: Examples, task: LearningTask, device: torch.device, seconds: float
) -> Recipe:
    """The recipe with as many epochs as end in time, three at least; two short trainings of a few batches are timed for it."""
    few = examples.take(slice(0, 4 * recipe.batch))
    if not len(few):
        return recipe
    trial = replace(recipe, epochs=2)
    trained = train(pictures, few, task, trial, seed=0, device=device)
    epoch = trained.history[-1].seconds * len(examples) / len(few)
    return replace(recipe, epochs=int(np.clip(seconds / max(epoch, 1e-6), min(3, recipe.epochs), recipe.epochs)))
