"""robust: training that follows wrong labels less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from auditor.values.corrections import Proposal
from trainers.strategy import Answers, Case, NotApplicable, Strategy
from trainers.values.recipe import Trained


@dataclass(frozen=True, kw_only=True)
class Robust(Strategy):
    """Training that follows wrong labels less: early-learning regularisation and averaged weights.

    ## What it does

    Changes no label. Trains on the labels as they are with a term that keeps the network at what it believed of each image
    before it began to learn its label by heart (ELR), and uses the running average of its weights (EMA). Plain
    cross-entropy with the same seeds, epochs and compute stands beside it.

    ## When

    Labels look wrong more often than chance explains (LN001, LN002), and few or no records are known to be right. One label
    per record.

    ## Options

    * `beta`: memory of what the network believed of an image (0.7).
    * `lam`: weight of the term (7).
    * `ema`: how slowly the averaged weights follow, per step (0.99).

    ## References

    * Liu, Niles-Weed, Razavian & Fernandez-Granda: Early-learning regularization prevents memorization of noisy labels.
      NeurIPS 2020.
    """

    name: ClassVar[str] = "robust"
    answers: ClassVar[Answers] = "labels"

    beta: float = 0.7
    lam: float = 7.0
    ema: float = 0.99

    def propose(self, case: Case) -> Proposal:
        """Nothing to change; the network is what it gives.

        Raises:
            NotApplicable: not one label per record.
        """
        if case.dataset.labels.task != "single":
            raise NotApplicable("robust training is for datasets with one class per record")
        return Proposal(
            strategy=self.name, summary="no label is changed; the network is trained so that it follows wrong labels less"
        )

    def fit(self, case: Case, proposal: Proposal, seed: int) -> Trained:
        """ELR and EMA."""
        plain = case.bench.recipe
        recipe = replace(plain, loss="elr", loss_options={"beta": self.beta, "lam": self.lam}, ema=self.ema)
        examples = case.bench.examples(proposal)
        return case.bench.train(examples, seed=seed, name=f"{self.name}-{seed}", recipe=recipe)

    def conclude(self, case: Case, proposal: Proposal, fits: Sequence[Trained]) -> Proposal:  # noqa: ARG002
        """How long it took."""
        return replace(proposal, metrics={"training_seconds": round(float(np.mean([f.seconds for f in fits])), 1)})
