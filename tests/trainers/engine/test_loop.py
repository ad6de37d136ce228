import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from auditor.values.errors import ConfigError, DatasetError, MedauditError
from trainers.engine.loop import train
from trainers.engine.predict import predict
from trainers.kinds import task_named
from trainers.tasks.ordinal import cumulative
from trainers.values.pictures import Examples, Pictures
from trainers.values.recipe import Recipe, Trained
from trainers.values.task import LearningTask

QUICK = Recipe(epochs=4, batch=16, width=8, rate=5e-3)


def pictures(n: int = 96, *, side: int = 8, seed: int = 0, dtype: str = "uint8") -> tuple[Pictures, np.ndarray[Any, Any]]:
    """Noise with a bright bar: class 0 lying, 1 standing, 2 none."""
    draw = np.random.default_rng(seed)
    classes = draw.integers(0, 3, n)
    top = np.iinfo(dtype).max
    array = draw.uniform(0, 0.3, (n, 1, side, side))
    for i, kind in enumerate(classes):
        where = draw.integers(0, side)
        if kind == 0:
            array[i, 0, where] += 0.6
        elif kind == 1:
            array[i, 0, :, where] += 0.6
    return Pictures(array=(array * top).astype(dtype), readable=np.ones(n, bool)), classes


def examples(targets: np.ndarray[Any, Any], rows: np.ndarray[Any, Any] | None = None, **more: Any) -> Examples:
    rows = np.arange(len(targets)) if rows is None else rows
    return Examples(
        rows=rows,
        targets=targets.astype(np.float32),
        weights=more.pop("weights", np.ones(len(rows), np.float32)),
        groups=rows,
        **more,
    )


def task(kind: str = "single", classes: tuple[str, ...] = ("lying", "standing", "none"), **more: Any) -> LearningTask:
    return task_named(kind=kind, classes=classes, channels=1, shape=(8, 8), **more)  # type: ignore[arg-type]


def trained(recipe: Recipe = QUICK, *, seed: int = 0, **more: Any) -> Trained:
    pics, classes = pictures()
    return train(pics, examples(np.eye(3)[classes]), task(), recipe, seed=seed, device="cpu", **more)


def same(a: Trained, b: Trained) -> bool:
    one, other = a.network.state_dict(), b.network.state_dict()
    return all(torch.equal(one[name], other[name]) for name in one)


def test_bars_are_learnt_and_told_on_pictures_that_were_not_seen() -> None:
    pics, classes = pictures(300)
    found = train(pics, examples(np.eye(3)[classes[:200]]), task(), replace(QUICK, epochs=8), seed=0, device="cpu")
    chances = predict(found, pics, np.arange(200, 300), device="cpu")
    assert chances.shape == (100, 3)
    np.testing.assert_allclose(chances.sum(1), 1, rtol=1e-5)
    assert (chances.argmax(1) == classes[200:]).mean() > 0.9
    assert len(found.history) == 8
    assert found.history[-1].loss < found.history[0].loss
    assert found.records == 200
    assert found.complete


@pytest.mark.parametrize("recipe", [QUICK, replace(QUICK, ema=0.9, dropout=0.3, mixup=0.4, label_smoothing=0.1)])
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(recipe: Recipe) -> None:
    first = trained(recipe)
    assert same(first, trained(recipe))
    assert not same(first, trained(recipe, seed=1))


def test_training_leaves_the_randomness_of_the_caller_alone() -> None:
    torch.manual_seed(5)
    np.random.seed(5)
    before, threads = (torch.get_rng_state(), np.random.get_state()[1].copy()), torch.get_num_threads()  # type: ignore[index, union-attr]
    trained(replace(QUICK, epochs=1, dropout=0.5))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # type: ignore[index]
    assert torch.get_num_threads() == threads


class Stopped(Exception):
    pass


class Interruption:
    """Interrupts after so many steps, as Ctrl-C would."""

    def __init__(self, steps: int) -> None:
        self.left, self.told = steps, 0

    def start(self, stage: str, total: int) -> None:
        self.total = total

    def advance(self, count: int = 1) -> None:
        self.told += count
        self.left -= 1
        if self.left < 0:
            raise Stopped

    def finish(self) -> None:
        self.finished = True


