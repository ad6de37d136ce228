"""Borrows an encoder from a file: weights (safetensors), or a program that was exported with `torch.export` (.pt2)."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from auditor.values.errors import ConfigError
from trainers.engine.network import Network
from trainers.values.task import LearningTask

HEADS = ("fc", "_fc", "classifier", "head", "heads", "class_layers", "last_linear", "linear")
"""First parts of the names that common libraries give to what stands behind the encoder: classes of another task."""

UNTRUSTED = (
    "encoder {name}: a .pt2 file is a program, and loading it lets it run as you, with your files and your network; if it is "
    "your own, say --trust-program, else ask for its weights as .safetensors"
)


class Program(nn.Module):
    """An encoder that was exported with `torch.export`. It has no separate training mode."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def train(self, mode: bool = True) -> Program:
        """Only remembers the mode: an exported program refuses to change."""
        self.training = mode
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Features (b, F)."""
        features: Tensor = self.program(images)
        return features.flatten(1)


def load_encoder(network: Network, path: Path, task: LearningTask, *, trust_program: bool = False) -> Network:
    """The network with the encoder of a file.

    * `.safetensors`: weights of an encoder of the same architecture, or a whole `model.safetensors` of `medaudit fix`
      (names that begin with `encoder.`). The head of another task (`fc.weight`, ...) is left out. A first kernel for another
      number of channels is averaged over them.
    * `.pt2`: a program of `torch.export` that maps (b, C, *shape) to features; it replaces the encoder, and a head is made for
      it.

    Args:
        trust_program: the user said that the program may run (`--trust-program`).

    Raises:
        ConfigError: the file does not fit the network, or is a program that nobody trusts.
    """
    if path.suffix == ".pt2":
        return _with_program(path, task, trust_program)
    if path.suffix != ".safetensors":
        raise ConfigError(f"encoder {path.name}: give a .safetensors file or a .pt2 program")
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ConfigError(f"encoder {path.name}: not a safetensors file; save it again") from error
    if any(name.startswith("encoder.") for name in weights):
        weights = {n.removeprefix("encoder."): w for n, w in weights.items() if n.startswith("encoder.")}
    own = network.encoder.state_dict()
    weights = {n: w for n, w in weights.items() if n in own or n.partition(".")[0] not in HEADS}
    if set(weights) != set(own):
        odd = len(set(weights) ^ set(own))
        raise ConfigError(
            f"encoder {path.name}: {odd} names of weights differ from those of this network; give its architecture"
        )
    for name, weight in weights.items():
        if weight.shape == own[name].shape:
            continue
        if weight.ndim > 2 and weight.shape[0] == own[name].shape[0] and weight.shape[2:] == own[name].shape[2:]:
            inputs = own[name].shape[1]
            weights[name] = weight.mean(1, keepdim=True).expand_as(own[name]) * (weight.shape[1] / inputs)
            continue
        raise ConfigError(f"encoder {path.name}: weight {name} has shape {tuple(weight.shape)}, not {tuple(own[name].shape)}")
    network.encoder.load_state_dict(weights)
    return network


def words_on(path: Path, channels: int) -> list[str]:
    """What `load_encoder` does with a file of weights beside taking them, in words: heads left out, channels that differ.

    Args:
        channels: of the pictures that the network is shown.

    Raises:
        ConfigError: it is no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            shapes = {n.removeprefix("encoder."): file.get_slice(n).get_shape() for n in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ConfigError(f"encoder {path.name}: not a safetensors file; save it again") from error
    told = []
    heads = sorted(name for name in shapes if name.partition(".")[0] in HEADS)
    if heads:
        told.append(f"the head of another task is left out of {path.name}: {', '.join(heads)}")
    kernels = [shape for shape in shapes.values() if len(shape) > 2]
    seen = min((int(shape[1]) for shape in kernels), default=channels)
    if kernels and {seen, channels} == {1, 3}:
        kinds = {1: "grey pictures", 3: "pictures of three channels"}
        told.append(
            f"{path.name} learnt {kinds[seen]} and is shown {kinds[channels]}: its first kernel is averaged over channels"
        )
    return told


def program_network(path: Path, task: LearningTask) -> Network:
    """An exported program with a head for the task, its weights those of the file. To load it is to run it:
    whether it may was asked before (`trainers.engine.own_network.trusted_network`).

    Raises:
        ConfigError: it is no program, or does not take such pictures.
    """
    return _with_program(path, task, trust_program=True)


def _with_program(path: Path, task: LearningTask, trust_program: bool) -> Network:
    if task.dense:
        raise ConfigError(f"encoder {path.name}: a program gives features of a whole picture and cannot draw masks")
    encoder = Program(_exported(path, trust_program).module())
    try:
        with torch.no_grad():
            features = encoder(torch.zeros(2, task.channels, *task.shape))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ConfigError(
            f"encoder {path.name}: does not take pictures of shape {(task.channels, *task.shape)} in batches of any size;"
            " export it with a dynamic first dimension"
        ) from error
    return Network(encoder, nn.Linear(features.shape[1], task.outputs))


def load_program(path: Path, *, trust_program: bool = False) -> tuple[Program, int, tuple[int, ...]]:
    """An exported encoder, and the pictures that it wants: their channels and their shape.

    Args:
        trust_program: as for `load_encoder`.

    Raises:
        ConfigError: it is no such program, or does not take batches of pictures of any size; or nobody trusts it.
    """
    exported = _exported(path, trust_program)
    wanted = exported.graph_signature.user_inputs
    shapes = [node.meta["val"].shape for node in exported.graph.nodes if node.op == "placeholder" and node.name in wanted]
    if len(shapes) != 1 or len(shapes[0]) not in (4, 5) or not all(isinstance(side, int) for side in shapes[0][1:]):
        raise ConfigError(f"encoder {path.name}: takes something else than a batch of pictures of one shape")
    if isinstance(shapes[0][0], int):
        raise ConfigError(f"encoder {path.name}: takes batches of one size alone; export it with a dynamic first dimension")
    return Program(exported.module()), int(shapes[0][1]), tuple(int(side) for side in shapes[0][2:])


def _exported(path: Path, trust_program: bool) -> ExportedProgram:
    if not trust_program:
        raise ConfigError(UNTRUSTED.format(name=path.name))
    if not zipfile.is_zipfile(path):
        raise ConfigError(f"encoder {path.name}: not a program of torch.export; save it with torch.export.save")
    # torch.export.load unpickles some weights without its own guard; this variable is torch's switch against that
    before = os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"
    try:
        return torch.export.load(path)
    except (RuntimeError, ValueError, KeyError, UnpicklingError) as error:
        raise ConfigError(f"encoder {path.name}: not a program of torch.export; save it with torch.export.save") from error
    finally:
        if before is None:
            del os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"]
        else:
            os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = before
