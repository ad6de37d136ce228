"""The size of pictures and the network where nobody says so: chosen on validation records, within the budget."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import write_folder

from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.dataset import Dataset
from auditor.values.results import ScanResult
from trainers import sizing
from trainers.attempt import Order
from trainers.engine.bench import Bench
from trainers.engine.plan import Pace
from trainers.sizing import sized
from trainers.strategy import Case
from trainers.values.recipe import Recipe
from trainers.values.trust import Trust

SHORT = Recipe(network="small-cnn", width=4, epochs=12, batch=16, rate=1e-2)
ORDER = Order(budget=60.0, seeds=1)


@pytest.fixture(scope="module")
def fine(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """120 pictures of 72 × 72: `b` has dots of two pixels, which are gone where sixteen are one; means are the same."""
    torch.set_num_threads(1)
    draw = np.random.default_rng(0)

    def picture(dotted: bool) -> Any:
        plane = np.full((72, 72), float(draw.integers(90, 130)))
        if dotted:
            for row, column in draw.integers(0, 17, (12, 2)):
                plane[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += np.kron([[80, -80], [-80, 80]], np.ones((2, 2)))
        return np.clip(plane + draw.normal(0, 3, plane.shape), 0, 255).astype(np.uint8)

    root = tmp_path_factory.mktemp("fine") / "set"
    write_folder(root, {"a": [picture(False) for _ in range(60)], "b": [picture(True) for _ in range(60)]})
    return extract(open_dataset(root, Options()), Pass(workers=0))[0]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainers.engine.material.MOST_SIDE", {"cpu": 9})
    monkeypatch.setattr(sizing, "MOST_SIDE", {"cpu": 9})
    monkeypatch.setattr(sizing, "timed", lambda *_: Pace(plain=1e-4, augmented=1e-4))


def case_of(dataset: Dataset, work: Path, *, validation: int = 40) -> Case:
    place = np.random.default_rng(1).permutation(dataset.size)
    part = np.digitize(place, [validation, 80])
    trust = Trust(
        trusted=part < 1, validation=part == 0, evaluation=part == 2, training=part == 1, origin="test", self_graded=False
    )
    bench = Bench(dataset, trust, work=work, workers=0, device="cpu", recipe=SHORT)
    return Case(dataset=dataset, result=ScanResult.__new__(ScanResult), trust=trust, bench=bench, work=work)


def test_larger_pictures_are_taken_where_they_show_more_and_the_choice_stands(fine: Dataset, tmp_path: Path) -> None:
    case, order, reason = sized(case_of(fine, tmp_path), ORDER, arms=2)
    assert max(case.bench.pictures.shape) == 72
    assert "small-cnn at 72 pixels chosen on the validation records" in reason
    assert order.budget is not None
    assert 0 < order.budget < 60
    again, same, told = sized(case_of(fine, tmp_path), ORDER, arms=2)
    assert (same.budget, told, again.bench.side) == (order.budget, reason, case.bench.side)
    assert not again.bench.spent, "nothing is trained a second time"


@pytest.mark.parametrize(
    ("change", "pace", "validation", "told"),
    [
        ({"budget": None}, 1e-4, 40, ""),
        ({"side": 16}, 1e-4, 40, ""),
        ({}, 10.0, 40, "the budget is too short for half of their epochs"),
        ({}, 1e-4, 10, "too few trusted validation records"),
    ],
)
def test_the_usual_size_stays(
    change: dict[str, Any], pace: float, validation: int, told: str, fine: Dataset, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(sizing, "timed", lambda *_: Pace(plain=pace, augmented=pace))
    case, _, reason = sized(case_of(fine, tmp_path, validation=validation), replace(ORDER, **change), arms=2)
    assert (case.bench.network, case.bench.side) == (None, None)
    assert told in reason
    assert bool(told) == bool(reason)


def test_small_pictures_are_not_tried_in_other_sizes(fine: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizing, "MOST_SIDE", {"cpu": 64})
    assert sized(case_of(fine, tmp_path), ORDER, arms=2)[2] == ""


def test_a_deep_network_is_tried_where_there_are_many_examples(
    fine: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = case_of(fine, tmp_path).bench
    assert sizing.candidates_for(bench, None) == [(None, None), (None, 72)]
    monkeypatch.setattr(sizing, "ENOUGH_FOR_DEPTH", 40)
    assert sizing.candidates_for(bench, None)[2] == ("resnet18", 72)
    assert len(sizing.candidates_for(bench, "small")) == 2
