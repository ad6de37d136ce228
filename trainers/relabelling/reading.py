"""What the teachers of all seeds made of a dataset's records: one opinion, as corrections, weights and tables.

A label is rewritten unasked only where people's trusted labels bound the error. Of N records that teachers surely call c, at
most a share 1 - q is wrong, q being the Clopper-Pearson lower bound of their precision on trusted records out of fold. All of
those errors may lie among the D records whose label would change, since where teacher and label disagree the teacher errs more
often. So of the changes at least 1 - (1 - q) N / D are right: none on clean data, where D is small, and q where all change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.values.corrections import Correction
from auditor.values.dataset import Dataset
from auditor.values.results import Column, Table
from trainers.relabelling.pseudo_labels import DECISIONS, Codes, Doubles
from trainers.relabelling.verified import LEVEL, lower_bound

Bools = npt.NDArray[np.bool_]

SURE = 0.9
"""Confidence from which a teacher's call is sure. Fixed, because a gate that is chosen on the trusted records flatters the
bound that is taken on them; how often sure calls are right is measured."""
GATE = 0.95
KEEP, REPLACE, SOFTEN, DROP = range(len(DECISIONS))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the teachers of one seed made of the records that are not trusted; n records, K classes.

    Args:
        rows: of the pictures, (n,); `given`: number of the given class, -1 where there is none, (n,).
        shares: probability of each class by teacher and given label together, (n, K).
        called: class of the teachers' own sure call, -1 where they are not sure, (n,).
        decisions: number in `DECISIONS`, (n,).
        judged: sure calls on trusted records out of fold by called class, (K,); `right`: how many of them were right, (K,).
        accuracy: of all calls on trusted records out of fold; `temperature`: that calibrated the teachers.
    """

    rows: Codes
    given: Codes
    shares: Doubles
    called: Codes
    decisions: Codes
    judged: Codes
    right: Codes
    accuracy: float
    temperature: float

    def save(self, path: Path) -> None:
        """Write it into a private folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **vars(self))

    @staticmethod
    def load(path: Path) -> Reading:
        """What `save` wrote."""
        with np.load(path) as arrays:
            values: dict[str, Any] = {name: arrays[name] if arrays[name].ndim else float(arrays[name]) for name in arrays.files}
        return Reading(**values)


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What several seeds make of the same records together.

    Args:
        rows, given: as in `Reading`.
        shares: mean over the seeds.
        decisions: that of most seeds; of equally many the more careful one.
        suggested: most probable class, (n,).
        agreed: class of the sure call where all seeds have the same, else -1, (n,).
        low: lower bound of the precision of sure calls, that of the worst seed, (K,); `judged`, `right`: its counts, (K,).
        calls: sure calls of the seed that has most of them, with a label and without, (2, K).
    """

    rows: Codes
    given: Codes
    shares: Doubles
    decisions: Codes
    suggested: Codes
    agreed: Codes
    low: Doubles
    judged: Codes
    right: Codes
    calls: Codes

    @property
    def changes(self) -> Bools:
        """Records whose label would be another one, (n,)."""
        return np.asarray((self.decisions == REPLACE) & (self.suggested != self.given))

    def bounds(self, dataset_size: int) -> tuple[Codes, Doubles]:
        """Changes that all seeds are sure of, with a label and without, and the lower bound of those that are right: (2, K)."""
        classes = self.shares.shape[1]
        counts = np.zeros((2, classes), np.int64)
        sure = self.changes & (self.agreed == self.suggested) & (self.rows < dataset_size)
        for blank in (0, 1):
            here = sure & ((self.given < 0) == bool(blank))
            counts[blank] = np.bincount(self.suggested[here], minlength=classes)
        wrong = (1 - self.low) * np.maximum(self.calls, counts)
        return counts, np.where(counts > 0, np.clip(1 - wrong / np.maximum(counts, 1), 0, 1), 0.0)


def opinion_of(readings: Sequence[Reading]) -> Opinion:
    """The seeds' readings as one. All are of the same records."""
    first = readings[0]
    shares = np.mean([r.shares for r in readings], axis=0)
    votes = np.stack([np.bincount(d, minlength=len(DECISIONS)) for d in np.stack([r.decisions for r in readings], axis=1)])
    votes = votes if len(first.rows) else np.zeros((0, len(DECISIONS)), np.int64)
    careful = len(DECISIONS) - 1 - votes[:, ::-1].argmax(axis=1)
    suggested = shares.argmax(axis=1)
    # seeds that replace a label, but by different classes, agree on nothing
    decisions = np.where((careful == REPLACE) & (suggested == first.given), SOFTEN, careful)
    decisions = np.where((decisions == KEEP) & (suggested != first.given), SOFTEN, decisions)
    called = np.stack([r.called for r in readings])
    classes = shares.shape[1]
    tests = max(1, int((first.judged > 0).sum()))
    lows = np.array(
        [[lower_bound(int(a), int(b), level=1 - (1 - LEVEL) / tests) for a, b in zip(r.right, r.judged, strict=True)]
         for r in readings]
    )  # fmt: skip
    worst = lows.argmin(axis=0)
    calls = np.zeros((2, classes), np.int64)
    for reading in readings:
        for blank in (0, 1):
            here = (reading.called >= 0) & ((reading.given < 0) == bool(blank))
            calls[blank] = np.maximum(calls[blank], np.bincount(reading.called[here], minlength=classes))
    return Opinion(
        rows=first.rows, given=first.given, shares=shares, decisions=decisions.astype(np.int64), suggested=suggested,
        agreed=np.where((called == called[0]).all(axis=0), called[0], -1), low=lows.min(axis=0), calls=calls,
        judged=np.array([readings[s].judged[c] for c, s in enumerate(worst)]),
        right=np.array([readings[s].right[c] for c, s in enumerate(worst)]),
    )  # fmt: skip


