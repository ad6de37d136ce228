import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from auditor.values.errors import MedauditError
from trainers.engine import export
from trainers.engine.export import export_model
from trainers.engine.models import network_named
from trainers.engine.network import Network
from trainers.engine.predict import placed, predict
from trainers.kinds import task_named
from trainers.values.pictures import Pictures
from trainers.values.recipe import Normalisation, Recipe, Trained
from trainers.values.task import LearningTask


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def trained(task: LearningTask, name: str = "small", **recipe: Any) -> Trained:
    torch.manual_seed(0)
    network = network_named(name, task, width=4)
    with torch.no_grad():  # statistics that are not those of a fresh network
        network.train()(torch.rand(8, task.channels, *task.shape))
    network = placed(network, task, torch.device("cpu"))  # in the layout that it is trained in
    return Trained(
        network=network.eval(), task=task, recipe=Recipe(network=name, width=4, **recipe), seed=0, temperature=1.7,
        normalisation=Normalisation(mean=(0.4,) * task.channels, deviation=(0.2,) * task.channels),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "classes", "channels", "shape", "depth", "more"),
    [
        ("single", ("a", "b", "c"), 3, (28, 28), np.uint8, {}),
        ("ordinal", ("0", "1", "2", "3"), 1, (12, 10), np.uint16, {}),
        ("continuous", (), 1, (8, 8), np.uint8, {"target_mean": 60.0, "target_scale": 12.0}),
        ("segmentation", ("background", "x", "y"), 1, (11, 14), np.uint8, {}),
        ("points", (), 1, (12, 12), np.uint8, {}),
        ("multi", ("a", "b"), 1, (6, 8, 8), np.uint8, {}),
    ],
)
def test_the_program_says_of_any_number_of_stored_pictures_what_the_network_says(
    kind: str, classes: tuple[str, ...], channels: int, shape: tuple[int, ...], depth: type, more: dict[str, float],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(export, "as_onnx", lambda *_: ([], []))
    ours = trained(task_named(kind=kind, classes=classes, channels=channels, shape=shape, **more))
    files, notes = export_model(ours, tmp_path)
    assert files[0] == "model.pt2"
    top = np.iinfo(depth).max
    array = np.random.default_rng(0).integers(0, top, (5, channels, *shape), endpoint=True).astype(depth)
    wanted = predict(ours, Pictures(array=array, readable=np.ones(5, bool)), np.arange(5), device="cpu")
    program = torch.export.load(tmp_path / "model.pt2").module()
    for count in (1, 5):
        said = program(torch.from_numpy(array[:count].astype(np.float32) / top))
        np.testing.assert_allclose(said.detach().numpy(), wanted[:count], atol=1e-4, rtol=1e-4)
    assert "compared with the network" in notes[0]


@pytest.mark.slow
def test_any_onnx_runtime_says_the_same(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    from onnx.reference import ReferenceEvaluator

    ours = trained(task_named(kind="ordinal", classes=("0", "1", "2"), channels=1, shape=(8, 8)))
    files, _ = export_model(ours, tmp_path)
    assert files == ["model.pt2", "model.onnx"]
    assert {path.name for path in tmp_path.iterdir()} == set(files), "weights lie inside"
    onnx.checker.check_model(str(tmp_path / "model.onnx"))
    array = np.random.default_rng(1).integers(0, 255, (4, 1, 8, 8)).astype(np.uint8)
    wanted = predict(ours, Pictures(array=array, readable=np.ones(4, bool)), np.arange(4), device="cpu")
    said = ReferenceEvaluator(str(tmp_path / "model.onnx")).run(["predictions"], {"pictures": array.astype(np.float32) / 255})
    np.testing.assert_allclose(said[0], wanted, atol=1e-5)


class Unsteady(nn.Module):
    """Says something else each time, and takes another way by what it sees."""

    def __init__(self, *, branching: bool) -> None:
        super().__init__()
        self.branching, self.calls = branching, 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        flat = images.flatten(1)[:, :64]
        if self.branching and float(flat.sum()) > 0:
            return flat * 2
        return flat * (1 if self.calls == 1 else 7)


@pytest.mark.parametrize("branching", [True, False])
def test_what_cannot_be_exported_or_says_something_else_is_left_out_and_told(branching: bool, tmp_path: Path) -> None:
    ours = trained(task_named(kind="single", classes=("a", "b"), channels=1, shape=(8, 8)))
    network = Network(Unsteady(branching=branching), nn.Linear(64, 2)).eval()
    files, notes = export_model(replace(ours, network=network), tmp_path)
    assert files == []
    assert "not written" in notes[0]
    assert not list(tmp_path.iterdir())


def test_without_the_extra_the_card_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda name: None)
    ours = trained(task_named(kind="single", classes=("a", "b"), channels=1, shape=(8, 8)))
    files, notes = export_model(ours, tmp_path)
    assert files == ["model.pt2"]
    assert "pip install 'medaudit[onnx]'" in notes[-1]


def test_a_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch.export, "save", full)
    with pytest.raises(MedauditError, match="cannot be written"):
        export_model(trained(task_named(kind="single", classes=("a", "b"), channels=1, shape=(8, 8))), tmp_path)
