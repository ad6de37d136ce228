"""One picture or mask, decoded to the geometry of the collection. Runs inside the bounded workers of `auditor.reading.workers`.

A network must not be able to read the container off the pixels: where a collection is not one kind of 8-bit raster files,
every picture is spread over its own 1st–99th percentile, and what was stored inverted is turned over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from auditor.evidence.masks.mask_facts import single_channel
from auditor.format import open_header, open_pixels, read_source
from auditor.measuring.measure import Begun, Measurer
from auditor.measuring.setup import Setup
from auditor.resample import resize
from auditor.values.errors import UnreadableFile
from auditor.values.image import Pixels
from auditor.values.measurement import Measurement, Task
from trainers.values.fitted import fitted, part
from trainers.values.pictures import UNKNOWN_PIXEL

DECODE_VERSION = 2
"""Raise it when the decoded values change: it is part of the cache key."""
SAMPLED = 1 << 21
"""A window is taken from about so many samples at most."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How the pictures of one collection are decoded.

    Args:
        shape: (height, width): the middle frame of each file; or (depth, height, width): all frames.
        depth: type of the result.
        window: spread every picture over its own 1st–99th percentile; else 8-bit values stay what they are.
        mask_values: value in a mask → its place is the class. Empty: see `soft_masks`.
        soft_masks: masks hold more values than classes (compressed, smoothed, or numbers of instances): there is one class.
    """

    shape: tuple[int, ...]
    depth: Literal["uint8", "uint16"] = "uint8"
    window: bool = False
    mask_values: tuple[int, ...] = ()
    soft_masks: bool = False


@dataclass(frozen=True, kw_only=True)
class Decoded(Measurement):
    """A picture, shape (1 or 3, *shape), or a mask, shape (*shape); three channels only where they differ."""

    array: npt.NDArray[np.generic] = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, kw_only=True)
class DecodeSetup(Setup):
    """What a worker that decodes needs to know."""

    plan: Plan

    def measurer(self) -> Decoder:
        """A decoder in the place of the measurer."""
        return Decoder(root=self.root, limits=self.limits, plan=self.plan)


@dataclass(kw_only=True)
class Decoder(Measurer):
    """Decodes tasks below one root; what cannot be read is answered with a problem, as in a scan."""

    plan: Plan

    def begin(self, task: Task) -> Begun:
        """Nothing waits for other files: `measure` is the whole of it."""
        return Begun(found=self._decoded(task))

    def _decoded(self, task: Task) -> list[Measurement]:
        """One answer per record of the task."""
        if task.items:
            return [self._picture(task.path, record, item) for record, item in zip(task.records, task.items, strict=True)]
        try:
            source = read_source(self.root / task.path, self.limits)
            pixels = open_pixels(source, open_header(source, self.limits), self.limits)
            array = mask_of(pixels, self.plan) if task.is_mask else picture_of(pixels, self.plan)
        except UnreadableFile as error:
            return [Measurement(record=record, problem=(error.kind, error.reason)) for record in task.records]
        return [Decoded(record=record, array=array) for record in task.records]

    def _picture(self, path: str, record: str, item: str) -> Measurement:
        member, _, index = item.partition(":")
        try:
            _, rows = self._rows(path, member)
            return Decoded(record=record, array=picture_of(Pixels(array=rows.row(int(index))[None]), self.plan))
        except UnreadableFile as error:
            return Measurement(record=record, problem=(error.kind, error.reason))


def picture_of(pixels: Pixels, plan: Plan) -> npt.NDArray[np.generic]:
    """The middle frame or all frames in the geometry and type of the plan, black bars around; shape (1 or 3, *plan.shape)."""
    frames = colour_frames(wanted_frames(pixels.array, plan))
    top = float(np.iinfo(plan.depth).max)
    low, high = window_of(frames) if plan.window else (0.0, 255.0)
    (height, width), _ = fitted(frames.shape[1:3], plan.shape[-2:])
    rows, columns = part(frames.shape[1:3], plan.shape[-2:])
    channels: list[npt.NDArray[np.float32]] = []
    for channel in range(frames.shape[-1]):
        planes = []
        for frame in frames[..., channel]:
            # A slide of 400 megapixels must not become 1.6 GB of floats: several samples per pixel of the result are enough.
            step = max(1, min(frame.shape[0] // (8 * height), frame.shape[1] // (8 * width)))
            plane = np.nan_to_num(frame[::step, ::step].astype(np.float32), nan=low, posinf=high, neginf=low)
            plane = np.clip((plane - np.float32(low)) / np.float32(high - low), 0, 1)
            plane = 1 - plane if pixels.inverted else plane
            whole_frame = np.zeros(plan.shape[-2:], np.float32)
            whole_frame[rows, columns] = plane if plane.shape == (height, width) else resize(plane, height, width)
            planes.append(whole_frame)
        channels.append(deepened(np.stack(planes), plan))
    whole: npt.NDArray[np.generic] = np.rint(np.clip(np.stack(channels), 0, 1) * top).astype(plan.depth)
    return whole


def wanted_frames(array: npt.NDArray[np.generic], plan: Plan) -> npt.NDArray[np.generic]:
    """All frames for a volume, else the middle one; (frames, height, width[, channels])."""
    middle = len(array) // 2
    return array if len(plan.shape) == 3 else array[middle : middle + 1]


def colour_frames(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Shape (frames, height, width, 1 or 3): without alpha, equal channels as one, any other number of them as their mean."""
    if array.ndim == 3:
        return array[..., None]
    if array.shape[-1] in (2, 4):
        array = array[..., :-1]
    if array.shape[-1] == 3 and not all(np.array_equal(array[..., 0], array[..., c]) for c in (1, 2)):
        return array
    if array.shape[-1] in (1, 3):
        return array[..., :1]
    mean: npt.NDArray[np.generic] = array.astype(np.float32).mean(axis=-1, keepdims=True)
    return mean


