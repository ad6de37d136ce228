"""distill: what an ensemble knows, in one small network."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from auditor.values.corrections import Proposal
from auditor.values.results import Cell
from trainers.engine.automatic import RATES
from trainers.relabelling.pseudo_labels import tempered
from trainers.strategy import Answers, Case, NotApplicable, Strategy
from trainers.values.effort import Effort
from trainers.values.pictures import Rows
from trainers.values.recipe import Recipe, Trained
from trainers.values.task import LearningTask

if TYPE_CHECKING:
    from trainers.engine.bench import Bench

TIMED_PICTURES = 1000
STUDENT = "small-cnn"
WIDEST = 64


@dataclass(frozen=True, kw_only=True)
class Distill(Strategy):
    """What an ensemble knows, in one small network.

    ## What it does

    Changes no label. Trains an ensemble as plain training is done, three networks with seeds of their own, and then a small
    network on what the ensemble says of each training image (its probabilities, softened by a temperature, so that the student
    sees which classes are alike), and of the images of `--unlabelled`. The student is as wide as `share` of the ensemble's
    parameters allows. The report has parameters, images per second and accuracy of both; `model/` holds the student.

    ## When

    A network has to run where there is little memory or time: on an ultrasound device, on a telephone. It cures no fault of
    the data: of wrong labels the ensemble learns what it learns.

    ## Options

    * `networks` (3): of the ensemble.
    * `share` (0.05): parameters of the student, of those of the ensemble.
    * `temperature` (2): divides the ensemble's log-probabilities; one class per record only.
    * `augmentation` ("standard"): of the student: off, standard or strong.
    * `ema` (0.99): how slowly the student's averaged weights follow, per step.

    ## References

    * Hinton, Vinyals & Dean: Distilling the knowledge in a neural network. 2015.
    * Vaseli et al.: Designing lightweight deep learning models for echocardiography view classification. SPIE 2019.
    """

    name: ClassVar[str] = "distill"
    answers: ClassVar[Answers] = "labels"

    networks: int = 3
    share: float = 0.05
    temperature: float = 2.0
    augmentation: Literal["off", "standard", "strong"] = "standard"
    ema: float = 0.99

    def propose(self, case: Case) -> Proposal:
        """Nothing to change; the student is what it gives.

        Raises:
            NotApplicable: masks are learnt.
        """
        if case.dataset.labels.task == "none":
            raise NotApplicable("distillation is for labels; of masks it has no soft targets")
        return Proposal(strategy=self.name, summary="no label is changed; a small network learns what an ensemble says")

    def fit(self, case: Case, proposal: Proposal, seed: int) -> Trained:
        """The ensemble, then the student."""
        from trainers.engine.model_file import save_model
        from trainers.engine.network import parameters

        bench = case.bench
        examples = bench.examples(proposal)
        plain, ensemble = bench.recipe, []
        for member in range(self.networks):
            name = f"{self.name}-{seed}-teacher{member + 1}"
            # the first one is the network of plain training with this seed
            one = bench.train(examples, seed=seed + 1000 * member, name=name, recipe=plain)
            save_model(one, self._place(case, seed, member))
            ensemble.append(one)
        rows = np.concatenate([examples.rows, bench.pool])
        said = bench.predict(ensemble, rows)
        if bench.task.exclusive:
            said = tempered(said, self.temperature).astype(np.float32)
        weights = np.concatenate([examples.weights, np.ones(len(bench.pool), np.float32)])
        most = int(self.share * sum(parameters(one.network) for one in ensemble))
        recipe = small(bench.recipe, bench.task, most)
        recipe = replace(recipe, augmentation=self.augmentation, ema=self.ema)
        student = bench.soft_examples(rows, said, weights=weights)
        return bench.train(student, seed=seed, name=f"{self.name}-{seed}", recipe=recipe)

    def effort(self, case: Case) -> Effort:
        """The ensemble, and a student that sees the pool as well."""
        bench = case.bench
        seen = 1 + len(bench.pool) / max(1, len(bench.examples()))
        still = self.augmentation == "off"
        return Effort(plain=self.networks + (seen if still else 0.0), augmented=0.0 if still else seen)

    def conclude(self, case: Case, proposal: Proposal, fits: Sequence[Trained]) -> Proposal:
        """Size and speed of both; what they are worth is told by the evaluation."""
        from trainers.engine.network import parameters

        bench = case.bench
        ensembles = [self.beside(case, fit)["ensemble"] for fit in fits]
        rows = np.flatnonzero(case.trust.training)[:TIMED_PICTURES].astype(np.int64)
        large, little = sum(parameters(one.network) for one in ensembles[0]), parameters(fits[0].network)
        slow, fast = images_per_second(bench, ensembles[0], rows), images_per_second(bench, [fits[0]], rows)
        metrics: dict[str, Cell] = {
            "ensemble_parameters": large, "student_parameters": little, "student_share": round(little / large, 4),
            "ensemble_images_per_second": round(slow), "student_images_per_second": round(fast),
        }  # fmt: skip
        return replace(
            proposal, metrics=metrics,
            summary=f"No label is changed. The student has {little:,} parameters, {little / large:.1%} of the ensemble's "
            f"{large:,}, and is {fast / slow:.1f} times as fast ({fast:,.0f} images per second against {slow:,.0f}).",
        )  # fmt: skip

    def beside(self, case: Case, fit: Trained) -> Mapping[str, Sequence[Trained]]:
        """The ensemble that the student learnt from."""
        from trainers.engine.model_file import load_model

        places = [self._place(case, fit.seed, member) for member in range(self.networks)]
        return {"ensemble": [load_model(place, trust_program=True) for place in places]}

    def _place(self, case: Case, seed: int, member: int) -> Path:
        return case.work / f"{self.name}-{seed}" / f"teacher{member + 1}"


def small(plain: Recipe, task: LearningTask, most: int) -> Recipe:
    """The recipe with the widest small network that has no more parameters than `most`.

    Raises:
        NotApplicable: even the narrowest has more.
    """
    import torch

    from trainers.engine.models import network_named
    from trainers.engine.network import parameters

    with torch.device("meta"):  # counted, not made
        sizes = {width: parameters(network_named(STUDENT, task, width=width)) for width in range(WIDEST, 1, -1)}
    for width, size in sizes.items():
        if size <= most:
            return replace(plain, network=STUDENT, width=width, rate=RATES[STUDENT])
    raise NotApplicable(f"no network has as few as {most:,} parameters; give distill a larger share")


def images_per_second(bench: Bench, networks: Sequence[Trained], rows: Rows) -> float:
    """The best of three predictions, after one that warms up."""
    bench.predict(networks, rows[:64])
    taken = []
    for _ in range(3):
        began = time.monotonic()
        bench.predict(networks, rows)
        taken.append(time.monotonic() - began)
    return len(rows) / max(min(taken), 1e-6)