@pytest.mark.parametrize(
    "recipe",
    [
        replace(QUICK, ema=0.9, dropout=0.3, loss="elr", augmentation="standard"),
        replace(QUICK, mixup=0.4, frozen=1, thaw=2),
    ],
)
def test_a_resumed_training_ends_bit_for_bit_like_an_uninterrupted_one(tmp_path: Path, recipe: Recipe) -> None:
    whole = trained(recipe, dynamics=True)
    with pytest.raises(Stopped):
        # 6 steps an epoch and one call for what was done before: ends within the third epoch
        trained(recipe, dynamics=True, checkpoint=tmp_path / "c.pt", progress=Interruption(16))
    watched = Interruption(10_000)
    resumed = trained(recipe, dynamics=True, checkpoint=tmp_path / "c.pt", progress=watched)
    assert same(whole, resumed)
    assert watched.total == watched.told == 24
    assert 10_000 - watched.left == 1 + 12  # two epochs of four were left
    np.testing.assert_array_equal(whole.dynamics, resumed.dynamics)
    assert [e.loss for e in whole.history] == [e.loss for e in resumed.history]
    assert list(tmp_path.iterdir()) == [tmp_path / "c.pt"]


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    first = trained(checkpoint=tmp_path / "c.pt")
    watched = Interruption(1)
    assert same(first, trained(checkpoint=tmp_path / "c.pt", progress=watched))


def test_the_checkpoint_of_another_training_is_not_taken_up(tmp_path: Path) -> None:
    trained(checkpoint=tmp_path / "c.pt")
    assert same(trained(seed=1), trained(seed=1, checkpoint=tmp_path / "c.pt"))


def test_a_damaged_checkpoint_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    trained(replace(QUICK, epochs=1), checkpoint=tmp_path / "c.pt")
    (tmp_path / "c.pt").write_bytes((tmp_path / "c.pt").read_bytes()[:1000])
    with pytest.raises(DatasetError, match="delete it"):
        trained(replace(QUICK, epochs=1), checkpoint=tmp_path / "c.pt")


def test_weights_decide_which_of_two_contradicting_labels_is_learnt() -> None:
    pics, classes = pictures(60)
    twice = np.concatenate([np.arange(60), np.arange(60)])
    targets = np.eye(3)[np.concatenate([classes, (classes + 1) % 3])]
    for favoured in (0, 1):
        weights = np.repeat([1.0 - favoured, favoured], 60).astype(np.float32) + 0.01
        found = train(pics, examples(targets, twice, weights=weights), task(), replace(QUICK, epochs=10), seed=0, device="cpu")
        said = predict(found, pics, np.arange(60), device="cpu").argmax(1)
        assert (said == (classes + favoured) % 3).mean() > 0.9


def test_soft_targets_are_learnt_as_they_are() -> None:
    pics, classes = pictures(60)
    targets = np.where(np.eye(3)[classes] > 0, 0.6, 0.2)
    found = train(pics, examples(targets), task(), replace(QUICK, epochs=20), seed=0, device="cpu")
    chances = predict(found, pics, np.arange(60), device="cpu")
    assert abs(float(chances.max(1).mean()) - 0.6) < 0.08


def test_dynamics_tell_wrong_labels_from_right_ones() -> None:
    pics, classes = pictures(200)
    given = classes.copy()
    given[:20] = (given[:20] + 1) % 3
    found = train(pics, examples(np.eye(3)[given]), task(), replace(QUICK, epochs=6), seed=0, device="cpu", dynamics=True)
    assert found.dynamics is not None
    assert found.margins is not None
    assert found.dynamics.shape == found.margins.shape == (6, 200)
    assert np.isfinite(found.dynamics).all()
    assert ((found.dynamics >= 0) & (found.dynamics <= 1)).all()
    believed, margin = found.dynamics.mean(0), found.margins.mean(0)
    assert believed[:20].mean() < believed[20:].mean() - 0.3
    assert margin[:20].mean() < 0 < margin[20:].mean()


def test_several_labels_are_learnt_with_unknown_cells() -> None:
    pics, classes = pictures(200)
    targets = np.stack([classes == 0, classes == 1], 1).astype(np.float32)
    targets[::3, 0] = np.nan
    two = task("multi", ("lying", "standing"))
    found = train(pics, examples(targets), two, replace(QUICK, epochs=8), seed=0, device="cpu", dynamics=True)
    chances = predict(found, pics, np.arange(200), device="cpu")
    assert ((chances[:, 0] > 0.5) == (classes == 0)).mean() > 0.9
    assert ((chances[:, 1] > 0.5) == (classes == 1)).mean() > 0.9
    assert found.dynamics is not None
    assert np.isfinite(found.dynamics).all()


