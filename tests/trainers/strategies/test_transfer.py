"""transfer: the encoder is borrowed, the head is new, first one learns and then both; and what it has seen is looked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import write_folder
from safetensors.torch import save_file

from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.stages.known import fingerprints_of
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.results import ScanResult
from trainers.engine.bench import Bench
from trainers.engine.model_file import save_model
from trainers.engine.models import network_named
from trainers.kinds import task_named
from trainers.strategies.transfer import Transfer
from trainers.strategy import Case, NotApplicable
from trainers.values.recipe import Normalisation, Recipe, Trained
from trainers.values.trust import Trust

SHORT = Recipe(network="small-cnn", width=4, epochs=4, batch=8, rate=1e-2)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """40 noisy pictures of 8 × 8 in two classes."""
    rng = np.random.default_rng(0)

    def picture(bright: bool) -> Any:
        return np.clip(rng.normal(150 if bright else 90, 30, (8, 8)), 0, 255).astype(np.uint8)

    root = tmp_path_factory.mktemp("noise") / "set"
    write_folder(root, {"a": [picture(False) for _ in range(20)], "b": [picture(True) for _ in range(20)]})
    return extract(open_dataset(root, Options()), Pass(workers=0))[0]


def trust_of(size: int) -> Trust:
    place = np.arange(size) % 4
    return Trust(
        trusted=place == 0, validation=place == 1, evaluation=place == 2, training=(place == 0) | (place == 3), origin="test",
        self_graded=False,
    )  # fmt: skip


def case_of(dataset: Dataset, work: Path, **options: object) -> Case:
    bench = Bench(dataset, trust_of(dataset.size), work=work, workers=0, device="cpu", recipe=SHORT)
    result: ScanResult = None  # type: ignore[assignment]
    given = {name.replace("_", "-"): str(value) for name, value in options.items()}
    return Case(dataset=dataset, result=result, trust=bench.trust, bench=bench, work=work, options=given)


def a_run(folder: Path, *, channels: int = 1, shape: tuple[int, ...] = (8, 8), width: int = 4) -> Trained:
    """What `fix` of another dataset wrote: a network for three other classes."""
    torch.manual_seed(4)
    task = task_named(kind="single", classes=("x", "y", "z"), channels=channels, shape=shape)
    trained = Trained(
        network=network_named("small-cnn", task, width=width).eval(), task=task, recipe=replace(SHORT, width=width),
        normalisation=Normalisation(mean=(0.5,) * channels, deviation=(0.2,) * channels), seed=0,
    )  # fmt: skip
    save_model(trained, folder / "model")
    return trained


def encoder_of(trained: Trained) -> dict[str, torch.Tensor]:
    return {name: w for name, w in trained.network.get_submodule("encoder").state_dict().items() if "num_batches" not in name}


def fitted(strategy: Transfer, case: Case, seed: int = 0) -> Trained:
    return strategy.fit(case, strategy.propose(case), seed)


def test_without_a_source_it_says_what_to_give(pictures: Dataset, tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="--from-run COPY"):
        Transfer().propose(case_of(pictures, tmp_path))


@pytest.mark.parametrize("channels", [1, 3])
def test_while_it_probes_the_borrowed_encoder_stays_and_the_head_learns(
    pictures: Dataset, tmp_path: Path, channels: int
) -> None:
    source = a_run(tmp_path / "copy", channels=channels)
    case = case_of(pictures, tmp_path / "work", from_run=tmp_path / "copy")
    probed = fitted(Transfer(probe=1.0), case)
    first = "0.0.weight"
    for name, weight in encoder_of(probed).items():
        theirs = encoder_of(source)[name]
        # a first kernel for colour sees grey as three equal channels
        torch.testing.assert_close(weight, theirs.sum(1, keepdim=True) if name == first and channels == 3 else theirs)
    assert probed.network.get_submodule("head").weight.shape[0] == 2  # type: ignore[index, union-attr]
    assert len(probed.history) == 4
    other = fitted(Transfer(probe=1.0), case, seed=1)
    assert not torch.equal(probed.network.state_dict()["head.weight"], other.network.state_dict()["head.weight"])


def test_then_the_encoder_learns_too_with_as_many_epochs_together_as_plain_training(pictures: Dataset, tmp_path: Path) -> None:
    source = a_run(tmp_path / "copy")
    case = case_of(pictures, tmp_path / "work", from_run=tmp_path / "copy")
    tuned = fitted(Transfer(probe=0.5, rate=0.3), case)
    assert any(not torch.equal(weight, encoder_of(source)[name]) for name, weight in encoder_of(tuned).items())
    assert tuned.recipe.epochs == 2
    assert tuned.recipe.rate == pytest.approx(0.3 * SHORT.rate)
    kept = fitted(Transfer(probe=0.5, frozen=1), case_of(pictures, tmp_path / "work2", from_run=tmp_path / "copy"))
    for name, weight in encoder_of(kept).items():
        assert torch.equal(weight, encoder_of(source)[name]) == name.startswith("0."), name
    assert Transfer().conclude(case, Transfer().propose(case), [tuned]).notes[0].startswith("whether the borrowed")


def test_a_network_of_larger_pictures_is_borrowed_with_its_own_stages(pictures: Dataset, tmp_path: Path) -> None:
    a_run(tmp_path / "copy", shape=(32, 32), width=3)
    case = case_of(pictures, tmp_path / "work", from_run=tmp_path / "copy")
    trained = fitted(Transfer(), case)
    assert case.bench.predict(trained, case.trust.evaluation).shape == (10, 2)
    notes = Transfer().conclude(case, Transfer().propose(case), [trained]).notes
    assert any("not the weights alone differ" in note for note in notes)


def test_an_encoder_comes_from_a_file_with_the_name_of_its_network(pictures: Dataset, tmp_path: Path) -> None:
    source = a_run(tmp_path / "copy")
    save_file(source.network.get_submodule("encoder").state_dict(), tmp_path / "e.safetensors")
    case = case_of(pictures, tmp_path / "work", encoder=tmp_path / "e.safetensors", network="small-cnn")
    probed = fitted(Transfer(probe=1.0), case)
    assert all(torch.equal(weight, encoder_of(source)[name]) for name, weight in encoder_of(probed).items())
    with pytest.raises(ConfigError, match="--network: one of small-cnn"):
        Transfer().propose(case_of(pictures, tmp_path / "work", encoder=tmp_path / "e.safetensors"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"from_run": "nowhere"}, "model/model.json"),
        ({"encoder": "nowhere.safetensors", "network": "small-cnn"}, "no such file"),
        ({"encoder": "e", "from_run": "x"}, "give one of them"),
    ],
)
def test_a_source_that_is_not_there_is_a_wrong_option(
    pictures: Dataset, tmp_path: Path, options: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        Transfer().propose(case_of(pictures, tmp_path, **options))


def test_a_network_for_masks_is_not_borrowed_for_labels(pictures: Dataset, tmp_path: Path) -> None:
    task = task_named(kind="segmentation", classes=("background", "object"), channels=1, shape=(8, 8))
    recipe = replace(SHORT, network="unet", width=4)
    save_model(
        Trained(
            network=network_named("unet", task, width=4), task=task, recipe=recipe,
            normalisation=Normalisation(mean=(0.5,), deviation=(0.2,)), seed=0,
        ),
        tmp_path / "copy" / "model",
    )  # fmt: skip
    case = case_of(pictures, tmp_path / "work", from_run=tmp_path / "copy")
    with pytest.raises(NotApplicable, match="segmentation"):
        fitted(Transfer(), case)


def test_an_encoder_that_has_seen_evaluation_records_is_refused(pictures: Dataset, tmp_path: Path) -> None:
    a_run(tmp_path / "copy")
    key = b"0123456789abcdef0123456789abcdef"
    (tmp_path / "key").write_bytes(key)
    place = np.arange(pictures.size) % 4
    for name, rows, held in (("train", place == 0, 0), ("both", place != 1, 10)):
        records = pictures.records.index[rows]
        some = replace(pictures, records=pictures.records.loc[records], fingerprints=pictures.fingerprints.loc[records])
        (tmp_path / f"{name}.parquet").write_bytes(fingerprints_of(some, key)[0])
        case = case_of(
            pictures, tmp_path / "work", from_run=tmp_path / "copy", teacher_data=tmp_path / f"{name}.parquet",
            key=tmp_path / "key",
        )  # fmt: skip
        if held:
            with pytest.raises(NotApplicable, match="10 of 20 records"):
                Transfer().propose(case)
        else:
            assert Transfer().propose(case).notes == ()
    with pytest.raises(ConfigError, match="--key"):
        Transfer().propose(case_of(pictures, tmp_path, from_run=tmp_path / "copy", teacher_data=tmp_path / "both.parquet"))
