"""A trained network for others to run: one program that takes shares of white and gives calibrated predictions.

`model.pt2` (torch.export) needs PyTorch alone, `model.onnx` any ONNX runtime; the latter is written where the extra `onnx` is
there. What is exported must say what the network says: it is compared before it counts, and left out where it does not.
"""

from __future__ import annotations

import copy
import importlib.util
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from auditor.values.errors import MedauditError
from trainers.values.recipe import Trained

PROGRAM, ONNX = "model.pt2", "model.onnx"
COMPARED, CLOSE = 3, 1e-4
"""Pictures that are compared, and how far their predictions may be apart (of numbers: in standard deviations of the target)."""


class Whole(nn.Module):
    """Normalisation, network, temperature, and what the task makes of logits: pictures (b, C, *shape) as shares of white, 0–1 →
    predictions as `trainers.engine.predict.predict` gives them."""

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.network = copy.deepcopy(trained.network)
        for weights in self.network.parameters():  # trained in the layout of a device, which a file cannot keep
            weights.data = weights.data.contiguous()
        self.task, self.temperature = trained.task, trained.temperature
        size = (1, -1, *[1] * trained.task.dims)
        self.register_buffer("mean", torch.tensor(trained.normalisation.mean).reshape(size))
        self.register_buffer("deviation", torch.tensor(trained.normalisation.deviation).reshape(size))

    def forward(self, pictures: Tensor) -> Tensor:
        """Predictions."""
        mean, deviation = self.get_buffer("mean"), self.get_buffer("deviation")
        return self.task.said(self.network((pictures - mean) / deviation) / self.temperature)


def export_model(trained: Trained, folder: Path) -> tuple[list[str], list[str]]:
    """Writes `model.pt2`, and `model.onnx` where the extra is there, into the folder.

    Returns:
        Names of the files that were written, and sentences on them for the model card.

    Raises:
        MedauditError: there is no room, or no right to write.
    """
    whole = Whole(trained).eval()
    pictures = torch.rand(COMPARED, trained.task.channels, *window(trained), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = whole(pictures).numpy()
    try:
        program = exported(whole, pictures)
        same = equal(program.module()(pictures).detach().numpy(), wanted, trained)
    except Exception as error:  # noqa: BLE001 - of a network of the user, whose code may do what no program can
        return [], [f"`{PROGRAM}`: not written, the network cannot be exported ({type(error).__name__})."]
    if not same:
        return [], [f"`{PROGRAM}`: not written, it does not say what the network says."]
    written = [PROGRAM]
    try:
        torch.export.save(program, folder / PROGRAM)
        notes = [f"`{PROGRAM}`: a program of torch.export, compared with the network on {COMPARED} pictures of noise."]
        more, note = as_onnx(whole, pictures, wanted, trained, folder)
    except (OSError, RuntimeError) as error:  # torch says so in a RuntimeError of its own
        raise MedauditError(f"{folder.name}: the exported network cannot be written; is the disk full?") from error
    return written + more, notes + note


def window(trained: Trained) -> tuple[int, ...]:
    """The shape that the program takes: of masks of large volumes a window."""
    return trained.recipe.window(trained.task.shape)


def exported(whole: nn.Module, pictures: Tensor) -> Any:
    """The program, for any number of pictures."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.export(whole, (pictures,), dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))


def as_onnx(whole: nn.Module, pictures: Tensor, wanted: Any, trained: Trained, folder: Path) -> tuple[list[str], list[str]]:
    """The ONNX file, checked by the reference implementation of its operators."""
    if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript")):
        return [], [f"`{ONNX}`: not written; pip install 'medaudit[onnx]' adds it."]
    from onnx.reference import ReferenceEvaluator

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # of operators of packages that are not there
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = torch.onnx.export(
                whole, (pictures,), dynamo=True, verbose=False, input_names=["pictures"], output_names=["predictions"],
                dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            )  # fmt: skip
            assert made is not None
            found: Any = ReferenceEvaluator(made.model_proto).run(["predictions"], {"pictures": pictures.numpy()})
    except Exception as error:  # noqa: BLE001 - operators that ONNX has not
        return [], [f"`{ONNX}`: not written, the network has no ONNX form ({type(error).__name__})."]
    if not equal(found[0], wanted, trained):
        return [], [f"`{ONNX}`: not written, it does not say what the network says."]
    made.save(folder / ONNX)
    return [ONNX], [f"`{ONNX}`: input `pictures`, output `predictions`, compared in the same way."]


def equal(said: Any, wanted: Any, trained: Trained) -> bool:
    """Two predictions of the same pictures."""
    if np.shape(said) != np.shape(wanted):
        return False
    return bool(np.abs(np.asarray(said) - wanted).max(initial=0) <= CLOSE * max(1.0, abs(trained.task.target_scale)))
