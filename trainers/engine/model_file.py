"""A trained network as a folder: weights (safetensors), what they mean (JSON), and a card for people. Nothing is unpickled."""

from __future__ import annotations

import json
import math
import shutil
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from auditor.files import head_of
from auditor.stored import checked, read_json
from auditor.values.errors import ConfigError, DatasetError
from trainers.engine.encoder_file import Program
from trainers.engine.model_card import card_of
from trainers.engine.models import network_named
from trainers.engine.own_network import is_own, is_program
from trainers.kinds import task_named
from trainers.values.recipe import Epoch, Normalisation, Recipe, Trained
from trainers.values.task import LearningTask, described

SCHEMA_VERSION = 2
WEIGHTS, DESCRIPTION, CARD = "model.safetensors", "model.json", "card.md"
ARCHITECTURE = "network.pt2"
"""The program that a network stands on, where it does."""
MOST_BYTES = 16 << 20
MOST_WEIGHTS = 2 << 30
_KINDS: Mapping[torch.dtype, str] = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip
"""As safetensors calls them."""
MOST_CHANNELS, MOST_SIDE = 64, 1 << 14
"""Of the pictures that a network may want."""
_APART = (OSError, LookupError, TypeError, ValueError, RuntimeError, ArithmeticError, AttributeError)
"""What the makers of networks and tasks raise where a description is none of theirs."""


