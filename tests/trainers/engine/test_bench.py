from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import write_folder
from PIL import Image

from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.corrections import Correction, Proposal
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError
from trainers.engine.automatic import automatic
from trainers.engine.bench import Bench
from trainers.engine.device import device_named
from trainers.kinds import task_named
from trainers.values.effort import Effort
from trainers.values.pictures import Examples
from trainers.values.recipe import Recipe, Trained
from trainers.values.task import LearningTask
from trainers.values.trust import Trust

SHORT = Recipe(network="small-cnn", width=4, epochs=15, batch=8, rate=1e-2)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """40 pictures: upright stripes are `a`, lying ones `b`."""
    rng = np.random.default_rng(0)
    wave = np.where(np.arange(12) % 4 < 2, 40, 200)

    def picture(lying: bool) -> Any:
        plane = np.broadcast_to(wave[:, None] if lying else wave, (12, 12))
        return np.clip(np.roll(plane, int(rng.integers(4)), int(not lying)) + rng.normal(0, 10, (12, 12)), 0, 255).astype(
            np.uint8
        )

    root = tmp_path_factory.mktemp("stripes") / "set"
    write_folder(root, {"a": [picture(False) for _ in range(20)], "b": [picture(True) for _ in range(20)]})
    return extract(open_dataset(root, Options()), Pass(workers=0))[0]


def trust_of(size: int) -> Trust:
    place = np.arange(size) % 4
    return Trust(
        trusted=place == 0, validation=place == 1, evaluation=place == 2, training=(place == 0) | (place == 3), origin="test",
        self_graded=False,
    )  # fmt: skip


def bench_of(dataset: Dataset, work: Path, **options: Any) -> Bench:
    return Bench(dataset, trust_of(dataset.size), work=work, workers=0, **({"device": "cpu", "recipe": SHORT} | options))


def test_nothing_is_done_before_it_is_asked_for(stripes: Dataset, tmp_path: Path) -> None:
    bench = bench_of(stripes, tmp_path / "work")
    assert not (tmp_path / "work").exists()
    assert bench.pictures.decoded == 40
    assert bench_of(stripes, tmp_path / "work").pictures.decoded == 0


def test_it_trains_on_the_training_records_under_the_proposal(stripes: Dataset, tmp_path: Path) -> None:
    bench = bench_of(stripes, tmp_path)
    training = np.flatnonzero(bench.trust.training)
    assert bench.examples().rows.tolist() == training.tolist()
    ids = stripes.records.index
    change = Correction(
        record=ids[0], field="label", old="a", new="b", code="LN001", strategy="test", reason="because", safe=True
    )  # fmt: skip
    proposal = Proposal(strategy="test", summary="", corrections=(change,), removed={ids[3]: "odd"}, weights={ids[4]: 0.5})
    examples = bench.examples(proposal)
    assert examples.rows.tolist() == [row for row in training if row != 3]
    assert examples.targets[0].tolist() == [0, 1]
    doubtful = replace(proposal, corrections=(replace(change, safe=False),))
    assert bench.examples(doubtful).targets[0].tolist() == [1, 0], "the copy will not hold it"
    assert examples.weights[examples.rows == 4].tolist() == [0.5]
    assert bench.examples(rows=bench.trust.evaluation).rows.tolist() == np.flatnonzero(bench.trust.evaluation).tolist()


def test_what_it_trained_tells_the_classes_apart(stripes: Dataset, tmp_path: Path) -> None:
    bench = bench_of(stripes, tmp_path)
    examples, short = bench.examples(), replace(SHORT, epochs=2)
    nets = [bench.train(examples, seed=0, name="none-0"), bench.train(examples, seed=1, name="none-1", recipe=short)]
    assert (tmp_path / "none-0" / "checkpoint.pt").is_file()
    each = [bench.predict(net, bench.trust.evaluation) for net in nets]
    assert each[0].shape == (10, 2)
    assert (each[0].argmax(1) == stripes.labels.codes[bench.trust.evaluation]).all()
    np.testing.assert_allclose(bench.predict(nets, bench.trust.evaluation), (each[0] + each[1]) / 2, atol=1e-6)
    soft = bench.soft_examples(np.flatnonzero(bench.trust.evaluation), each[0])
    np.testing.assert_array_equal(soft.targets, each[0])


class Watched(Bench):
    """Notes what it was asked to train on."""

    seen: list[Examples]

    def train(self, examples: Examples, **options: Any) -> Trained:
        self.seen.append(examples)
        return super().train(examples, **options)


def test_out_of_fold_networks_saw_neither_the_record_nor_its_patient(stripes: Dataset, tmp_path: Path) -> None:
    patients = [f"p{i // 2}" for i in range(40)]
    dataset = replace(stripes, records=stripes.records.assign(patient=patients))
    bench = Watched(dataset, trust_of(40), work=tmp_path, workers=0, device="cpu", recipe=replace(SHORT, epochs=2))
    bench.seen = []
    examples = bench.examples(rows=np.ones(40, bool))
    found = bench.out_of_fold(examples, seed=0, name="oof", folds=4)
    assert found.shape == (40, 2)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    assert len(bench.seen) == 4
    held = [set(range(40)) - set(part.rows.tolist()) for part in bench.seen]
    assert sorted(row for part in held for row in part) == list(range(40))
    for part, out in zip(bench.seen, held, strict=True):
        assert not {patients[r] for r in part.rows} & {patients[r] for r in out}
        assert {stripes.labels.codes[r] for r in out} == {0, 1}
    alone = examples.take(np.arange(2))
    with pytest.raises(DatasetError, match="one patient"):
        bench.out_of_fold(alone, seed=0, name="oof", folds=4)