def test_grades_are_learnt_and_their_probabilities_add_up_to_one() -> None:
    draw = np.random.default_rng(0)
    grades = draw.integers(0, 3, 150)
    array = np.clip(draw.normal(60 + 60 * grades[:, None, None, None], 20, (150, 1, 8, 8)), 0, 255).astype(np.uint8)
    pics = Pictures(array=array, readable=np.ones(150, bool))
    targets = cumulative(np.eye(3, dtype=np.float32)[grades])
    found = train(pics, examples(targets), task("ordinal", ("0", "1", "2")), replace(QUICK, epochs=8), seed=0, device="cpu")
    chances = predict(found, pics, np.arange(150), device="cpu")
    assert chances.shape == (150, 3)
    np.testing.assert_allclose(chances.sum(1), 1, atol=1e-5)
    assert (chances.argmax(1) == grades).mean() > 0.9


def test_a_number_is_predicted_in_its_own_unit() -> None:
    draw = np.random.default_rng(0)
    ages = draw.uniform(20, 80, 150)
    array = np.clip(draw.normal(2 * ages[:, None, None, None], 8, (150, 1, 8, 8)), 0, 255).astype(np.uint8)
    pics = Pictures(array=array, readable=np.ones(150, bool))
    targets = ((ages - 50) / 17)[:, None]
    number = task("continuous", (), target_mean=50.0, target_scale=17.0)
    found = train(pics, examples(targets), number, replace(QUICK, epochs=15), seed=0, device="cpu")
    said = predict(found, pics, np.arange(150), device="cpu")[:, 0]
    assert np.abs(said - ages).mean() < 5


def squares(n: int = 40, side: int = 16) -> Pictures:
    draw = np.random.default_rng(1)
    array, masks = draw.uniform(0, 120, (n, 1, side, side)), np.zeros((n, side, side), np.uint8)
    for i in range(n):
        y, x = draw.integers(0, side - 6, 2)
        masks[i, y : y + 6, x : x + 6] = 1
    array[:, 0] += 100 * masks
    return Pictures(array=array.astype(np.uint8), readable=np.ones(n, bool), masks=masks)


def test_masks_are_learnt_and_larger_pictures_are_put_together_from_windows() -> None:
    pics = squares()
    masks = task_named(kind="segmentation", classes=("background", "object"), channels=1, shape=(16, 16))
    recipe = Recipe(network="unet", width=4, epochs=12, batch=8, rate=1e-2)
    given = examples(np.zeros((40, 0)))
    found = train(pics, given, masks, recipe, seed=0, device="cpu", validation=given)
    assert found.history[-1].score is not None
    assert found.history[-1].score > 0.85
    large = Pictures(array=np.tile(pics.array[:2], (1, 1, 2, 2)), readable=np.ones(2, bool))
    chances = predict(found, large, np.arange(2), device="cpu")
    assert chances.shape == (2, 1, 32, 32)
    assert pics.masks is not None
    truth = np.tile(pics.masks[:2], (1, 2, 2))
    assert ((chances[:, 0] > 0.5) == truth).mean() > 0.9


def test_masks_of_the_examples_take_the_place_of_the_pictures_own() -> None:
    pics = squares()
    masks = task_named(kind="segmentation", classes=("background", "object"), channels=1, shape=(16, 16))
    recipe = Recipe(network="unet", width=4, epochs=12, batch=8, rate=1e-2)
    empty = examples(np.zeros((40, 0)), masks=np.zeros((40, 16, 16), np.uint8))
    found = train(pics, empty, masks, recipe, seed=0, device="cpu")
    assert predict(found, pics, np.arange(40), device="cpu").max() < 0.5


def test_volumes_and_sixteen_bits_are_learnt() -> None:
    draw = np.random.default_rng(0)
    classes = draw.integers(0, 2, 60)
    array = draw.uniform(0, 30_000, (60, 1, 4, 8, 8))
    array[classes == 1, :, :, 2:5] += 30_000
    pics = Pictures(array=array.astype(np.uint16), readable=np.ones(60, bool))
    volumes = task_named(kind="single", classes=("a", "b"), channels=1, shape=(4, 8, 8))
    found = train(pics, examples(np.eye(2)[classes]), volumes, replace(QUICK, epochs=5), seed=0, device="cpu")
    assert (predict(found, pics, np.ones(60, bool), device="cpu").argmax(1) == classes).mean() > 0.95


def test_frozen_layers_stay_and_learn_from_the_epoch_they_are_thawed() -> None:
    start = trained(replace(QUICK, epochs=1))
    for frozen, thaw, moves in ((-1, None, False), (-1, 2, True), (-1, 1, True)):
        after = trained(replace(QUICK, epochs=2, frozen=frozen, thaw=thaw), start=start)
        old, new = start.network.get_submodule("encoder").state_dict(), after.network.get_submodule("encoder").state_dict()
        unchanged = all(torch.equal(old[name], new[name]) for name in old)
        assert unchanged is not (moves and thaw == 1), (frozen, thaw)
        assert not torch.equal(start.network.get_parameter("head.weight"), after.network.get_parameter("head.weight"))
        assert all(p.requires_grad for p in after.network.parameters())


