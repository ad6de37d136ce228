"""teacher: on small pictures whose labels are planted wrong, by the real networks."""

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
from auditor.values.errors import ConfigError
from auditor.values.results import ScanResult
from trainers.engine.bench import Bench
from trainers.strategies.teacher import Teacher, other_rows
from trainers.strategy import Case, NotApplicable
from trainers.values.pictures import Examples
from trainers.values.recipe import Recipe, Trained
from trainers.values.trust import Trust

SHORT = Recipe(network="small-cnn", width=4, epochs=8, batch=4, rate=1e-2)
N = 120


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def picture(rng: np.random.Generator, lying: bool) -> Any:
    wave = np.where(np.arange(12) % 4 < 2, 40, 200)
    plane = np.broadcast_to(wave[:, None] if lying else wave, (12, 12))
    return np.clip(np.roll(plane, int(rng.integers(4)), int(not lying)) + rng.normal(0, 10, (12, 12)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """120 pictures: the first half of the records are upright stripes, `a`, the others lying ones, `b`."""
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("stripes") / "set"
    write_folder(root, {"a": [picture(rng, False) for _ in range(N // 2)], "b": [picture(rng, True) for _ in range(N // 2)]})
    return extract(open_dataset(root, Options()), Pass(workers=0))[0]


def pool_of(tmp_path: Path, dataset: Dataset) -> Dataset:
    """Six pictures without labels: four new ones, and copies of an evaluation and of a training record."""
    rng = np.random.default_rng(1)
    root = tmp_path / "pool"
    write_folder(root, {"x": [picture(rng, i % 2 == 1) for i in range(4)]})
    place = np.arange(N) % 4
    for name, row in (("held", np.flatnonzero(place == 2)[0]), ("open", np.flatnonzero(place == 3)[0])):
        (root / "x" / f"{name}.png").write_bytes((dataset.root / str(dataset.records["path"].iloc[row])).read_bytes())
    return extract(open_dataset(root, Options()), Pass(workers=0))[0]


def relabelled(dataset: Dataset, codes: Any) -> Dataset:
    values = dataset.labels.values.astype(object).copy()
    values[:] = [None if c < 0 else "ab"[c] for c in codes]
    return replace(dataset, labels=replace(dataset.labels, values=values.astype("string")))


def case_of(dataset: Dataset, work: Path, *, bench: Any = Bench, unlabelled: Dataset | None = None, **trust: Any) -> Case:
    place = np.arange(dataset.size) % 4
    parts: dict[str, Any] = {
        "trusted": place == 0, "validation": place == 1, "evaluation": place == 2,
        "training": (place == 0) | (place == 3), "origin": "test", "self_graded": False,
    }  # fmt: skip
    believed = Trust(**(parts | trust))
    made = bench(dataset, believed, work=work, workers=0, device="cpu", recipe=SHORT, unlabelled=unlabelled)
    result: ScanResult = None  # type: ignore[assignment]
    return Case(dataset=dataset, result=result, trust=believed, bench=made, work=work, unlabelled=unlabelled)


class Watched(Bench):
    """Notes what it was asked to train on."""

    seen: list[tuple[str, Examples, Recipe]]

    def train(self, examples: Examples, **options: Any) -> Trained:
        self.seen.append((options["name"], examples, options["recipe"]))
        return super().train(examples, **options)


FAST = Teacher(folds=2, augmentation="off", ema=0.5, dropout=0.0, mixup=0.0, tuning_epochs=2)


def test_wrong_labels_are_read_rightly_and_proposed(stripes: Dataset, tmp_path: Path) -> None:
    truth = np.arange(N) // (N // 2)
    given = truth.copy()
    others = np.flatnonzero(np.arange(N) % 4 == 3)
    wrong, blank = others[:6], others[-3:]
    given[wrong] = 1 - given[wrong]
    given[blank] = -1
    case = case_of(relabelled(stripes, given), tmp_path)
    proposal = FAST.propose(case)
    fits = [FAST.fit(case, proposal, 0)]
    evaluation = case.trust.evaluation
    assert (case.bench.predict(fits, evaluation).argmax(axis=1) == truth[evaluation]).all()
    found = FAST.conclude(case, proposal, fits)
    ids = case.dataset.records.index
    changed = {c.record: c for c in found.corrections}
    assert set(changed) == set(ids[wrong]) | set(ids[blank])
    assert all(changed[ids[row]].new == "ab"[truth[row]] for row in [*wrong, *blank])
    assert not any(c.safe for c in found.corrections)  # 30 trusted records bound no error at .95
    assert set(found.weights) == set(ids[wrong])
    assert max(found.weights.values()) < 0.5
    assert [found.metrics[f"records_{what}"] for what in ("kept", "replaced", "filled")] == [len(others) - 9, 6, 3]
    assert (found.metrics["trusted_records"], found.metrics["teacher_accuracy"]) == (30, 1.0)
    assert found.removed == {}


def test_the_same_seed_gives_the_same(stripes: Dataset, tmp_path: Path) -> None:
    said = []
    for name in ("one", "two"):
        case = case_of(stripes, tmp_path / name)
        fit = FAST.fit(case, FAST.propose(case), 3)
        said.append((case.bench.predict(fit, case.trust.evaluation), FAST.conclude(case, FAST.propose(case), [fit])))
    np.testing.assert_array_equal(said[0][0], said[1][0])
    assert said[0][1] == said[1][1]


def test_what_validates_and_evaluates_is_learnt_by_nobody(stripes: Dataset, tmp_path: Path) -> None:
    case = case_of(stripes, tmp_path / "work", bench=Watched, unlabelled=pool_of(tmp_path, stripes))
    watched: Any = case.bench
    watched.seen = []
    FAST.fit(case, FAST.propose(case), 0)
    names = [name for name, _, _ in watched.seen]
    assert names == ["teacher-0-teacher-fold1", "teacher-0-teacher-fold2", "teacher-0", "teacher-0-tuned"]
    trusted, training = set(np.flatnonzero(case.trust.trusted)), set(np.flatnonzero(case.trust.training))
    for name, examples, _ in watched.seen:
        rows = set(examples.rows.tolist())
        assert rows <= (training | set(range(N, N + 6)) if name == "teacher-0" else trusted)
    student, tuned = watched.seen[2][2], watched.seen[3][2]
    assert tuned.rate == pytest.approx(student.rate / 10)
    # of the pool, the copy of an evaluation record is left out, that of a training record is not
    assert len(other_rows(case)) == int((case.trust.training & ~case.trust.trusted).sum()) + 5


def test_where_a_model_chose_the_trusted_records_nothing_is_rewritten(stripes: Dataset, tmp_path: Path) -> None:
    case = case_of(stripes, tmp_path, guessed=True)
    fit = FAST.fit(case, FAST.propose(case), 0)
    found = FAST.conclude(case, FAST.propose(case), [fit])
    assert any("a model chose" in note for note in found.notes)
    assert not any(c.safe for c in found.corrections)


def test_where_most_records_have_no_label_the_student_is_trained_to_resist(stripes: Dataset, tmp_path: Path) -> None:
    given = np.arange(N) // (N // 2)
    given[np.arange(N) % 4 == 3] = -1
    losses = []
    for name, codes in (("blank", given), ("full", np.arange(N) // (N // 2))):
        case = case_of(relabelled(stripes, codes), tmp_path / name, bench=Watched)
        watched: Any = case.bench
        watched.seen = []
        strategy = replace(FAST, mixup=0.3)
        strategy.fit(case, strategy.propose(case), 0)
        losses.append([(recipe.loss, recipe.mixup) for _, _, recipe in watched.seen[2:]])
    assert losses == [[("elr", 0.0), ("natural", 0.0)], [("natural", 0.3), ("natural", 0.0)]]


def test_grades_are_read_as_well(stripes: Dataset, tmp_path: Path) -> None:
    given = np.arange(N) // (N // 2)
    wrong = np.flatnonzero(np.arange(N) % 4 == 3)[:4]
    given[wrong] = 1
    graded = relabelled(stripes, given)
    case = case_of(replace(graded, labels=replace(graded.labels, task="ordinal")), tmp_path)
    fit = FAST.fit(case, FAST.propose(case), 0)
    assert case.bench.predict(fit, case.trust.evaluation).shape == (30, 2)
    found = FAST.conclude(case, FAST.propose(case), [fit])
    assert {c.record: c.new for c in found.corrections} == dict.fromkeys(case.dataset.records.index[wrong], "a")


def test_it_says_why_it_can_do_nothing(stripes: Dataset, tmp_path: Path) -> None:
    nobody = np.zeros(N, bool)
    everyone = np.arange(N) % 4 == 0
    for trust, why in (
        ({"trusted": nobody}, "0 trusted records train"),
        (
            {"trusted": everyone & (np.arange(N) < 80) & (np.arange(N) < 60)},
            "15 trusted records train; a teacher needs at least 20",
        ),
        ({"training": everyone}, "every training record is trusted already"),
    ):
        with pytest.raises(NotApplicable, match=why):
            Teacher().propose(case_of(stripes, tmp_path, **trust))
    one_class = replace(case_of(stripes, tmp_path).trust, trusted=np.arange(N) < 30)
    with pytest.raises(NotApplicable, match="no trusted record is of class b"):
        Teacher().propose(replace(case_of(stripes, tmp_path), trust=one_class))
    numbers = make_dataset(labels=[1.5, 2.5, 3.5], task="continuous")
    with pytest.raises(NotApplicable, match="one class or grade per record"):
        Teacher().propose(replace(case_of(stripes, tmp_path), dataset=numbers))


def test_data_that_the_teacher_knows_need_their_key(stripes: Dataset, tmp_path: Path) -> None:
    case = replace(case_of(stripes, tmp_path), options={"teacher-data": "hashes.parquet"})
    with pytest.raises(ConfigError, match="--key"):
        Teacher().propose(case)
