"""Networks of others: what an installed package adds (`medaudit.networks`), a function of the user, an exported program.

A factory is called with the task (`trainers.values.task.LearningTask`: channels, shape, outputs, dense) and returns a module
that maps pictures (b, channels, *shape) to logits (b, outputs), of a dense task (b, outputs, *shape).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from auditor.plugins import plugin_functions
from auditor.values.errors import ConfigError
from trainers.engine.network import Network
from trainers.values.task import LearningTask

PROGRAM = ".pt2"
Factory = Callable[[LearningTask], nn.Module]


@cache
def installed() -> Mapping[str, Factory]:
    """Factories of installed packages by name (entry points `medaudit.networks`)."""
    return plugin_functions("medaudit.networks")


def is_own(name: str) -> bool:
    """The name of a network says where the user's own lies: `module:factory` or a `.pt2` file. To make it runs its code."""
    return ":" in name or is_program(name)


def is_program(name: str) -> bool:
    """An exported program."""
    return name.endswith(PROGRAM)


def trusted_network(name: str, *, trust_program: bool) -> str:
    """The name, where what it stands for is there and may run.

    Raises:
        ConfigError: it is a program and the user did not say `--trust-program`, or a file or function that is not there.
    """
    if is_own(name) and not is_program(name):
        imported(name)
    if is_program(name):
        if not Path(name).is_file():
            raise ConfigError(f"--network {name}: there is no such file")
        if not trust_program:
            raise ConfigError(
                f"--network {name}: a .pt2 file is a program, and loading it lets it run as you; if it is your own, say "
                "--trust-program"
            )
    return name


@cache
def program_input(name: str | None) -> tuple[int, tuple[int, ...]] | None:
    """Channels and shape of the pictures that a program wants; None where the network is none.

    Raises:
        ConfigError: it is no program, or takes something else than pictures of one shape.
    """
    if name is None or not is_program(name):
        return None
    from trainers.engine.encoder_file import load_program

    _, channels, shape = load_program(Path(name), trust_program=True)
    return channels, shape


def own_network(name: str, task: LearningTask) -> Network:
    """The network that a name of `is_own` or `installed` stands for.

    Raises:
        ConfigError: it cannot be made, or gives something else than the task wants.
    """
    if is_program(name):
        from trainers.engine.encoder_file import program_network

        return program_network(Path(name), task)
    factory = installed().get(name) or imported(name)
    try:
        made = factory(task)
    except Exception as error:  # whatever a stranger's code does
        raise ConfigError(f"--network {name}: could not be made ({type(error).__name__}: {error})") from error
    if isinstance(made, Network):
        return made
    if not isinstance(made, nn.Module):
        raise ConfigError(f"--network {name}: gives a {type(made).__name__}, not a torch.nn.Module")
    check_outputs(name, made, task)
    return in_two_parts(made, task)


def imported(name: str) -> Factory:
    """`module:factory`, also of a module in the working directory.

    Raises:
        ConfigError: it cannot be imported, or is nothing that can be called.
    """
    module, _, function = name.partition(":")
    here = str(Path.cwd())
    sys.path.append(here)  # the last place: it hides nothing that is installed
    try:
        factory: Any = getattr(importlib.import_module(module), function)
    except Exception as error:
        raise ConfigError(f"--network {name}: cannot be imported ({type(error).__name__}: {error})") from error
    finally:
        sys.path.remove(here)
    if not callable(factory):
        raise ConfigError(f"--network {name}: {function} cannot be called")
    found: Factory = factory
    return found


def check_outputs(name: str, made: nn.Module, task: LearningTask) -> None:
    """A look at two black pictures.

    Raises:
        ConfigError: the module does not take them, or gives another shape than the task wants.
    """
    before, device = made.training, next((p.device for p in made.parameters()), torch.device("cpu"))
    try:
        with torch.no_grad():
            said = made.eval()(torch.zeros(2, task.channels, *task.shape, device=device))
    except Exception as error:  # whatever a stranger's code does
        raise ConfigError(
            f"--network {name}: does not take pictures of shape {(task.channels, *task.shape)} "
            f"({type(error).__name__}: {error})"
        ) from error
    finally:
        made.train(before)
    wanted = (2, task.outputs, *(task.shape if task.dense else ()))
    found = tuple(said.shape) if isinstance(said, torch.Tensor) else type(said).__name__
    if found != wanted:
        raise ConfigError(f"--network {name}: gives {found} for two pictures, and {wanted} is wanted: one logit per output")


def in_two_parts(made: nn.Module, task: LearningTask) -> Network:
    """Encoder and head: the last layer is the head where it is a linear one (of a dense task a convolution of one pixel) that
    gives the logits; else the module is the encoder as it is, and its head cannot be replaced."""
    kinds = (nn.Conv2d, nn.Conv3d) if task.dense else (nn.Linear,)
    layers = [(name, layer) for name, layer in made.named_modules() if isinstance(layer, kinds)]
    if layers and layers[-1][0]:
        name, layer = layers[-1]
        size: Any = getattr(layer, "out_features", None) or getattr(layer, "out_channels", None)
        single = not task.dense or set(layer.kernel_size) == {1}  # type: ignore[arg-type]
        if size == task.outputs and single and _last(made, name, layer, task):
            return Network(made, layer)
    return Network(made, nn.Identity())


def _last(made: nn.Module, name: str, layer: nn.Module, task: LearningTask) -> bool:
    """Takes the layer out, and puts it back where something comes after it."""
    holder, _, own = name.rpartition(".")
    parent, before = made.get_submodule(holder), made.training
    device = next((p.device for p in made.parameters()), torch.device("cpu"))
    looked = torch.linspace(0, 1, 2 * task.channels * int(torch.Size(task.shape).numel()), device=device)
    pictures = looked.reshape(2, task.channels, *task.shape)
    try:
        with torch.no_grad():
            whole = made.eval()(pictures)
            setattr(parent, own, nn.Identity())
            same = torch.allclose(layer(made(pictures)), whole, atol=1e-5)
    except (RuntimeError, ValueError, TypeError):
        same = False
    if not same:
        setattr(parent, own, layer)
    made.train(before)
    return same
