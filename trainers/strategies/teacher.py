"""teacher: trusted records teach a network, which reads the labels of all others; a student learns from both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from auditor.values.corrections import Proposal
from auditor.values.results import Cell
from trainers.contamination import check_unseen
from trainers.engine.automatic import automatic
from trainers.relabelling.pseudo_labels import (
    DECISIONS,
    Codes,
    balanced,
    decide,
    gates_of,
    ignorance,
    joined,
    noise_model,
    targets_of,
    temperature_of,
    tempered,
)
from trainers.relabelling.reading import (
    DROP,
    REPLACE,
    SURE,
    Reading,
    bound_table,
    corrections_of,
    decision_table,
    opinion_of,
    weights_of,
)
from trainers.strategy import Answers, Case, NotApplicable, Strategy
from trainers.values.effort import Effort
from trainers.values.pictures import Examples, Rows
from trainers.values.recipe import Recipe, Trained
from trainers.values.task import LearningTask

LEAST_TRUSTED = 20


@dataclass(frozen=True, kw_only=True)
class Teacher(Strategy):
    """Trusted records teach a network, which reads the labels of all others; a student learns from both.

    ## What it does

    1. Trains teachers on the trusted records, with augmentation, one per fold of patients, and calibrates them on what each
       says of the fold it did not see (one temperature). Teachers that know nothing do not teach: out of fold they have to be
       right more often than the commonest class is (the lower bound), and not less often than the labels themselves are.
    2. Joins, for every other record, what the teachers say with the given label: how often a record of one class is labelled
       as another is estimated from the records themselves. Unlabelled records have the teachers' word alone.
    3. Keeps or replaces a label where the class is so probable that of trusted records out of fold at least `precision` were
       right (classes with few trusted records share one gate); softens it to probabilities where it is less certain; drops
       records of which fewer than half would be right.
    4. Trains a student with noise (augmentation, dropout, mixup) on trusted and pseudo-labelled records, every class in the
       share that it has over all records, and fine-tunes it on the trusted ones at a tenth of the rate.

    Labels are rewritten in the copy only where people's trusted labels bound the error: of the labels that would change to a
    class at least 95 % are right, by the Clopper-Pearson bound of the teachers' precision out of fold. It takes at least 59
    trusted records of the class without an error (more, as several classes are judged and as fewer labels change). All other
    changes are proposals; records that a model trusts bound nothing.

    ## When

    LN001 or LN002 found much noise and some records are known to be right; or many records have no label (blank cells, or
    `--unlabelled`). It takes about twice the computing of plain training.

    ## Options

    * `folds` (5): teachers.
    * `precision` (0.95): share of right labels above the gate from which a pseudo-label counts as certain.
    * `augmentation` ("standard"): of teachers and student: off, standard or strong.
    * `mixup` (0.2), `dropout` (0.2), `ema` (0.99): noise of the student, and how slowly its averaged weights follow.
    * `lam` (7): weight of early-learning regularisation, in the place of mixup where most records have no label.
    * `tuning_epochs` (10): of the fine-tuning on trusted records; 0 leaves it out.

    ## References

    * Yalniz et al.: Billion-scale semi-supervised learning for image classification. 2019.
    * Xie, Luong, Hovy & Le: Self-training with Noisy Student improves ImageNet classification. CVPR 2020.
    * Guo, Pleiss, Sun & Weinberger: On calibration of modern neural networks. ICML 2017.
    * Dawid & Skene: Maximum likelihood estimation of observer error-rates using the EM algorithm. Applied Statistics 1979.
    """

    name: ClassVar[str] = "teacher"
    answers: ClassVar[Answers] = "labels"

    folds: int = 5
    precision: float = 0.95
    augmentation: Literal["off", "standard", "strong"] = "standard"
    mixup: float = 0.2
    dropout: float = 0.2
    ema: float = 0.99
    lam: float = 7.0
    tuning_epochs: int = 10

    def propose(self, case: Case) -> Proposal:
        """Nothing before it was trained.

        Raises:
            NotApplicable: not one class or grade per record, too few trusted records, none that they could teach about, or
                evaluation records are in the option `teacher-data`.
        """
        labels, trust = case.dataset.labels, case.trust
        if labels.task not in ("single", "ordinal"):
            raise NotApplicable("a teacher is for datasets with one class or grade per record")
        trusted = int(trust.trusted.sum())
        if trusted < LEAST_TRUSTED:
            raise NotApplicable(f"{trusted} trusted records train; a teacher needs at least {LEAST_TRUSTED}: see --trusted")
        there = np.unique(labels.codes[trust.trusted])
        missing = [name for i, name in enumerate(labels.classes) if i not in there]
        if missing:
            raise NotApplicable(f"no trusted record is of class {missing[0]}: name some with --trusted")
        if case.unlabelled is None and not (trust.training & ~trust.trusted).any():
            raise NotApplicable("every training record is trusted already, and there are none without label")
        check_unseen(case)
        return Proposal(strategy=self.name, summary="what trusted records teach about the other labels is known after training")

    def fit(self, case: Case, proposal: Proposal, seed: int) -> Trained:
        """Teachers, their reading of the other records, the student."""
        bench = case.bench
        trusted = bench.examples(proposal, rows=case.trust.trusted)
        reading = self.read(case, trusted, seed)
        reading.save(self._place(case, seed))
        targets = targets_of(reading.shares, reading.decisions)
        used = reading.decisions != DROP
        weights = balanced(reading.shares, targets, used)
        others = bench.soft_examples(reading.rows[used], targets[used], weights=weights[used])
        examples = trusted.joined(others)
        recipe = self._student(self._recipe(case, len(examples)), reading.given[used], bench.task)
        student = bench.train(examples, seed=seed, name=f"{self.name}-{seed}", recipe=recipe)
        if not self.tuning_epochs:
            return student
        tuned = replace(
            bench.recipe, network=recipe.network, dropout=recipe.dropout, augmentation=recipe.augmentation, ema=recipe.ema,
            rate=recipe.rate / 10, epochs=bench.plan.epochs_of(self.tuning_epochs), batch=min(recipe.batch, 32),
        )  # fmt: skip
        return bench.train(trusted, seed=seed, name=f"{self.name}-{seed}-tuned", recipe=tuned, start=student)

    def effort(self, case: Case) -> Effort:
        """Teachers on trusted records, the student on all, the fine-tuning."""
        bench, trusted = case.bench, int(case.trust.trusted.sum())
        others = len(other_rows(case))
        every = max(1, bench.whole_recipe.epochs * len(bench.examples()))
        teachers = (self.folds - 1) / self.folds * trusted * self.folds
        alone = bench.appetite(trusted) * teachers / max(1, trusted)
        return Effort(plain=0.0, augmented=alone + bench.appetite(trusted + others) + self.tuning_epochs * trusted / every)

    def conclude(self, case: Case, proposal: Proposal, fits: Sequence[Trained]) -> Proposal:
        """What the teachers of all seeds made of the labels."""
        dataset = case.dataset
        readings = [Reading.load(self._place(case, fit.seed)) for fit in fits]
        opinion = opinion_of(readings)
        rewrite = not (case.trust.self_graded or case.trust.guessed)
        corrections = corrections_of(dataset, opinion, strategy=self.name, rewrite=rewrite)
        counts = dict(zip(DECISIONS, np.bincount(opinion.decisions, minlength=len(DECISIONS)).tolist(), strict=True))
        filled = int(((opinion.decisions == REPLACE) & (opinion.given < 0)).sum())
        replaced, safe = counts["replace"] - filled, sum(c.safe for c in corrections)
        trusted = int(case.trust.trusted.sum())
        notes = ["teachers and fine-tuning were trained in addition to a student that had the epochs of plain training"]
        if not rewrite:
            notes.append("a model chose the trusted records: what the teachers read is no evidence against a label")
        metrics: dict[str, Cell] = {
            "trusted_records": trusted,
            "teacher_accuracy": round(float(np.mean([r.accuracy for r in readings])), 4),
            "teacher_temperature": round(float(np.mean([r.temperature for r in readings])), 3),
            "records_kept": counts["keep"], "records_replaced": replaced, "records_filled": filled,
            "records_softened": counts["soften"], "records_dropped": counts["drop"], "labels_rewritten": safe,
        }  # fmt: skip
        return replace(
            proposal,
            summary=f"Teachers on {trusted:,} trusted records read {len(opinion.rows):,} others: for training, "
            f"{counts['keep']:,} labels are kept, {replaced:,} replaced, {filled:,} filled in where there was none, "
            f"{counts['soften']:,} softened and {counts['drop']:,} dropped; {safe:,} are rewritten, "
            f"{len(corrections) - safe:,} suggestions wait for a person.",
            corrections=corrections, weights=weights_of(dataset, opinion, corrections), metrics=metrics,
            tables=(decision_table(dataset, opinion), bound_table(dataset, opinion, rewrite=rewrite)), notes=tuple(notes),
        )  # fmt: skip

    def read(self, case: Case, trusted: Examples, seed: int) -> Reading:
        """What the teachers make of every record that is not trusted."""
        bench = case.bench
        recipe = self._recipe(case, len(trusted))
        teachers, out_of_fold = bench.cross_fitted(
            trusted, seed=seed, name=f"{self.name}-{seed}-teacher", folds=self.folds, recipe=recipe
        )
        codes = case.dataset.labels.codes
        truth = codes[trusted.rows]
        temperature = temperature_of(out_of_fold, truth)
        known = tempered(out_of_fold, temperature)
        rows = other_rows(case)
        own = tempered(bench.predict(teachers, rows), temperature)
        given = np.where(rows < len(codes), codes[np.minimum(rows, len(codes) - 1)], -1)
        reason = ignorance(known.argmax(axis=1), truth, own.argmax(axis=1), given, classes=known.shape[1])
        if reason:
            raise NotApplicable(reason)
        model = noise_model(own, given)
        shares = joined(own, given, model)
        alone = gates_of(known, truth, None, precision=self.precision)
        beside = gates_of(known, truth, model, precision=self.precision)
        call, classes = known.argmax(axis=1), known.shape[1]
        sure = known.max(axis=1) >= SURE
        return Reading(
            rows=rows, given=given, shares=shares,
            called=np.where(own.max(axis=1) >= SURE, own.argmax(axis=1), -1),
            decisions=np.where(given >= 0, decide(shares, given, beside), decide(shares, given, alone)),
            judged=np.bincount(call[sure], minlength=classes),
            right=np.bincount(call[sure & (call == truth)], minlength=classes),
            accuracy=float((call == truth).mean()), temperature=temperature,
        )  # fmt: skip

    def _recipe(self, case: Case, examples: int) -> Recipe:
        """The plain recipe with noise, and with the epochs and batches that suit this number of examples."""
        bench, plain = case.bench, case.bench.recipe
        wanted = automatic(bench.task, examples, bench.device.type, bench.network)
        usual = automatic(bench.task, len(bench.examples()), bench.device.type, bench.network)
        # where the plain recipe was shortened to fit the time, this one is in proportion
        epochs = max(1, round(wanted.epochs * plain.epochs / usual.epochs))
        batch = max(1, round(wanted.batch * plain.batch / usual.batch))
        return replace(plain, epochs=epochs, batch=batch, augmentation=self.augmentation, dropout=self.dropout, ema=self.ema)

    def _student(self, recipe: Recipe, given: Codes, task: LearningTask) -> Recipe:
        """The recipe with the student's own noise.

        Where most pseudo-labels are the teachers' alone, their mistakes are alike, and mixup does not keep a student from
        learning them. Early-learning regularisation, which excludes mixup, does so better: 0.3 and 0.5 points on digits with
        1,100 pictures without label.
        """
        if "elr" in task.losses and len(given) and float((given < 0).mean()) > 0.5:
            return replace(recipe, loss="elr", loss_options={"beta": 0.7, "lam": self.lam})
        return replace(recipe, mixup=self.mixup)

    def _place(self, case: Case, seed: int) -> Path:
        return case.work / f"{self.name}-{seed}" / "reading.npz"


def other_rows(case: Case) -> Rows:
    """Readable training records that are not trusted, labelled or not, and the pool without what is held back."""
    bench, dataset = case.bench, case.dataset
    own = np.flatnonzero(case.trust.training & ~case.trust.trusted & bench.pictures.readable[: dataset.size])
    pool = bench.pool
    if case.unlabelled is not None and len(pool) and "pixels" in case.unlabelled.fingerprints:
        held = dataset.fingerprints["pixels"][case.trust.evaluation | case.trust.validation].dropna()
        seen = case.unlabelled.fingerprints["pixels"].isin(set(held)).to_numpy()
        pool = pool[~seen[pool - dataset.size]]
    return np.concatenate([own, pool]).astype(np.int64)
