"""Out-of-fold predictions by networks and by encoders: who is held out, what is left out, and what an encoder sees."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from builders import write_folder
from safetensors.torch import save_file
from torch import nn

from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.labels import Labels, State
from trainers.decoding.model_input import Workplace
from trainers.engine.encoder_features import borrowed, features_of
from trainers.engine.models import network_named
from trainers.kinds import task_named
from trainers.predicting import predictor
from trainers.predicting.predictor import encoder_predictor, network_predictor
from trainers.values.recipe import Recipe

PLACE = Workplace(device="cpu", workers=0)
TRUSTING = replace(PLACE, trust_program=True)
SIZE = 60


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    brief = Recipe(network="small-cnn", width=4, epochs=8, batch=8, rate=1e-2)
    monkeypatch.setattr("trainers.engine.bench.automatic", lambda *_: brief)


@pytest.fixture(scope="module")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """30 pictures of upright stripes (`a`) and 30 of lying ones (`b`), 12 × 12."""
    rng = np.random.default_rng(0)
    wave = np.where(np.arange(12) % 4 < 2, 40, 200)

    def picture(lying: bool) -> np.ndarray:
        plane = np.roll(np.broadcast_to(wave[:, None] if lying else wave, (12, 12)), int(rng.integers(4)), int(not lying))
        return np.clip(plane + rng.normal(0, 12, (12, 12)), 0, 255).astype(np.uint8)

    root = tmp_path_factory.mktemp("stripes") / "set"
    write_folder(root, {name: [picture(name == "b") for _ in range(SIZE // 2)] for name in "ab"})
    return extract(open_dataset(root, Options()), Pass(workers=0))[0]


def relabelled(dataset: Dataset, values: list[object], task: str, classes: tuple[str, ...], states=None) -> Dataset:
    index = dataset.records.index
    frame = None if states is None else pd.DataFrame(states, index=index).astype("int8")
    column = pd.Series(values, index=index, dtype=None if task == "continuous" else "string")
    return replace(dataset, labels=Labels(task=task, values=column, classes=classes, states=frame))  # type: ignore[arg-type]


def with_patients(dataset: Dataset, each: int) -> Dataset:
    people = [f"p{row // each}" for row in range(dataset.size)]
    return replace(dataset, records=dataset.records.assign(patient=pd.array(people, dtype="string")))


def test_networks_find_flipped_labels_out_of_fold(stripes: Dataset) -> None:
    truth = stripes.labels.codes
    given = truth.copy()
    given[[0, 7, 33]] = 1 - given[[0, 7, 33]]
    dataset = relabelled(stripes, ["ab"[c] for c in given], "single", ("a", "b"))
    found = network_predictor(PLACE)(dataset).predictions
    assert found is not None
    assert (found.origin, found.out_of_fold, found.folds) == ("network small-cnn + built-in probe, out of fold", True, 5)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    assert (found.probabilities.argmax(axis=1) == truth).mean() > 0.95
    assert sorted(np.argsort(found.margins)[:3].tolist()) == [0, 7, 33]
    again = network_predictor(PLACE)(dataset).predictions
    np.testing.assert_array_equal(found.probabilities, again.probabilities)


def test_kin_are_never_on_both_sides(stripes: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = with_patients(stripes, 3)
    link = {"record_a": stripes.records.index[0], "record_b": stripes.records.index[59], "evidence": "near", "score": 1.0}
    dataset = replace(dataset, links=pd.DataFrame([link]))
    seen = []
    real = predictor.answered

    def watched(*arguments: object, **options: object) -> Dataset:
        question, model = arguments[1], arguments[2]

        def noting(train, test, rng):
            seen.append((set(question.rows[train] // 3), set(question.rows[test] // 3)))
            return np.full((len(test), 2), 0.5, np.float32)

        del model
        return real(arguments[0], question, noting, **options)

    monkeypatch.setattr(predictor, "answered", watched)
    network_predictor(PLACE)(dataset)
    assert len(seen) == 5
    assert all(not train & test for train, test in seen)
    assert all((0 in test) == (19 in test) for _, test in seen)


def test_networks_that_learn_something_else_say_nothing_of_labels(stripes: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    real = predictor.bench_of

    def finding_marks(*arguments: object) -> object:
        bench = real(*arguments)
        vars(bench)["task"] = task_named("points", shape=(12, 12))
        return bench

    monkeypatch.setattr(predictor, "bench_of", finding_marks)
    with pytest.raises(ConfigError, match="says nothing about each label"):
        network_predictor(PLACE)(stripes)


def test_rare_classes_and_records_without_label_are_not_judged(stripes: Dataset) -> None:
    values: list[object] = [["a", "b"][c] for c in stripes.labels.codes]
    values[0], values[1], values[2] = "c", None, "c"
    found = network_predictor(PLACE)(relabelled(stripes, values, "single", ("a", "b", "c"))).predictions
    missing = np.isnan(found.probabilities).all(axis=1)
    assert np.flatnonzero(missing).tolist() == [0, 1, 2]
    assert (found.probabilities[~missing, 2] < 1e-9).all()


def test_findings_and_grades_are_predicted_as_such(stripes: Dataset) -> None:
    lying = stripes.labels.codes
    states = {
        "lying": np.where(lying == 1, State.POSITIVE, State.NEGATIVE),
        "never": np.full(SIZE, State.NEGATIVE),
        "upright": np.where(np.arange(SIZE) % 10 == 0, State.UNCERTAIN, np.where(lying == 0, State.POSITIVE, State.NEGATIVE)),
    }
    found = network_predictor(PLACE)(relabelled(stripes, [""] * SIZE, "multi", tuple(states), states)).predictions
    assert np.isnan(found.probabilities[:, 1]).all()
    assert ((found.probabilities[:, 0] > 0.5) == (lying == 1)).mean() > 0.9
    assert ((found.probabilities[:, 2] > 0.5) == (lying == 0)).mean() > 0.9
    grades = network_predictor(PLACE)(relabelled(stripes, ["13"[c] for c in lying], "ordinal", ("1", "2", "3")))
    assert grades.predictions.classes == ("1", "2", "3")
    assert (grades.predictions.probabilities[:, 1] < 1e-9).all()


def test_a_number_is_predicted_out_of_fold_by_networks_and_on_an_encoder(stripes: Dataset, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    values = 100 + 50 * stripes.labels.codes + rng.normal(0, 2, SIZE)
    values[5] = np.nan
    dataset = relabelled(stripes, list(values), "continuous", ())
    task = task_named(kind="single", classes=("x", "y"), channels=1, shape=(12, 12))
    torch.manual_seed(2)
    save_file(
        {n: t.clone() for n, t in network_named("small-cnn", task, width=6).encoder.state_dict().items()},
        tmp_path / "e.safetensors",
    )
    for predictor_ in (network_predictor(PLACE), encoder_predictor(PLACE, tmp_path / "e.safetensors", "small-cnn")):
        found = predictor_(dataset).predictions
        assert found.classes == ("value",)
        told = found.probabilities[:, 0]
        assert np.flatnonzero(np.isnan(told)).tolist() == [5]
        known = np.isfinite(values)
        assert np.median(np.abs(told - values)[known]) < 12


def test_what_cannot_be_predicted_is_refused_with_the_reason(stripes: Dataset) -> None:
    for dataset, words in [
        (relabelled(stripes, [1.0] * 9 + [np.nan] * 51, "continuous", ()), "9 labelled records"),
        (relabelled(stripes, [None] * SIZE, "none", ()), "no label"),
        (relabelled(stripes, ["a"] * SIZE, "single", ("a",)), "fewer than two classes"),
        (relabelled(stripes, ["a"] * 5 + ["b"] * 5 + [None] * 50, "single", ("a", "b")), "10 labelled records"),
    ]:
        with pytest.raises(ConfigError, match=words):
            network_predictor(PLACE)(dataset)


def test_the_probe_on_an_encoder_learns_and_the_encoder_does_not(stripes: Dataset, tmp_path: Path) -> None:
    task = task_named(kind="single", classes=("x", "y", "z"), channels=1, shape=(12, 12))
    torch.manual_seed(2)
    network = network_named("small-cnn", task, width=6)
    save_file({n: t.clone() for n, t in network.encoder.state_dict().items()}, tmp_path / "e.safetensors")
    found = encoder_predictor(PLACE, tmp_path / "e.safetensors", "small-cnn")(stripes).predictions
    assert found.origin == "built-in probe on the encoder small-cnn of e.safetensors, out of fold"
    assert (found.probabilities.argmax(axis=1) == stripes.labels.codes).mean() > 0.9
    lent = borrowed(stripes, tmp_path / "e.safetensors", "small-cnn", PLACE, tmp_path / "work")
    features = features_of(lent, PLACE, tmp_path / "work")
    pictures = torch.from_numpy(lent.pictures.array.astype(np.float32)) / 255
    norm = lent.normalisation
    with torch.no_grad():
        expected = network.eval().encoder((pictures - norm.mean[0]) / norm.deviation[0])
    np.testing.assert_allclose(features, expected.numpy(), rtol=1e-3, atol=1e-4)


def test_an_encoder_for_large_pictures_gets_them_enlarged(stripes: Dataset, tmp_path: Path) -> None:
    task = task_named(kind="single", classes=("a", "b"), channels=3, shape=(224, 224))
    encoder = network_named("resnet18", task).encoder
    save_file({n: t.clone() for n, t in encoder.state_dict().items()}, tmp_path / "e.safetensors")
    lent = borrowed(stripes, tmp_path / "e.safetensors", "resnet18", PLACE, tmp_path / "work")
    assert lent.pictures.array.shape == (SIZE, 3, 128, 128)


class Means(nn.Module):
    """Mean of the left and of the upper half, of pictures of three channels."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.stack([images[..., :4].mean((1, 2, 3)), images[:, :, :4].mean((1, 2, 3))], 1)


