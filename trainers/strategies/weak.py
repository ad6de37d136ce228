"""weak: masks that miss objects. Learning only around the objects that were drawn, beside two cheap rivals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from auditor.values.corrections import Proposal
from auditor.values.errors import ConfigError
from auditor.values.results import Column, Table
from trainers.engine.plan import key
from trainers.grading.choice import Choice, kept
from trainers.grading.evaluate import score
from trainers.relabelling.missing_objects import around_objects, best_threshold, shifted
from trainers.strategies.nothing import Nothing
from trainers.strategy import Answers, Case, NotApplicable, Strategy
from trainers.truth import chosen_on_validation, patients_of, truth_of
from trainers.values.effort import Effort
from trainers.values.pictures import UNKNOWN_PIXEL
from trainers.values.recipe import Trained

BASELINE, TUNED, UNLABELLED, ONLY_POSITIVE = "baseline", "tuned threshold", "positive-unlabelled", "only-positive"
ARMS = (BASELINE, TUNED, UNLABELLED, ONLY_POSITIVE)
LEAST_TRUSTED = 2


@dataclass(frozen=True, kw_only=True)
class Weak(Strategy):
    """Masks that miss objects: learning only around the drawn ones, or a cheaper arm where that is better.

    ## What it does

    Changes no mask. Trains on masks of one kind of object in four ways, with the same seeds and epochs, and keeps the one
    that is best on the trusted validation masks (plain training, where none gains a standard error there):

    * *baseline*: plain training on the masks as they are;
    * *tuned threshold*: the same network; a pixel is object from the probability on that gives the best Dice on the trusted
      validation masks, instead of .5;
    * *positive-unlabelled*: pixels outside the drawn objects count as not known, and the share of object pixels is taken from
      the trusted masks (non-negative risk);
    * *only-positive*: of a mask that nobody confirmed only windows around its drawn objects are learnt, each object's box
      with a margin; all else counts as not known. An object counts from 80 pixels in 256 × 256 on. Trusted masks are learnt
      whole.

    Each arm is a strategy of its own too: `weak-threshold`, `weak-unlabelled`, `weak-only-positive`.

    ## When

    Masks miss objects (LN005), and some are known to be complete (`--trusted`). On complete masks every arm is neutral or does
    harm; rough outlines cost little and need none of them. It takes three times the computing of plain training.

    ## Options

    * `margin` (0.25): of a window around a drawn object, as a share of the longer side of its box.
    * `least_pixels` (80): of an object, for a picture of 256 × 256 pixels.
    * `networks` (3): so many of each arm are compared to choose one.

    ## References

    * Foucart, Debeir & Decaestecker: SNOW: Semi-supervised, noisy and/or weak data for deep learning in digital pathology.
      ISBI 2019.
    * Kiryo, Niu, du Plessis & Sugiyama: Positive-unlabeled learning with non-negative risk estimator. NeurIPS 2017.
    """

    name: ClassVar[str] = "weak"
    answers: ClassVar[Answers] = "labels"

    margin: float = 0.25
    least_pixels: float = 80.0
    networks: int = 3

    def __post_init__(self) -> None:
        if self.margin < 0 or self.least_pixels < 0 or self.networks < 1:
            raise ConfigError("[strategies.weak]: margin and least_pixels must be 0 or more, networks 1 or more")

    def propose(self, case: Case) -> Proposal:
        """Nothing to change; the network is what it gives.

        Raises:
            NotApplicable: there are no masks, several kinds of objects, or no masks that are known to be complete.
        """
        trust = case.trust
        if case.dataset.labels.task != "none" or not case.dataset.has("mask"):
            raise NotApplicable("this is for masks, and the records have labels or no masks")
        if (
            trust.guessed
            or int(trust.trusted.sum()) + int(trust.validation.sum()) < LEAST_TRUSTED
            or not trust.validation.any()
        ):
            raise NotApplicable("it takes some masks that are known to be complete: name their records with --trusted")
        if case.bench.task.outputs != 1:
            raise NotApplicable(f"it is for masks of one kind of object; these have {len(case.bench.task.classes) - 1}")
        return Proposal(strategy=self.name, summary="")

    def fit(self, case: Case, proposal: Proposal, seed: int) -> Trained:
        """The network of the arm that is best on validation."""
        return self.trained(case, proposal, self._chosen(case, proposal).chosen, seed)

    def effort(self, case: Case) -> Effort:  # noqa: ARG002
        """The network itself and, once for all seeds, those of every arm to choose one."""
        return Effort(once=float((len(ARMS) - 1) * self.networks))

    def conclude(self, case: Case, proposal: Proposal, fits: Sequence[Trained]) -> Proposal:
        """Which arm was chosen, and what each scored on the validation masks."""
        noted = self._chosen(case, proposal)
        clean = int((case.trust.trusted | case.trust.validation).sum())
        return replace(
            proposal,
            summary=f"no mask is changed; of {', '.join(ARMS)}: {noted.reason}",
            metrics={"arm": noted.chosen, "object_fraction": round(self.prior(case), 4), "trusted_masks": clean},
            tables=(self.table(case, proposal, [fit.seed for fit in fits][: noted.networks]),),
            notes=(
                "the threshold was tuned on the masks that it is scored on here; the evaluation records were not looked at",
            ),
        )

    def choice(self, case: Case, proposal: Proposal) -> Choice:
        """The best arm on validation, over `networks` networks of each; fewer, where the time allowed ends before."""
        arms: dict[str, list[Trained]] = {arm: [] for arm in ARMS}
        for seed in range(case.seed, case.seed + self.networks):
            row = [self.trained(case, proposal, arm, seed) for arm in ARMS]
            if not all(network.complete for network in row):
                break
            for found, network in zip(arms.values(), row, strict=True):
                found.append(network)
        count = len(arms[BASELINE])
        if not count:
            reason = f"{BASELINE}, the time allowed was too short to try any other"
            return Choice(chosen=BASELINE, reason=reason, networks=0)
        best = chosen_on_validation(case, arms, baseline=BASELINE)
        return Choice(chosen=best.arm, reason=best.reason, networks=count)

    def _chosen(self, case: Case, proposal: Proposal) -> Choice:
        """What was chosen, once for all seeds."""
        return kept(self._place(case), ARMS, lambda: self.choice(case, proposal))

    def _place(self, case: Case) -> Path:
        """Of the choice, which is that of these options, this seed and this recipe alone."""
        return case.work / self.name / f"choice-{key([repr(self), repr(case.bench.recipe), case.seed])}.json"

    def trained(self, case: Case, proposal: Proposal, arm: str, seed: int) -> Trained:
        """The network of one arm; its checkpoint is taken where it was trained already."""
        bench = case.bench
        if arm in (BASELINE, TUNED):
            plain = Nothing().fit(case, proposal, seed)  # under the name it has there
            if arm == BASELINE:
                return plain
            rows = case.trust.validation
            return shifted(plain, best_threshold(truth_of(case, rows), bench.predict(plain, rows)[:, 0]))
        examples = bench.examples(proposal)
        if arm == UNLABELLED:
            recipe = replace(bench.recipe, loss="pu", loss_options={"prior": self.prior(case)})
            return bench.train(examples, seed=seed, name=f"weak-unlabelled-{seed}", recipe=recipe)
        masks = bench.pictures.masks
        assert masks is not None
        known = around_objects(
            masks[examples.rows], complete=case.trust.trusted[examples.rows], margin=self.margin, least_pixels=self.least_pixels
        )
        return bench.train(replace(examples, masks=known), seed=seed, name=f"weak-only-positive-{seed}")

    def prior(self, case: Case) -> float:
        """Share of object pixels in the trusted masks, kept away from 0 and 1."""
        truth = truth_of(case, case.trust.trusted | case.trust.validation)
        return float(np.clip((truth[truth != UNKNOWN_PIXEL] != 0).mean(), 0.01, 0.99))

    def table(self, case: Case, proposal: Proposal, seeds: Sequence[int]) -> Table:
        """Dice and MCC of every arm and of the trivial predictors, on the validation masks."""
        rows, task = case.trust.validation, case.bench.task
        truth = truth_of(case, rows)
        said: dict[str, list[Any]] = {
            arm: [case.bench.predict(self.trained(case, proposal, arm, seed), rows) for seed in seeds] for arm in ARMS if seeds
        }
        said |= {"all object": [np.ones(truth.shape, np.int64)], "all background": [np.zeros(truth.shape, np.int64)]}
        found: dict[str, list[float | None]] = {"dice": [], "pixel_mcc": []}
        for predictions in said.values():
            scores = score(truth, predictions, patients=patients_of(case, rows), task=task, resamples=50)
            by_name = {s.metric: s.value for s in scores}
            for name, values in found.items():
                value = by_name.get(name, float("nan"))
                values.append(round(value, 4) if np.isfinite(value) else None)
        return Table(
            name="arms", title="Ways to learn from masks that miss objects, on the validation masks",
            columns=(
                Column(name="arm", kind="text", values=list(said), title="Arm"),
                Column(name="dice", kind="number", values=found["dice"], title="Dice"),
                Column(name="pixel_mcc", kind="number", values=found["pixel_mcc"], title="Matthews correlation per pixel"),
            ),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OneArm(Weak):
    """One arm of `weak`, asked for by name."""

    arm: ClassVar[str]

    def fit(self, case: Case, proposal: Proposal, seed: int) -> Trained:
        """The network of this arm."""
        return self.trained(case, proposal, self.arm, seed)

    def effort(self, case: Case) -> Effort:  # noqa: ARG002
        """One network."""
        return Effort()

    def conclude(self, case: Case, proposal: Proposal, fits: Sequence[Trained]) -> Proposal:  # noqa: ARG002
        """What it stands on."""
        return replace(
            proposal, summary=f"no mask is changed; {self.arm}", metrics={"object_fraction": round(self.prior(case), 4)}
        )


@dataclass(frozen=True, kw_only=True)
class WeakThreshold(OneArm):
    """Masks that miss objects: plain training, with its threshold tuned on trusted masks.

    ## What it does

    Changes no mask. Trains plainly; then a pixel is object from the probability on that gives the best Dice on the trusted
    validation masks, instead of .5. `weak` compares it with the other arms.

    ## When

    As `weak`; it costs nothing beyond plain training.

    ## Options

    * `margin`, `least_pixels`, `networks`: those of `weak`; without effect here.

    ## References

    * Foucart, Debeir & Decaestecker: SNOW. ISBI 2019.
    """

    name: ClassVar[str] = "weak-threshold"
    arm: ClassVar[str] = TUNED


@dataclass(frozen=True, kw_only=True)
class WeakUnlabelled(OneArm):
    """Masks that miss objects: pixels outside the drawn objects count as not known (positive-unlabelled).

    ## What it does

    Changes no mask. Trains with the non-negative positive-unlabelled risk; the share of object pixels is taken from the
    trusted masks. `weak` compares it with the other arms.

    ## When

    As `weak`.

    ## Options

    * `margin`, `least_pixels`, `networks`: those of `weak`; without effect here.

    ## References

    * Kiryo, Niu, du Plessis & Sugiyama: Positive-unlabeled learning with non-negative risk estimator. NeurIPS 2017.
    """

    name: ClassVar[str] = "weak-unlabelled"
    arm: ClassVar[str] = UNLABELLED


@dataclass(frozen=True, kw_only=True)
class WeakOnlyPositive(OneArm):
    """Masks that miss objects: learning only in windows around the drawn ones.

    ## What it does

    Changes no mask. Of a mask that nobody confirmed only windows around its drawn objects are learnt, each object's box with a
    margin. `weak` compares it with the other arms.

    ## When

    As `weak`.

    ## Options

    * `margin` (0.25): of a window, as a share of the longer side of the object's box.
    * `least_pixels` (80): of an object, for a picture of 256 × 256 pixels.
    * `networks`: that of `weak`; without effect here.

    ## References

    * Foucart, Debeir & Decaestecker: SNOW. ISBI 2019.
    """

    name: ClassVar[str] = "weak-only-positive"
    arm: ClassVar[str] = ONLY_POSITIVE
