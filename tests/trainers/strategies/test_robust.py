"""robust: what it asks of the loop. What it gains is measured by benchmarks/strategies.py."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import make_dataset

from auditor.values.corrections import Proposal
from trainers.strategies.robust import Robust
from trainers.strategy import Case, NotApplicable
from trainers.values.recipe import Recipe
from trainers.values.trust import Trust


class Asked:
    """In the place of a bench: notes what it is asked."""

    recipe = Recipe(epochs=7, rate=2e-3)

    def examples(self, proposal: Proposal) -> str:
        return "the labels as they are"

    def train(self, examples: str, **options: Any) -> Any:
        self.examples_given, self.options = examples, options
        return type("Fit", (), {"seconds": 1.25})()


def case_of(**labels: Any) -> Case:
    dataset = make_dataset(**labels)
    none = np.zeros(dataset.size, bool)
    trust = Trust(trusted=none, validation=none, evaluation=none, training=~none, origin="", self_graded=True)
    return Case(dataset=dataset, result=None, trust=trust, bench=Asked(), work=Path())  # type: ignore[arg-type]


def test_it_changes_no_label_and_trains_as_long_as_plain_training() -> None:
    case, robust = case_of(labels=["a", "b"]), Robust(lam=5.0)
    proposal = robust.propose(case)
    assert (proposal.corrections, dict(proposal.weights), dict(proposal.removed)) == ((), {}, {})
    fit = robust.fit(case, proposal, 3)
    asked: Any = case.bench
    recipe = asked.options["recipe"]
    assert (recipe.loss, recipe.loss_options, recipe.ema) == ("elr", {"beta": 0.7, "lam": 5.0}, 0.99)
    assert (recipe.epochs, recipe.rate, recipe.batch) == (7, 2e-3, 64)
    assert (asked.examples_given, asked.options["seed"]) == ("the labels as they are", 3)
    assert robust.conclude(case, proposal, [fit, fit]).metrics == {"training_seconds": 1.2}


def test_several_labels_per_record_and_grades_are_not_for_it() -> None:
    for labels in ({"labels": ["1", "2"], "task": "ordinal"}, {"states": {"x": [0, 1], "y": [1, 1]}}):
        with pytest.raises(NotApplicable, match="one class per record"):
            Robust().propose(case_of(**labels))
