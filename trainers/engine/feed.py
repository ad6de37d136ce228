"""Brings batches of pictures and masks to the device: from a copy that lies there, or streamed from the array on disk.

Pictures that are larger than what is learnt at once are brought as windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from auditor.values.errors import ConfigError
from trainers.values.pictures import UNKNOWN_PIXEL, Pictures, Rows
from trainers.values.recipe import Normalisation

HELD_SHARE = 0.5
"""Of the free memory of a GPU that pictures may take; the rest is for the network."""
PORTION = 4096


class Batch(NamedTuple):
    """One batch on the device.

    Args:
        images: float32 (b, C, *shape), shares of white, 0–1.
        masks: uint8 (b, *shape), or None.
        places: int64 (b,), in the rows of the feed.
        present: bool (b, k): which of the k pictures of each bag are there; images are then (b · k, ...). k is 1 where a
            picture is a case of its own.
    """

    images: Tensor
    masks: Tensor | None
    places: Tensor
    present: Tensor


class Feed:
    """The pictures of some rows, batch by batch.

    Args:
        rows: int64 (m,) into the pictures, or (m, k) of bags, −1 fills up; batches are asked for by position in it.
        masks: uint8 (m, *shape) in the place of the pictures' own; `with_masks` False leaves masks out.
        held: True copies the rows to the device at once; None decides by size: on a GPU when they take at most half of its free
            memory, on the CPU never (the array is in memory or mapped already).
        ahead: read the next batch in a thread while this one is used; None = on a GPU.
    """

    def __init__(
        self,
        pictures: Pictures,
        rows: Rows,
        device: torch.device,
        *,
        with_masks: bool = False,
        masks: npt.NDArray[np.uint8] | None = None,
        held: bool | None = None,
        ahead: bool | None = None,
    ) -> None:
        self.pictures, self.device = pictures, device
        self.rows = rows[:, None] if rows.ndim == 1 else rows
        self.present = torch.from_numpy(self.rows >= 0)
        # a place that is not taken shows the first picture again: statistics of a batch see real pictures alone
        self.rows = np.where(self.rows >= 0, self.rows, self.rows[:, :1])
        if with_masks and self.rows.shape[1] > 1:
            raise ConfigError("masks are learnt picture by picture, not in bags")
        self.own_masks = masks
        self.with_masks = with_masks
        self.ahead = device.type == "cuda" if ahead is None else ahead
        self.held: tuple[Tensor, Tensor | None] | None = None
        if self._fits() if held is None else held:
            self.held = self._copied()

    def _fits(self) -> bool:
        if self.device.type != "cuda":
            return False
        array = self.pictures.array
        size = int(np.prod(array.shape[1:])) * array.itemsize + int(np.prod(array.shape[2:])) * self.with_masks
        free, _ = torch.cuda.mem_get_info(self.device)
        return self.rows.size * size <= free * HELD_SHARE

    def _copied(self) -> tuple[Tensor, Tensor | None]:
        """All rows on the device, in portions, so that main memory never holds them twice."""
        one, drawn, _ = self._read(np.arange(1))
        members = self.rows.shape[1]
        images = one.new_empty((len(self.rows), members, *one.shape[1:]), device=self.device)
        masks = None if drawn is None else drawn.new_empty((len(self.rows), *drawn.shape[1:]), device=self.device)
        for start in range(0, len(self.rows), PORTION):
            index = np.arange(start, min(start + PORTION, len(self.rows)))
            some, drawn, _ = self._read(index)
            images[start : start + len(index)] = some.to(self.device).reshape(len(index), members, *some.shape[1:])
            if masks is not None and drawn is not None:
                masks[start : start + len(index)] = drawn.to(self.device)
        return images, masks

    def batches(self, positions: Iterable[npt.NDArray[np.int64]]) -> Iterator[Batch]:
        """One batch for each array of positions; the next one is read while this one is used."""
        if self.held is not None or not self.ahead:
            for index in positions:
                yield self._sent(*(self._read(index) if self.held is None else self._picked(self.held, index)))
            return
        with ThreadPoolExecutor(1) as reader:
            waiting = None
            for index in positions:
                coming = reader.submit(self._read, index)
                if waiting is not None:
                    yield self._sent(*waiting.result())
                waiting = coming
            if waiting is not None:
                yield self._sent(*waiting.result())

    def _picked(self, held: tuple[Tensor, Tensor | None], index: Rows) -> tuple[Tensor, Tensor | None, Tensor]:
        where = torch.from_numpy(index).to(self.device)
        return held[0][where].flatten(0, 1), None if held[1] is None else held[1][where], where

    def _read(self, index: Rows) -> tuple[Tensor, Tensor | None, Tensor]:
        rows = self.rows[index]
        pixels = np.ascontiguousarray(self.pictures.array[rows.reshape(-1)])
        # torch computes little with uint16; the same bits as int16 are turned back by `_sent`
        images = torch.from_numpy(pixels.view(np.int16) if pixels.dtype == np.uint16 else pixels)
        masks = torch.from_numpy(self._masks(index, rows[:, 0])) if self.with_masks else None
        where = torch.from_numpy(np.ascontiguousarray(index))
        if self.device.type != "cuda":
            return images, masks, where
        return images.pin_memory(), None if masks is None else masks.pin_memory(), where.pin_memory()

    def _masks(self, index: Rows, rows: Rows) -> npt.NDArray[np.uint8]:
        if self.own_masks is not None:
            return np.ascontiguousarray(self.own_masks[index])
        assert self.pictures.masks is not None
        masks = np.ascontiguousarray(self.pictures.masks[rows])
        if self.pictures.masked is not None:
            masks[~self.pictures.masked[rows]] = UNKNOWN_PIXEL  # without a mask file nobody knows what is background
        return masks

    def _sent(self, images: Tensor, masks: Tensor | None, index: Tensor) -> Batch:
        images = images.to(self.device, non_blocking=True)
        bits = images.to(torch.int32) & 0xFFFF if images.dtype == torch.int16 else images
        return Batch(
            bits.to(torch.float32) / self.pictures.top,
            None if masks is None else masks.to(self.device, non_blocking=True),
            index.to(self.device, non_blocking=True),
            self.present[index.cpu()].to(self.device, non_blocking=True),
        )


class Normaliser:
    """Shares of white → what a network sees, in the memory layout that convolutions like best."""

    def __init__(self, normalisation: Normalisation, dims: int, device: torch.device) -> None:
        size = (1, -1, *[1] * dims)
        self.mean = torch.tensor(normalisation.mean, device=device).reshape(size)
        self.deviation = torch.tensor(normalisation.deviation, device=device).reshape(size)
        self.layout = layout(dims, device)

    def __call__(self, images: Tensor) -> Tensor:
        """Images float32 (b, C, *shape)."""
        return ((images - self.mean) / self.deviation).contiguous(memory_format=self.layout)


def layout(dims: int, device: torch.device) -> torch.memory_format:
    """Channels last: 1.6–1.9 times as fast on a CPU in 2D, and what tensor cores want; of volumes on the CPU it is not."""
    if dims == 2:
        return torch.channels_last
    return torch.channels_last_3d if device.type == "cuda" else torch.contiguous_format


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
