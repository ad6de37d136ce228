"""augment: training pictures are deformed and toned while they are learnt; how much is chosen on trusted records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal, cast

import numpy as np

from auditor.values.corrections import Proposal
from auditor.values.results import Column, Table
from trainers.engine.plan import key
from trainers.grading.choice import Choice, kept
from trainers.strategies.nothing import Nothing
from trainers.strategy import Answers, Case, NotApplicable, Strategy
from trainers.truth import chosen_on_validation
from trainers.values.effort import Effort
from trainers.values.recipe import Trained

Level = Literal["off", "standard", "strong"]
LEVELS: tuple[Level, ...] = ("off", "standard", "strong")


@dataclass(frozen=True, kw_only=True)
class Augment(Strategy):
    """Augmentation of the training pictures, off, standard or strong: chosen on trusted records.

    ## What it does

    Changes no label. Trains with the engine's augmentation off, standard and strong (small rotations, magnifications, shifts,
    elastic deformation, gamma and noise, drawn anew each time a picture is seen; masks go through the same map), each with the
    same seeds and epochs, and keeps for all seeds the strength that is best on the trusted validation records. Off is kept
    where the others do not gain a standard error there. The gain over plain training is then measured on the evaluation
    records.

    ## When

    A class has few pictures (SZ001), or pictures were taken under narrow conditions. It takes three times the computing of
    plain training. Above some hundred pictures a class the gain is small.

    ## Options

    * `networks` (3): so many of each strength are compared to choose one.
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
    stands_for: ClassVar[tuple[str, ...]] = ("standard augmentation",)

    networks: int = 3
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
        """The network of the strength that is best on validation."""
        return self.trained(case, proposal, cast(Level, self._chosen(case, proposal).chosen), seed)

    def effort(self, case: Case) -> Effort:  # noqa: ARG002
        """The network itself and, once for all seeds, those of every strength to choose one."""
        return Effort(plain=0.0, augmented=1.0, once=float(len(LEVELS) * self.networks))

    def conclude(self, case: Case, proposal: Proposal, fits: Sequence[Trained]) -> Proposal:  # noqa: ARG002
        """Which strength was chosen, and why."""
        noted = self._chosen(case, proposal)
        given = {"gains": noted.gains, "errors": noted.errors}
        columns = {name: [rounded(values.get(level)) for level in LEVELS] for name, values in given.items()}
        table = Table(
            name="strengths", title="Strength of augmentation, on the validation records",
            columns=(
                Column(name="strength", kind="text", values=list(LEVELS), title="Strength"),
                Column(name="gain", kind="number", values=columns["gains"], title="Gain over off"),
                Column(name="error", kind="number", values=columns["errors"], title="Standard error"),
            ),
        )  # fmt: skip
        notes = [
            "networks of every strength were trained to choose one; those of the chosen one had the epochs of plain training"
        ]
        if noted.networks < self.networks:
            notes.append(f"the time allowed sufficed for {noted.networks} of {self.networks} networks of every strength")
        return replace(
            proposal, tables=(table,), notes=tuple(notes), metrics={"augmentation": noted.chosen},
            summary=f"no label is changed; of augmentation off, standard and strong: {noted.reason}",
        )  # fmt: skip

    def choice(self, case: Case, proposal: Proposal) -> Choice:
        """The best strength on validation, over `networks` networks of each; fewer, where the time allowed ends before."""
        arms: dict[str, list[Trained]] = {level: [] for level in LEVELS}
        for seed in range(case.seed, case.seed + self.networks):
            row = [self.trained(case, proposal, level, seed) for level in LEVELS]
            # strengths that were cut short are no fair rivals
            if not all(network.complete for network in row):
                break
            for arm, network in zip(arms.values(), row, strict=True):
                arm.append(network)
        count = len(arms["off"])
        if not count:
            return Choice(chosen="off", reason="off, the time allowed was too short to try any other", networks=0)
        found = chosen_on_validation(case, arms, baseline="off")
        return Choice(chosen=found.arm, reason=found.reason, networks=count, gains=dict(found.gains), errors=dict(found.errors))

    def _chosen(self, case: Case, proposal: Proposal) -> Choice:
        """What was chosen, once for all seeds."""
        return kept(self._place(case), LEVELS, lambda: self.choice(case, proposal))

    def _place(self, case: Case) -> Path:
        """Of the choice, which is that of these options, this seed and this recipe alone."""
        return case.work / self.name / f"choice-{key([repr(self), repr(case.bench.recipe), case.seed])}.json"

    def trained(self, case: Case, proposal: Proposal, level: Level, seed: int) -> Trained:
        """A network with this strength; its checkpoint is taken where it was trained already."""
        if level == "off":
            return Nothing().fit(case, proposal, seed)  # under the name it has there
        recipe = replace(case.bench.recipe, augmentation=level, flips=self.flips)
        examples = case.bench.examples(proposal)
        return case.bench.train(examples, seed=seed, name=f"{self.name}-{level}-{seed}", recipe=recipe)


def rounded(value: float | None) -> float | None:
    """To four places; None where it is not known."""
    return round(value, 4) if value is not None and np.isfinite(value) else None