def test_a_start_with_other_classes_keeps_its_encoder_and_its_normalisation() -> None:
    pics, classes = pictures(60)
    start = trained(replace(QUICK, epochs=1))
    two = task("single", ("bar", "none"))
    found = train(
        pics,
        examples(np.eye(2)[(classes == 2).astype(int)]),
        two,
        replace(QUICK, epochs=1, frozen=-1),
        seed=0,
        device="cpu",
        start=start,
    )
    assert found.normalisation == start.normalisation
    assert predict(found, pics, np.arange(3), device="cpu").shape == (3, 2)


def test_patience_stops_early_and_keeps_the_best_weights() -> None:
    pics, classes = pictures(120)
    wrong = examples(np.eye(3)[(classes[60:] + 1) % 3], np.arange(60, 120))  # gets worse the more is learnt
    recipe = replace(QUICK, epochs=30, patience=2)
    found = train(pics, examples(np.eye(3)[classes[:60]]), task(), recipe, seed=0, device="cpu", validation=wrong)
    scores = [e.score for e in found.history if e.score is not None]
    best = int(np.argmax(scores))
    assert len(scores) == best + 1 + 2 < 30
    assert found.complete
    said = predict(found, pics, np.arange(60, 120), device="cpu").argmax(1)
    truth = (classes[60:] + 1) % 3
    assert np.mean([(said[truth == c] == c).mean() for c in range(3)]) == pytest.approx(scores[best])


def test_after_the_deadline_one_epoch_is_trained_and_the_result_says_so(tmp_path: Path) -> None:
    recipe = replace(QUICK, epochs=3)
    cut = trained(recipe, deadline=time.monotonic() - 1, checkpoint=tmp_path / "c.pt")
    assert len(cut.history) == 1
    assert not cut.complete
    assert same(trained(recipe), trained(recipe, checkpoint=tmp_path / "c.pt"))


def test_bf16_autocast_runs_on_the_cpu_and_comes_near_fp32() -> None:
    pics, _ = pictures()
    low, high = trained(replace(QUICK, precision="bf16")), trained()
    rows = np.arange(96)
    assert low.network.get_parameter("head.weight").dtype == torch.float32
    difference = np.abs(predict(low, pics, rows, device="cpu") - predict(high, pics, rows, device="cpu"))
    assert 0 < difference.mean() < 0.1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_a_compiled_network_learns_the_same() -> None:
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        pytest.skip("no C++ compiler")
    pics, _ = pictures()
    recipe = replace(QUICK, epochs=2)
    compiled, plain = trained(replace(recipe, compile=True)), trained(recipe)
    rows = np.arange(96)
    np.testing.assert_allclose(predict(compiled, pics, rows, device="cpu"), predict(plain, pics, rows, device="cpu"), atol=2e-3)


def test_without_a_compiler_the_network_learns_as_it_is_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    from trainers.engine import compiling

    monkeypatch.setattr(compiling, "AUTOMATIC", frozenset({"cpu"}))
    monkeypatch.setattr(compiling, "hindrance", lambda _: "Failed to find C compiler.")
    found, plain = trained(), trained(replace(QUICK, compile=False))
    assert (found.uncompiled, plain.uncompiled) == ("Failed to find C compiler.", "")
    for name, weights in found.network.state_dict().items():
        assert torch.equal(weights, plain.network.state_dict()[name])


def test_nothing_to_learn_from_is_an_error() -> None:
    pics, _ = pictures(4)
    with pytest.raises(DatasetError, match="no labelled"):
        train(pics, examples(np.zeros((0, 3))), task(), QUICK, seed=0, device="cpu")
    with pytest.raises(DatasetError, match="no labelled"):
        train(pics, examples(np.eye(3), weights=np.zeros(3, np.float32)), task(), QUICK, seed=0, device="cpu")


def test_a_loss_that_is_no_longer_a_number_is_an_error() -> None:
    pics, classes = pictures(32)
    targets = np.eye(3)[classes]
    targets[0] = math.nan
    with pytest.raises(MedauditError, match="not a number"):
        train(pics, examples(targets), task(), QUICK, seed=0, device="cpu")


def test_mixup_and_elr_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="mixup"):
        Recipe(loss="elr", mixup=0.2)
