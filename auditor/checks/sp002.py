"""SP002: the same image more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.dataset import Dataset
from auditor.groups import Spread, cells, is_test, is_training, location, members, partition, spread
from auditor.identity import Codes
from auditor.link import IDENTICAL, comparable_records, identical_groups
from auditor.types import Cell, Column, Coverage, Finding, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class ExactDuplicate(Check):
    """The same image stands in the dataset more than once.

    ## What it does
    Finds files of the same bytes, and images of the same decoded pixels whatever their container or header, within and across
    splits. Groups in more than one split are an error, one finding per pair of splits; groups within one split a
    warning. Pictures of one single value (blank tiles) are alike without being the same and are left out; masks are no records.

    ## Why is this bad?
    A test image that was trained on is remembered, not recognised, and the score is too high. Within a split a copy counts
    an image twice, and a group with different labels (SP003) is noise. Public collections hold such copies: one copy of
    PneumoniaMNIST in circulation has 26 groups of identical images, 8 of them in more than one split.

    ## How to fix
    Keep one image of each group and remove the others with their rows. When a group stands in several splits, keep it in the
    test split or move the whole group, with everything else of its patient, into one split; then check again.

    ## Options
    * `max_findings`: so many groups get a finding of their own, beside those that count them all. The table `pairs` lists
      all: every pair of a group of up to 20, and of a larger group each record with the first.

    ## References
    Barz & Denzler 2020, Do we train on test data? (ciFAIR); Cassidy et al. 2022, Medical Image Analysis 75 (copies in ISIC).
    """

    code: ClassVar[str] = "SP002"
    name: ClassVar[str] = "exact-duplicate"
    severity: ClassVar[Severity] = Severity.ERROR
    needs: ClassVar[frozenset[Need]] = frozenset({"pixels", "links"})

    max_findings: int = 200

    def run(self, dataset: Dataset) -> Verdict:
        """Judge the links of bytes and pixels."""
        comparable = comparable_records(dataset)
        groups = identical_groups(dataset)
        if not comparable.any() and not (groups >= 0).any():
            raise SkipCheck("neither bytes nor pixels of any image were read: there is nothing to compare")
        splits = partition(dataset)
        lies = None if splits is None else spread(groups, splits)
        across = np.zeros(0, np.int64) if lies is None else lies.codes
        count = int(groups.max(initial=-1)) + 1
        doubled = int((groups >= 0).sum())
        evaluated = int((comparable | (groups >= 0)).sum())
        flat = int(dataset.fingerprints["constant"].sum()) if "constant" in dataset.fingerprints else 0
        metrics: dict[str, Cell] = {
            "groups": count,
            "records": doubled,
            "surplus_records": doubled - count,
            "duplicated_fraction": (doubled - count) / evaluated,
            "groups_across_splits": len(across),
        }
        for c in () if lies is None else lies.crossings:
            if is_training(c.split_a) and is_test(c.split_b):
                metrics[f"{c.split_b}_records_in_{c.split_a}"] = c.records_b
        return Verdict(
            summary=summary_of(count, doubled, len(across), evaluated, splits is not None),
            metrics=metrics,
            findings=self.findings(dataset, groups, lies, count),
            tables=(pairs_table(dataset, groups),) if count else (),
            coverage=Coverage(evaluated=evaluated, total=dataset.size, reason=reason_of(dataset.size - evaluated, flat)),
        )

    def findings(self, dataset: Dataset, groups: Codes, lies: Spread | None, count: int) -> tuple[Finding, ...]:
        """Errors per pair of splits, one warning for the rest, then where to look: groups across splits first."""
        found: list[Finding] = []
        across = np.zeros(0, np.int64) if lies is None else lies.codes
        for c in () if lies is None else lies.crossings:
            found.append(
                Finding(
                    code=self.code,
                    severity=self.severity,
                    message=(
                        f"{plural(c.groups, 'image')} of {c.split_a} {'stand' if c.groups > 1 else 'stands'} again in "
                        f"{c.split_b} ({plural(c.records_a, 'record')} and {plural(c.records_b, 'record')}). "
                        "Keep each image in one split only, with all images of its patient"
                    ),
                    subject=f"{c.split_a} / {c.split_b}",
                    evidence={
                        "split_a": c.split_a,
                        "split_b": c.split_b,
                        "groups": c.groups,
                        "records_a": c.records_a,
                        "records_b": c.records_b,
                    },
                )
            )
        within = np.setdiff1d(np.arange(count), across)
        if len(within):
            records = int(np.isin(groups, within).sum())
            place = "within one split" if lies is not None else "in the dataset"
            found.append(
                Finding(
                    code=self.code,
                    severity=Severity.WARNING,
                    message=(
                        f"{plural(len(within), 'image')} {'stand' if len(within) > 1 else 'stands'} more than once {place} "
                        f"({plural(records, 'record')}). Keep one of each and remove the others with their rows"
                    ),
                    subject="within",
                    evidence={"groups": len(within), "records": records},
                )
            )
        shown = np.concatenate([across, within])[: self.max_findings]
        positions, ranks = members(groups, shown)
        starts = np.flatnonzero(np.diff(ranks, prepend=-1))
        ends = np.append(starts, len(ranks))[1:]
        ids = dataset.records.index
        for rank, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            others = ", ".join(str(ids[p]) for p in positions[start + 1 : min(end, start + 4)])
            more = f" and {end - start - 4:,} more" if end - start > 4 else ""
            place = "in another split" if rank < len(across) else "within the split" if lies is not None else "in the dataset"
            found.append(
                Finding(
                    code=self.code,
                    severity=Severity.WARNING,
                    message=f"The same image stands again {place}: record {others}{more}",
                    where=location(dataset, int(positions[start])),
                    subject="same image",
                    score=1.0,
                    evidence={"group": int(shown[rank]) + 1, "records": end - start, "across_splits": rank < len(across)},
                )
            )
        return tuple(found)


def pairs_table(dataset: Dataset, groups: Codes) -> Table:
    """All linked pairs, with what a reader needs to judge them."""
    links = dataset.links[dataset.links["evidence"].isin([g.value for g in IDENTICAL])]
    records = dataset.records
    first = records.index.get_indexer(pd.Index(links["record_a"]))
    second = records.index.get_indexer(pd.Index(links["record_b"]))
    splits = partition(dataset)
    splits = pd.Series(None, index=records.index, dtype="str") if splits is None else splits
    labels = dataset.labels.values
    return Table(
        name="pairs",
        title="Pairs of identical images",
        columns=(
            Column(name="record_a", kind="record", values=links["record_a"].tolist(), title="Record"),
            Column(name="record_b", kind="record", values=links["record_b"].tolist(), title="The same as"),
            Column(name="path_a", kind="path", values=cells(records["path"].iloc[first]), title="File"),
            Column(name="path_b", kind="path", values=cells(records["path"].iloc[second]), title="The same as file"),
            Column(name="evidence", kind="text", values=links["evidence"].tolist(), title="Evidence"),
            Column(name="score", kind="fraction", values=links["score"].tolist(), title="Score"),
            Column(name="split_a", kind="text", values=cells(splits.iloc[first]), title="Split"),
            Column(name="split_b", kind="text", values=cells(splits.iloc[second]), title="Other split"),
            Column(name="label_a", kind="class", values=text(cells(labels.iloc[first])), title="Label"),
            Column(name="label_b", kind="class", values=text(cells(labels.iloc[second])), title="Other label"),
            Column(name="group", kind="integer", values=(groups[first] + 1).tolist(), title="Group"),
        ),
    )


def text(values: list[Cell]) -> list[Cell]:
    """Labels as text, whatever the task."""
    return [None if value is None else str(value) for value in values]


def plural(count: int, noun: str) -> str:
    """`1 image`, `1,200 images`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def summary_of(groups: int, records: int, across: int, evaluated: int, split: bool) -> str:
    """The verdict in one sentence."""
    if not groups:
        return f"No image stands twice among the {evaluated:,} that could be compared by bytes and pixels"
    where = f", {across:,} of them in more than one split" if split else ""
    return f"{plural(groups, 'group')} of identical images ({plural(records, 'record')}){where}"


def reason_of(left: int, flat: int) -> str:
    """Why records were not compared."""
    parts = [f"{plural(flat, 'image')} of one single value, which form no link"] if flat else []
    if left > flat:
        parts.append(f"{plural(left - flat, 'record')} whose image was not read")
    return "; ".join(parts)
