"""distill: a small student says what its ensemble says."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import make_dataset, write_folder

from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.dataset import Dataset
from auditor.values.results import ScanResult
from trainers.engine.bench import Bench
from trainers.engine.models import network_named
from trainers.engine.network import parameters
from trainers.kinds import task_named
from trainers.strategies.distill import Distill, small
from trainers.strategy import Case, NotApplicable
from trainers.values.recipe import Recipe
from trainers.values.trust import Trust

SHORT = Recipe(network="small-cnn", width=16, epochs=8, batch=8, rate=1e-2)
DIGITS = task_named(kind="single", classes=tuple("0123456789"), channels=1, shape=(8, 8))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """60 pictures: upright stripes are `a`, lying ones `b`."""
    rng = np.random.default_rng(0)
    wave = np.where(np.arange(12) % 4 < 2, 40, 200)

    def picture(lying: bool) -> Any:
        plane = np.roll(np.broadcast_to(wave[:, None] if lying else wave, (12, 12)), int(rng.integers(4)), int(not lying))
        return np.clip(plane + rng.normal(0, 10, (12, 12)), 0, 255).astype(np.uint8)

    root = tmp_path_factory.mktemp("stripes") / "set"
    write_folder(root, {"a": [picture(False) for _ in range(30)], "b": [picture(True) for _ in range(30)]})
    return extract(open_dataset(root, Options()), Pass(workers=0))[0]


def case_of(dataset: Dataset, work: Path) -> Case:
    place = np.arange(dataset.size) % 3
    none = np.zeros(dataset.size, bool)
    trust = Trust(
        trusted=none, validation=place == 1, evaluation=place == 2, training=place == 0, origin="test", self_graded=False
    )
    result: ScanResult = None  # type: ignore[assignment]
    bench = Bench(dataset, trust, work=work, workers=0, device="cpu", recipe=SHORT)
    return Case(dataset=dataset, result=result, trust=trust, bench=bench, work=work)


def test_the_student_is_small_and_says_what_the_ensemble_says(stripes: Dataset, tmp_path: Path) -> None:
    case, distill = case_of(stripes, tmp_path), Distill(networks=2, share=0.3, augmentation="off", ema=0.5)
    proposal = distill.propose(case)
    fit = distill.fit(case, proposal, 0)
    ensemble = distill.beside(case, fit)["ensemble"]
    large = sum(parameters(one.network) for one in ensemble)
    assert len(ensemble) == 2
    assert 0.1 * large < parameters(fit.network) <= 0.3 * large
    evaluation = case.trust.evaluation
    said, taught = case.bench.predict(fit, evaluation), case.bench.predict(ensemble, evaluation)
    assert (said.argmax(axis=1) == taught.argmax(axis=1)).mean() > 0.9
    assert (taught.argmax(axis=1) == stripes.labels.codes[evaluation]).mean() > 0.9
    found = distill.conclude(case, proposal, [fit])
    assert (found.corrections, dict(found.weights)) == ((), {})
    assert found.metrics["student_parameters"] == parameters(fit.network)
    assert found.metrics["ensemble_parameters"] == large
    assert "times as fast" in found.summary


def test_the_first_of_the_ensemble_is_the_network_of_plain_training(stripes: Dataset, tmp_path: Path) -> None:
    case = case_of(stripes, tmp_path)
    distill = Distill(networks=1, share=0.5)
    fit = distill.fit(case, distill.propose(case), 4)
    plain = case.bench.train(case.bench.examples(), seed=4, name="plain")
    rows = case.trust.evaluation
    np.testing.assert_array_equal(
        case.bench.predict(distill.beside(case, fit)["ensemble"], rows), case.bench.predict(plain, rows)
    )


def test_the_widest_network_that_is_allowed_is_taken() -> None:
    state = torch.get_rng_state()
    recipe = small(Recipe(width=0), DIGITS, 10_000)
    assert torch.equal(state, torch.get_rng_state())

    def size(width: int) -> int:
        return parameters(network_named("small-cnn", DIGITS, width=width))

    assert size(recipe.width) <= 10_000 < size(recipe.width + 1)
    with pytest.raises(NotApplicable, match="larger share"):
        small(Recipe(), DIGITS, 10)


def test_masks_are_not_for_it(stripes: Dataset, tmp_path: Path) -> None:
    case = replace(case_of(stripes, tmp_path), dataset=make_dataset(n=3))
    with pytest.raises(NotApplicable, match="soft targets"):
        Distill().propose(case)
