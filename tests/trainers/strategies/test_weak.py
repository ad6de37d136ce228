"""weak: masks that miss objects; four arms, the choice on trusted masks, and the table that names them all."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.dataset import Dataset
from auditor.values.results import ScanResult
from trainers.engine.bench import Bench
from trainers.grading.evaluate import score
from trainers.strategies.nothing import Nothing
from trainers.strategies.weak import ARMS, Weak, WeakOnlyPositive, WeakThreshold, WeakUnlabelled
from trainers.strategy import Case, NotApplicable
from trainers.trust import trust_of
from trainers.truth import patients_of, truth_of
from trainers.values.pictures import UNKNOWN_PIXEL, Examples
from trainers.values.recipe import Recipe, Trained
from trainers.values.trust import Trust

SHORT = Recipe(network="unet", width=4, epochs=3, batch=8, rate=1e-2)
N, SIDE = 24, 16


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def write_squares(root: Path, *, kinds: int = 1) -> Path:
    """Two bright squares in each picture; of every second picture's mask one is missing."""
    rng = np.random.default_rng(0)
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    for i in range(N):
        picture, mask = rng.normal(70, 15, (SIDE, SIDE)), np.zeros((SIDE, SIDE), np.uint8)
        for number, column in enumerate((1, 9)):
            row = int(rng.integers(0, 10))
            picture[row : row + 5, column : column + 5] += 110
            if number == 0 or i % 2 == 0:
                mask[row : row + 5, column : column + 5] = 1 + number * (kinds - 1)
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(root / "images" / f"{i:02d}.png")
        Image.fromarray(mask).save(root / "masks" / f"{i:02d}.png")
    return root


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return extract(open_dataset(write_squares(tmp_path_factory.mktemp("squares") / "set"), Options()), Pass(workers=0))[0]


def parts() -> Trust:
    """Even pictures have complete masks: 0–7 train, 8–15 validate, 16–23 evaluate; all odd ones but the last train."""
    place, even = np.arange(N), np.arange(N) % 2 == 0
    return Trust(
        trusted=even & (place < 8), validation=even & (place >= 8) & (place < 16), evaluation=even & (place >= 16),
        training=~even | (place < 8), origin="test", self_graded=False,
    )  # fmt: skip


class Watched(Bench):
    """Notes what it was asked to train on."""

    seen: dict[str, tuple[Examples, Recipe | None]]

    def train(self, examples: Examples, *, name: str, recipe: Recipe | None = None, **options: Any) -> Trained:
        self.seen[name] = (examples, recipe)
        return super().train(examples, name=name, recipe=recipe, **options)


def case_of(dataset: Dataset, work: Path, trust: Trust | None = None) -> tuple[Case, Watched]:
    trust = trust or parts()
    bench = Watched(dataset, trust, work=work, workers=0, device="cpu", recipe=SHORT)
    bench.seen = {}
    work.mkdir(exist_ok=True)
    result: ScanResult = None  # type: ignore[assignment]
    return Case(dataset=dataset, result=result, trust=trust, bench=bench, work=work), bench


def test_each_arm_learns_from_what_it_believes(squares: Dataset, tmp_path: Path) -> None:
    case, bench = case_of(squares, tmp_path / "work")
    strategy = Weak()
    proposal = strategy.propose(case)
    nets = {arm: strategy.trained(case, proposal, arm, 0) for arm in ARMS}
    assert set(bench.seen) == {"nothing-0", "weak-unlabelled-0", "weak-only-positive-0"}
    assert bench.seen["nothing-0"][0].masks is None
    loss = bench.seen["weak-unlabelled-0"][1]
    assert loss is not None
    # two squares of 5 × 5 in 16 × 16, in the trusted masks
    assert (loss.loss, dict(loss.loss_options)) == ("pu", {"prior": pytest.approx(50 / 256)})
    examples = bench.seen["weak-only-positive-0"][0]
    assert examples.masks is not None
    unknown = (examples.masks == UNKNOWN_PIXEL).any(axis=(1, 2))
    assert unknown.tolist() == [row % 2 == 1 for row in examples.rows]
    rows = case.trust.validation
    plain, tuned = bench.predict(nets["baseline"], rows), bench.predict(nets["tuned threshold"], rows)
    order = plain.ravel().argsort()
    assert (np.diff(tuned.ravel()[order]) >= -1e-6).all(), "a moved threshold keeps the order of the pixels"


def test_the_best_arm_on_validation_is_kept_and_the_table_names_all(squares: Dataset, tmp_path: Path) -> None:
    case, _ = case_of(squares, tmp_path / "work")
    strategy = Weak(networks=1)
    proposal = strategy.propose(case)
    fit = strategy.fit(case, proposal, 0)
    done = strategy.conclude(case, proposal, [fit])
    table = {column.name: list(column.values) for column in done.tables[0].columns}
    assert table["arm"] == [*ARMS, "all object", "all background"]
    dice = dict(zip(table["arm"], table["dice"], strict=True))
    share = 50 / 256
    assert dice["all object"] == pytest.approx(2 * share / (1 + share), abs=1e-3)
    assert (dice["all background"], table["pixel_mcc"][-2:]) == (0, [0, 0])
    assert dice["tuned threshold"] >= dice["baseline"]
    chosen = str(done.metrics["arm"])
    assert dice[chosen] == max(dice[arm] for arm in ARMS) or chosen == "baseline"
    expected = strategy.trained(case, proposal, chosen, 0).network.state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in fit.network.state_dict().items())
    assert (done.corrections, dict(done.removed), dict(done.files)) == ((), {}, {})


