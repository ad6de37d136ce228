import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from auditor.values.errors import ConfigError, DatasetError
from trainers.engine.encoder_file import Program
from trainers.engine.loop import train
from trainers.engine.model_card import card_of
from trainers.engine.model_file import load_model, save_model
from trainers.engine.models import network_named
from trainers.engine.network import Network, parameters
from trainers.engine.predict import predict
from trainers.kinds import task_named
from trainers.values.pictures import Examples, Pictures
from trainers.values.recipe import Recipe, Trained

TASK = task_named(kind="single", classes=("ä", "b", "c"), channels=1, shape=(8, 8))
PICTURES = Pictures(array=np.random.default_rng(0).integers(0, 255, (30, 1, 8, 8), dtype=np.uint8), readable=np.ones(30, bool))


def trained() -> Trained:
    rows = np.arange(30)
    targets = np.eye(3, dtype=np.float32)[rows % 3]
    given = Examples(rows=rows, targets=targets, weights=np.ones(30, np.float32), groups=rows)
    recipe = Recipe(epochs=2, width=4, ema=0.9, loss="gce", loss_options={"q": 0.5}, flips=(1,))
    return replace(train(PICTURES, given, TASK, recipe, seed=3, device="cpu"), temperature=1.7)


def test_a_model_that_was_saved_and_loaded_predicts_exactly_the_same(tmp_path: Path) -> None:
    before = trained()
    save_model(before, tmp_path / "model")
    after = load_model(tmp_path / "model")
    rows = np.arange(30)
    np.testing.assert_array_equal(predict(before, PICTURES, rows, device="cpu"), predict(after, PICTURES, rows, device="cpu"))
    assert (after.task, after.recipe, after.normalisation) == (before.task, before.recipe, before.normalisation)
    assert (after.seed, after.temperature, after.records, after.complete) == (3, 1.7, 30, True)
    assert [e.loss for e in after.history] == [e.loss for e in before.history]
    assert not after.network.training


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_model(trained(), tmp_path / name, ["Strategy: robust."])
    for file in ("model.safetensors", "model.json", "card.md"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert {p.name for p in (tmp_path / "a").iterdir()} == {"model.safetensors", "model.json", "card.md"}


def test_the_card_says_what_it_is_and_what_was_not_tested(tmp_path: Path) -> None:
    save_model(trained(), tmp_path, ["Strategy: robust."])
    card = (tmp_path / "card.md").read_text(encoding="utf-8")
    for words in (
        "ä, b, c",
        "8 × 8",
        "30 records",
        "temperature 1.7",
        "Strategy: robust.",
        "not a medical device",
        "## What was not tested",
    ):
        assert words in card


def test_the_card_counts_every_parameter_in_its_table_of_layers_and_says_what_it_is_shown() -> None:
    found = trained()
    card = card_of(found)
    rows = [line.split("|") for line in card.splitlines() if line.startswith("| `")]
    assert sum(int(row[4].replace(",", "")) for row in rows) == parameters(found.network)
    assert rows[-1][1].strip() == "`head`"
    assert rows[-1][3].strip() == "3"
    assert "60 samples" in card
    assert "(pictures, 1, 8, 8)" in card


def test_a_network_of_somebodys_own_code_is_made_only_where_it_may_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs_in_a_model.py").write_text(
        "from pathlib import Path\nfrom torch import nn\nPath('ran').touch()\n"
        "def made(task):\n    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.ReLU(), nn.Linear(3, task.outputs))\n"
    )
    monkeypatch.chdir(tmp_path)
    mine = replace(trained(), recipe=Recipe(network="theirs_in_a_model:made"))
    mine = replace(mine, network=network_named(mine.recipe.network, TASK).eval())
    Path("ran").unlink()
    sys.modules.pop("theirs_in_a_model")
    save_model(mine, tmp_path / "model")
    with pytest.raises(ConfigError, match="--trust-program"):
        load_model(tmp_path / "model")
    assert not Path("ran").exists()
    after, rows = load_model(tmp_path / "model", trust_program=True), np.arange(30)
    np.testing.assert_array_equal(predict(mine, PICTURES, rows, device="cpu"), predict(after, PICTURES, rows, device="cpu"))


def test_a_network_on_a_program_is_saved_with_it_and_names_no_other_file(tmp_path: Path) -> None:
    class Features(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(64, 5)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.first(images.flatten(1)).relu()

    place = tmp_path / "secret-place" / "mine.pt2"
    place.parent.mkdir()
    batch = torch.export.Dim("batch")
    torch.export.save(torch.export.export(Features(), (torch.zeros(2, 1, 8, 8),), dynamic_shapes=({0: batch},)), place)
    network = network_named(str(place), TASK)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    mine = replace(trained(), network=network.eval(), recipe=Recipe(network=str(place)))
    save_model(mine, tmp_path / "model")
    written = {path.name for path in (tmp_path / "model").iterdir()}
    assert written == {"model.safetensors", "model.json", "card.md", "network.pt2"}
    assert "secret-place" not in (tmp_path / "model" / "model.json").read_text() + (tmp_path / "model" / "card.md").read_text()
    with pytest.raises(ConfigError, match="--trust-program"):
        load_model(tmp_path / "model")
    after, rows = load_model(tmp_path / "model", trust_program=True), np.arange(30)
    np.testing.assert_array_equal(predict(mine, PICTURES, rows, device="cpu"), predict(after, PICTURES, rows, device="cpu"))


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="missing"):
        load_model(tmp_path)


