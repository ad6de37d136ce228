"""The network that a copy holds: calibrated on trusted records, exported, and what its card says."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import write_folder
from scipy.optimize import minimize_scalar

from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.dataset import Dataset
from trainers import model_files as made
from trainers.attempt import Attempt
from trainers.engine.bench import Bench
from trainers.engine.model_file import load_model
from trainers.engine.predict import predict
from trainers.strategies.nothing import Nothing
from trainers.values.recipe import Recipe
from trainers.values.trust import Trust

SHORT = Recipe(network="small-cnn", width=4, epochs=40, batch=16, rate=1e-2)


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """120 noisy pictures of two classes that overlap: a network learns them by heart and is too sure."""
    torch.set_num_threads(1)
    draw = np.random.default_rng(0)

    def picture(bright: bool) -> Any:
        return np.clip(draw.normal(130 if bright else 118, 30, (8, 8)) + draw.normal(0, 8), 0, 255).astype(np.uint8)

    root = tmp_path_factory.mktemp("doubtful") / "set"
    write_folder(root, {"a": [picture(False) for _ in range(60)], "b": [picture(True) for _ in range(60)]})
    return extract(open_dataset(root, Options()), Pass(workers=0))[0]


def trust_of(size: int, *, validation: int = 40, guessed: bool = False) -> Trust:
    place = np.random.default_rng(1).permutation(size)
    part = np.digitize(place, [validation, 80])
    return Trust(
        trusted=part < 1, validation=part == 0, evaluation=part == 2, training=part == 1, origin="40 records that a test names",
        self_graded=False, guessed=guessed,
    )  # fmt: skip


@pytest.fixture(scope="module")
def attempt(doubtful: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Attempt:
    bench = Bench(
        doubtful, trust_of(doubtful.size), work=tmp_path_factory.mktemp("work"), workers=0, device="cpu", recipe=SHORT
    )
    fit = bench.train(bench.examples(), seed=3, name="nothing-3")
    said = bench.predict(fit, bench.trust.evaluation)
    return Attempt(strategy=Nothing(), why="", fits=[fit], bench=bench, on_evaluation=said[None])


def log_loss(attempt: Attempt, temperature: float) -> float:
    bench, fit = attempt.bench, attempt.fits[0]
    assert bench is not None
    rows = bench.trust.validation
    said = bench.predict(replace(fit, temperature=temperature), rows).astype(np.float64)
    right = bench.dataset.labels.codes[rows]
    return float(-np.log(np.clip(said[np.arange(len(right)), right], 1e-12, 1)).mean())


def test_the_temperature_is_that_of_least_log_loss_and_what_is_saved_says_it(attempt: Attempt, tmp_path: Path) -> None:
    bench = attempt.bench
    assert bench is not None
    files = made.model_files([attempt], bench.trust, tmp_path)
    assert {"model/model.safetensors", "model/model.json", "model/card.md", "model/model.pt2"} <= set(files)
    assert all(path.is_file() for path in files.values())
    ours = load_model(tmp_path / "model")
    best = minimize_scalar(lambda t: log_loss(attempt, float(np.exp(t))), bounds=(-np.log(4), np.log(4)), method="bounded")
    assert ours.temperature == pytest.approx(float(np.exp(best.x)), rel=0.02)
    assert ours.temperature > 1.2, "it was too sure"
    assert log_loss(attempt, ours.temperature) < log_loss(attempt, 1.0)
    rows = np.flatnonzero(bench.trust.evaluation)
    said = predict(ours, bench.pictures, rows, device="cpu")
    np.testing.assert_allclose(said, bench.predict(replace(attempt.fits[0], temperature=ours.temperature), rows), atol=1e-6)
    program = torch.export.load(tmp_path / "model" / "model.pt2").module()
    shares = torch.from_numpy(np.asarray(bench.pictures.array[rows], np.float32) / 255)
    np.testing.assert_allclose(program(shares).detach().numpy(), said, atol=1e-5)
    card = (tmp_path / "model" / "card.md").read_text()
    for words in (
        "Calibrated on 40 trusted records", "95 % interval", "40 evaluation records", "the seeds 3", "1,600 samples",
        "40 records that a test names", "must\nnot be used for diagnosis", "`head`",
    ):  # fmt: skip
        assert words in card


@pytest.mark.parametrize(
    ("change", "told"),
    [({"validation": 10}, "10 trusted validation records \\(it takes 20\\)"), ({"guessed": True}, "no person stands behind")],
)
def test_too_few_or_guessed_records_calibrate_nothing(change: dict[str, Any], told: str, attempt: Attempt) -> None:
    bench = attempt.bench
    assert bench is not None
    ours, how = made.calibrated(attempt, attempt.fits[0], trust_of(bench.dataset.size, **change))
    assert ours.temperature == 1
    assert re.search(told, how)


def test_nothing_kept_is_no_file(tmp_path: Path) -> None:
    assert made.model_files([], None, tmp_path) == {}
