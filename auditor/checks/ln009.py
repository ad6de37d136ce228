"""LN009: records that break a rule which all others follow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import combinations
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.evidence.kin.groups import location
from auditor.evidence.labels.folders import Lying, lying_of
from auditor.evidence.labels.nothing import none_and_some
from auditor.statistics.guessed import patients_of
from auditor.values.dataset import Dataset
from auditor.values.fields import describe
from auditor.values.results import Cell, Column, Coverage, Finding, Location, Severity, Table, Verdict

_MOST_COLUMNS, _MOST_VALUES, _NAMED = 20, 50, 5
_LABEL = "label"
_FOLDER = "folder"
_NONE = "no finding"


@dataclass(frozen=True, kw_only=True)
class BrokenMapping(Check):
    """A record breaks a rule between two columns that nearly all others follow.

    ## What it does

    Looks at the label and at the columns of the table that speak of the patient or the finding, and asks of each two of them
    whether one fixes the other in at least `min_share` of the records (Gleason 4+3 is grade group 3, `melanoma` is
    `malignant`). Where it does, but not always, the records that break the rule are named. Values are not shown: they may
    tell of a person. Where the labels come from a table and folders are called as the classes, images that lie in the folder
    of another class are named, however many there are; so are records that have several labels, among them `No Finding`.

    ## Why is this bad?

    One of the two cells is wrong: a slip of the keyboard, a shifted row, a correction that was made in one column only. If it
    is the label, a model is taught it; if it is the other, strata and subgroups are wrong.

    ## How to fix

    Look the records up in the source and correct the cell that is wrong. Where the exception is real (a rule of clinical
    practice, not of arithmetic), waive it with that reason.

    ## Options

    * `min_share` (0.97): share of the records that must follow the rule.
    * `min_records` (50): records that both columns are filled in for. `min_value` (5): records that a value needs.

    ## References

    Fellegi & Holt 1976, JASA 71:17 (edit rules). Egevad et al. 2016, Histopathology 69:891 (Gleason scores and grade groups).
    """

    code: ClassVar[str] = "LN009"
    name: ClassVar[str] = "broken-mapping"
    severity: ClassVar[Severity] = Severity.WARNING

    min_share: float = 0.97
    min_records: int = 50
    min_value: int = 5

    def run(self, dataset: Dataset) -> Verdict:
        """Compare every two columns. Raises SkipCheck where there are not two to compare."""
        columns, lying = _columns(dataset), lying_of(dataset)
        both = none_and_some(dataset.labels)
        if len(columns) < 2 and lying is None and both is None:
            raise SkipCheck("there are not two columns of classes about the patient or the finding to compare")
        groups = patients_of(dataset)
        whose = groups.index if groups.usable or groups.guessed else np.arange(dataset.size)
        findings: list[Finding] = []
        rows: list[tuple[str, str, int]] = []
        rules = 0
        for one, other in combinations(columns, 2):
            found = self._rule(columns, whose, one, other)
            if found is None:
                continue
            first, second, rule = found
            rules += 1
            if len(rule.broken):
                findings.append(self._finding(dataset, first, second, rule))
                rows += [(first, second, int(i)) for i in rule.broken]
        if lying is not None and len(lying.elsewhere):
            findings.append(self._of_folders(dataset, lying))
            rows += [(_FOLDER, _LABEL, int(i)) for i in lying.elsewhere]
        if both is not None and len(both):
            findings.append(self._of_none_and_some(dataset, both))
            rows += [(_NONE, _LABEL, int(i)) for i in both]
        lines = [location(dataset, i).line for *_, i in rows]
        table = Table(
            name="broken",
            title="Records that break a rule between two columns",
            columns=(
                Column(name="record", kind="record", title="Record", values=[str(dataset.records.index[i]) for *_, i in rows]),
                Column(name="line", kind="integer", title="Line", values=lines),
                Column(name="first", kind="text", title="Column that fixes", values=[first for first, *_ in rows]),
                Column(name="second", kind="text", title="Column that does not fit", values=[second for _, second, _ in rows]),
            ),
        )
        said = f"{rules} of them fix another one" if rules else "none of them fixes another one"
        other = "folders of classes" if both is None else "“no finding” beside them"
        compared = f"{len(columns)} columns compared: {said}" if len(columns) > 1 else f"Labels compared with {other}"
        broken = len({i for *_, i in rows})
        metrics: dict[str, Cell] = {"columns": len(columns), "rules": rules, "records_that_break_one": broken}
        if lying is not None:
            metrics |= {"records_in_folders_of_classes": lying.records, "records_in_another_folder": len(lying.elsewhere)}
        return Verdict(
            summary=compared + (f"; {broken:,} records do not fit." if broken else ", without exception." if rules else "."),
            metrics=metrics,
            findings=tuple(findings),
            tables=(table,),
            coverage=Coverage(evaluated=dataset.size, total=dataset.size),
        )

    def _rule(
        self, columns: dict[str, npt.NDArray[np.int64]], whose: npt.NDArray[np.int64], one: str, other: str
    ) -> tuple[str, str, Mapping] | None:
        """The better of the two directions, where either is a rule: of patients, since each fixes all that is his own."""
        found = []
        for first, second in ((one, other), (other, one)):
            rule = mapping_of_groups(columns[first], columns[second], whose, least=self.min_value)
            if rule is not None and rule.records >= self.min_records and rule.follows >= self.min_share:
                found.append((first, second, rule))
        return max(found, key=lambda item: item[2].follows, default=None)

    def _finding(self, dataset: Dataset, first: str, second: str, rule: Mapping) -> Finding:
        count = len(rule.broken)
        named = ", ".join(str(dataset.records.index[i]) for i in rule.broken[:_NAMED])
        more = f" and {count - _NAMED:,} more" if count > _NAMED else ""
        return Finding(
            code=self.code,
            severity=Severity.WARNING,
            message=(
                f"{first} fixes {second} in {rule.follows:.1%} of {rule.records:,} records, but not in {named}{more}: one of "
                "the two cells is wrong there, or the exception is real; look it up in the source"
            ),
            where=replace(location(dataset, int(rule.broken[0])), field=second),
            subject=first,
            score=rule.follows,
            evidence={"first": first, "second": second, "broken": count, "records": rule.records},
        )

    def _of_none_and_some(self, dataset: Dataset, both: npt.NDArray[np.int64]) -> Finding:
        named = ", ".join(str(dataset.records.index[i]) for i in both[:_NAMED])
        more = f" and {len(both) - _NAMED:,} more" if len(both) > _NAMED else ""
        one = len(both) == 1
        return Finding(
            code=self.code,
            severity=Severity.WARNING,
            message=(
                f"{len(both):,} {'record is' if one else 'records are'} labelled as without a finding and with one "
                f"({named}{more}): one of the two is wrong; look them up"
            ),
            where=replace(location(dataset, int(both[0])), field=_LABEL),
            subject=_NONE,
            score=len(both) / dataset.size,
            evidence={"records": len(both), "of": dataset.size},
        )

    def _of_folders(self, dataset: Dataset, lying: Lying) -> Finding:
        at = lying.elsewhere
        count, labels = len(at), dataset.labels.values
        pairs = Counter((str(lying.folder[i]), str(labels.iloc[i])) for i in at)
        told = ", ".join(f"{n:,} in {folder} labelled {label}" for (folder, label), n in pairs.most_common(_NAMED))
        return Finding(
            code=self.code,
            severity=Severity.WARNING,
            message=(
                f"{count:,} of {lying.records:,} images lie in the folder of another class than the table says; {told}; "
                "one of the two is wrong, or the folder is older than the label; look them up, and move the files or correct "
                "the table"
            ),
            where=Location(field=_LABEL),
            subject=_FOLDER,
            score=count / lying.records,
            evidence={"records": count, "of": lying.records},
        )


def _columns(dataset: Dataset) -> dict[str, npt.NDArray[np.int64]]:
    """The label, and columns of the table with few values about the patient or the finding; codes, −1 = missing."""
    found: dict[str, npt.NDArray[np.int64]] = {}
    if dataset.labels.task in ("single", "ordinal"):
        found[_LABEL] = pd.factorize(dataset.labels.values)[0].astype(np.int64)
    origin = {part.strip() for part in dataset.labels.origin.split(",")}
    for name in map(str, dataset.metadata.columns):
        field = dataset.fields.get(name) or describe(name)
        column = name.partition(".")[2]
        if not name.startswith("table.") or field.kind != "clinical" or field.identifying or column in origin:
            continue
        codes, values = pd.factorize(dataset.metadata[name])
        if 2 <= len(values) <= _MOST_VALUES:
            found[column] = codes.astype(np.int64)
        if len(found) >= _MOST_COLUMNS:
            break
    return found


Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """From values of one column to those of another.

    Args:
        follows: share of the records that follow the rule.
        records: records with both values, whose first value enough others have.
        broken: positions of the records that do not follow it.
    """

    follows: float
    records: int
    broken: npt.NDArray[np.int64]


def mapping_of(first: Codes, second: Codes, *, least: int = 5, base: float = 0.8, purity: float = 0.9) -> Mapping | None:
    """The rule "who has this value of the first column has that one of the second"; None where there is none.

    A rule is a rule only where the second column is not nearly constant anyway (its commonest value in at most `base` of the
    records), where at least two of its values are foretold, and where each value of the first foretells in at least `purity`.

    Args:
        first, second: codes per record, −1 = missing.
        least: records that a value of the first column needs.
    """
    both = np.flatnonzero((first >= 0) & (second >= 0))
    if both.size == 0:
        return None
    table = np.zeros((int(first.max()) + 1, int(second.max()) + 1), np.int64)
    np.add.at(table, (first[both], second[both]), 1)
    held = table.sum(axis=1)
    usual = table.argmax(axis=1)
    enough = held >= least
    records = int(held[enough].sum())
    if records < 0.9 * both.size or np.unique(usual[enough]).size < 2:
        return None
    right = table[np.arange(len(table)), usual]
    if table[enough].sum(axis=0).max() > base * records or (right[enough] < purity * held[enough]).any():
        return None
    broken = both[enough[first[both]] & (second[both] != usual[first[both]])]
    return Mapping(follows=1 - len(broken) / records, records=records, broken=broken)


def mapping_of_groups(first: Codes, second: Codes, groups: Codes, *, least: int = 5) -> Mapping | None:
    """The same rule, asked of groups (patients): equal records of one count once, and a value that few have foretells nothing.

    Args:
        groups: code per record; shape (records,).

    Returns:
        `records` counts what differs by group or value; `broken` are all records that do not follow.
    """
    rows, of = np.unique(np.column_stack([groups, first, second]), axis=0, return_inverse=True)
    found = mapping_of(rows[:, 1], rows[:, 2], least=least)
    if found is None:
        return None
    return replace(found, broken=np.flatnonzero(np.isin(of.ravel(), found.broken)))
