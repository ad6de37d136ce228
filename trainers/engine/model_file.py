"""A trained network as a folder: weights (safetensors), what they mean (JSON), and a card for people. Nothing is unpickled."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from auditor.files import head_of
from auditor.stored import checked, read_json
from auditor.values.errors import ConfigError, DatasetError
from trainers.engine.encoder_file import Program
from trainers.engine.models import network_named, parameters
from trainers.kinds import task_named
from trainers.values.recipe import Epoch, Normalisation, Recipe, Trained
from trainers.values.task import described

SCHEMA_VERSION = 1
WEIGHTS, DESCRIPTION, CARD = "model.safetensors", "model.json", "card.md"
MOST_BYTES = 64 << 20
MOST_CHANNELS, MOST_SIDE = 64, 1 << 14
"""Of the pictures that a network may want."""
_APART = (OSError, LookupError, TypeError, ValueError, RuntimeError, ArithmeticError, AttributeError)
"""What the makers of networks and tasks raise where a description is none of theirs."""


def save_model(trained: Trained, folder: Path, notes: Sequence[str] = ()) -> None:
    """Writes `model.safetensors`, `model.json` and `card.md`; the same network gives the same bytes.

    Args:
        notes: sentences for the card: strategy, trust, results. Neither they nor anything else here holds a patient's value.

    Raises:
        ConfigError: the encoder is an exported program, which has no architecture by name.
    """
    if isinstance(getattr(trained.network, "encoder", None), Program):
        raise ConfigError("a model on an exported encoder (.pt2) cannot be saved; give the encoder as safetensors")
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in trained.network.state_dict().items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    content: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "task": described(trained.task),
        "recipe": asdict(trained.recipe),
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


def load_model(folder: Path) -> Trained:
    """The network of a folder that `save_model` wrote, or that somebody sent.

    Nothing is unpickled. Before a network is made, its weights as `model.json` says them are compared with those that
    `model.safetensors` holds: no network is larger than its file.

    Raises:
        DatasetError: a file is missing, damaged, or of another version, or they do not belong together.
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
    except FileNotFoundError as error:
        raise DatasetError(f"{folder.name}: {DESCRIPTION} or {WEIGHTS} is missing; give the folder that fix wrote") from error
    except (OSError, ValueError, SafetensorError, ConfigError) as error:
        raise DatasetError(damaged) from error
    try:
        task, recipe = task_named(**_tuples(stored.task)), stored.recipe
        if not 0 < task.channels <= MOST_CHANNELS or not all(0 < side <= MOST_SIDE for side in task.shape):
            raise ValueError("pictures of that size are none")
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of layers without weights
            drawn = network_named(recipe.network, task, width=recipe.width, dropout=recipe.dropout)
        if {name: tuple(tensor.shape) for name, tensor in drawn.state_dict().items()} != shapes:
            raise ValueError("other weights")
        network = network_named(recipe.network, task, width=recipe.width, dropout=recipe.dropout)
        network.load_state_dict(load_file(folder / WEIGHTS))
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


def shapes_in(path: Path) -> dict[str, tuple[int, ...]]:
    """Name → shape of every tensor of a safetensors file, from its header.

    Raises:
        OSError: it cannot be opened, or is no regular file.
        SafetensorError: it is none.
    """
    head_of(path, 1)  # a pipe would be waited for
    with safe_open(path, framework="pt") as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - it is no mapping


def card_of(trained: Trained, notes: Sequence[str] = ()) -> str:
    """The model card (Mitchell 2019), Markdown."""
    task, recipe = trained.task, trained.recipe
    shape = " × ".join(map(str, task.shape))
    lines = [
        "# Model card",
        "",
        "## What it is",
        "",
        f"* Task: {task.words}" + (f" ({', '.join(task.classes)})" if task.classes else "") + ".",
        f"* Pictures: {shape} pixels, {'grey' if task.channels == 1 else f'{task.channels} channels'}.",
        f"* Network: {recipe.network}, {parameters(trained.network):,} parameters.",
        f"* Training: {trained.records:,} records, {len(trained.history)} of {recipe.epochs} epochs, loss {recipe.loss},"
        f" seed {trained.seed}.",
        f"* Calibration: {'temperature ' + format(trained.temperature, '.3g') if trained.temperature != 1 else 'none'}.",
        *(f"* {note}" for note in notes),
        "",
        "## Intended use",
        "",
        "Auditing this dataset and comparing corrections of it. It is a yardstick for the data, not a medical device, and must",
        "not be used for diagnosis.",
        "",
        "## What was not tested",
        "",
        "* Pictures of other hospitals, devices, protocols or populations than those of the dataset.",
        "* Differences between groups of patients beyond those that the report shows.",
        "* Attempts to deceive it, and pictures that show something else than the classes above.",
        "* Whether training records can be inferred from the weights: treat these like the pictures they were learnt from.",
        "",
        f"`medaudit predict` lets it judge other pictures; `{DESCRIPTION}` holds every setting. Nothing in here is executed.",
        "",
    ]
    return "\n".join(lines)


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
