from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import make_dataset

from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from auditor.values.results import DatasetSummary, Gate, ScanResult
from auditor.values.reviews import Answer, Review
from trainers.strategies.confident import Confident
from trainers.strategy import Case, NotApplicable
from trainers.values.trust import Trust

N = 1200


def calibrated(truth: np.ndarray[Any, Any], classes: int, flips: float, seed: int) -> np.ndarray[Any, Any]:
    """Probabilities of a model that learnt from labels with so many flips; most records are easy, some are not."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(truth), classes))
    logits[np.arange(len(truth)), truth] += 4 + 4 * rng.exponential(1, len(truth))
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p * (1 - flips - flips / (classes - 1)) + flips / (classes - 1)


def noisy(classes: int, flips: float, seed: int = 0, n: int = N) -> tuple[Dataset, np.ndarray[Any, Any]]:
    """Labels with planted flips, and which of them are wrong."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    given = np.where(rng.random(n) < flips, (truth + rng.integers(1, classes, n)) % classes, truth)
    p = calibrated(truth, classes, flips, seed + 1)
    return make_dataset(labels=[f"c{g}" for g in given], probabilities=p), given != truth


def case_of(dataset: Dataset, *, training: Any = None, trusted: Any = None, self_graded: bool = True) -> Case:
    none = np.zeros(dataset.size, np.bool_)
    trust = Trust(
        trusted=none if trusted is None else trusted, validation=none, evaluation=none,
        training=~none if training is None else training, origin="", self_graded=self_graded,
    )  # fmt: skip
    summary = DatasetSummary(name="x", layout="table", task="single", classes=(), counts={}, guesses=())
    gate = Gate(verdict="passed", exit_code=0, fail_on="error")
    result = ScanResult(schema_version=1, tool_version="", dataset=summary, records=0, outcomes=(), gate=gate)
    return Case(dataset=dataset, result=result, trust=trust, bench=None, work=Path())  # type: ignore[arg-type]


def propose(dataset: Dataset, strategy: Confident | None = None, **parts: Any) -> Proposal:
    return (strategy or Confident()).propose(case_of(dataset, **parts))


def reviewed(dataset: Dataset, answers: dict[str, str]) -> Dataset:
    given = dataset.labels.values
    found = tuple(Answer(record=r, given=str(given[r]), flagged=True, answer=a) for r, a in answers.items())
    return replace(dataset, reviews=(Review(answers=found, flagged=200, others=1000, identity="x"),))


def test_clean_labels_are_not_touched() -> None:
    dataset, _ = noisy(4, 0.0)
    proposal = propose(dataset)
    assert (proposal.corrections, dict(proposal.weights), dict(proposal.removed)) == ((), {}, {})
    assert "No evidence of label noise" in proposal.summary
    assert proposal.metrics["labels_rewritten"] == 0


def test_wrong_labels_weigh_less_and_right_ones_keep_their_weight() -> None:
    dataset, wrong = noisy(4, 0.15)
    proposal = propose(dataset)
    weights = np.array([proposal.weights.get(r, 1.0) for r in dataset.records.index])
    assert weights[wrong].mean() < 0.2
    assert weights[~wrong].mean() > 0.97
    assert weights.min() >= 0


def test_without_reviews_every_suggestion_waits() -> None:
    dataset, _ = noisy(2, 0.15)
    proposal = propose(dataset)
    assert len(proposal.corrections) > 100
    assert not any(c.safe for c in proposal.corrections)
    assert proposal.metrics["labels_rewritten"] == 0
    assert all({c.old, c.new} == {"c0", "c1"} for c in proposal.corrections)


def test_sixty_verified_suggestions_of_a_group_let_that_group_be_rewritten() -> None:
    dataset, _ = noisy(2, 0.2)
    sure = [c for c in propose(dataset).corrections if (c.confidence or 0) >= 0.9 and c.new == "c0"]
    assert len(sure) > 70
    for count, rewritten in ((58, False), (59, True)):
        proposal = propose(reviewed(dataset, {c.record: "wrong" for c in sure[:count]}))
        by_record = {c.record: c for c in proposal.corrections}
        assert all(by_record[c.record].safe for c in sure[:count])  # a person said so of that very label
        assert all(by_record[c.record].safe is rewritten for c in sure[count:])
        others = [c for c in proposal.corrections if c.new == "c1" or (c.confidence or 0) < 0.9]
        assert others
        assert not any(c.safe for c in others)


def test_one_suggestion_found_wrong_closes_the_gate_again() -> None:
    dataset, _ = noisy(2, 0.2)
    sure = [c for c in propose(dataset).corrections if (c.confidence or 0) >= 0.9 and c.new == "c0"]
    for answer in ("right", "ambiguous"):
        answers = {c.record: "wrong" for c in sure[1:60]} | {sure[0].record: answer}
        proposal = propose(reviewed(dataset, answers))
        assert not any(c.safe for c in proposal.corrections if c.record not in answers)