def test_unlabelled_pictures_are_a_pool_after_the_records(stripes: Dataset, tmp_path: Path) -> None:
    write_folder(tmp_path / "pool", {"x": [np.full((12, 12), i * 20, np.uint8) for i in range(3)]})
    pool = extract(open_dataset(tmp_path / "pool", Options()), Pass(workers=0))[0]
    bench = bench_of(stripes, tmp_path / "work", unlabelled=pool)
    assert bench.pool.tolist() == [40, 41, 42]
    assert bench.examples().rows.max() < 40
    soft = bench.soft_examples(bench.pool, np.full((3, 2), 0.5, np.float32))
    assert len(set(soft.groups.tolist()) | set(bench.groups[:40].tolist())) == 43
    both = bench.examples().joined(soft)
    assert bench.predict(bench.train(both, seed=0, name="pool"), bench.pool).shape == (3, 2)


@pytest.mark.parametrize("name", ["tpu", "cuda:x", "cuda:", "gpu:1"])
def test_an_unknown_device_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="give auto, cpu"):
        device_named(name)


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device_named("cpu").type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device_named("auto").type == "cpu"
    for name in ("cuda", "cuda:1", "mps"):
        with pytest.raises(ConfigError, match=f"--device {name}:"):
            device_named(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert device_named("cuda:0") == torch.device("cuda:0")
    with pytest.raises(ConfigError, match="the last GPU here is cuda:0"):
        device_named("cuda:1")


def test_the_automatic_recipe_fits_task_size_and_device() -> None:
    def task(kind: Any, *shape: int) -> LearningTask:
        return task_named(kind=kind, classes=("a", "b"), channels=1, shape=shape)

    assert automatic(task("single", 8, 8), 1200, "cpu").network == "small-cnn"
    assert automatic(task("single", 224, 224), 10_000, "cuda").network == "resnet18"
    assert automatic(task("single", 224, 224), 10_000, "cpu").network == "small-cnn"
    assert automatic(task("segmentation", 128, 128), 100, "cpu").network == "unet"
    assert automatic(task("segmentation", 128, 128), 100, "cuda").network == "basic-unet"
    few, many = automatic(task("single", 28, 28), 50, "cpu"), automatic(task("single", 28, 28), 1_000_000, "cpu")
    assert (few.epochs, many.epochs) == (100, 5)
    assert few.batch < many.batch


def test_masks_are_learnt_where_there_are_no_labels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (tmp_path / "set" / folder).mkdir(parents=True)
    rows = ["image,mask"]
    for i in range(12):
        mask = np.zeros((16, 16), np.uint8)
        y, x = rng.integers(2, 8, 2)
        mask[y : y + 6, x : x + 6] = 255
        image = np.clip(mask * 0.6 + rng.normal(40, 10, mask.shape), 0, 255).astype(np.uint8)
        Image.fromarray(image).save(tmp_path / "set" / "images" / f"{i}.png")
        Image.fromarray(mask).save(tmp_path / "set" / "masks" / f"{i}.png")
        rows.append(f"images/{i}.png,masks/{i}.png" if i != 3 else f"images/{i}.png,")
    (tmp_path / "set" / "table.csv").write_text("\n".join(rows) + "\n")
    dataset = extract(open_dataset(tmp_path / "set", Options()), Pass(workers=0))[0]
    recipe = Recipe(network="unet", width=4, epochs=20, batch=4, rate=1e-2, augmentation="standard")
    bench = bench_of(dataset, tmp_path / "work", recipe=recipe)
    assert bench.task.kind == "segmentation"
    examples = bench.examples()
    assert examples.rows.tolist() == [0, 4, 7, 8, 11]  # 3 has no mask
    found = bench.predict(bench.train(examples, seed=0, name="masks"), bench.trust.evaluation)
    assert found.shape == (3, 1, 16, 16)
    assert bench.pictures.masks is not None
    truth = bench.pictures.masks[bench.trust.evaluation] == 1
    drawn = found[:, 0] > 0.5
    assert 2 * (truth & drawn).sum() / (truth.sum() + drawn.sum()) > 0.8


def test_one_plan_holds_for_the_bench_and_for_those_of_all_arms(stripes: Dataset, tmp_path: Path) -> None:
    long = replace(SHORT, epochs=1000)
    bench = bench_of(stripes, tmp_path, recipe=long)
    plan = bench.plan_for([Effort(), Effort()], seeds=2, budget=20.0)
    assert plan.cut
    assert plan.samples == plan.epochs * len(bench.examples())
    arm = bench.on(bench.view)
    assert (bench.recipe.epochs, arm.recipe.epochs) == (plan.epochs, plan.epochs)
    again = bench_of(stripes, tmp_path, recipe=long)
    assert again.plan_for([Effort(), Effort()], seeds=2, budget=20.0) == plan, "a run that goes on keeps its plan"
    assert again.plan_for([Effort()], seeds=2, budget=20.0).epochs != plan.epochs, "and another run makes its own"


def test_without_a_budget_nothing_is_cut(stripes: Dataset, tmp_path: Path) -> None:
    bench = bench_of(stripes, tmp_path)
    plan = bench.plan_for([Effort()], seeds=1, budget=None)
    assert (plan.cut, bench.recipe, bench.out_of_time) == (False, SHORT, False)


def test_what_training_took_is_counted_over_all_arms(stripes: Dataset, tmp_path: Path) -> None:
    bench = bench_of(stripes, tmp_path, recipe=replace(SHORT, epochs=2))
    examples = bench.examples()
    bench.train(examples, seed=0, name="one")
    bench.on(bench.view).train(examples, seed=0, name="two")
    assert [(s.name, s.samples, s.complete) for s in bench.spent] == [(n, 2 * len(examples), True) for n in ("one", "two")]
    assert all(s.seconds > 0 for s in bench.spent)
