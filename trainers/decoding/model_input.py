"""Pictures as a given network wants them: its shape and its channels, decoded like those that networks are trained on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from auditor.progress import Progress, Silent
from auditor.values.dataset import Dataset
from auditor.values.image import Limits
from trainers.decoding.mapped import mapped_array
from trainers.decoding.pictures import read_pictures
from trainers.values.pictures import Pictures

PORTION = 1024


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where and how pictures are decoded and networks run.

    Args:
        device: auto (CUDA where there is one, else the CPU), cpu, cuda, cuda:N or mps.
        scratch: decoded pictures lie in a private folder of it while they are needed; None = the system's temporary files.
        limits, workers: of the processes that read files.
        trust_program: an encoder that is a program (`.pt2`) may be run: the user said so.
    """

    device: str = "auto"
    scratch: Path | None = None
    limits: Limits = field(default_factory=Limits)
    workers: int = 1
    progress: Progress = field(default_factory=Silent)
    trust_program: bool = False

    @contextmanager
    def work(self) -> Iterator[Path]:
        """A private folder, gone afterwards."""
        parent = self.scratch if self.scratch is not None and self.scratch.is_dir() else None
        with TemporaryDirectory(prefix="medaudit-", dir=parent) as folder:
            yield Path(folder)


def pictures_for(dataset: Dataset, place: Workplace, work: Path, *, channels: int, shape: tuple[int, ...]) -> Pictures:
    """The pictures of a dataset that was scanned, in the shape and with the channels of a network (see `with_channels`).

    Raises:
        DatasetError: no picture can be read, or the network reads volumes and these are none.
    """
    pictures = read_pictures(
        dataset, work=work, shape=shape, limits=place.limits, workers=place.workers, progress=place.progress
    )
    return with_channels(pictures, channels)


def with_channels(pictures: Pictures, channels: int) -> Pictures:
    """The same pictures for a network of so many channels, 1 or 3.

    Grey ones are shown as three equal channels; of coloured ones a grey network sees the mean of their channels.
    """
    if pictures.channels == channels:
        return pictures
    array: Any = pictures.array
    words = channels_told(pictures.channels, channels)
    if channels != 1:
        wide = np.broadcast_to(array[:, :1], (len(array), channels, *array.shape[2:]))
        return replace(pictures, array=wide, told=(*pictures.told, words))
    shape = (len(array), 1, *array.shape[2:])
    grey: Any
    if isinstance(array, np.memmap):
        grey = mapped_array(Path(str(array.filename)).with_name("grey.npy"), array.dtype, shape)
    else:
        grey = np.empty(shape, array.dtype)
    for start in range(0, len(array), PORTION):
        mean = array[start : start + PORTION].astype(np.float32).mean(axis=1, keepdims=True)
        grey[start : start + PORTION] = np.rint(mean)
    return replace(pictures, array=grey, told=(*pictures.told, words))


def channels_told(there: int, wanted: int) -> str:
    """What `with_channels` does to pictures, in words."""
    if wanted == 1:
        return f"the network reads grey pictures: of the {there} channels of these it sees the mean"
    return f"the network reads pictures of {wanted} channels: these are grey and shown as {wanted} equal ones"
