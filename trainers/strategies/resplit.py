"""resplit: no patient, acquisition or picture on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.evidence.kin.components import components
from auditor.evidence.kin.groups import EXCLUDED, declared_splits, split_names
from auditor.evidence.kin.identity import can_tell, identity, why_untold
from auditor.splits.split import NewSplit, crossing, split
from auditor.splits.wish import Wish
from auditor.values.corrections import Correction, Proposal
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.links import BLOCKING
from auditor.values.results import Cell, Column, Table
from trainers.strategy import Answers, Case, NotApplicable, Strategy

CODES = ("SP001", "SP005", "SP002", "SP004")


@dataclass(frozen=True, kw_only=True)
class Resplit(Strategy):
    """A new split in which nobody stands on both sides.

    ## What it does

    Keeps whole everything that belongs together (patient, study, series, the same picture) and deals these groups to the
    splits there are: each stays where most of its records stand, so that as few records move as can. The checks SP001, SP002,
    SP004 and SP005 are run on the new split before it is proposed.

    The old test results cannot be compared with new ones: the test set is another one. Nothing is trained for it, since no
    network can be judged on the same records before and after.

    ## When

    SP001, SP002, SP004 or SP005 across splits. Where patients cannot be told apart and no picture is linked to another, it
    says so and does nothing.

    ## Options

    * `by`: what stays whole: `patient` (default), `study`, `series` or `image`.
    * `stratify`: columns, separated by commas, of whose values every split shall hold its share (`label`); more records move
      then (none).
    * `keep`: names of splits that stay as they are, separated by commas; what belongs to their groups is `excluded` from all
      others (none).

    ## References

    * Oakden-Rayner et al. 2020 and Roberts et al. 2021 (patients in training and test); see `medaudit split`.
    """

    name: ClassVar[str] = "resplit"
    answers: ClassVar[Answers] = "splits"
    trains: ClassVar[bool] = False

    by: str = "patient"
    stratify: str = ""
    keep: str = ""

    def propose(self, case: Case) -> Proposal:
        """The records that move.

        Raises:
            NotApplicable: no split, nothing crosses, or it cannot be told what belongs together.
        """
        dataset = case.dataset
        check_applicable(dataset)
        wish = Wish(
            by=self.by,
            stratify=_names(self.stratify),
            keep=_names(self.keep),
            seed=case.seed,
        )
        try:
            new = split(dataset, wish)
        except ConfigError as error:
            raise NotApplicable(str(error)) from None
        if not new.old_crossing:
            raise NotApplicable("no patient, acquisition or picture stands in more than one split")
        code = next((code for code in CODES if case.has(code)), CODES[0])
        corrections = corrections_of(new, code, self.by)
        return Proposal(
            strategy=self.name,
            summary=(
                f"{new.old_crossing:,} groups stood in several splits: {len(corrections):,} of {dataset.size:,} records change "
                f"their split, and {'nothing stands on both sides' if new.proven else 'the proof fails (see the table)'}"
            ),
            corrections=corrections,
            metrics=metrics_of(new),
            tables=(proof_table(new), sizes_table(new)),
            notes=(*new.notes, "the test set is another one: earlier test results cannot be compared with new ones"),
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def check_applicable(dataset: Dataset) -> None:
    """Raise NotApplicable where there is no split, or nothing tells what belongs together."""
    old = declared_splits(dataset)
    if old is None or len(split_names(old)) < 2:
        raise NotApplicable("the dataset has no split to mend; `medaudit split` makes one")
    untold = not can_tell(dataset, identity(dataset, "patient"))
    if untold and not crossing(components(dataset, grades=BLOCKING).to_numpy(), old):
        raise NotApplicable(f"{why_untold(dataset)}, and no picture or acquisition stands in more than one split")


def corrections_of(new: NewSplit, code: str, by: str) -> tuple[Correction, ...]:
    """One correction per record whose split is another."""
    old = new.table["old_split"].fillna("")
    moved = new.table[old != new.table["split"]]
    found = []
    for record, row in zip(moved.index, moved.itertuples(index=False), strict=True):
        before, after = (value if isinstance(value, str) else "" for value in (row.old_split, row.split))
        reason = (
            f"belongs to group {row.group}, which a split that is kept holds"
            if after == EXCLUDED
            else f"group {row.group} stays whole (by {by})"
        )
        found.append(
            Correction(
                record=str(record), field="split", old=before, new=after, code=code, strategy=Resplit.name, reason=reason,
                confidence=1.0, safe=new.proven,
            )
        )  # fmt: skip
    return tuple(found)


def metrics_of(new: NewSplit) -> dict[str, Cell]:
    """Records moved, groups that crossed."""
    return {
        "records_moved": new.moved,
        "records_assigned": new.assigned,
        "records_excluded": new.excluded,
        "groups_across_splits_before": new.old_crossing,
        "proven": new.proven,
    }


def proof_table(new: NewSplit) -> Table:
    """What the checks say about the new split."""
    return Table(
        name="proof",
        title="The new split, checked",
        columns=(
            Column(name="code", kind="text", values=[one.code for one in new.proof], title="Check"),
            Column(name="status", kind="text", values=[one.status for one in new.proof], title="Status"),
            Column(name="words", kind="text", values=[one.words for one in new.proof], title="What it says"),
        ),
    )


def sizes_table(new: NewSplit) -> Table:
    """Records per split before and after."""
    names = list(dict.fromkeys((*new.names, *new.table["split"].dropna().unique())))
    before = [int((new.table["old_split"] == name).sum()) for name in names]
    after = [int((new.table["split"] == name).sum()) for name in names]
    return Table(
        name="sizes",
        title="Records per split",
        columns=(
            Column(name="split", kind="text", values=names, title="Split"),
            Column(name="before", kind="integer", values=before, title="Before"),
            Column(name="after", kind="integer", values=after, title="After"),
        ),
    )