def test_a_program_says_what_pictures_it_wants(stripes: Dataset, tmp_path: Path) -> None:
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(Means(), (torch.zeros(2, 3, 8, 8),), dynamic_shapes=({0: batch},))
    torch.export.save(program, tmp_path / "e.pt2")
    lent = borrowed(stripes, tmp_path / "e.pt2", None, TRUSTING, tmp_path / "work")
    assert lent.pictures.array.shape == (SIZE, 3, 8, 8)
    assert features_of(lent, PLACE, tmp_path / "work").shape == (SIZE, 2)
    fixed = torch.export.export(Means(), (torch.zeros(2, 3, 8, 8),))
    torch.export.save(fixed, tmp_path / "fixed.pt2")
    with pytest.raises(ConfigError, match="dynamic first dimension"):
        borrowed(stripes, tmp_path / "fixed.pt2", None, TRUSTING, tmp_path / "work")


@pytest.mark.parametrize(
    ("name", "network", "words"),
    [
        ("e.safetensors", None, "name its network"),
        ("e.safetensors", "resnet18", "names of weights differ"),
        ("bad.safetensors", "small-cnn", "not a safetensors file"),
        ("e.bin", "small-cnn", ".safetensors file or a .pt2"),
        ("none.safetensors", "small-cnn", "no such file"),
        ("bad.pt2", None, "not a program"),
        ("bad.pt2", "resnet18", "its own network"),
    ],
)
def test_an_encoder_that_does_not_fit_is_refused(stripes: Dataset, tmp_path: Path, name: str, network, words: str) -> None:
    task = task_named(kind="single", classes=("a", "b"), channels=1, shape=(12, 12))
    weights = network_named("small-cnn", task, width=4).encoder.state_dict()
    save_file({n: t.clone() for n, t in weights.items()}, tmp_path / "e.safetensors")
    for junk in ("bad.safetensors", "e.bin", "bad.pt2"):
        (tmp_path / junk).write_bytes(b"junk")
    with pytest.raises(ConfigError, match=words):
        encoder_predictor(TRUSTING, tmp_path / name, network)(stripes)