def test_damaged_or_foreign_files_are_errors(tmp_path: Path) -> None:
    save_model(trained(), tmp_path)
    described = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    (tmp_path / "model.json").write_text(json.dumps(described | {"schema_version": 99}), encoding="utf-8")
    with pytest.raises(DatasetError, match="another version"):
        load_model(tmp_path)
    described["recipe"]["width"] = 8
    (tmp_path / "model.json").write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(DatasetError, match="do not belong together"):
        load_model(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"none")
    with pytest.raises(DatasetError, match="damaged"):
        load_model(tmp_path)


def test_a_model_on_an_exported_encoder_is_refused(tmp_path: Path) -> None:
    network = Network(Program(nn.Flatten()), nn.Linear(64, 3))
    with pytest.raises(ConfigError, match="pt2"):
        save_model(replace(trained(), network=network), tmp_path)
    assert torch.equal(network(torch.zeros(1, 1, 8, 8)), network.head.bias[None])  # type: ignore[index]


VALUES = (None, True, -1, 10**30, 1e308, float("nan"), "", "../x", [], {}, [[]], {"a": 1}, "9" * 5000, [1e9], 1 << 40)


def places(value: object) -> list[tuple[object, object]]:
    """Every holder and key of a document, at any depth."""
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [(value, key) for key, _ in pairs] + [inner for _, one in pairs for inner in places(one)]


def test_a_description_with_any_value_exchanged_is_a_network_or_one_line(tmp_path: Path) -> None:
    save_model(trained(), tmp_path)
    text = (tmp_path / "model.json").read_text("utf-8")
    refused = 0
    for number in range(len(places(json.loads(text)))):
        for value in VALUES:
            document = json.loads(text)
            holder, key = places(document)[number]
            holder[key] = value
            (tmp_path / "model.json").write_text(json.dumps(document), "utf-8")
            try:
                load_model(tmp_path)
            except DatasetError:  # every other exception fails the test
                refused += 1
    assert refused > 300


def test_a_network_that_is_larger_than_its_file_is_never_made(tmp_path: Path) -> None:
    save_model(trained(), tmp_path)
    described = json.loads((tmp_path / "model.json").read_text("utf-8"))
    described["recipe"]["width"] = 200_000  # 1.4e12 numbers
    (tmp_path / "model.json").write_text(json.dumps(described), "utf-8")
    with pytest.raises(DatasetError, match="do not belong together"):
        load_model(tmp_path)


def test_files_of_a_network_that_are_none_are_told_in_a_line(tmp_path: Path) -> None:
    save_model(trained(), tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    for content in (b"", b"\xff" * 64, whole[:-1], whole[:40], (1 << 60).to_bytes(8, "little") + b"{}"):
        (tmp_path / "model.safetensors").write_bytes(content)
        with pytest.raises(DatasetError, match=r"damaged|belong"):
            load_model(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    os.mkfifo(tmp_path / "model.safetensors")
    with pytest.raises(DatasetError, match="damaged"):
        load_model(tmp_path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_predict_nothing(tmp_path: Path, value: float) -> None:
    save_model(trained(), tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    next(tensor for tensor in weights.values() if tensor.is_floating_point()).view(-1)[0] = value
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(DatasetError, match="do not belong together"):
        load_model(tmp_path)


def test_weights_of_another_type_of_numbers_are_another_network(tmp_path: Path) -> None:
    save_model(trained(), tmp_path)
    weights = {name: tensor.to(torch.int32) for name, tensor in load_file(tmp_path / "model.safetensors").items()}
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(DatasetError, match="do not belong together"):
        load_model(tmp_path)


def test_weights_that_are_larger_than_any_network_are_not_mapped(tmp_path: Path) -> None:
    save_model(trained(), tmp_path)
    os.truncate(tmp_path / "model.safetensors", 3 << 30)
    with pytest.raises(DatasetError, match="damaged"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("normalisation", "deviation", [0.0]),
        ("normalisation", "deviation", [-0.2]),
        ("normalisation", "mean", [float("inf")]),
        ("normalisation", "mean", [0.1, 0.2]),
        ("task", "classes", ["ä", "b", "b"]),
    ],
)
def test_a_description_by_which_predictions_would_be_no_numbers_or_of_nobody_knows_what_is_refused(
    tmp_path: Path, section: str, field: str, value: object
) -> None:
    save_model(trained(), tmp_path)
    document = json.loads((tmp_path / "model.json").read_text("utf-8"))
    document[section][field] = value
    (tmp_path / "model.json").write_text(json.dumps(document), "utf-8")
    with pytest.raises(DatasetError, match=r"do not belong together|damaged"):
        load_model(tmp_path)
