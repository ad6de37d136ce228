"""The state of an unfinished training on disk: written whole or not at all, and taken up only by the training it belongs to.

It carries a digest made with the user's key, and nothing in it is unpickled before that is known to be right: work that lies
beside a copy may have been through other hands, or through a disk that was full.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from auditor.sealed import seal, unsealed
from auditor.values.errors import DatasetError, MedauditError
from trainers.engine.checkpoint_form import Form
from trainers.values.pictures import Examples, Pictures

VERSION = 2
PURPOSE = "checkpoint"
MOST_BYTES = 64 << 30
SAMPLED_PICTURES = 256


def signature(pictures: Pictures, sets: Sequence[Examples | None], settings: Sequence[Any], start: nn.Module | None) -> str:
    """Digest of all that a training depends on; of the pictures a sample is looked at.

    Args:
        sets: examples to learn from, to validate on.
        settings: dataclasses and plain values.
        start: weights to begin with.
    """
    values = [asdict(value) if is_dataclass(value) and not isinstance(value, type) else value for value in settings]
    digest = hashlib.sha256(json.dumps([VERSION, values, pictures.array.shape], sort_keys=True, default=str).encode())
    for examples in sets:
        digest.update(b"-")
        if examples is None:
            continue
        for array in (examples.rows, examples.targets, examples.weights, examples.masks):
            digest.update(b"" if array is None else np.ascontiguousarray(array).data)
        some = examples.rows[:: max(1, len(examples.rows) // SAMPLED_PICTURES)]
        digest.update(np.ascontiguousarray(pictures.array[some]).data)
        if pictures.masks is not None and examples.masks is None:
            digest.update(np.ascontiguousarray(pictures.masks[some]).data)
    for tensor in start.state_dict().values() if start is not None else ():
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes beside the file and renames, so that an interruption leaves the old state.

    Raises:
        MedauditError: there is no room, or no right to write.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        stream = io.BytesIO()
        torch.save(state, stream)
        with os.fdopen(handle, "wb") as file:
            file.write(seal(PURPOSE, stream.getvalue()))
        Path(draft).replace(path)
    except OSError as error:
        raise MedauditError(f"{path.parent.name}: the state of the training cannot be written; is the disk full?") from error
    finally:
        Path(draft).unlink(missing_ok=True)


def load_checkpoint(path: Path, signed: str, form: Form) -> dict[str, Any] | None:
    """The state in the file; None when there is none or when it belongs to another training.

    Args:
        signed: the `signature` of the training.
        form: what a state of it looks like.

    Raises:
        DatasetError: the file is damaged, or none that this user's medaudit wrote.
    """
    if not path.is_file():
        return None
    try:
        content = unsealed(PURPOSE, path, most_bytes=MOST_BYTES)
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise ValueError("it is no state")
        if state.pop("signature", None) != signed:
            return None
        form.check(state)
    except Exception as error:  # noqa: BLE001 - torch raises whatever its archive, its unpickler and its tensors do
        why = error if type(error) is ValueError else "it cannot be read"
        raise DatasetError(
            f"{path}: the checkpoint of an interrupted run is damaged ({why}); delete it to train anew"
        ) from None
    return state


def plain(network: nn.Module) -> dict[str, torch.Tensor]:
    """Weights and statistics of a network, copied to the CPU."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in network.state_dict().items()}
