"""Several processes under `torchrun`: the first one does the job, alone; the others wait, and train along when it trains.

    torchrun --nproc-per-node 2 -m medaudit fix ...

So one process scans, decides, writes and deletes, whatever their number. What a training needs is sent to the others, which
compute their part of each batch (`trainers.engine.team`) and keep nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from auditor.values.errors import MedauditError
from trainers.values.pictures import Pictures

END = None
"""What is sent in the place of a training when the job is done."""


@dataclass(kw_only=True)
class Crew:
    """What the first process knows of the others.

    Args:
        waiting: they wait for a training; never so in a team of one, and no longer after a training that failed here alone.
        shown: the pictures that they have.
    """

    waiting: bool = False
    shown: Pictures | None = None


CREW = Crew()


def launched() -> bool:
    """Whether torchrun started this process: its mark, which `torch.distributed.is_torchelastic_launched` looks for as well, at
    the price of importing PyTorch."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def member() -> tuple[int, int]:
    """The number of this process and how many there are, before they are connected."""
    return (int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])) if launched() else (0, 1)


def follower() -> bool:
    """This process is one of those that only train along."""
    rank, size = member()
    return size > 1 and rank > 0


def _connected() -> None:
    """Connects this process with the others, once."""
    import torch

    from trainers.engine.team import opened

    # with a GPU for each, both ways are opened; what is computed on is chosen with each training
    enough = torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", "1")) > 0
    opened(torch.device("cuda" if torch.cuda.is_available() and enough else "cpu"))


@contextmanager
def leading() -> Iterator[None]:
    """The job of the first process; the others wait in `follow` meanwhile, and are let go when it ends.

    Where nobody waits (no torchrun, or a job within a job) nothing is done.
    """
    rank, size = member()
    if size == 1 or rank > 0 or CREW.waiting:
        yield
        return
    _connected()
    CREW.waiting, CREW.shown = True, None
    try:
        yield
    finally:
        if CREW.waiting:
            with suppress(RuntimeError):  # interrupted, they may be gone already
                send(END)
        CREW.waiting, CREW.shown = False, None


def follow(train: Callable[..., Any]) -> None:
    """Train along until the first process is done or gone.

    Args:
        train: `trainers.engine.loop.train`.
    """
    _connected()
    pictures: Pictures | None = None
    while True:
        try:
            order = received()
            if order is END:
                return
            shown, how = order
            pictures = pictures if shown is None else unpacked(shown)
            train(pictures, **how)
        except MedauditError:  # the first process has the same, and tells it
            continue
        except RuntimeError:  # the connection has ended: the first process was interrupted
            return


@contextmanager
def together(pictures: Pictures, how: Mapping[str, Any]) -> Iterator[None]:
    """A training that the others take part in, where they wait for one.

    Args:
        how: the other arguments of `train`, without what only the first process does (checkpoint, progress).
    """
    if not CREW.waiting:
        yield
        return
    send((None if pictures is CREW.shown else packed(pictures), dict(how)))
    CREW.shown = pictures
    CREW.waiting = False
    yield
    # after an error they may be in the middle of a step, and hear no more: then they end with this process
    CREW.waiting = True


def packed(pictures: Pictures) -> Pictures:
    """Without the arrays that lie on disk: their files are named instead."""
    return replace(pictures, array=named(pictures.array), masks=named(pictures.masks))


def unpacked(pictures: Pictures) -> Pictures:
    """With the arrays of the files that are named."""
    return replace(pictures, array=loaded(pictures.array), masks=loaded(pictures.masks))


def named(array: Any) -> Any:
    """The file of a mapped array, or the array."""
    return Path(str(array.filename)) if isinstance(array, np.memmap) and array.filename is not None else array


def loaded(array: Any) -> Any:
    """The array of a file."""
    return np.load(array, mmap_mode="r") if isinstance(array, Path) else array


def send(what: Any) -> None:
    """To all others; they are our own processes, so that objects may be pickled."""
    import torch

    torch.distributed.broadcast_object_list([what], 0, device=torch.device("cpu"))


def received() -> Any:
    """What the first process sends."""
    import torch

    box: list[Any] = [None]
    torch.distributed.broadcast_object_list(box, 0, device=torch.device("cpu"))
    return box[0]
