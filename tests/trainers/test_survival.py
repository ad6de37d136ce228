"""Files that are written anew: whether the task survives is asked of two networks, and never called more than it is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import make_dataset
from comparisons import improved

from auditor.values.corrections import Evaluation, Measured, Proposal
from auditor.values.results import DatasetSummary, Gate, ScanResult
from reports.headline import headline
from trainers.attempt import Attempt, Order, trained
from trainers.correct import budget_of
from trainers.engine.bench import Bench
from trainers.strategies.harmonise import Harmonise
from trainers.strategies.robust import Robust
from trainers.strategy import Case
from trainers.survival import MARGIN, told, with_survival
from trainers.values.pictures import Pictures
from trainers.values.recipe import Recipe
from trainers.values.trust import Trust
from trainers.values.view import View

N, SIDE = 96, 16
RECIPE = Recipe(network="small-cnn", epochs=12, batch=16, rate=5e-3, width=4)


def evaluation(difference: float, low: float, high: float, *, verdict: str = "not worse", patients: int = 60) -> Evaluation:
    measured = Measured(
        metric="balanced_accuracy", title="Balanced accuracy", before=0.8, after=0.8 + difference, difference=difference,
        low=low, high=high, p=0.5, verdict=verdict,
    )  # fmt: skip
    return Evaluation(
        arm="new files", baseline="old files", verdict=verdict, summary="", metrics=(measured,), records=patients,
        patients=patients, seeds=1, margin=MARGIN, self_graded=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "survives", "words"),
    [
        (evaluation(0.01, -0.015, 0.03), True, "The task survives: a network has balanced accuracy .800 with the old files"),
        (evaluation(-0.1, -0.15, -0.04), False, "The task score fell"),
        (evaluation(-0.01, -0.05, 0.03), None, "cannot be told"),
        (evaluation(0.05, 0.01, 0.09, verdict="neither learnt the task"), None, "neither network learnt it"),
        (evaluation(0.05, 0.01, 0.09, patients=6), None, "cannot be told"),
    ],
)
def test_the_interval_says_whether_the_task_survives(found: Evaluation, survives: bool | None, words: str) -> None:
    said = told(found)
    assert said[0] is survives
    assert words in said[1]


def case_of(work: Path) -> Case:
    """A bright half tells the class."""
    rng = np.random.default_rng(3)
    truth = np.arange(N) % 2
    array = rng.normal(80, 25, (N, 1, SIDE, SIDE))
    for i, t in enumerate(truth):
        array[i, 0, :, 8 * t : 8 * t + 8] += 90
    dataset = make_dataset(labels=["ab"[t] for t in truth], same_pixels=[f"p{i}" for i in range(N)])
    part = np.arange(N) // 2 % 3
    trust = Trust(
        trusted=part == 0, validation=np.zeros(N, bool), evaluation=part == 1, training=part != 1, origin="",
        self_graded=False,
    )  # fmt: skip
    bench = Bench(dataset, trust, work=work, workers=0, device="cpu", recipe=RECIPE)
    vars(bench)["pictures"] = Pictures(array=np.clip(array, 0, 255).astype(np.uint8), readable=np.ones(N, bool))
    summary = DatasetSummary(name="x", layout="table", task="single", classes=("a", "b"), counts={}, guesses=())
    gate = Gate(verdict="passed", exit_code=0, fail_on="error")
    result = ScanResult(schema_version=2, tool_version="0", dataset=summary, records=N, outcomes=(), gate=gate)
    return Case(dataset=dataset, result=result, trust=trust, bench=bench, work=work)


def written_anew(case: Case, monkeypatch: pytest.MonkeyPatch, change: object) -> Proposal:
    """The proposal after the comparison, where the new files show `change` of the old pictures."""
    original = Bench.on

    def on(bench: Bench, view: View, trust: Trust | None = None) -> Bench:
        other = original(bench, view, trust)
        vars(other)["pictures"] = replace(bench.pictures, array=change(bench.pictures.array))  # type: ignore[operator]
        return other

    monkeypatch.setattr(Bench, "on", on)
    proposal = Proposal(strategy="harmonise", summary="96 files written alike.")
    return with_survival(proposal, case, case.bench.view, seeds=range(2))


def test_pictures_that_were_turned_over_alike_keep_the_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = written_anew(case_of(tmp_path), monkeypatch, lambda array: 255 - array)
    assert found.metrics["task_survives"] is True
    assert found.summary.startswith("96 files written alike. The task survives: a network has balanced accuracy")
    assert [t.name for t in found.tables] == ["task"]


@pytest.mark.parametrize(
    "change", [lambda array: array[:, :, 2:14, 2:14], lambda array: array.repeat(2, 2).repeat(2, 3)], ids=["smaller", "larger"]
)
def test_pictures_of_another_size_are_learnt_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: object) -> None:
    found = written_anew(case_of(tmp_path), monkeypatch, change)
    assert found.metrics["task_survives"] is True, found.summary


def test_pictures_that_lost_what_they_show_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = written_anew(case_of(tmp_path), monkeypatch, lambda array: np.full_like(array, 90))
    assert found.metrics["task_survives"] is False
    assert "The task score fell" in found.summary
    assert found.metrics["task_new_files"] < 0.7 < found.metrics["task_old_files"]


def test_a_budget_for_less_than_an_epoch_tells_nothing(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    found = with_survival(
        Proposal(strategy="harmonise", summary="s."), case, case.bench.view, seeds=range(1), budget=1e-6
    )  # fmt: skip
    assert found.metrics == {"task_survives": None}
    assert "cannot be told: the budget" in found.summary


def test_new_files_that_nobody_can_read_tell_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, original = case_of(tmp_path), Bench.on

    def on(bench: Bench, view: View, trust: Trust | None = None) -> Bench:
        other = original(bench, view, trust)
        vars(other)["pictures"] = replace(bench.pictures, readable=np.zeros(N, bool))
        return other

    monkeypatch.setattr(Bench, "on", on)
    proposal = Proposal(strategy="harmonise", summary="s.")
    found = with_survival(proposal, case, case.bench.view, seeds=range(1))
    assert found.metrics == {"task_survives": None}
    assert "no labelled, readable record" in found.summary


def test_where_nothing_can_be_learnt_strategies_say_so_and_the_run_goes_on(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    vars(case.bench)["pictures"] = replace(case.bench.pictures, readable=np.zeros(N, bool))
    attempt = Attempt(strategy=Robust(), why="", proposal=Proposal(strategy="robust", summary=""))
    trained([attempt], case, Order(seeds=1))
    assert attempt.skipped == "there is no labelled, readable record to train on"


def test_the_budget_is_shared_with_what_is_trained_afterwards() -> None:
    alone, with_robust = [Attempt(strategy=Harmonise(), why="")], [Attempt(strategy=Robust(), why="")]
    assert budget_of(Order(), alone) is None
    assert budget_of(Order(budget=60.0), alone) == 60.0
    assert budget_of(Order(budget=60.0), [*alone, *with_robust]) == 30.0


@pytest.mark.parametrize(("survives", "look"), [(True, "passed"), (False, "incomplete"), (None, "incomplete")])
def test_a_run_is_green_only_where_the_task_survives(survives: bool | None, look: str) -> None:
    comparison = improved()
    arms = tuple(
        replace(arm, proposal=replace(arm.proposal, metrics={"task_survives": survives}))
        if arm.strategy in comparison.applied and arm.proposal
        else arm
        for arm in comparison.arms
    )
    top = headline(replace(comparison, verdict="corrected", arms=arms))
    assert top.look == look
    assert ("task" in top.left) == (survives is not True)
