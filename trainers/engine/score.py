"""One number per epoch for early stopping, more is better. What is reported to the user is `trainers.grading.evaluate`'s."""

from __future__ import annotations

import numpy as np
import torch

from trainers.engine.feed import Feed
from trainers.engine.predict import predict_feed
from trainers.tasks.of_dataset import targets_from
from trainers.values.pictures import UNKNOWN_PIXEL, Examples, Floats, Pictures
from trainers.values.recipe import Trained


def score_of(trained: Trained, pictures: Pictures, examples: Examples, device: torch.device) -> float:
    """Balanced accuracy for one label; minus the mean absolute error of grades, numbers and several labels; Dice for masks."""
    feed = Feed(pictures, examples.rows, device, with_masks=trained.task.kind == "segmentation", masks=examples.masks)
    predicted = predict_feed(trained, feed)
    if trained.task.kind == "segmentation":
        return _dice(predicted, feed)
    if trained.task.kind == "single":
        truth, said = examples.targets.argmax(1), predicted.argmax(1)
        return float(np.mean([(said[truth == c] == c).mean() for c in np.unique(truth)]))
    return -float(np.nanmean(np.abs(targets_from(trained.task, predicted) - examples.targets)))


def _dice(predicted: Floats, feed: Feed) -> float:
    """Mean over the classes that are not background, over all pixels whose class is known."""
    both, either = 0.0, 0.0
    for start in range(0, len(predicted), 64):
        part = predicted[start : start + 64]
        batch = next(iter(feed.batches([np.arange(start, start + len(part))])))
        assert batch.masks is not None
        truth = batch.masks.cpu().numpy()
        said = (part[:, 0] > 0.5).astype(np.uint8) if part.shape[1] == 1 else part.argmax(1).astype(np.uint8)
        known = truth != UNKNOWN_PIXEL
        both += 2.0 * ((said == truth) & (truth > 0) & known).sum()
        either += float(((said > 0) & known).sum() + ((truth > 0) & known).sum())
    return both / either if either else 1.0
