"""One number per epoch for early stopping, more is better. What is reported to the user is `trainers.grading.evaluate`'s."""

from __future__ import annotations

import numpy as np
import torch

from trainers.engine.feed import Feed
from trainers.engine.predict import predict_feed
from trainers.values.pictures import Examples, Pictures
from trainers.values.recipe import Trained


def score_of(trained: Trained, pictures: Pictures, examples: Examples, device: torch.device) -> float:
    """How well the network does on the examples, as its kind of task measures it (`LearningTask.score`)."""
    task = trained.task
    feed = Feed(pictures, examples.rows, device, with_masks=task.from_masks, masks=examples.masks)
    predicted = predict_feed(trained, feed)
    if not task.from_masks:
        return task.score(predicted, examples.targets)
    drawn = [b.masks.cpu().numpy() for b in feed.batches([np.arange(len(predicted))]) if b.masks is not None]
    return task.score(predicted, drawn[0])
