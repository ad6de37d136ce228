"""Windows of pictures that are larger than what is learnt at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def windows_of(images: Tensor, masks: Tensor, size: tuple[int, ...], draw: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A window of each picture and the same one of its mask.

    Half of the windows are drawn around a pixel that belongs to an object, where there is one: in a large volume most windows
    hold none.

    Args:
        images: (b, C, *shape).
        masks: class per pixel, (b, *shape).
        size: of a window, no larger than a picture.
    """
    shape, pictures, drawn = masks.shape[1:], [], []
    for image, mask in zip(images, masks, strict=True):
        first = np.array([draw.integers(0, whole - part + 1) for whole, part in zip(shape, size, strict=True)])
        places = torch.nonzero((mask > 0) & (mask < 255)) if draw.random() < 0.5 else mask.new_empty((0, len(size)))
        if len(places):
            centre = places[int(draw.integers(len(places)))].cpu().numpy()
            first = np.clip(centre - np.array(size) // 2, 0, np.array(shape) - np.array(size))
        part = tuple(slice(int(start), int(start) + side) for start, side in zip(first, size, strict=True))
        pictures.append(image[(slice(None), *part)])
        drawn.append(mask[part])
    return torch.stack(pictures), torch.stack(drawn)