def test_a_label_that_a_reviewer_confirmed_keeps_its_weight() -> None:
    dataset, _ = noisy(3, 0.15)
    first = next(iter(propose(dataset).weights))
    proposal = propose(reviewed(dataset, {first: "right"}))
    assert first not in proposal.weights
    assert first not in {c.record for c in proposal.corrections}


def test_with_three_classes_a_wrong_label_names_no_right_one() -> None:
    dataset, _ = noisy(3, 0.15)
    answers = dict.fromkeys(propose(dataset).weights, "wrong")
    proposal = propose(reviewed(dataset, answers))
    assert not any(c.safe for c in proposal.corrections)
    assert set(proposal.weights.values()) == {0.0}
    assert any("more than two classes" in note for note in proposal.notes)


def test_only_training_records_are_touched_and_trusted_ones_are_left_alone() -> None:
    dataset, _ = noisy(2, 0.2)
    training = np.arange(N) < 600
    trusted = np.arange(N) < 100
    touched = set(propose(dataset, training=training, trusted=trusted, self_graded=False).weights)
    assert touched
    assert all(100 <= int(r[1:]) < 600 for r in touched)
    assert any(int(r[1:]) < 100 for r in propose(dataset, training=training, trusted=trusted).weights)


def test_a_rewritten_label_keeps_its_weight() -> None:
    dataset, _ = noisy(2, 0.2)
    sure = [c.record for c in propose(dataset).corrections][:5]
    for strategy in (Confident(), Confident(prune=True)):
        proposal = propose(reviewed(dataset, dict.fromkeys(sure, "wrong")), strategy)
        assert {c.record for c in proposal.corrections if c.safe} == set(sure)
        assert not set(sure) & (set(proposal.weights) | set(proposal.removed))


def test_unverified_suggestions_teach_no_network() -> None:
    asked: list[tuple[str, object]] = []

    class Bench:
        def examples(self, proposal: Proposal, *, only_safe: bool) -> str:
            asked.append(("only_safe", only_safe))
            return "examples"

        def train(self, examples: str, *, seed: int, name: str) -> str:
            asked.append((examples, name))
            return "trained"

    dataset, _ = noisy(2, 0.2)
    case = replace(case_of(dataset), bench=Bench())  # type: ignore[arg-type]
    assert Confident().fit(case, Confident().propose(case), 3) == "trained"
    assert asked == [("only_safe", True), ("examples", "confident-3")]


def test_pruning_removes_what_would_weigh_less() -> None:
    dataset, _ = noisy(2, 0.2)
    weighed, pruned = propose(dataset), propose(dataset, Confident(prune=True))
    assert dict(pruned.weights) == {}
    assert set(pruned.removed) == set(weighed.weights)


def test_the_queue_mixes_suspects_and_controls_and_shows_no_label() -> None:
    dataset, _ = noisy(2, 0.2)
    proposal = propose(dataset)
    queue = next(t for t in proposal.tables if t.name == "review_queue")
    assert [c.name for c in queue.columns] == ["record"]
    flagged = np.array([r in proposal.weights for r in queue.columns[0].values])
    assert (int(flagged.sum()), int((~flagged).sum())) == (40, 59)
    assert 0 < flagged[:50].sum() < 40


def test_each_class_of_many_is_corrected_by_its_own_name() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random((N, 2)) < 0.4
    wrong = rng.random((N, 2)) < 0.15
    given = truth ^ wrong
    p = np.column_stack([calibrated(truth[:, c].astype(int), 2, 0.15, c)[:, 1] for c in (0, 1)])
    dataset = make_dataset(
        states={"a": given[:, 0].astype(int).tolist(), "b": given[:, 1].astype(int).tolist()}, probabilities=p
    )
    proposal = propose(dataset)
    assert {c.field for c in proposal.corrections} == {"label.a", "label.b"}
    for c in proposal.corrections:
        column = 0 if c.field == "label.a" else 1
        assert c.old == str(int(given[int(c.record[1:]), column]))
        assert {c.old, c.new} == {"0", "1"}
    assert not any(c.safe for c in proposal.corrections)


def test_without_predictions_it_does_not_apply() -> None:
    with pytest.raises(NotApplicable):
        propose(make_dataset(labels=["a", "b"] * 20))


@pytest.mark.slow
def test_clean_labels_are_hardly_ever_weighed_down() -> None:
    touched = [len(propose(noisy(4, 0.0, seed)[0]).weights) for seed in range(40)]
    assert np.mean(np.array(touched) > 0) <= 0.05