def test_every_arm_can_be_asked_for_by_name(squares: Dataset, tmp_path: Path) -> None:
    case, _ = case_of(squares, tmp_path / "work")
    for strategy in (WeakThreshold(), WeakUnlabelled(), WeakOnlyPositive()):
        fit = strategy.fit(case, strategy.propose(case), 0)
        done = strategy.conclude(case, strategy.propose(case), [fit])
        assert done.strategy == strategy.name
        assert strategy.arm in done.summary


def test_training_does_not_depend_on_the_evaluation_masks(squares: Dataset, tmp_path: Path) -> None:
    case, _ = case_of(squares, tmp_path / "work")
    proposal = Weak().propose(case)
    first = Weak(networks=1).choice(case, proposal)
    other, watched = case_of(squares, tmp_path / "other")
    masks = watched.pictures.masks
    assert masks is not None
    masks[case.trust.evaluation] = 0
    assert Weak(networks=1).choice(other, proposal) == first


def test_it_says_why_it_does_not_apply(squares: Dataset, tmp_path: Path) -> None:
    none = np.zeros(N, bool)
    for trust in (replace(parts(), validation=none), replace(parts(), guessed=True)):
        with pytest.raises(NotApplicable, match="--trusted"):
            Weak().propose(case_of(squares, tmp_path, trust)[0])
    two = extract(open_dataset(write_squares(tmp_path / "two", kinds=2), Options()), Pass(workers=0))[0]
    with pytest.raises(NotApplicable, match="these have 2"):
        Weak().propose(case_of(two, tmp_path)[0])
    unmasked = replace(squares, records=squares.records.drop(columns="mask"))
    with pytest.raises(NotApplicable, match="no masks"):
        Weak().propose(case_of(unmasked, tmp_path)[0])


def test_records_with_complete_masks_are_named_by_files(squares: Dataset, tmp_path: Path) -> None:
    (tmp_path / "trusted.txt").write_text("".join(f"images/{i:02d}.png\n" for i in range(0, 16, 2)))
    (tmp_path / "test.txt").write_text("".join(f"images/{i:02d}.png\n" for i in range(16, 24, 2)))
    trust = trust_of(squares, trusted=str(tmp_path / "trusted.txt"), evaluate=str(tmp_path / "test.txt"))
    assert np.flatnonzero(trust.evaluation).tolist() == [16, 18, 20, 22]
    assert trust.validation.any()
    assert set(np.flatnonzero(trust.trusted | trust.validation)) == set(range(0, 16, 2))
    assert not (trust.training & (trust.validation | trust.evaluation)).any()
    assert not trust.self_graded
    case, _ = case_of(squares, tmp_path / "work", trust)
    assert Nothing().fit(case, Weak().propose(case), 0).records == int(trust.training.sum())


@pytest.mark.slow
def test_with_half_of_the_objects_missing_every_arm_beats_plain_training(tmp_path: Path) -> None:
    """The figures of `benchmarks/weak_masks.py`, one seed: only-positive first, and far from saying object everywhere."""
    path = Path(__file__).parents[3] / "benchmarks" / "weak_masks.py"
    spec = importlib.util.spec_from_file_location("weak_masks", path)
    assert spec is not None
    assert spec.loader is not None
    weak_masks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(weak_masks)
    share = weak_masks.write_masks(tmp_path / "glands", missing=0.5, seed=0)
    assert 0.15 < share < 0.35
    dataset = extract(open_dataset(tmp_path / "glands", Options()), Pass(workers=0))[0]
    lists = [str(tmp_path / f"glands-{name}.txt") for name in ("trusted", "evaluate")]
    trust = trust_of(dataset, trusted=lists[0], evaluate=lists[1])
    bench = Bench(dataset, trust, work=tmp_path / "work", workers=0, device="cpu")
    result: ScanResult = None  # type: ignore[assignment]
    case = Case(dataset=dataset, result=result, trust=trust, bench=bench, work=bench.work)
    proposal, rows = Weak().propose(case), trust.evaluation
    found = {}
    for arm in ARMS:
        said = bench.predict(Weak().trained(case, proposal, arm, 0), rows)
        scores = score(
            truth_of(case, rows), [said], patients=patients_of(case, rows), task="segmentation", classes=bench.task.classes,
            resamples=50,
        )  # fmt: skip
        found[arm] = {s.metric: s.value for s in scores}
    assert found["tuned threshold"]["dice"] > found["baseline"]["dice"] + 0.05
    assert found["only-positive"]["dice"] > found["baseline"]["dice"] + 0.1
    assert found["only-positive"]["pixel_mcc"] > found["baseline"]["pixel_mcc"]
    all_object = 2 * share / (1 + share)
    assert found["only-positive"]["dice"] > all_object + 0.1
