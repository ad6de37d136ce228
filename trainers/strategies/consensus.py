"""consensus: what several readers say, against the label that was released."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.raters.release import Release, release
from auditor.values.corrections import Correction, Proposal
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError
from auditor.values.labels import State
from auditor.values.results import Column, Table
from trainers.strategy import Answers, Case, NotApplicable, Strategy

CODE = "ED006"
SEVERAL = "|"


@dataclass(frozen=True, kw_only=True)
class FromConsensus(Strategy):
    """Labels from the consensus of the readers.

    ## What it does

    Decides every record that several people read: by the method that `medaudit consensus` chooses, mostly the model of
    Dawid and Skene, which tells good readers from poor ones. Where the released label says something else and all readers
    agree, the label is corrected. Where they do not all agree but their consensus is surer than `min_confidence`, the
    correction is written down for a person to look at. A tie changes nothing.

    Records that networks are judged on are not corrected by themselves: their corrections wait for a person too.

    ## When

    ED001 or ED006: released labels differ from what the readers say. Needs readings of single records by several people, and
    a released label beside them.

    ## Options

    * `min_raters`: so many readings of a record are needed (2).
    * `min_confidence`: of a consensus that is not unanimous (.9).
    * `method`: `auto`, `majority`, `dawid-skene`, `glad` or `mace`.

    ## References

    * Dawid & Skene 1979; Northcutt, Athalye & Mueller 2021; see `medaudit consensus`.
    """

    name: ClassVar[str] = "consensus"
    answers: ClassVar[Answers] = "labels"

    min_raters: int = 2
    min_confidence: float = 0.9
    method: str = "auto"

    def propose(self, case: Case) -> Proposal:
        """Corrections where the readers say something else.

        Raises:
            NotApplicable: no readings by several people, no released label, or nothing to correct.
        """
        dataset = case.dataset
        if dataset.labels.task not in ("single", "ordinal", "multi"):
            raise NotApplicable("there is no released label to correct; `medaudit consensus` writes one from the readings")
        try:
            found = release(dataset, method=self.method, seed=case.seed)
        except (ConfigError, DatasetError) as error:
            raise NotApplicable(str(error)) from None
        if not found.classes:
            raise NotApplicable("the readings are measurements: their mean is no correction of a class")
        if not set(found.classes) & set(dataset.labels.classes):
            raise NotApplicable("released labels and readings use different names: none of the classes is the same")
        judging = case.trust.evaluation | case.trust.validation
        corrections = tuple(self._corrections(dataset, found, judging))
        if not corrections:
            raise NotApplicable("no released label differs from what the readers say")
        safe = sum(c.safe for c in corrections)
        return Proposal(
            strategy=self.name,
            summary=(
                f"{len(corrections):,} labels differ from the consensus of the readers ({found.method}): {safe:,} from "
                f"unanimous ones, {len(corrections) - safe:,} for a person to look at"
            ),
            corrections=corrections,
            metrics={
                "records_read": len(found.frame),
                "labels_against_unanimous": safe,
                "labels_for_review": len(corrections) - safe,
            },
            tables=(table_of(corrections),),
            notes=(f"consensus by {found.method}: {found.why}",),
        )

    def _corrections(self, dataset: Dataset, found: Release, judging: npt.NDArray[np.bool_]) -> Iterator[Correction]:
        frame = found.frame
        places = dataset.records.index.get_indexer(pd.Index(frame["record"]))
        ready = (places >= 0) & (frame["readings"] >= self.min_raters).to_numpy() & ~frame["tie"].to_numpy(dtype=bool)
        for row, place in zip(frame[ready].itertuples(index=False), places[ready].tolist(), strict=True):
            unanimous = float(row.agreement) >= 1.0
            confidence = float(row.confidence)
            if not unanimous and confidence < self.min_confidence:
                continue
            safe = unanimous and not bool(judging[place])
            readers = "all" if unanimous else "most of"
            reason = f"{readers} {int(row.readings)} readers say so" + (
                "; networks are judged on this record" if judging[place] and unanimous else ""
            )
            for name, old, new in differences(dataset, place, str(row.label)):
                yield Correction(
                    record=str(row.record), field=name, old=old, new=new, code=CODE, strategy=self.name, reason=reason,
                    confidence=min(confidence, 1.0), safe=safe,
                )  # fmt: skip


def differences(dataset: Dataset, place: int, label: str) -> Iterator[tuple[str, str, str]]:
    """Field, old and new text where the released label of a record is not the consensus."""
    labels = dataset.labels
    if labels.task == "multi" and labels.states is not None:
        said = set(label.split(SEVERAL))
        for name in labels.classes:
            state = State(int(labels.states[name].iloc[place]))
            wanted = State.POSITIVE if name in said else State.NEGATIVE
            if state >= 0 and state is not wanted:
                yield f"label.{name}", str(int(state)), str(int(wanted))
        return
    value = labels.values.iloc[place]
    if isinstance(value, str) and value != label and label in labels.classes:
        yield "label", value, label


def table_of(corrections: tuple[Correction, ...]) -> Table:
    """Which labels become which, how often."""
    pairs: dict[tuple[str, str, bool], int] = {}
    for c in corrections:
        name = c.field.removeprefix("label").removeprefix(".")
        key = (f"{name}: {c.old}" if name else c.old, f"{name}: {c.new}" if name else c.new, c.safe)
        pairs[key] = pairs.get(key, 0) + 1
    rows = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return Table(
        name="consensus_pairs",
        title="Released label against the readers",
        columns=(
            Column(name="released", kind="class", values=[k[0] for k, _ in rows], title="Released"),
            Column(name="consensus", kind="class", values=[k[1] for k, _ in rows], title="Readers"),
            Column(name="applied", kind="boolean", values=[k[2] for k, _ in rows], title="Applied unasked"),
            Column(name="records", kind="integer", values=[n for _, n in rows], title="Records"),
        ),
    )
