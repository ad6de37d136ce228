"""What a borrowed encoder sees in each picture: features, taken once, with the encoder frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from trainers.decoding.mapped import mapped_array
from trainers.decoding.model_input import Workplace, pictures_for, with_channels
from trainers.decoding.pictures import read_pictures
from trainers.decoding.survey import SMALL_SIDE
from trainers.engine.device import device_named
from trainers.engine.encoder_file import load_encoder, load_program
from trainers.engine.feed import Feed
from trainers.engine.material import MOST_SIDE
from trainers.engine.model_file import DESCRIPTION, WEIGHTS, load_model
from trainers.engine.models import NETWORKS, network_named
from trainers.engine.predict import logits_of, placed
from trainers.engine.randomness import private_randomness
from trainers.kinds import task_named
from trainers.values.pictures import Pictures
from trainers.values.recipe import Normalisation, Recipe

LARGE_KERNEL = 7
"""First kernel of an encoder that was made for large pictures: small ones are enlarged for it."""
ENLARGED = 128
BATCH = 256

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Borrowed:
    """An encoder and the pictures as it wants them.

    Args:
        name: `resnet18 of weights.safetensors`.
    """

    encoder: nn.Module
    pictures: Pictures
    normalisation: Normalisation
    name: str


def borrowed(dataset: Dataset, path: Path, network: str | None, place: Workplace, work: Path) -> Borrowed:
    """The encoder of a file, and the pictures of the dataset for it.

    * `model.safetensors` of a copy that `medaudit fix` wrote, its `model.json` beside it: network, shape, channels and
      normalisation are those.
    * other `.safetensors`: an encoder of the architecture `network`; pictures of their own shape, normalised by themselves.
    * `.pt2`: a program of `torch.export`; it says what shape and how many channels it wants, and runs only where
      `place.trust_program` says so.

    Raises:
        ConfigError: the file is not there, or does not fit.
        DatasetError: no picture can be read.
    """
    named = f"--encoder {path.name}"
    if not path.is_file():
        raise ConfigError(f"{named}: there is no such file")
    if path.name == WEIGHTS and (path.parent / DESCRIPTION).is_file():
        trained = load_model(path.parent, trust_program=place.trust_program)
        if network is not None and network != trained.recipe.network:
            raise ConfigError(f"{named}: its network is {trained.recipe.network}, not {network}; leave --network out")
        task = trained.task
        pictures = pictures_for(dataset, place, work, channels=task.channels, shape=task.shape)
        encoder = trained.network.get_submodule("encoder")
        return Borrowed(
            encoder=encoder, pictures=pictures, normalisation=trained.normalisation,
            name=f"{trained.recipe.network} of {path.name}",
        )  # fmt: skip
    if path.suffix == ".pt2":
        if network is not None:
            raise ConfigError(f"{named}: a program has its own network; leave --network out")
        program, channels, shape = load_program(path, trust_program=place.trust_program)
        pictures = pictures_for(dataset, place, work, channels=channels, shape=shape)
        return Borrowed(encoder=program, pictures=pictures, normalisation=own(pictures), name=path.name)
    if network is None or network not in NETWORKS:
        raise ConfigError(f"{named}: name its network with --network: one of {', '.join(NETWORKS)}")
    return _by_name(dataset, path, network, place, work)


def _by_name(dataset: Dataset, path: Path, network: str, place: Workplace, work: Path) -> Borrowed:
    kernel = first_kernel(path)
    most = MOST_SIDE[device_named(place.device).type]
    large = network.startswith("resnet") and kernel[-1] == LARGE_KERNEL

    def read(side: int | None) -> Pictures:
        return read_pictures(
            dataset, work=work, side=side, most=max(most, ENLARGED) if large else most, limits=place.limits,
            workers=place.workers, progress=place.progress,
        )  # fmt: skip

    pictures = read(None)
    if large and min(pictures.shape) <= SMALL_SIDE:
        pictures = read(round(ENLARGED * max(pictures.shape) / min(pictures.shape)))
    if len(kernel) > 1 and kernel[1] == 3:
        pictures = with_channels(pictures, 3)
    task = task_named(kind="single", classes=("a", "b"), channels=pictures.channels, shape=pictures.shape)
    with private_randomness(0, torch.device("cpu")):
        whole = network_named(network, task, width=kernel[0] if network == "small-cnn" else 0)
    encoder = load_encoder(whole, path, task).get_submodule("encoder")
    return Borrowed(encoder=encoder, pictures=pictures, normalisation=own(pictures), name=f"{network} of {path.name}")


def own(pictures: Pictures) -> Normalisation:
    """By the pictures themselves; no label has a part in it."""
    return Normalisation.of(pictures, np.flatnonzero(pictures.readable).astype(np.int64))


def first_kernel(path: Path) -> tuple[int, ...]:
    """Shape of the first convolution's weights in a file: (features, channels, sides ...).

    Raises:
        ConfigError: it is no safetensors file, or holds no convolution.
    """
    from safetensors import SafetensorError, safe_open

    if path.suffix != ".safetensors":
        raise ConfigError(f"--encoder {path.name}: give a .safetensors file or a .pt2 program")
    try:
        with safe_open(path, framework="np") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError):
        raise ConfigError(f"--encoder {path.name}: not a safetensors file; save it again") from None
    kernels = {name: shape for name, shape in shapes.items() if len(shape) > 2}
    if not kernels:
        raise ConfigError(f"--encoder {path.name}: holds no convolution; give the encoder of an image network")
    return min(kernels.values(), key=lambda shape: shape[1])


def features_of(found: Borrowed, place: Workplace, work: Path) -> Floats:
    """One row of features per picture, float32, mapped from a file in `work`: (records, features); NaN where unreadable."""
    pictures, device = found.pictures, device_named(place.device)
    rows = np.flatnonzero(pictures.readable).astype(np.int64)
    task = task_named(kind="single", classes=("a", "b"), channels=pictures.channels, shape=pictures.shape)
    encoder = placed(found.encoder.eval(), task, device)
    feed = Feed(pictures, rows, device, held=False)
    features: Floats | None = None
    place.progress.start("looking through the encoder", len(rows))
    done = 0
    for part in logits_of(encoder, feed, task, Recipe(precision="fp32"), found.normalisation, BATCH):
        seen = (part.flatten(2).mean(2) if part.ndim > 2 else part).cpu().numpy()
        if features is None:
            features = mapped_array(work / "features.npy", np.float32, (len(pictures.readable), seen.shape[1]))
            features[:] = np.nan
        features[rows[done : done + len(seen)]] = seen
        done += len(seen)
        place.progress.advance(len(seen))
    place.progress.finish()
    assert features is not None
    return features