def window_of(frames: npt.NDArray[np.generic]) -> tuple[float, float]:
    """The 1st and 99th percentile of the finite values; the extremes where they are equal, and one apart for a flat picture."""
    step = max(1, int((frames.size / SAMPLED) ** 0.5))
    values = frames[:, ::step, ::step].astype(np.float32)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(values, (1, 99)))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1)


def deepened(volume: npt.NDArray[np.float32], plan: Plan) -> npt.NDArray[np.float32]:
    """Frames (n, height, width) → the plan's number of slices; of a plan without depth the one frame, (height, width)."""
    if len(plan.shape) == 2:
        frame: npt.NDArray[np.float32] = volume[0]
        return frame
    if len(volume) != plan.shape[0]:
        volume = resize(volume.reshape(len(volume), -1), plan.shape[0], volume[0].size).reshape(plan.shape)
    return volume


def mask_of(pixels: Pixels, plan: Plan) -> npt.NDArray[np.uint8]:
    """Class index per pixel, nearest neighbour, shape plan.shape; a value that the collection does not know is background.

    In the bars around the picture nobody knows the class.
    """
    values = single_channel(wanted_frames(pixels.array, plan))
    if len(plan.shape) == 2:
        values = values[0]
    inner, _ = fitted(values.shape[-2:], plan.shape[-2:])
    goal = (*plan.shape[:-2], *inner)
    nearest = [((np.arange(new) + 0.5) * old / new).astype(np.int64) for new, old in zip(goal, values.shape, strict=True)]
    found = np.full(plan.shape, UNKNOWN_PIXEL, np.uint8)
    found[..., *part(values.shape[-2:], plan.shape[-2:])] = classes_of(values, values[np.ix_(*nearest)], plan)
    return found


def classes_of(values: npt.NDArray[np.generic], small: npt.NDArray[np.generic], plan: Plan) -> npt.NDArray[np.uint8]:
    """Class index per sample `small` of the values of a mask."""
    if plan.soft_masks:
        return np.asarray(small.astype(np.float64) > soft_threshold(values), np.uint8)
    known = np.asarray(plan.mask_values)
    order = np.argsort(known)
    place = order[np.clip(np.searchsorted(known[order], small), 0, len(known) - 1)]
    return np.where(known[place] == small, place, 0).astype(np.uint8)


def soft_threshold(values: npt.NDArray[np.generic]) -> float:
    """Half of white for a mask that reaches white (a compressed or smoothed one); else 0: the values number the instances."""
    top = float(np.iinfo(values.dtype.name).max) if values.dtype.kind == "u" else 1.0 if values.dtype.kind == "f" else 0.0
    highest = float(values.max())
    return highest / 2 if highest in (top, 255.0) else 0.0
