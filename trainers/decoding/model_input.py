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
from auditor.values.errors import ConfigError
from auditor.values.image import Limits
from trainers.decoding.pictures import read_pictures
from trainers.values.pictures import Pictures


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


def pictures_for(
    dataset: Dataset, place: Workplace, work: Path, *, channels: int, shape: tuple[int, ...], named: str
) -> Pictures:
    """The pictures of a dataset that was scanned, in the shape and with the channels of a network.

    A grey picture is given to a network of three channels as three equal ones, as in training.

    Args:
        named: what to call the network in a message.

    Raises:
        DatasetError: no picture can be read, or the network reads volumes and these are none.
        ConfigError: the network reads grey pictures and these are coloured.
    """
    pictures = read_pictures(
        dataset, work=work, shape=shape, limits=place.limits, workers=place.workers, progress=place.progress
    )
    return with_channels(pictures, channels, named)


def with_channels(pictures: Pictures, channels: int, named: str) -> Pictures:
    """The same pictures for a network of so many channels.

    Raises:
        ConfigError: it reads other channels than there are.
    """
    if pictures.channels == channels:
        return pictures
    if pictures.channels != 1:
        raise ConfigError(
            f"{named} reads {told(channels)}, but these have {pictures.channels} channels that differ; "
            "give one that was trained on pictures like these"
        )
    array: Any = pictures.array
    return replace(pictures, array=np.broadcast_to(array, (len(array), channels, *array.shape[2:])))


def told(channels: int) -> str:
    """`grey pictures`, `pictures of 3 channels`."""
    return "grey pictures" if channels == 1 else f"pictures of {channels} channels"
