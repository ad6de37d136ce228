"""augment: training pictures are deformed and toned while they are learnt; how much is chosen on trusted records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from auditor.types import Column, Proposal, Table
from trainers.recipe import Trained
from trainers.strategies.nothing import Nothing
from trainers.strategy import Answers, Case, NotApplicable, Strategy
from trainers.truth import chosen_on_validation

Level = Literal["off", "standard", "strong"]
LEVELS: tuple[Level, ...] = ("off", "standard", "strong")


@dataclass(frozen=True, kw_only=True)
class Augment(Strategy):
    """Augmentation of the training pictures, off, standard or strong: chosen on trusted records.

    ## What it does

    Changes no label. Trains with the engine's augmentation off, standard and strong (small rotations, magnifications, shifts,
    elastic deformation, gamma and noise, drawn anew each time a picture is seen; masks go through the same map), each with the
    same seeds and epochs, and keeps the strength that is best on the trusted validation records. Off is kept where the others
    do not gain a standard error there. The gain over plain training is then measured on the evaluation records.

    ## When

    A class has few pictures (SZ001), or pictures were taken under narrow conditions. It takes three times the computing of
    plain training. Above some hundred pictures a class the gain is small.

    ## Options

    * `flips` (none): axes along which half of the pictures are mirrored, 0 = top to bottom, 1 = left to right. Only you know
      whether the task is indifferent to it: a mirrored chest has its heart on the wrong side.

    ## References

    * Van Eycke et al.: Segmentation of glandular epithelium in colorectal tumours to automatically compartmentalise IHC
      biomarker quantification. Medical Image Analysis 2018.
    * Debeir & Decaestecker: Cell detection in phase contrast by a network trained on few annotated frames. 2019.
    * Hastie, Tibshirani & Friedman: The elements of statistical learning, 7.10 (the rule of one standard error). 2009.
    """

    name: ClassVar[str] = "augment"
    answers: ClassVar[Answers] = "labels"

    flips: tuple[int, ...] = ()

    def propose(self, case: Case) -> Proposal:
        """Nothing to change; the network is what it gives.

        Raises:
            NotApplicable: there is nothing to choose the strength on.
        """
        if int(case.trust.validation.sum()) < 2:
            raise NotApplicable("the strength of augmentation is chosen on trusted records: name at least 20 with --trusted")
        return Proposal(strategy=self.name, summary="")

    def fit(self, case: Case, proposal: Proposal, seed: int) -> Trained:
        """The network of the strength that is best on validation, of one per strength."""
        bench = case.bench
        examples = bench.examples(case, proposal)
        # plain training is that of `nothing`, under its name: its checkpoint is taken where it was trained already
        found = {"off": Nothing().fit(case, proposal, seed)}
        for level in LEVELS[1:]:
            recipe = replace(bench.recipe, augmentation=level, flips=self.flips)
            found[level] = bench.train(examples, seed=seed, name=f"{self.name}-{level}-{seed}", recipe=recipe)
        # a training that the time allowed cut short is no fair rival
        arms = {name: [network] for name, network in found.items() if name == "off" or network.complete}
        choice = chosen_on_validation(case, arms, baseline="off")
        noted = {"chosen": choice.arm, "gains": dict(choice.gains), "errors": dict(choice.errors)}
        self._place(case, seed).write_text(json.dumps(noted))
        return found[choice.arm]

    def conclude(self, case: Case, proposal: Proposal, fits: Sequence[Trained]) -> Proposal:
        """Which strength was chosen, and by how much."""
        noted = [json.loads(self._place(case, fit.seed).read_text()) for fit in fits]
        times = [sum(n["chosen"] == level for n in noted) for level in LEVELS]
        gains = [[n["gains"][level] for n in noted if level in n["gains"]] for level in LEVELS]
        errors = [[n["errors"][level] for n in noted if level in n["errors"]] for level in LEVELS]
        chosen = ", ".join(
            f"{level} for {count} of {len(fits)} seeds" for level, count in zip(LEVELS, times, strict=True) if count
        )
        cut = sum(len(n["gains"]) < len(LEVELS) - 1 for n in noted)
        notes = ["three networks a seed were trained to choose one; the chosen one had the epochs of plain training"]
        if cut:
            notes.append(f"for {cut} of {len(fits)} seeds the time allowed did not suffice for every strength")
        table = Table(
            name="strengths", title="Strength of augmentation, chosen on validation",
            columns=(
                Column(name="strength", kind="text", values=list(LEVELS), title="Strength"),
                Column(name="gain", kind="number", values=[mean_of(g) if i else 0.0 for i, g in enumerate(gains)],
                       title="Gain over off on validation"),
                Column(name="error", kind="number", values=[mean_of(e) for e in errors], title="Standard error"),
                Column(name="chosen", kind="integer", values=times, title="Seeds that chose it"),
            ),
        )  # fmt: skip
        return replace(
            proposal, tables=(table,), notes=tuple(notes),
            summary=f"no label is changed; augmentation chosen on {int(case.trust.validation.sum()):,} trusted validation "
            f"records: {chosen}",
        )  # fmt: skip

    def _place(self, case: Case, seed: int) -> Path:
        return case.work / f"{self.name}-strong-{seed}" / "choice.json"


def mean_of(values: Sequence[float]) -> float | None:
    """Mean of the finite values; None where there are none."""
    finite = [v for v in values if np.isfinite(v)]
    return round(float(np.mean(finite)), 4) if finite else None
