"""What the state of a training must look like before it is taken up: as the training would write it, number by number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

MOMENTS = ("exp_avg", "exp_avg_sq", "step")
"""What AdamW keeps of each parameter."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """Of one training.

    Args:
        state: the one that it begins with, as `trainers.engine.loop` writes it.
        optimiser: its AdamW, whose parameters stand in the order of their numbers in the state.
        epochs, steps: that it may have, and of each.
        examples: that it learns from.
        keeps_best: it keeps the weights of its best epoch, once there is one.
    """

    state: Mapping[str, Any]
    optimiser: torch.optim.Optimizer
    epochs: int
    steps: int
    examples: int
    keeps_best: bool

    def check(self, found: Mapping[str, Any]) -> None:
        """Raise ValueError, in words, where a state is none of this training after one epoch or more."""
        _want(set(found) == set(self.state), "it holds other parts")
        for part in ("network", "average", "loss"):
            _check_weights(found[part], self.state[part])
        self._check_optimiser(found["optimiser"])
        epoch = found["epoch"]
        _want(_is_whole(epoch) and 0 < epoch <= self.epochs, "it was made in no epoch of this training")
        _want(_is_whole(found["step"]) and found["step"] == epoch * self.steps, "its steps are not those of its epochs")
        _want(_is_number(found["seconds"]) and found["seconds"] >= 0, "it took no time")
        self._check_history(found["history"], epoch)
        _want(isinstance(found["stopped"], bool), "it does not say whether it ended")
        best = found["best_epoch"]
        _want(_is_whole(best) and -1 <= best < epoch, "its best epoch is none")
        _want((best >= 0) == (found["best"] is not None) and (best < 0 or self.keeps_best), "its best weights are of no epoch")
        if found["best"] is not None:
            _check_weights(found["best"], self.state["network"])
        self._check_dynamics(found["dynamics"])

    def _check_optimiser(self, found: Any) -> None:
        _want(isinstance(found, dict) and set(found) == {"state", "param_groups"}, "its optimiser is another")
        groups, usual = found["param_groups"], self.state["optimiser"]["param_groups"]
        _want(isinstance(groups, list) and len(groups) == len(usual), "its optimiser is another")
        for group, mine in zip(groups, usual, strict=True):
            same = isinstance(group, dict) and {**group, "lr": 0} == {**mine, "lr": 0}
            _want(same and _is_number(group.get("lr")) and group["lr"] >= 0, "its optimiser is set otherwise")
        parameters = [parameter for group in self.optimiser.param_groups for parameter in group["params"]]
        _want(isinstance(found["state"], dict), "its optimiser is another")
        for number, kept in found["state"].items():
            _want(_is_whole(number) and 0 <= number < len(parameters), "its optimiser has other parameters")
            _want(isinstance(kept, dict) and set(kept) == set(MOMENTS), "its optimiser keeps other numbers")
            _check_tensor(kept["step"], torch.tensor(0.0))
            for moment in MOMENTS[:2]:
                _check_tensor(kept[moment], parameters[number])
            _want(bool((kept["exp_avg_sq"] >= 0).all()) and float(kept["step"]) >= 0, "its optimiser keeps no such numbers")

    def _check_history(self, found: Any, epoch: int) -> None:
        _want(isinstance(found, list) and len(found) == epoch, "its history is not that of its epochs")
        for one in found:
            _want(isinstance(one, dict) and set(one) == {"loss", "score", "seconds"}, "its history is none")
            known = _is_number(one["loss"]) and _is_number(one["seconds"])
            # a score that cannot be told (one class in the validation set) is NaN
            _want(known and (one["score"] is None or type(one["score"]) is float), "its history holds what is no number")

    def _check_dynamics(self, found: Any) -> None:
        if self.state["dynamics"] is None:
            _want(found is None, "it notes what this training does not")
            return
        _want(isinstance(found, dict) and set(found) == {"probability", "margin"}, "it does not note what this training does")
        for noted in found.values():
            if noted is not None:  # nothing is known of epochs to come, which is NaN
                _check_tensor(noted, torch.empty(self.epochs, self.examples), finite=False)


def _check_weights(found: Any, usual: Mapping[str, Tensor] | None) -> None:
    if usual is None:
        _want(found is None, "it holds weights that this training does not have")
        return
    _want(isinstance(found, dict) and list(found) == list(usual), "its weights are those of another network")
    for name, tensor in usual.items():
        _check_tensor(found[name], tensor)


def _check_tensor(found: Any, usual: Tensor, *, finite: bool = True) -> None:
    """Shape and type before anything is computed: a tensor of 16 bytes may say that it holds a terabyte of them."""
    plain = isinstance(found, Tensor) and found.layout == torch.strided and found.device.type == "cpu"
    _want(plain and found.dtype == usual.dtype and found.shape == usual.shape, "its weights are of other shapes or types")
    if finite and found.is_floating_point():
        _want(bool(torch.isfinite(found).all()), "its weights are no numbers")


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < math.inf


def _want(true: bool, otherwise: str) -> None:
    if not true:
        raise ValueError(otherwise)
