"""What can be done about masks that miss objects: learn only around those that were drawn, or believe in more of them."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from auditor.values.errors import ConfigError
from trainers.values.pictures import UNKNOWN_PIXEL, Floats
from trainers.values.recipe import Trained

Masks = npt.NDArray[np.uint8]

TILE = 256
"""Side of the pictures for which a least number of pixels is given (Foucart 2019: tiles of 256 × 256, 80 pixels)."""
THRESHOLDS = np.concatenate([np.geomspace(1e-4, 0.05, 24, endpoint=False), np.linspace(0.05, 0.95, 46)])


def around_objects(masks: Masks, *, complete: npt.NDArray[np.bool_], margin: float, least_pixels: float) -> Masks:
    """Masks in which everything beyond the surroundings of drawn objects is `UNKNOWN_PIXEL`; a copy.

    Args:
        masks: class per pixel, (n, *shape); 0 = background.
        complete: of shape (n,): these stay as they are.
        margin: of the window around an object's box, as a share of its longest side; at least one pixel.
        least_pixels: smaller objects have no window; for 256 × 256 pixels, in proportion to the area of the picture.
    """
    shape = masks.shape[1:]
    least = least_pixels * math.prod(shape[-2:]) / TILE**2
    found = masks.copy()
    for i in np.flatnonzero(~complete):
        drawn = (masks[i] > 0) & (masks[i] != UNKNOWN_PIXEL)
        objects, _ = ndimage.label(drawn)
        sizes = np.bincount(objects.ravel())
        known = np.zeros(shape, np.bool_)
        for number, box in enumerate(ndimage.find_objects(objects), start=1):
            if sizes[number] < least:
                continue
            more = max(1, math.ceil(margin * max(part.stop - part.start for part in box)))
            known[tuple(slice(max(0, part.start - more), part.stop + more) for part in box)] = True
        found[i] = np.where(known, masks[i], UNKNOWN_PIXEL)
    return found


def best_threshold(truth: npt.NDArray[np.generic], probabilities: Floats) -> float:
    """The probability from which on a pixel is object, with the best Dice as a mean over pictures; the lowest of equals.

    Args:
        truth: class per pixel, (n, *shape); 255 counts nowhere.
        probabilities: of being object, (n, *shape).
    """
    known = truth != UNKNOWN_PIXEL
    drawn = (truth != 0) & known
    axes = tuple(range(1, truth.ndim))
    size, best, dice = drawn.sum(axis=axes), 0.5, -1.0
    for threshold in THRESHOLDS:
        said = (probabilities > threshold) & known
        either = size + said.sum(axis=axes)
        if not either.any():
            continue
        both = (said & drawn).sum(axis=axes)
        value = float(np.mean(2 * both[either > 0] / either[either > 0]))
        if value > dice:
            best, dice = float(threshold), value
    return best


def shifted(trained: Trained, threshold: float) -> Trained:
    """The same network, whose probability .5 is the given one of before: the bias of its head is moved; a copy.

    Raises:
        ConfigError: the head has no bias, or more than one output.
    """
    import torch

    network = copy.deepcopy(trained.network)
    bias = getattr(network.get_submodule("head"), "bias", None)
    if not isinstance(bias, torch.Tensor) or bias.numel() != 1:
        raise ConfigError("the threshold of this network cannot be moved: its head has no bias of one output")
    with torch.no_grad():
        bias -= trained.temperature * math.log(threshold / (1 - threshold))
    return replace(trained, network=network)
