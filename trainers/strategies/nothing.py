"""nothing: the data as they are; what every strategy is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.values.corrections import Proposal
from trainers.strategy import Answers, Case, Strategy


@dataclass(frozen=True, kw_only=True)
class Nothing(Strategy):
    """Plain training on the labels as they are.

    ## What it does

    Changes nothing, and trains a network by cross-entropy with the same loop, seeds, epochs and compute as every strategy.

    ## When

    Always: it is the arm that the others have to beat.

    ## References

    * Wei et al.: LNMBench (2025): on real medical noise plain training stands above several methods made against noise.
    """

    name: ClassVar[str] = "nothing"
    answers: ClassVar[Answers] = "labels"

    def propose(self, case: Case) -> Proposal:  # noqa: ARG002
        """Nothing."""
        return Proposal(strategy=self.name, summary="no change")
