"""The card of a trained network (Mitchell 2019): what it is, what it was shown, what it is not for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from trainers.engine.network import parameters
from trainers.values.recipe import Trained


def card_of(trained: Trained, notes: Sequence[str] = ()) -> str:
    """Markdown; nothing in it names a patient.

    Args:
        notes: sentences on strategy, data, results, calibration.
    """
    task, recipe = trained.task, trained.recipe
    shape = " × ".join(map(str, task.shape))
    averaged = ", averaged weights" if recipe.ema is not None else ""
    lines = [
        "# Model card",
        "",
        "## What it is",
        "",
        f"* Task: {task.words}" + (f" ({', '.join(task.classes)})" if task.classes else "") + ".",
        f"* Pictures: {shape} pixels, {'grey' if task.channels == 1 else f'{task.channels} channels'}.",
        f"* Network: {Path(recipe.network).name}, {parameters(trained.network):,} parameters.",
        f"* Training: {trained.records:,} records, {len(trained.history)} of {recipe.epochs} epochs"
        f" ({trained.records * len(trained.history):,} samples), loss {recipe.loss}, augmentation {recipe.augmentation}"
        f"{averaged}, seed {trained.seed}.",
        f"* Calibration: {'temperature ' + format(trained.temperature, '.3g') if trained.temperature != 1 else 'none'}.",
        *(f"* {note}" for note in notes),
        "",
        "## What it is shown",
        "",
        f"* float32 (pictures, {task.channels}, {', '.join(map(str, task.shape))}), shares of white: 0 black, 1 the largest"
        " value of the stored type.",
        "* A picture is shrunk to fit with its proportions, in the middle, black bars around; of several frames the middle"
        f" one is taken{', of a volume all' if task.dims == 3 else ''}; what is stored inverted is turned over.",
        "* 8-bit files of one raster format keep their values; in any other collection every picture is spread over its own 1st"
        " to 99th percentile.",
        f"* Then each channel is normalised: mean {_numbers(trained.normalisation.mean)}, deviation"
        f" {_numbers(trained.normalisation.deviation)}. `model.pt2` and `model.onnx` do that themselves.",
        "",
        "## Layers",
        "",
        *layers(trained),
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
        "`medaudit predict` lets it judge other pictures; `model.json` holds every setting. Nothing of weights and settings is"
        " executed; a `.pt2` file is a program.",
        "",
    ]
    return "\n".join(lines)


def layers(trained: Trained) -> list[str]:
    """A table of the layers that hold weights, in the order in which a picture goes through them."""
    task = trained.task
    found: dict[str, tuple[str, tuple[int, ...], int]] = {}
    names = {module: name for name, module in trained.network.named_modules()}

    def note(module: nn.Module, _: object, output: object) -> None:
        if isinstance(output, Tensor):
            found.setdefault(names[module], (type(module).__name__, tuple(output.shape[1:]), own_parameters(module)))

    marks = [module.register_forward_hook(note) for module in names if own_parameters(module)]
    try:
        with torch.no_grad():
            trained.network(torch.zeros(1, task.channels, *trained.recipe.window(task.shape)))
    finally:
        for mark in marks:
            mark.remove()
    rows = [
        f"| `{name}` | {kind} | {' × '.join(map(str, shape)) or '1'} | {size:,} |"
        for name, (kind, shape, size) in found.items()
    ]
    return ["| layer | kind | output | parameters |", "|---|---|---|---|", *rows]


def own_parameters(module: nn.Module) -> int:
    """Numbers that are learnt by the module itself."""
    return sum(parameter.numel() for parameter in module.parameters(recurse=False))


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
