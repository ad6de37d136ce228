"""What a trained network says about pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from trainers.engine.feed import Feed, Normaliser, layout
from trainers.values.pictures import Examples, Floats, Pictures, Rows
from trainers.values.recipe import Normalisation, Recipe, Trained
from trainers.values.task import LearningTask

AnyNetwork = TypeVar("AnyNetwork", bound=nn.Module)


def predict(
    trained: Trained,
    pictures: Pictures,
    rows: Rows | npt.NDArray[np.bool_],
    *,
    device: str | torch.device = "auto",
    batch: int = 256,
) -> Floats:
    """Predictions for some pictures, float32, in the order of `rows`.

    Probabilities of the classes or grades (m, K), of each label (m, K), the number in its own unit (m, 1); for masks
    (m, K, *shape), K = 1 (object) or all classes. Masks of pictures larger than those it was trained on are put together
    from overlapping windows (MONAI's sliding window, Gaussian weights, a quarter of overlap).

    Args:
        rows: numbers of pictures, or boolean per picture.
        device: `auto` = CUDA where there is one.
        batch: pictures at once.
    """
    place = device_of(device)
    rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.int64)
    network = placed(trained.network, trained.task, place)
    try:
        return predict_feed(trained, Feed(pictures, rows, place, held=False), batch=batch)
    finally:
        network.to("cpu")


def predict_feed(trained: Trained, feed: Feed, *, batch: int = 256) -> Floats:
    """As `predict`, with the network in eval mode on the device of the feed already."""
    task = trained.task
    logits = logits_of(trained.network.eval(), feed, task, trained.recipe, trained.normalisation, batch)
    parts = [task.decoded(part / trained.temperature) for part in logits]
    if parts:
        return np.concatenate(parts)
    return task.decoded(torch.zeros((0, task.outputs, *(feed.pictures.shape if task.dense else ()))))


@torch.no_grad()
def logits_of(
    network: nn.Module, feed: Feed, task: LearningTask, recipe: Recipe, normalisation: Normalisation, batch: int
) -> Iterator[Tensor]:
    """Logits float32 of all pictures of a feed, batch by batch, in order. The network is in eval mode."""
    size, normalise = len(feed.rows), Normaliser(normalisation, task.dims, feed.device)
    for images, _, _, present in feed.batches(np.arange(start, min(start + batch, size)) for start in range(0, size, batch)):
        seen = normalise(images)
        with autocast(recipe, feed.device):
            window = recipe.window(task.shape)
            if task.dense and any(a > b for a, b in zip(seen.shape[2:], window, strict=True)):
                logits = _windows(network, seen, window)
            else:
                logits = network(seen)
        yield task.united(logits.float(), present)


def _windows(network: nn.Module, images: Tensor, size: tuple[int, ...]) -> Tensor:
    from monai.inferers import sliding_window_inference

    def window(part: Tensor) -> Tensor:
        logits: Tensor = network(part.contiguous(memory_format=layout(part.ndim - 2, part.device)))
        return logits.float()

    whole: Any = sliding_window_inference(images, size, sw_batch_size=16, predictor=window, overlap=0.25, mode="gaussian")
    result: Tensor = whole
    return result


def placed(network: AnyNetwork, task: LearningTask, device: torch.device) -> AnyNetwork:
    """The network itself, moved to the device, its kernels in the layout of the pictures there."""
    network.to(device)
    network.to(memory_format=layout(task.dims, device))  # type: ignore[call-overload]
    return network


def device_of(device: str | torch.device) -> torch.device:
    """`auto` = CUDA where there is one."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def autocast(recipe: Recipe, device: torch.device) -> AbstractContextManager[Any]:
    """bf16 where the recipe wants it."""
    if recipe.precision == "bf16" or (recipe.precision == "auto" and device.type == "cuda"):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def score_of(trained: Trained, pictures: Pictures, examples: Examples, device: torch.device) -> float:
    """How well the network does on the examples, as its kind of task measures it (`LearningTask.score`), for early stopping.

    What is reported to the user is `trainers.grading.evaluate`'s.
    """
    task = trained.task
    feed = Feed(pictures, examples.rows, device, with_masks=task.from_masks, masks=examples.masks)
    predicted = predict_feed(trained, feed)
    if not task.from_masks:
        return task.score(predicted, examples.targets)
    drawn = [b.masks.cpu().numpy() for b in feed.batches([np.arange(len(predicted))]) if b.masks is not None]
    return task.score(predicted, drawn[0])
