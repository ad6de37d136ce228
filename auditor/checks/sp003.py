"""SP003: the same image with different labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.components import comparable_records, identical_groups
from auditor.evidence.kin.groups import cells, location, partition
from auditor.evidence.kin.identity import Codes, identity
from auditor.values.dataset import Dataset
from auditor.values.labels import State
from auditor.values.results import Column, Coverage, Finding, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class ContradictingLabels(Check):
    """The same image has different labels.

    ## What it does
    Compares the labels of images that are the same in bytes or pixels, and of an image that several rows of the label table
    name. Where more than half of the labels of a group agree, the others are named as the likely wrong ones. With
    several labels per image a class contradicts when it is positive here and negative there; uncertain, not mentioned and
    not assessed contradict nothing. Two lesions on one picture may differ.

    ## Why is this bad?
    One of the labels is wrong, whatever the truth. A model cannot learn both, and a test score that holds such an image cannot
    reach 1. It is the one kind of label noise that needs no model and no expert to prove, and where it stands there is more.

    ## How to fix
    Show the image to a reader who does not know the old labels, keep one row with the label of the consensus, and remove
    the copies. Where nobody can decide, remove the group, and say so.

    ## Options
    * `max_findings`: so many groups get a finding of their own, beside the one that counts them all. The table `groups`
      lists all.
    * `tolerance`: labels that are numbers (a bone age) may differ by so much, in the unit of the label.

    ## References
    Northcutt, Athalye & Mueller 2021, Pervasive label errors in test sets; Northcutt, Jiang & Chuang 2021, Confident learning.
    """

    code: ClassVar[str] = "SP003"
    name: ClassVar[str] = "contradicting-labels"
    severity: ClassVar[Severity] = Severity.ERROR
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints", "links"})

    max_findings: int = 200
    tolerance: float = 0.0

    def run(self, dataset: Dataset) -> Verdict:
        """Judge the labels of each group of identical images."""
        if dataset.labels.task == "none":
            raise SkipCheck("there are no labels: name their column with --label")
        groups = comparable_groups(dataset)
        comparable = comparable_records(dataset) | (groups >= 0)
        if not comparable.any():
            raise SkipCheck("neither bytes nor pixels of any image were read, and no image is listed twice")
        frame = self.disputes(dataset, groups)
        disputed = frame[frame["disputed"] != ""]
        count = int(disputed["group"].nunique())
        total = int(frame["group"].nunique())
        wrong = int(disputed["likely_wrong"].sum())
        evaluated = int((comparable & labelled(dataset)).sum())
        summary = (
            f"{count:,} of {total:,} groups of identical images have contradicting labels"
            if count
            else f"No contradiction: each of the {total:,} groups of identical images has one label"
            if total
            else "No image stands twice with a label, so no label can contradict another"
        )
        return Verdict(
            summary=summary,
            metrics={
                "groups": total,
                "groups_contradicting": count,
                "groups_contradicting_fraction": count / total if total else 0.0,
                "records_contradicting": len(disputed),
                "records_likely_wrong": wrong,
            },
            findings=self.findings(dataset, disputed, count, wrong),
            tables=(groups_table(dataset, disputed),) if count else (),
            coverage=Coverage(
                evaluated=evaluated,
                total=dataset.size,
                reason="" if evaluated == dataset.size else "the other records have no label, or their image was not read",
            ),
        )

    def disputes(self, dataset: Dataset, groups: Codes) -> pd.DataFrame:
        """The labelled records of groups with two or more of them.

        Returns:
            Columns `position`, `group` (from 0), `majority` (label or empty), `likely_wrong`, `disputed` (classes in dispute,
            or `label`; empty when the group agrees), sorted by group.
        """
        if dataset.labels.task == "multi":
            return multi_disputes(dataset, groups)
        values = dataset.labels.values
        frame = grouped(groups, labelled(dataset))
        frame["label"] = values.iloc[frame["position"]].to_numpy()
        by = frame.groupby("group")["label"]
        if dataset.labels.task == "continuous":
            frame["label"] = frame["label"].astype(float)
            by = frame.groupby("group")["label"]
            differ = (by.transform("max") - by.transform("min")) > self.tolerance
        else:
            differ = by.transform("nunique") > 1
        votes = frame.groupby(["group", "label"])["position"].transform("size")
        wins = votes * 2 > by.transform("size")
        winner = frame[wins].drop_duplicates("group").set_index("group")["label"].map(str)
        majority = frame["group"].map(winner)
        frame["majority"] = majority.where(differ & majority.notna(), "").astype("str")
        frame["likely_wrong"] = differ & majority.notna() & ~wins
        frame["disputed"] = np.where(differ, "label", "")
        return frame

    def findings(self, dataset: Dataset, disputed: pd.DataFrame, count: int, wrong: int) -> tuple[Finding, ...]:
        """One error for the dataset, then where to look."""
        if not count:
            return ()
        images = "image has" if count == 1 else "images have"
        found = [
            Finding(
                code=self.code,
                severity=self.severity,
                message=(
                    f"{count:,} {images} different labels in {len(disputed):,} records; "
                    f"for {wrong:,} of them a majority says which label is likely wrong. Let a reader decide, keep one row"
                ),
                subject="dataset",
                evidence={"groups": count, "records": len(disputed), "records_likely_wrong": wrong},
            )
        ]
        ids = dataset.records.index
        shown = disputed["group"].unique()[: self.max_findings]
        for group, rows in disputed[disputed["group"].isin(shown)].groupby("group"):
            suspects = rows[rows["likely_wrong"]]
            first = int((suspects if len(suspects) else rows)["position"].iloc[0])
            others = [str(ids[p]) for p in rows["position"] if p != first]
            listed = ", ".join(others[:3]) + (f" and {len(others) - 3:,} more" if len(others) > 3 else "")
            what = "The label" if rows["disputed"].iloc[0] == "label" else f"The label of {rows['disputed'].iloc[0]}"
            told = (
                f"{what} is likely wrong: most copies of this image say otherwise"
                if len(suspects)
                else f"{what} contradicts a copy of this image, and no majority tells which is wrong"
            )
            found.append(
                Finding(
                    code=self.code,
                    severity=Severity.WARNING,
                    message=f"{told} (record {listed})",
                    where=location(dataset, first),
                    subject=str(rows["disputed"].iloc[0]),
                    evidence={"group": int(str(group)) + 1, "records": len(rows), "records_likely_wrong": len(suspects)},
                )
            )
        return tuple(found)


def comparable_groups(dataset: Dataset) -> Codes:
    """Groups of identical images, but of several lesions on one and the same picture only rows of the same lesion."""
    groups = identical_groups(dataset)
    lesions = identity(dataset, "lesion")
    if dataset.labels.level != "lesion" or not (lesions >= 0).any():
        return groups
    picture = dataset.records.groupby(["path", "item"], dropna=False, sort=False).ngroup()
    one_picture = (picture.groupby(groups).transform("nunique") == 1).to_numpy(bool) & (groups >= 0)
    apart = groups * (int(lesions.max()) + 2) + np.where(one_picture, lesions + 1, 0)
    several = pd.Series(apart).duplicated(keep=False).to_numpy(bool) & (groups >= 0)
    return np.where(several, apart, -1)


def labelled(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Records with a label: of several classes, at least one is known to be positive or negative; shape (records,)."""
    states = dataset.labels.states
    known = dataset.labels.values.notna() if states is None else (states >= 0).any(axis=1)
    return known.to_numpy(bool)


