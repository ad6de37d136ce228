"""What lies where the state of a training should lie, signed as it should be and sealed with the right key: taken up whole, or
one clear line."""

import io
import json
import math
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from auditor.sealed import seal, unsealed
from auditor.values.errors import DatasetError
from tests.trainers.engine.test_loop import examples, pictures, same, task
from trainers.engine.checkpoint import MOST_BYTES, PURPOSE
from trainers.engine.loop import train
from trainers.values.recipe import Recipe, Trained

RECIPE = Recipe(epochs=3, batch=16, width=4, rate=5e-3, ema=0.9, loss="elr", patience=2)


def trained(place: Path | None, recipe: Recipe = RECIPE, *, until: int | None = None) -> Trained:
    """A training of 24 pictures; `until`: it is interrupted when so many epochs are over."""
    pics, classes = pictures(24)
    learnt = examples(np.eye(3)[classes])
    return train(
        pics, learnt, task(), recipe, seed=0, device="cpu", checkpoint=place, validation=learnt, dynamics=True,
        progress=Stop(until, -(-24 // recipe.batch)) if until is not None else None,
    )  # fmt: skip


class Interrupted(Exception):
    pass


class Stop:
    """Raises in the first step behind so many epochs."""

    def __init__(self, epochs: int, steps: int) -> None:
        self.left = epochs * steps

    def start(self, stage: str, total: int) -> None: ...

    def advance(self, count: int = 1) -> None:
        self.left -= count
        if self.left < 0:
            raise Interrupted

    def finish(self) -> None: ...


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    place = tmp_path_factory.mktemp("kept") / "checkpoint.pt"
    with pytest.raises(Interrupted):
        trained(place, until=2)
    return unsealed(PURPOSE, place, most_bytes=MOST_BYTES)


def huge(*shape: int) -> torch.Tensor:
    """One number that says it is many."""
    return torch.zeros(1).expand(*shape)


def first(state: dict[str, Any], part: str) -> tuple[dict[str, Any], str]:
    """The first weights of a part that are floats."""
    return state[part], next(name for name, one in state[part].items() if one.is_floating_point() and one.ndim)


def put(part: str, make: Callable[[torch.Tensor], Any]) -> Callable[[dict[str, Any]], Any]:
    """Another tensor in the place of the first."""

    def change(state: dict[str, Any]) -> None:
        weights, name = first(state, part)
        weights[name] = make(weights[name])

    return change


def moment(name: str, make: Callable[[torch.Tensor], Any]) -> Callable[[dict[str, Any]], Any]:
    def change(state: dict[str, Any]) -> None:
        state["optimiser"]["state"][0][name] = make(state["optimiser"]["state"][0][name])

    return change


def let(key: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda state: state.__setitem__(key, value)


def group(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda state: state["optimiser"]["param_groups"][0].update(values)


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no network": lambda state: state.pop("network"),
    "another part": let("more", 1),
    "the network is a list": let("network", [1, 2]),
    "the network is empty": let("network", {}),
    "one weight is left out": lambda state: state["network"].popitem(),
    "one weight more": lambda state: state["network"].update(other=torch.zeros(1)),
    "weights NaN": put("network", lambda one: one * math.nan),
    "weights infinite": put("average", lambda one: one + math.inf),
    "weights of another shape": put("network", lambda one: one[:1]),
    "weights of another type": put("network", lambda one: one.double()),
    "weights sparse": put("network", lambda one: one.to_sparse()),
    "weights without numbers": put("network", lambda one: one.to("meta")),
    "weights a number": put("network", lambda one: 3.0),
    "weights a terabyte": put("network", lambda one: huge(1 << 20, 1 << 18)),
    "no average": let("average", None),
    "the memory of the loss is another": let("loss", {"memory": torch.zeros(2, 2)}),
    "the memory of the loss NaN": put("loss", lambda one: one * math.nan),
    "the optimiser is None": let("optimiser", None),
    "the optimiser has no groups": lambda state: state["optimiser"].pop("param_groups"),
    "the optimiser has one group": lambda state: state["optimiser"]["param_groups"].pop(),
    "the optimiser lets weights grow": group(weight_decay=-1e9),
    "the optimiser has another ε": group(eps=0.0),
    "the optimiser has parameters of others": group(params=[0, 0, 0]),
    "the rate is a text": group(lr="fast"),
    "the rate is NaN": group(lr=math.nan),
    "a moment of another shape": moment("exp_avg", lambda one: one.reshape(-1)),
    "a moment NaN": moment("exp_avg", lambda one: one * math.nan),
    "a square below nought": moment("exp_avg_sq", lambda one: one - 1),
    "a square of another type": moment("exp_avg_sq", lambda one: one.half()),
    "steps of the optimiser a text": moment("step", lambda one: "many"),
    "steps of the optimiser below nought": moment("step", lambda one: one - 1000),
    "a parameter that is not": lambda state: state["optimiser"]["state"].update({999: state["optimiser"]["state"][0]}),
    "a parameter of a name": lambda state: state["optimiser"]["state"].update({"x": state["optimiser"]["state"][0]}),
    "a moment more": lambda state: state["optimiser"]["state"][0].update(max_exp_avg_sq=torch.zeros(1)),
    "epoch nought": let("epoch", 0),
    "epoch below nought": let("epoch", -5),
    "more epochs than wanted": let("epoch", 10**9),
    "half an epoch": let("epoch", 2.5),
    "the epoch is a text": let("epoch", "2"),
    "the epoch is true": let("epoch", True),
    "other steps": let("step", 10**12),
    "seconds NaN": let("seconds", math.nan),
    "seconds below nought": let("seconds", -1.0),
    "seconds a list": let("seconds", []),
    "no history": let("history", []),
    "a history of numbers": let("history", [1, 2]),
    "a history of other keys": let("history", [{"loss": 1.0, "score": None}] * 2),
    "a history of texts": let("history", [{"loss": "low", "score": None, "seconds": 0.0}] * 2),
    "a history of a million": let("history", [{"loss": 1.0, "score": None, "seconds": 0.0}] * 1_000_000),
    "a loss that is infinite": let("history", [{"loss": math.inf, "score": None, "seconds": 0.0}] * 2),
    "a score that is a tensor": let("history", [{"loss": 1.0, "score": torch.zeros(2), "seconds": 0.0}] * 2),
    "the best are of no epoch": let("best_epoch", 7),
    "the best are of a text": let("best_epoch", "last"),
    "no best": let("best", None),
    "the best are no numbers": put("best", lambda one: one * math.nan),
    "the best are of another network": let("best", {"a": torch.zeros(1)}),
    "stopped is a number": let("stopped", 1),
    "stopped is a text": let("stopped", "no"),
    "no dynamics": let("dynamics", None),
    "dynamics of other keys": let("dynamics", {"probability": None}),
    "dynamics of other examples": let("dynamics", {"probability": torch.zeros(3, 9), "margin": None}),
    "dynamics of a terabyte": let("dynamics", {"probability": huge(1 << 20, 1 << 18), "margin": None}),
    "dynamics of texts": let("dynamics", {"probability": "high", "margin": None}),
}


def put_back(place: Path, state: Any) -> None:
    stream = io.BytesIO()
    torch.save(state, stream)
    place.write_bytes(seal(PURPOSE, stream.getvalue()))


def state_of(kept: bytes) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(io.BytesIO(kept), weights_only=True)
    return state


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_state_that_is_none_of_the_training_is_one_clear_line(
    tmp_path: Path, kept: bytes, change: Callable[[dict[str, Any]], Any]
) -> None:
    place, state = tmp_path / "checkpoint.pt", state_of(kept)
    change(state)
    put_back(place, state)
    before = place.read_bytes()
    with pytest.raises(DatasetError, match=r"checkpoint\.pt: the checkpoint .* is damaged \(.*\); delete it") as refused:
        trained(place)
    assert "\n" not in str(refused.value)
    assert place.read_bytes() == before


def numbered(content: bytes) -> bytes:
    """The archive with its record under another name."""
    return content.replace(b"data.pkl", b"data.pkm")


def packed(kept: bytes) -> bytes:
    """The same archive, deflated."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(kept)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return stream.getvalue()


class Program:
    """Would run code where it is unpickled."""

    def __reduce__(self) -> Any:
        return os.abort, ()


FILES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda kept: seal(PURPOSE, b""),
    "no digest": lambda kept: kept,
    "nothing at all": lambda kept: b"",
    "a digest alone": lambda kept: seal(PURPOSE, kept)[:46],
    "cut off": lambda kept: seal(PURPOSE, kept)[:-1],
    "one byte more": lambda kept: seal(PURPOSE, kept) + b"\0",
    "of another purpose": lambda kept: seal("choice", kept),
    "cut off before it was sealed": lambda kept: seal(PURPOSE, kept[:5000]),
    "zeros": lambda kept: seal(PURPOSE, bytes(5000)),
    "JSON": lambda kept: seal(PURPOSE, json.dumps({"signature": "s"}).encode()),
    "a pickle that runs code": lambda kept: seal(PURPOSE, pickle.dumps(Program())),
    "a plain list": lambda kept: seal(PURPOSE, pickle.dumps([1, 2])),
    "another name inside": lambda kept: seal(PURPOSE, numbered(kept)),
}


@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_a_file_that_is_no_checkpoint_is_one_clear_line(tmp_path: Path, kept: bytes, make: Callable[[bytes], bytes]) -> None:
    place = tmp_path / "checkpoint.pt"
    place.write_bytes(make(kept))
    with pytest.raises(DatasetError, match=r"is damaged \(.*\); delete it to train anew"):
        trained(place)


def test_a_program_in_a_checkpoint_of_torch_never_runs(tmp_path: Path, kept: bytes) -> None:
    state, place = state_of(kept), tmp_path / "checkpoint.pt"
    put_back(place, state | {"more": Program()})
    with pytest.raises(DatasetError, match="it cannot be read"):
        trained(place)


def test_the_key_of_another_user_takes_nothing_up(tmp_path: Path, kept: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "checkpoint.pt"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    place.write_bytes(seal(PURPOSE, kept))
    monkeypatch.undo()
    with pytest.raises(DatasetError, match="not as your medaudit wrote it"):
        trained(place)


@pytest.mark.parametrize("make", [lambda kept: kept, packed], ids=["as it was", "deflated"])
def test_what_is_as_it_was_is_taken_up(tmp_path: Path, kept: bytes, make: Callable[[bytes], bytes]) -> None:
    place = tmp_path / "checkpoint.pt"
    place.write_bytes(seal(PURPOSE, make(kept)))
    assert same(trained(place), trained(None))
    assert not list(tmp_path.glob("checkpoint.pt?*"))


@pytest.mark.parametrize("loss", ["natural", "gce"])
@pytest.mark.parametrize(
    "more", [{"ema": None}, {"patience": None}, {"frozen": 1, "thaw": 2}, {"mixup": 0.4, "loss": "natural"}]
)
def test_every_kind_of_training_takes_up_its_own(tmp_path: Path, loss: str, more: dict[str, Any]) -> None:
    recipe = replace(RECIPE, **{"loss": loss, **more})
    with pytest.raises(Interrupted):
        trained(tmp_path / "c.pt", recipe, until=2)
    assert same(trained(tmp_path / "c.pt", recipe), trained(None, recipe))
