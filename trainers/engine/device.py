"""The device that networks compute on, by the name that a user gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.values.errors import ConfigError

if TYPE_CHECKING:
    import torch


def device_named(name: str) -> torch.device:
    """The device, which is there.

    Raises:
        ConfigError: no such device, or it is not there.
    """
    import torch

    kind, _, number = name.partition(":")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise ConfigError("--device mps: there is no Apple GPU here; take --device auto")
        return torch.device("mps")
    if kind != "cuda" or (number and not number.isdigit()) or name.endswith(":"):
        raise ConfigError(f"--device {name}: give auto, cpu, cuda, cuda:N or mps")
    if not torch.cuda.is_available():
        raise ConfigError(f"--device {name}: PyTorch sees no CUDA GPU here; take --device auto, or install PyTorch for CUDA")
    if number and int(number) >= torch.cuda.device_count():
        last = torch.cuda.device_count() - 1
        raise ConfigError(f"--device {name}: the last GPU here is cuda:{last}")
    return torch.device(name)