def corrections_of(dataset: Dataset, opinion: Opinion, *, strategy: str, rewrite: bool) -> tuple[Correction, ...]:
    """Labels that would be other ones, of the dataset's own records.

    Args:
        rewrite: people stand behind the trusted labels; else nothing is rewritten unasked.
    """
    _, bounds = opinion.bounds(dataset.size)
    names, classes = dataset.records.index.astype(str), dataset.labels.classes
    found = []
    for i in np.flatnonzero(opinion.changes & (opinion.rows < dataset.size)).tolist():
        given, new = int(opinion.given[i]), int(opinion.suggested[i])
        bound = float(bounds[int(given < 0), new])
        safe = rewrite and bound >= GATE and int(opinion.agreed[i]) == new
        reason = "teachers on trusted records read another class" if given >= 0 else "read by teachers on trusted records"
        if safe:
            reason += f"; of such changes at least {bound:.3f} are right"
        found.append(
            Correction(
                record=str(names[opinion.rows[i]]), field="label", old=classes[given] if given >= 0 else "", new=classes[new],
                code="LN002" if given >= 0 else "", strategy=strategy, reason=reason,
                confidence=round(float(opinion.shares[i, new]), 4), safe=safe,
            )
        )  # fmt: skip
    return tuple(found)


def weights_of(dataset: Dataset, opinion: Opinion, corrections: Sequence[Correction]) -> dict[str, float]:
    """How probably the label that stands in the copy is right, for the records whose label was not kept."""
    names = dataset.records.index.astype(str)
    rewritten = {c.record for c in corrections if c.safe}
    found = {}
    for i in np.flatnonzero((opinion.decisions != KEEP) & (opinion.given >= 0) & (opinion.rows < dataset.size)).tolist():
        record = str(names[opinion.rows[i]])
        label = opinion.suggested[i] if record in rewritten else opinion.given[i]
        found[record] = 0.0 if opinion.decisions[i] == DROP else round(float(opinion.shares[i, label]), 4)
    return found


def decision_table(dataset: Dataset, opinion: Opinion) -> Table:
    """How many records were kept, replaced, softened and dropped, by given class."""
    parts = [(name, opinion.given == i) for i, name in enumerate(dataset.labels.classes)]
    own = opinion.rows < dataset.size
    parts += [("(no label)", (opinion.given < 0) & own), ("(unlabelled pictures)", ~own)]
    parts = [(name, here) for name, here in parts if here.any()]
    titles = ("Kept", "Replaced or filled", "Softened", "Dropped")
    return Table(
        name="pseudo_labels",
        title="What the teachers made of the labels, by given class",
        columns=(
            Column(name="class", kind="text", title="Given class", values=[name for name, _ in parts]),
            Column(name="records", kind="integer", title="Records", values=[int(here.sum()) for _, here in parts]),
            *(
                Column(name=word, kind="integer", title=heading,
                       values=[int((here & (opinion.decisions == k)).sum()) for _, here in parts])
                for k, (word, heading) in enumerate(zip(DECISIONS, titles, strict=True))
            ),
        ),
    )  # fmt: skip


def bound_table(dataset: Dataset, opinion: Opinion, *, rewrite: bool) -> Table:
    """Per class what people's trusted labels bound."""
    counts, bounds = opinion.bounds(dataset.size)
    classes = dataset.labels.classes
    return Table(
        name="rewrite_bounds",
        title="Which labels may be rewritten unasked",
        columns=(
            Column(name="class", kind="class", title="New class", values=list(classes)),
            Column(name="judged", kind="integer", title="Sure calls on trusted records", values=opinion.judged.tolist()),
            Column(name="right", kind="integer", title="Right", values=opinion.right.tolist()),
            Column(name="low", kind="fraction", title="Precision at least", values=[round(v, 4) for v in opinion.low.tolist()]),
            Column(name="changes", kind="integer", title="Changes", values=counts[0].tolist()),
            Column(name="change_low", kind="fraction", title="Of changes right, at least",
                   values=[round(v, 4) for v in bounds[0].tolist()]),
            Column(name="filled", kind="integer", title="Blank labels", values=counts[1].tolist()),
            Column(name="fill_low", kind="fraction", title="Of those right, at least",
                   values=[round(v, 4) for v in bounds[1].tolist()]),
            Column(name="rewritten", kind="boolean", title="Rewritten",
                   values=[bool(rewrite and (bounds[:, c] >= GATE).any()) for c in range(len(classes))]),
        ),
    )  # fmt: skip
