"""confident: labels that an out-of-fold model doubts weigh less and are queued for review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from auditor.check import SkipCheck
from auditor.evidence.labels.label_noise import judge_labels
from auditor.evidence.labels.review import CONTROLS, SUSPECTS, draw_queue
from auditor.values.corrections import Correction, Proposal
from auditor.values.dataset import Dataset
from auditor.values.judgements import JudgedTask
from auditor.values.results import Cell, Column, Table
from trainers.relabelling.verified import Group, bounded_groups, group_table, stratum_of
from trainers.strategy import Answers, Case, NotApplicable, Strategy

if TYPE_CHECKING:
    from trainers.values.recipe import Trained

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class _Suggestion:
    """A flagged label of a training record, and what a person said of it (empty: nobody looked)."""

    record: str
    field: str
    given: str
    suggested: str
    old: str
    new: str
    suspicion: float
    confidence: float
    answer: str


@dataclass(frozen=True, kw_only=True)
class Confident(Strategy):
    """Suspect labels weigh less in training and are queued for review; none is rewritten unverified.

    ## What it does

    Takes the labels that LN002 flags (out-of-fold predictions against the given labels) and gives each the probability that
    it is right as its weight in training; all others weigh 1. The review queue mixes them with labels that nobody doubts, in
    random order. Suggested labels are proposals: one is rewritten only where a person called that very label wrong and there
    are two classes, or where people verified so many suggestions of its class and confidence that the Clopper–Pearson lower
    bound of their precision reaches `min_precision` (59 without an error). Trusted, validation, evaluation and test records
    are left alone, and labels that a reviewer confirmed keep their weight.

    ## When

    LN001 or LN002 found noise. Where there is no evidence of noise it changes nothing; where noise cannot be told from doubt,
    it queues and weighs nothing.

    ## Options

    * `prune` (false): flagged records leave the collection instead of weighing less.
    * `least_weight` (0.0): no label weighs less.
    * `min_precision` (0.95): lower bound of verified precision from which suggestions are rewritten.
    * `max_noise_fraction` (0.01): as in LN001: less noise is no evidence.

    ## References

    * Northcutt, Jiang & Chuang: Confident learning. JAIR 70, 2021.
    * Bernhardt et al.: Active label cleaning for improved dataset quality. Nature Communications 2022.
    * Clopper & Pearson: The use of confidence or fiducial limits. Biometrika 1934.
    """

    name: ClassVar[str] = "confident"
    answers: ClassVar[Answers] = "labels"

    prune: bool = False
    least_weight: float = 0.0
    min_precision: float = 0.95
    max_noise_fraction: float = 0.01

    def propose(self, case: Case) -> Proposal:
        """Weights, queue and proposals for the training records. Raises NotApplicable without labels or predictions."""
        dataset = case.dataset
        try:
            tasks = judge_labels(dataset, tolerance=self.max_noise_fraction)
        except SkipCheck as reason:
            raise NotApplicable(str(reason)) from None
        verdicts = [task.estimate.verdict for task in tasks]
        if "noise" not in verdicts:
            doubtful = "cannot tell" in verdicts
            return self._nothing(case, tasks, doubtful=doubtful)
        open_rows = case.trust.training & ~(case.trust.trusted & (not case.trust.self_graded))
        found = _suggestions(dataset, [task for task in tasks if task.estimate.verdict == "noise"], open_rows)
        # A reviewer says whether the given label is right. With more classes than two that verifies no other one.
        decides = dataset.labels.task in ("single", "ordinal") and len(dataset.labels.classes) == 2
        groups = bounded_groups(
            [s.suggested for s in found], [s.confidence for s in found],
            [_verified(s.answer) if decides else None for s in found],
        )  # fmt: skip
        corrections = tuple(self._correction(s, groups, decides) for s in found if s.answer != "right")
        weights, removed = self._weights(found, frozenset(c.record for c in corrections if c.safe))
        queue = _queue(case, tasks)
        rewritten = sum(c.safe for c in corrections)
        what = "leave the collection" if self.prune else "weigh less"
        waiting = len(corrections) - rewritten
        notes = [] if decides else [
            "a reviewer's answer says that a label is wrong, not which one is right: with more than two classes no suggestion "
            "is verified by it, and none is applied"
        ]  # fmt: skip
        metrics: dict[str, Cell] = {
            "flagged_labels": len(found),
            "records_weighed_down": len(weights),
            "records_pruned": len(removed),
            "labels_rewritten": rewritten,
            "suggestions": len(corrections),
            "reviewed_flagged": sum(bool(s.answer) for s in found),
            "expected_wrong_flagged": round(float(sum(s.suspicion for s in found)), 1),
            "queue_records": queue.length,
        }
        return Proposal(
            strategy=self.name,
            summary=f"{len(removed) or len(weights):,} records with a suspect label {what}; {queue.length:,} records are "
            f"queued for review; {rewritten:,} labels are rewritten, {waiting:,} suggestions wait for a person.",
            corrections=corrections, weights=weights, removed=removed, metrics=metrics,
            tables=(queue, group_table(list(groups.values()), self.min_precision)), notes=tuple(notes),
        )  # fmt: skip

    def fit(self, case: Case, proposal: Proposal, seed: int) -> Trained:
        """Plain cross-entropy under the weights; of the suggestions only those that are rewritten teach."""
        examples = case.bench.examples(proposal, only_safe=True)
        return case.bench.train(examples, seed=seed, name=f"{self.name}-{seed}")

    def _nothing(self, case: Case, tasks: Sequence[JudgedTask], *, doubtful: bool) -> Proposal:
        """Where the labels give no reason to touch any of them."""
        metrics: dict[str, Cell] = {
            "flagged_labels": 0, "records_weighed_down": 0, "records_pruned": 0, "labels_rewritten": 0, "suggestions": 0,
        }  # fmt: skip
        if not doubtful:
            return Proposal(
                strategy=self.name, summary="No evidence of label noise: no label is touched, weighed down or queued.",
                metrics=metrics,
            )  # fmt: skip
        reason = next(task.estimate.reason for task in tasks if task.estimate.verdict == "cannot tell")
        queue = _queue(case, tasks)
        return Proposal(
            strategy=self.name,
            summary=f"Noise cannot be told from honest doubt: no label is touched or weighed down; {queue.length:,} records "
            "are queued for review.",
            metrics={**metrics, "queue_records": queue.length}, tables=(queue,), notes=(reason,),
        )  # fmt: skip

    def _correction(self, one: _Suggestion, groups: Mapping[tuple[str, float], Group], decides: bool) -> Correction:
        group = groups[one.suggested, stratum_of(one.confidence)]
        seen = decides and one.answer == "wrong"
        bounded = decides and not one.answer and group.low >= self.min_precision
        if seen:
            reason = "a reviewer called the label wrong, and there are two classes"
        elif bounded:
            reason = f"{group.right:,} of {group.verified:,} verified suggestions like it were right: at least {group.low:.3f}"
        else:
            reason = "an out-of-fold model doubts the label; nobody verified enough suggestions like it"
        return Correction(
            record=one.record, field=one.field, old=one.old, new=one.new, code="LN002", strategy=self.name, reason=reason,
            confidence=1.0 if seen else round(one.confidence, 4), safe=seen or bounded,
        )  # fmt: skip

    def _weights(self, found: Sequence[_Suggestion], rewritten: frozenset[str]) -> tuple[dict[str, float], dict[str, str]]:
        """Weights below 1, and what is pruned; of several classes the most suspect one counts."""
        weights: dict[str, float] = {}
        for one in found:
            if one.answer != "right" and one.record not in rewritten:
                right = 0.0 if one.answer == "wrong" else 1 - one.suspicion
                weights[one.record] = min(weights.get(one.record, 1.0), max(self.least_weight, round(right, 4)))
        if self.prune:
            return {}, dict.fromkeys(weights, "its label is probably wrong (LN002)")
        return weights, {}


def _verified(answer: str) -> bool | None:
    """Of two classes: the suggestion is right where the given label is wrong; an ambiguous label gives it no right."""
    return None if answer in ("", "cannot tell") else answer == "wrong"


def _suggestions(dataset: Dataset, tasks: Sequence[JudgedTask], rows: Bools) -> list[_Suggestion]:
    """Flagged labels of the records in `rows`."""
    said = {a.record: a.answer for review in dataset.reviews for a in review.answers}
    names = dataset.records.index.to_numpy(dtype=object)
    found = []
    for task in tasks:
        estimate = task.estimate
        here = estimate.flagged[task.label_of] & rows[task.records]
        for record, label in zip(task.records[here].tolist(), task.label_of[here].tolist(), strict=True):
            given, new = int(task.codes[label]), int(estimate.suggested[label])
            p, suspicion = task.probabilities[label], float(estimate.suspicion[label])
            share = float(p[new]) / max(1e-9, 1 - float(p[given]))
            texts = ("0", "1") if task.name else task.classes
            found.append(
                _Suggestion(
                    record=str(names[record]), field=f"label.{task.name}" if task.name else "label",
                    given=task.classes[given], suggested=task.classes[new], old=texts[given], new=texts[new],
                    suspicion=suspicion, confidence=min(1.0, suspicion * share), answer=said.get(str(names[record]), ""),
                )
            )  # fmt: skip
    return found


def _queue(case: Case, tasks: Sequence[JudgedTask]) -> Table:
    """Suspects and controls in random order, without what would bias whoever reads it: labels, suggestions, scores."""
    flagged, judged = np.zeros(case.dataset.size, np.bool_), np.zeros(case.dataset.size, np.bool_)
    for task in tasks:
        judged[task.records] = True
        flagged[task.records] |= task.estimate.flagged[task.label_of]
    rows = np.flatnonzero(judged & case.trust.training)
    done = [a.record for review in case.dataset.reviews for a in review.answers]
    queue = draw_queue(
        case.dataset.records.index[rows].tolist(), flagged[rows].tolist(), seed=case.seed, suspects=SUSPECTS,
        controls=CONTROLS, reviewed=done,
    )  # fmt: skip
    return Table(
        name="review_queue",
        title="Records to review: suspects and controls mixed (medaudit review)",
        columns=(Column(name="record", kind="record", title="Record", values=list(queue.records)),),
    )
