"""Views: every strategy over every kind of task, and what strategies may do that no other module knows of."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset
from learning import SHORT, SIDE, N, case_of, counts_installed
from torch import Tensor, nn

from auditor.values.corrections import Correction, Proposal
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from trainers.attempt import Attempt, Order, trained
from trainers.engine.team import merged
from trainers.kinds import kinds
from trainers.losses import CrossEntropy, DiceCrossEntropy
from trainers.strategies.nothing import Nothing
from trainers.strategy import Answers, Case, NotApplicable, Strategy, strategy_classes
from trainers.tasks.segmentation import Segmentation
from trainers.values.pictures import Floats, Pictures, Rows
from trainers.values.recipe import Trained
from trainers.values.task import LearningTask
from trainers.values.view import View

OURS = [kind for kind in strategy_classes() if kind.__module__.startswith("trainers.")]


@pytest.fixture(scope="module", autouse=True)
def _foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with counts_installed(tmp_path_factory.mktemp("foreign")):
        yield


@pytest.mark.parametrize("kind", [*kinds(), "counts"])
@pytest.mark.parametrize("strategy", OURS, ids=lambda k: k.name)
def test_every_strategy_fits_every_kind_of_task_or_says_why_not(kind: str, strategy: type[Strategy], tmp_path: Path) -> None:
    case, made, why = case_of(kind, tmp_path), strategy(), ""
    try:
        proposal = made.propose(case)
        own = replace(case, bench=case.bench.on(made.view(case, proposal)))
        fit = made.fit(own, proposal, 0)  # one that trains nothing itself leaves data on which plain training fits
    except NotApplicable as reason:
        why = str(reason)
    if why:
        assert len(why) > 20, "a reason, in words"
        return
    said = own.bench.predict(fit, case.trust.evaluation)
    assert len(said) == int(case.trust.evaluation.sum())
    assert np.isfinite(said).all()
    assert made.conclude(own, proposal, [fit]).strategy == made.name


@dataclass(frozen=True, kw_only=True)
class Adds(Strategy):
    """Adds a darker copy of every trusted picture."""

    name: ClassVar[str] = "adds"
    answers: ClassVar[Answers] = "labels"

    def propose(self, case: Case) -> Proposal:
        return Proposal(strategy=self.name, summary="")

    def view(self, case: Case, proposal: Proposal, *, force: bool = False) -> View:
        rows = np.flatnonzero(case.trust.trusted)
        names = [f"made-{i}" for i in range(len(rows))]
        added = make_dataset(records=names, labels=[case.dataset.labels.values.iloc[r] for r in rows], classes=["a", "b"])
        sources = dict(zip(names, case.dataset.records.index[rows].astype(str), strict=True))
        return replace(super().view(case, proposal, force=force), added=added, sources=sources)


def test_a_strategy_may_add_records_which_teach_and_never_evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, adds = case_of("single", tmp_path), Adds()
    rows = np.flatnonzero(case.trust.trusted)
    both = np.concatenate([case.bench.pictures.array, case.bench.pictures.array[rows] // 2])
    read = Pictures(array=both, readable=np.ones(len(both), bool))
    monkeypatch.setattr("trainers.engine.material.read_pictures", lambda *_, more, **__: read if len(more) == 1 else 1 / 0)
    attempt = Attempt(strategy=adds, why="", proposal=adds.propose(case))
    trained([attempt], case, Order(seeds=1))
    assert attempt.bench is not None
    examples = attempt.bench.examples()
    plain = case.bench.examples()
    assert examples.rows.tolist() == [*plain.rows.tolist(), *range(N, N + len(rows))]
    assert examples.targets[len(plain) :].tolist() == plain.targets[np.isin(plain.rows, rows)].tolist()
    assert examples.groups[len(plain) :].tolist() == case.bench.groups[rows].tolist(), "kin of what it was made from"
    assert attempt.bench.pool.tolist() == [], "what was added is no pool without labels"
    assert attempt.fits[0].records == len(examples)
    assert attempt.evaluation is not None
    assert attempt.evaluation.records == int(case.trust.evaluation.sum())


@dataclass(frozen=True, kw_only=True)
class Bags(Strategy):
    """All pictures of a patient are one case."""

    name: ClassVar[str] = "bags"
    answers: ClassVar[Answers] = "labels"

    def propose(self, case: Case) -> Proposal:
        return Proposal(strategy=self.name, summary="")

    def view(self, case: Case, proposal: Proposal, *, force: bool = False) -> View:
        units = pd.factorize(case.dataset.records["patient"])[0].astype(np.int64)
        return replace(super().view(case, proposal, force=force), units=units)


def test_a_strategy_may_train_and_be_graded_on_bags(tmp_path: Path) -> None:
    case, bags = case_of("single", tmp_path, recipe=replace(SHORT, epochs=8)), Bags()
    attempt = Attempt(strategy=bags, why="", proposal=bags.propose(case))
    trained([attempt], case, Order(seeds=2))
    assert attempt.bench is not None
    examples = attempt.bench.examples()
    assert examples.rows.shape == (int(case.trust.training.sum()) // 2, 2)
    assert (examples.rows[:, 1] == examples.rows[:, 0] + 1).all()
    assert attempt.evaluation is not None
    assert attempt.evaluation.records == int(case.trust.evaluation.sum()) // 2
    assert attempt.on_evaluation is not None
    one = np.flatnonzero(case.trust.evaluation)[:2]
    alone = case.bench.predict(attempt.fits[0], one)
    logit = np.log(alone[:, 1] / alone[:, 0]).mean()
    assert np.log(attempt.on_evaluation[0, 0, 1] / attempt.on_evaluation[0, 0, 0]) == pytest.approx(logit, abs=1e-3)
    (main, *_) = attempt.evaluation.metrics
    assert main.after >= 0.9


def test_bags_of_unequal_size_are_filled_up_and_the_filling_counts_nowhere() -> None:
    dataset = make_dataset(n=6)
    view = replace(View.of(dataset), units=np.array([0, 1, 0, 2, 0, 1]))
    assert view.bags(np.ones(6, bool)).tolist() == [[0, 2, 4], [1, 5, -1], [3, -1, -1]]
    assert view.bags(np.array([5, 3])).tolist() == [[5], [3]]
    assert view.firsts(np.array([True, False, True, True, True, True])).tolist() == [True, False, False, True, False, True]


@dataclass(frozen=True, kw_only=True)
class Marks(Strategy):
    """Of doubled marks one is taken; they are learnt in mirrored pictures too."""

    name: ClassVar[str] = "marks"
    answers: ClassVar[Answers] = "labels"

    def propose(self, case: Case) -> Proposal:
        if case.bench.task.kind != "points":
            raise NotApplicable("it is for marks, and these records have none")
        return Proposal(strategy=self.name, summary="")

    def fit(self, case: Case, proposal: Proposal, seed: int) -> Trained:
        recipe = replace(case.bench.recipe, augmentation="standard", flips=(0, 1))
        return case.bench.train(case.bench.examples(proposal), seed=seed, name=f"{self.name}-{seed}", recipe=recipe)


def test_a_strategy_of_points_is_trained_and_graded_like_any_other(tmp_path: Path) -> None:
    case, marks = case_of("points", tmp_path, recipe=replace(SHORT, epochs=3)), Marks()
    attempt = Attempt(strategy=marks, why="", proposal=marks.propose(case))
    trained([attempt], case, Order(seeds=1))
    assert attempt.evaluation is not None
    assert attempt.evaluation.metrics or "not defined" in attempt.evaluation.summary
    assert attempt.evaluation.records == int(case.trust.evaluation.sum())
    with pytest.raises(NotApplicable, match="marks"):
        marks.propose(case_of("single", tmp_path / "other"))


class PixelsAndPicture(Segmentation):
    """Two targets per example: the mask, and whether there is any object."""

    kind: ClassVar[str] = "pixels-and-picture"

    def targets(self, dataset: Dataset, corrections: Sequence[Correction] = ()) -> Floats:
        return np.ones((dataset.size, 1), np.float32)

    def learnt(self, masks: Tensor | None, targets: Tensor) -> Any:
        return masks, targets

    def moved(self, learnt: Any, by: Any) -> Any:
        return by.masks(learnt[0]), learnt[1]

    @property
    def losses(self) -> Mapping[str, Callable[..., nn.Module]]:
        return {"both": BothLoss}


class BothLoss(DiceCrossEntropy):
    """The loss of the mask, and that of the largest logit."""

    def forward(self, logits: Tensor, targets: Any, weights: Tensor, index: Tensor) -> Tensor:
        masks, there = targets
        top = logits.flatten(1).amax(1)
        return super().forward(logits, masks, weights, index) + (nn.functional.softplus(-top) * there[:, 0] * weights).mean()


def test_a_view_may_set_a_task_with_two_targets_per_example(tmp_path: Path) -> None:
    def both(dataset: Dataset, pictures: Pictures, rows: Rows | None) -> LearningTask:
        return PixelsAndPicture.set_by(dataset, pictures, rows)

    case = case_of("segmentation", tmp_path, recipe=replace(SHORT, augmentation="standard"))
    bench = case.bench.on(replace(case.bench.view, task=both))
    fit = Nothing().fit(replace(case, bench=bench), Proposal(strategy="nothing", summary=""), 0)
    assert type(fit.task) is PixelsAndPicture
    assert bench.predict(fit, case.trust.evaluation).shape[1:] == (1, SIDE, SIDE)
    assert issubclass(BothLoss, DiceCrossEntropy)
    assert CrossEntropy.__name__ not in fit.task.losses


def test_sites_may_train_apart_in_rounds_of_one_schedule_and_be_merged(tmp_path: Path) -> None:
    case, short = case_of("single", tmp_path), replace(SHORT, batch=4)
    bench, examples = case.bench, case.bench.examples()
    whole = bench.train(examples, seed=0, name="whole", recipe=replace(short, epochs=3))
    rounds: Trained | None = None
    losses = []
    for k in range(3):
        recipe = replace(short, epochs=1, offset=k, planned=3)
        sites = [bench.train(examples, seed=0, name=f"round{k}-{site}", recipe=recipe, start=rounds) for site in "ab"]
        rounds = merged(sites, [1.0, 3.0])
        losses.append(sites[0].history[0].loss)
        for ours, theirs in zip(rounds.network.parameters(), sites[1].network.parameters(), strict=True):
            np.testing.assert_allclose(ours.detach(), theirs.detach(), atol=1e-6)
        assert rounds.records == 2 * len(examples)
    assert losses[0] == whole.history[0].loss, "the first round is the first epoch of the whole training"
    alone = bench.train(examples, seed=0, name="alone", recipe=replace(short, epochs=1))
    assert alone.history[0].loss != losses[0], "by itself its rate would fall to nothing in one epoch"
    assert losses[2] < losses[0]
    with pytest.raises(ConfigError, match="more than the 3 planned"):
        replace(short, epochs=2, offset=2, planned=3)
