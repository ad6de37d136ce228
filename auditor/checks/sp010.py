"""SP010: a known collection is inside this dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.dataset import Dataset, Known
from auditor.duplicates import plural, text
from auditor.groups import cells, location, partition, split_names
from auditor.types import Cell, Column, Coverage, Finding, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class KnownCollection(Check):
    """Images of a known collection are inside this dataset.

    ## What it does
    Compares keyed hashes of the bytes and of the decoded pixels of every image with those of other collections, which
    `medaudit fingerprint` wrote and `--known` names. One finding per collection says how many of its images are here, and in
    which splits. Copies that were resized, cropped or compressed again are not found this way. Pictures of one single value are
    left out. Without `--known` it is not evaluated.

    ## Why is this bad?
    Public collections are inside each other: a model that was trained on one, and is tested on a set that holds part of it, is
    tested on its own training images. Counts of patients and prevalences are wrong too when a collection is counted twice.

    ## How to fix
    Where a model was or will be trained on the collection, remove its images from the test set, or use another test set. Where
    collections are joined, keep each image once. Say in the documentation what comes from where.

    ## Options
    * `max_findings`: so many images get a finding of their own, beside the one per collection. The table `records` lists all.

    ## References
    Cassidy et al. 2022, Medical Image Analysis 75 (ISIC collections inside each other); Roberts et al. 2021, Nature Machine
    Intelligence 3 (COVID-19 collections of collections); RFC 2104 (keyed hashes).
    """

    code: ClassVar[str] = "SP010"
    name: ClassVar[str] = "known-collection"
    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = frozenset({"pixels"})

    max_findings: int = 20

    def run(self, dataset: Dataset) -> Verdict:
        """Count the records that were found in each collection."""
        if not dataset.known:
            raise SkipCheck("no known collection was given: name what `medaudit fingerprint` wrote with --known and its --key")
        seen = comparable(dataset)
        if not seen.any():
            raise SkipCheck("neither bytes nor pixels of any image were read: there is nothing to compare")
        splits = partition(dataset)
        inside = [known for known in dataset.known if known.evidence.notna().any()]
        names = ", ".join(f"{int(known.evidence.notna().sum()):,} of {known.name}" for known in inside)
        collections = plural(len(dataset.known), "known collection")
        searched = sum(known.images for known in dataset.known)
        return Verdict(
            summary=(
                f"Images of known collections are here: {names}"
                if inside
                else f"None of the {searched:,} images of {collections} is here, by bytes or pixels"
            ),
            metrics={"collections": len(dataset.known), "records_known": found_anywhere(dataset)},
            findings=(
                *(self.finding(known, splits, dataset.size) for known in inside),
                *self.places(dataset, inside),
            ),
            tables=(records_table(dataset, splits, inside),) if inside else (),
            coverage=Coverage(
                evaluated=int(seen.sum()),
                total=dataset.size,
                reason="" if seen.all() else "the other records have no image that was read, or one of a single value",
            ),
        )

    def finding(self, known: Known, splits: pd.Series | None, size: int) -> Finding:
        """One collection."""
        here = known.evidence.notna()
        count = int(here.sum())
        evidence: dict[str, Cell] = {"collection": known.name, "records": count, "images_of_collection": known.images}
        where = ""
        if splits is not None:
            counts = {name: int((here & (splits == name)).sum()) for name in split_names(splits)}
            evidence |= {f"records_{name}": n for name, n in counts.items()}
            where = (
                " (" + ", ".join(f"{n:,} in {name}" for name, n in counts.items() if n) + ")" if any(counts.values()) else ""
            )
        return Finding(
            code=self.code,
            severity=self.severity,
            message=(
                f"{plural(count, 'record')}{where} {'are' if count > 1 else 'is'} in the collection {known.name}, which has "
                f"{plural(known.images, 'image')}. Do not test a model here that was trained on it"
            ),
            subject=known.name,
            score=count / size,
            evidence=evidence,
        )

    def places(self, dataset: Dataset, inside: list[Known]) -> list[Finding]:
        """Where to look."""
        found: list[Finding] = []
        for known in inside:
            for position in np.flatnonzero(known.evidence.notna().to_numpy())[
                : max(self.max_findings - len(found), 0)
            ].tolist():
                found.append(
                    Finding(
                        code=self.code,
                        severity=Severity.INFO,
                        message=f"this image is in the collection {known.name} (same {known.evidence.iloc[position]})",
                        where=location(dataset, position),
                        subject=f"record in {known.name}",
                    )
                )
        return found


def comparable(dataset: Dataset) -> np.ndarray:
    """Records with a digest that tells; shape (records,)."""
    marks = dataset.fingerprints
    if marks.empty:
        return np.zeros(dataset.size, bool)
    known = marks["bytes"].notna() | marks["pixels"].notna()
    return np.asarray(known.to_numpy(bool) & ~marks["constant"].to_numpy(bool))


def found_anywhere(dataset: Dataset) -> int:
    """Records that are in any of the collections."""
    return int(np.logical_or.reduce([known.evidence.notna().to_numpy(bool) for known in dataset.known]).sum())


def records_table(dataset: Dataset, splits: pd.Series | None, inside: list[Known]) -> Table:
    """Every record that was found."""
    where = [np.flatnonzero(known.evidence.notna().to_numpy()) for known in inside]
    positions = np.concatenate(where)
    rows = dataset.records.iloc[positions]
    names = [known.name for known, found in zip(inside, where, strict=True) for _ in found]
    evidence = [v for known, found in zip(inside, where, strict=True) for v in known.evidence.iloc[found].tolist()]
    return Table(
        name="records",
        title="Images of known collections",
        columns=(
            Column(name="collection", kind="text", values=names, title="Collection"),
            Column(name="record", kind="record", values=[str(r) for r in rows.index], title="Record"),
            Column(name="path", kind="path", values=cells(rows["path"]), title="File"),
            Column(
                name="split", kind="text", title="Split",
                values=[None] * len(rows) if splits is None else cells(splits.iloc[positions]),
            ),
            Column(name="label", kind="class", values=text(cells(dataset.labels.values.iloc[positions])), title="Label"),
            Column(name="evidence", kind="text", values=[f"same {v}" for v in evidence], title="Evidence"),
        ),
    )  # fmt: skip