def save_model(trained: Trained, folder: Path, notes: Sequence[str] = ()) -> None:
    """Writes `model.safetensors`, `model.json` and `card.md`; the same network gives the same bytes. The program that a network
    stands on lies beside them.

    Args:
        notes: sentences for the card: strategy, trust, results. Neither they nor anything else here holds a patient's value.

    Raises:
        ConfigError: the encoder is a program whose file is not named by the recipe (`transfer`).
    """
    recipe = trained.recipe
    if isinstance(getattr(trained.network, "encoder", None), Program) and not is_program(recipe.network):
        raise ConfigError("a model on an exported encoder (.pt2) cannot be saved; give the encoder as safetensors")
    folder.mkdir(parents=True, exist_ok=True)
    if is_program(recipe.network):
        shutil.copyfile(recipe.network, folder / ARCHITECTURE)
        recipe = replace(recipe, network=ARCHITECTURE)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in trained.network.state_dict().items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    content: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "task": described(trained.task),
        "recipe": asdict(recipe),
        "normalisation": asdict(trained.normalisation),
        "temperature": trained.temperature,
        "seed": trained.seed,
        "records": trained.records,
        "complete": trained.complete,
        "history": [{"loss": epoch.loss, "score": epoch.score} for epoch in trained.history],
    }
    (folder / DESCRIPTION).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / CARD).write_text(card_of(trained, notes), encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class _Pass:
    """One epoch as it is kept."""

    loss: float
    score: float | None


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """`model.json`: the schema that a file from elsewhere must have. What a kind of task takes more is its own to check."""

    task: Mapping[str, Any]
    recipe: Recipe
    normalisation: Normalisation
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    seed: int
    records: Annotated[int, Field(ge=0)]
    complete: bool
    history: tuple[_Pass, ...]


def load_model(folder: Path, *, trust_program: bool = False) -> Trained:
    """The network of a folder that `save_model` wrote, or that somebody sent.

    Nothing is unpickled. Before a network is made, its weights as `model.json` says them are compared with those that
    `model.safetensors` holds: no network is larger than its file.

    Args:
        trust_program: a network that is somebody's own code (`module:factory`) or a program may be made, which runs it.

    Raises:
        DatasetError: a file is missing, damaged, or of another version, or they do not belong together.
        ConfigError: the network is code, and nobody said that it may run.
    """
    damaged = f"{folder.name}: {DESCRIPTION} or {WEIGHTS} is damaged; run fix again"
    apart = f"{folder.name}: {DESCRIPTION} and {WEIGHTS} do not belong together; run fix again"
    try:
        document = read_json(folder / DESCRIPTION, most_bytes=MOST_BYTES)
        if not isinstance(document, dict):
            raise ValueError("no description")
        if document.get("schema_version") != SCHEMA_VERSION:
            raise DatasetError(f"{folder.name}: the model is of another version of medaudit; use that one, or run fix again")
        stored = checked(_Stored, document)
        shapes = shapes_in(folder / WEIGHTS)
        recipe = with_own(stored.recipe, folder)
    except FileNotFoundError as error:
        raise DatasetError(f"{folder.name}: {DESCRIPTION} or {WEIGHTS} is missing; give the folder that fix wrote") from error
    except (OSError, ValueError, SafetensorError, ConfigError) as error:
        raise DatasetError(damaged) from error
    own = is_own(recipe.network)
    if own and not trust_program:
        raise ConfigError(
            f"{folder.name}: its network is code ({Path(recipe.network).name}), and to make it is to run it as you; if it is "
            "your own, say --trust-program"
        )
    try:
        task = task_named(**_tuples(stored.task))
        _check_sound(task, stored.normalisation)
        if not 0 < task.channels <= MOST_CHANNELS or not all(0 < side <= MOST_SIDE for side in task.shape):
            raise ValueError("pictures of that size are none")
        how: dict[str, Any] = {"width": recipe.width, "dropout": recipe.dropout}
        with nullcontext() if own else torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of layers without weights
            drawn = network_named(recipe.network, task, **how)
        if _shapes_of(drawn) != shapes:
            raise ValueError("other weights")
        network = drawn if own else network_named(recipe.network, task, **how)
        network.load_state_dict(_finite(load_file(folder / WEIGHTS)))
    except (
        OSError,
        LookupError,
        TypeError,
        ValueError,
        RuntimeError,
        ArithmeticError,
        AttributeError,
        SafetensorError,
    ) as error:
        raise DatasetError(apart) from error
    except ConfigError as error:
        raise DatasetError(apart) from error
    return Trained(
        network=network.eval(),
        task=task,
        recipe=recipe,
        normalisation=stored.normalisation,
        temperature=stored.temperature,
        seed=stored.seed,
        records=stored.records,
        complete=stored.complete,
        history=tuple(Epoch(loss=one.loss, score=one.score, seconds=0.0) for one in stored.history),
    )


def _check_sound(task: LearningTask, normalisation: Normalisation) -> None:
    """Raise ValueError where predictions would be no numbers, or of nobody knows which class."""
    if len(set(task.classes)) < len(task.classes):
        raise ValueError("two classes of one name")
    mean, deviation = normalisation.mean, normalisation.deviation
    if not len(mean) == len(deviation) == task.channels or not all(map(math.isfinite, (*mean, *deviation))):
        raise ValueError("a normalisation of other pictures")
    if min(deviation) <= 0:
        raise ValueError("a normalisation that divides by nought")


def with_own(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with the program that lies in the folder, where the network is one: never a file of another place."""
    return replace(recipe, network=str(folder / ARCHITECTURE)) if is_program(recipe.network) else recipe


def shapes_in(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Name → type of numbers (`F32`) and shape of every tensor of a safetensors file, from its header.

    Raises:
        OSError: it cannot be opened, or is no regular file.
        ValueError: it is larger than any network of ours, or than memory has addresses for.
        SafetensorError: it is none.
    """
    head_of(path, 1)  # a pipe would be waited for
    if path.stat().st_size > MOST_WEIGHTS:
        raise ValueError(f"it is larger than {MOST_WEIGHTS >> 30} GiB")
    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            return {name: (str(one.get_dtype()), tuple(one.get_shape())) for name, one in slices.items()}
    except RuntimeError as error:  # there is no room to map it
        raise ValueError("it cannot be mapped") from error


def _shapes_of(network: nn.Module) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The same of a network."""
    return {name: (_KINDS.get(one.dtype, ""), tuple(one.shape)) for name, one in network.state_dict().items()}


def _finite(weights: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """The weights.

    Raises:
        ValueError: one of them is no number.
    """
    if not all(bool(torch.isfinite(tensor).all()) for tensor in weights.values()):
        raise ValueError("weights that are no numbers")
    return weights


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
