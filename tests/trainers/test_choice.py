"""Which of several trained strategies goes on: on validation, of near ones the first; and what stands beside an evaluation."""

from typing import Any

import numpy as np
import pytest
from builders import make_dataset

from auditor.values.corrections import Proposal
from trainers.attempt import Attempt, Order, with_others
from trainers.correct import best_of
from trainers.grading.evaluate import compare_arms
from trainers.kinds import task_named
from trainers.strategies.distill import Distill
from trainers.strategies.robust import Robust
from trainers.strategies.teacher import Teacher
from trainers.strategy import Case
from trainers.values.trust import Trust
from trainers.values.view import View


def rivals(robust: tuple[float, float], teacher: tuple[float, float]) -> list[Attempt]:
    kinds = ((Robust(), robust), (Teacher(), teacher))
    return [Attempt(strategy=s, why="", proposal=Proposal(strategy=s.name, summary=""), gain=gain) for s, gain in kinds]


@pytest.mark.parametrize(
    ("robust", "teacher", "automatic", "chosen"),
    [
        ((0.10, 0.03), (0.12, 0.03), True, "robust"),  # teacher is ahead by less than its standard error
        ((0.10, 0.03), (0.20, 0.03), True, "teacher"),
        ((0.0, 0.0), (0.0, 0.0), True, "robust"),  # a small validation part that cannot tell: the findings called for the first
        ((-0.05, 0.02), (-0.01, 0.02), True, None),
        ((-0.05, 0.02), (-0.01, 0.02), False, "teacher"),
        ((float("nan"), 0.0), (float("nan"), 0.0), True, "robust"),
    ],
)
def test_the_choice(robust: tuple[float, float], teacher: tuple[float, float], automatic: bool, chosen: str | None) -> None:
    best, reason = best_of(rivals(robust, teacher), automatic=automatic)
    assert (None if best is None else best.strategy.name) == chosen
    assert reason


def test_an_evaluation_tells_of_the_ensemble_too() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    dataset = make_dataset(labels=["ab"[t] for t in truth])
    everyone = np.ones(200, bool)
    trust = Trust(
        trusted=~everyone, validation=~everyone, evaluation=everyone, training=~everyone, origin="", self_graded=False
    )
    good, bad = np.eye(2, dtype=np.float32)[truth][None], np.eye(2, dtype=np.float32)[rng.permutation(truth)][None]
    bench: Any = type("Bench", (), {"task": task_named("single", ("a", "b")), "pictures": None, "view": View.of(dataset)})()
    case = Case(dataset=dataset, result=None, trust=trust, bench=bench, work=None)  # type: ignore[arg-type]
    attempt = Attempt(strategy=Distill(), why="", on_evaluation=bad, beside={"ensemble": good})
    plain = compare_arms(truth, bad, bad, patients=np.arange(200), task="single", classes=("a", "b"), arm="distill")
    found = with_others(plain, attempt, case, Order())
    assert found.verdict == plain.verdict
    (table,) = [t for t in found.tables if t.name == "against_ensemble"]
    columns = {c.name: list(c.values) for c in table.columns}
    assert columns["before"][0] == 1.0
    assert columns["after"][0] == pytest.approx(0.5, abs=0.1)
    assert found.notes[-1].startswith("against the ensemble: harmed")
