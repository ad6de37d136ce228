"""What the checks say about groups of copies, exact or near: findings by split, and the table of pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from auditor.evidence.kin.groups import Spread, cells, is_test, is_training, location, members, partition
from auditor.evidence.kin.identity import Codes
from auditor.evidence.kin.turned import orientations
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Column, Finding, Severity, Table


@dataclass(frozen=True, kw_only=True)
class Wording:
    """How a check calls its copies: `The same image` stands `again`; `A near-copy of the image` `again as near-copies`."""

    code: str
    again: str
    more_than_once: str
    copy: str
    subject: str


def copy_findings(
    dataset: Dataset, groups: Codes, lies: Spread | None, wording: Wording, *, severity: Severity, limit: int
) -> tuple[Finding, ...]:
    """Errors per pair of splits, one warning for the rest, then where to look: groups across splits first.

    Args:
        dataset: after `link`.
        groups: group per record, numbered from 0, −1 = none; shape (records,).
        lies: how the groups lie over the splits; None without splits.
        wording: what to call them.
        severity: of groups in more than one split.
        limit: so many groups get a finding of their own.
    """
    found = [across_finding(c.split_a, c.split_b, c.groups, c.records_a, c.records_b, wording, severity)
             for c in (() if lies is None else lies.crossings)]  # fmt: skip
    across = np.zeros(0, np.int64) if lies is None else lies.codes
    within = np.setdiff1d(np.arange(int(groups.max(initial=-1)) + 1), across)
    if len(within):
        records = int(np.isin(groups, within).sum())
        place = "within one split" if lies is not None else "in the dataset"
        found.append(
            Finding(
                code=wording.code,
                severity=Severity.WARNING,
                message=(
                    f"{plural(len(within), 'image')} {'stand' if len(within) > 1 else 'stands'} {wording.more_than_once} "
                    f"{place} ({plural(records, 'record')}). Keep one of each and remove the others with their rows"
                ),
                subject="within",
                evidence={"groups": len(within), "records": records},
            )
        )
    shown = np.concatenate([across, within])[:limit]
    positions, ranks = members(groups, shown)
    starts = np.flatnonzero(np.diff(ranks, prepend=-1))
    ends = np.append(starts, len(ranks))[1:]
    ids = dataset.records.index
    tags = orientations(dataset)
    for rank, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        others = ", ".join(str(ids[p]) for p in positions[start + 1 : min(end, start + 4)])
        more = f" and {end - start - 4:,} more" if end - start > 4 else ""
        differ = np.unique(tags[positions[start:end]]).tolist()
        tag = f"; their EXIF orientation differs ({', '.join(map(str, differ))})" if len(differ) > 1 else ""
        place = "in another split" if rank < len(across) else "within the split" if lies is not None else "in the dataset"
        found.append(
            Finding(
                code=wording.code,
                severity=Severity.WARNING,
                message=f"{wording.copy} stands again {place}: record {others}{more}{tag}",
                where=location(dataset, int(positions[start])),
                subject=wording.subject,
                score=1.0,
                evidence={"group": int(shown[rank]) + 1, "records": end - start, "across_splits": rank < len(across)},
            )
        )
    return tuple(found)


def across_finding(
    split_a: str, split_b: str, groups: int, records_a: int, records_b: int, wording: Wording, severity: Severity
) -> Finding:
    """Copies in two splits."""
    return Finding(
        code=wording.code,
        severity=severity,
        message=(
            f"{plural(groups, 'image')} of {split_a} {'stand' if groups > 1 else 'stands'} {wording.again} in "
            f"{split_b} ({plural(records_a, 'record')} and {plural(records_b, 'record')}). "
            "Keep each image in one split only, with all images of its patient"
        ),
        subject=f"{split_a} / {split_b}",
        evidence={
            "split_a": split_a, "split_b": split_b, "groups": groups, "records_a": records_a, "records_b": records_b,
        },
    )  # fmt: skip


def copy_metrics(groups: Codes, lies: Spread | None, evaluated: int) -> dict[str, Cell]:
    """Counts of groups and records, and how many test records stand in training."""
    count, doubled = int(groups.max(initial=-1)) + 1, int((groups >= 0).sum())
    metrics: dict[str, Cell] = {
        "groups": count,
        "records": doubled,
        "surplus_records": doubled - count,
        "duplicated_fraction": (doubled - count) / evaluated if evaluated else 0.0,
        "groups_across_splits": 0 if lies is None else len(lies.codes),
    }
    for c in () if lies is None else lies.crossings:
        if is_training(c.split_a) and is_test(c.split_b):
            metrics[f"{c.split_b}_records_in_{c.split_a}"] = c.records_b
    return metrics


def pairs_table(dataset: Dataset, links: pd.DataFrame, groups: Codes, *, title: str, other: str, name: str = "pairs") -> Table:
    """Linked pairs, with what a reader needs to judge them.

    Args:
        dataset: after `link`.
        links: the rows of `dataset.links` to show.
        groups: group per record; shape (records,).
        title: of the table.
        other: heading of the second record, `The same as`.
        name: key of the table.
    """
    records = dataset.records
    first = records.index.get_indexer(pd.Index(links["record_a"]))
    second = records.index.get_indexer(pd.Index(links["record_b"]))
    splits = partition(dataset)
    splits = pd.Series(None, index=records.index, dtype="str") if splits is None else splits
    labels = dataset.labels.values
    columns = [
        Column(name="record_a", kind="record", values=links["record_a"].tolist(), title="Record"),
        Column(name="record_b", kind="record", values=links["record_b"].tolist(), title=other),
        Column(name="path_a", kind="path", values=cells(records["path"].iloc[first]), title="File"),
        Column(name="path_b", kind="path", values=cells(records["path"].iloc[second]), title=f"{other} file"),
        Column(name="evidence", kind="text", values=links["evidence"].tolist(), title="Evidence"),
        Column(name="score", kind="fraction", values=links["score"].tolist(), title="Score"),
        Column(name="split_a", kind="text", values=cells(splits.iloc[first]), title="Split"),
        Column(name="split_b", kind="text", values=cells(splits.iloc[second]), title="Other split"),
        Column(name="label_a", kind="class", values=text(cells(labels.iloc[first])), title="Label"),
        Column(name="label_b", kind="class", values=text(cells(labels.iloc[second])), title="Other label"),
        Column(name="group", kind="integer", values=[int(g) + 1 if g >= 0 else None for g in groups[first]], title="Group"),
    ]
    if "how" in links and (links["how"] != "").any():
        columns.append(Column(name="how", kind="text", values=cells(links["how"]), title="What was done"))
    return Table(name=name, title=title, columns=tuple(columns))


def text(values: list[Cell]) -> list[Cell]:
    """Labels as text, whatever the task."""
    return [None if value is None else str(value) for value in values]


def plural(count: int, noun: str) -> str:
    """`1 image`, `1,200 images`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