def grouped(groups: Codes, usable: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """`position` and `group` (numbered in the order of first records) of usable records, in groups of two or more."""
    positions = np.flatnonzero((groups >= 0) & usable)
    frame = pd.DataFrame({"position": positions, "group": groups[positions]})
    frame = frame[frame.groupby("group")["position"].transform("size") > 1]
    frame = frame.assign(group=pd.factorize(frame["group"])[0])
    return frame.sort_values(["group", "position"], kind="stable").reset_index(drop=True)


def multi_disputes(dataset: Dataset, groups: Codes) -> pd.DataFrame:
    """As `disputes`, for several labels per image: class by class, known states only."""
    states = dataset.labels.states
    assert states is not None
    frame = grouped(groups, labelled(dataset))
    values = states.iloc[frame["position"]].to_numpy()
    key = frame["group"].to_numpy()
    size = int(key.max(initial=-1)) + 1
    positive, negative = np.zeros((size, values.shape[1]), np.int64), np.zeros((size, values.shape[1]), np.int64)
    np.add.at(positive, key, values == State.POSITIVE)
    np.add.at(negative, key, values == State.NEGATIVE)
    differ = (positive > 0) & (negative > 0)
    names = [str(c) for c in states.columns]
    disputed = [", ".join(n for n, d in zip(names, row, strict=True) if d) for row in differ]
    states_of_majority = [
        ", ".join(
            f"{n}: {'positive' if p > q else 'negative'}"
            for n, d, p, q in zip(names, d_row, p_row, q_row, strict=True)
            if d and p != q
        )
        for d_row, p_row, q_row in zip(differ, positive, negative, strict=True)
    ]
    minority = differ[key] & (
        ((values == State.POSITIVE) & (positive < negative)[key]) | ((values == State.NEGATIVE) & (negative < positive)[key])
    )
    frame["majority"] = pd.Series([states_of_majority[g] for g in key], index=frame.index, dtype="str")
    frame["likely_wrong"] = minority.any(axis=1)
    frame["disputed"] = pd.Series([disputed[g] for g in key], index=frame.index, dtype="str")
    return frame


def groups_table(dataset: Dataset, disputed: pd.DataFrame) -> Table:
    """Every record of every group that contradicts itself."""
    rows = dataset.records.iloc[disputed["position"]]
    splits = partition(dataset)
    labels = cells(dataset.labels.values.iloc[disputed["position"]])
    return Table(
        name="groups",
        title="Identical images with different labels",
        columns=(
            Column(name="group", kind="integer", values=(pd.factorize(disputed["group"])[0] + 1).tolist(), title="Group"),
            Column(name="record", kind="record", values=[str(r) for r in rows.index], title="Record"),
            Column(name="path", kind="path", values=cells(rows["path"]), title="File"),
            Column(name="line", kind="integer", values=cells(rows["line"]), title="Line of the table"),
            Column(
                name="split", kind="text", title="Split",
                values=[None] * len(rows) if splits is None else cells(splits.iloc[disputed["position"]]),
            ),
            Column(name="label", kind="class", values=[None if v is None else str(v) for v in labels], title="Label"),
            Column(name="disputed", kind="text", values=disputed["disputed"].tolist(), title="In dispute"),
            Column(name="majority", kind="text", values=[v or None for v in disputed["majority"]], title="Majority"),
            Column(name="likely_wrong", kind="boolean", values=disputed["likely_wrong"].tolist(), title="Likely wrong"),
        ),
    )  # fmt: skip
