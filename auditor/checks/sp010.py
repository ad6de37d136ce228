"""SP010: a known collection is inside this dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.duplicates import plural, text
from auditor.evidence.kin.groups import cells, location, partition, split_names
from auditor.values.dataset import Dataset, Known
from auditor.values.results import Cell, Column, Coverage, Finding, Severity, Table, Verdict


@dataclass(frozen=True, kw_only=True)
class KnownCollection(Check):
    """Images of a known collection are inside this dataset.

    ## What it does
    Compares keyed hashes of the bytes and of the decoded pixels of every image with those of other collections, which
    `medaudit fingerprint` wrote and `--known` names. One finding per collection says how many of its images are here, and in
    which splits. Pictures of one single value are left out. Without `--known` it is not evaluated.

    Where the hashes were written with `--perceptual`, images that look like one of the collection are listed too: they have at
    least 14 spots in common with it, compared by keyed words (spots that many images have count less). These are
    candidates and never an error: nothing was compared on pixels, since the other pictures are not here. Copies that were
    compressed again, halved, doubled, brightened, flipped or turned are mostly found this way; crops, and pictures of less than
    48 pixels, are not.

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
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints", "sketches"})

    max_findings: int = 20

    def run(self, dataset: Dataset) -> Verdict:
        """Count the records that were found in each collection."""
        if not dataset.known:
            raise SkipCheck("no known collection was given: name what `medaudit fingerprint` wrote with --known and its --key")
        seen = comparable(dataset)
        if not seen.any():
            raise SkipCheck("neither bytes nor pixels of any image were read: there is nothing to compare")
        splits = partition(dataset)
        inside = [known for known in dataset.known if same(known).any()]
        like = [known for known in dataset.known if alike(known).any()]
        metrics: dict[str, Cell] = {"collections": len(dataset.known), "records_known": found_anywhere(dataset)}
        if any(known.shared is not None for known in dataset.known):
            metrics["records_alike"] = int(np.logical_or.reduce([alike(known) for known in dataset.known]).sum())
            metrics["records_compared_by_looks"] = 0 if dataset.sketches is None else len(dataset.sketches)
        return Verdict(
            summary=summary(dataset.known, inside, like),
            metrics=metrics,
            findings=(
                *(self.finding(known, splits, dataset.size) for known in inside),
                *(self.candidates(known, splits, dataset.size) for known in like),
                *self.places(dataset, inside, like),
            ),
            tables=(records_table(dataset, splits),) if inside or like else (),
            coverage=Coverage(
                evaluated=int(seen.sum()),
                total=dataset.size,
                reason="" if seen.all() else "the other records have no image that was read, or one of a single value",
            ),
        )

    def finding(self, known: Known, splits: pd.Series | None, size: int) -> Finding:
        """One collection."""
        here = same(known)
        count = int(here.sum())
        evidence: dict[str, Cell] = {"collection": known.name, "records": count, "images_of_collection": known.images}
        counts = by_split(here, splits)
        where = in_words(counts)
        evidence |= {f"records_{name}": n for name, n in counts.items()}
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

    def candidates(self, known: Known, splits: pd.Series | None, size: int) -> Finding:
        """What looks like images of one collection."""
        here = alike(known)
        count = int(here.sum())
        counts = by_split(here, splits)
        return Finding(
            code=self.code,
            severity=self.severity,
            message=(
                f"{plural(count, 'record')}{in_words(counts)} {'look' if count > 1 else 'looks'} like images of the collection "
                f"{known.name} and may be {'copies' if count > 1 else 'a copy'}: not verified on pixels. Ask its owner, or "
                "compare the pictures"
            ),
            subject=f"looks like {known.name}",
            score=count / size,
            evidence={
                "collection": known.name,
                "records": count,
                "images_of_collection": known.images,
                **{f"records_{name}": n for name, n in counts.items()},
            },
        )

    def places(self, dataset: Dataset, inside: list[Known], like: list[Known]) -> list[Finding]:
        """Where to look: what is there for certain first."""
        found: list[Finding] = []
        chosen = [(known, position) for known in inside for position in np.flatnonzero(same(known)).tolist()]
        chosen += [(known, position) for known in like for position in np.flatnonzero(alike(known)).tolist()]
        for known, position in chosen[: self.max_findings]:
            certain = bool(same(known)[position])
            found.append(
                Finding(
                    code=self.code,
                    severity=Severity.INFO,
                    message=(
                        f"this image is in the collection {known.name} ({evidence_in_words(known, position)})"
                        if certain
                        else f"this image looks like one of the collection {known.name} ({evidence_in_words(known, position)})"
                    ),
                    where=location(dataset, position),
                    subject=f"record in {known.name}" if certain else f"record like one of {known.name}",
                )
            )
        return found


def same(known: Known) -> np.ndarray:
    """Records that are in the collection; shape (records,)."""
    return np.asarray(known.evidence.isin(("bytes", "pixels")).to_numpy(bool))


def alike(known: Known) -> np.ndarray:
    """Records that look like one of the collection and are none by bytes or pixels; shape (records,)."""
    return np.asarray((known.evidence == "looks").fillna(False).to_numpy(bool))


def evidence_in_words(known: Known, position: int) -> str:
    """Why a record was found."""
    kind = str(known.evidence.iloc[position])
    if kind != "looks" or known.shared is None:
        return f"same {kind}"
    return f"{int(known.shared.iloc[position])} spots in common, not verified on pixels"


def by_split(here: np.ndarray, splits: pd.Series | None) -> dict[str, int]:
    """How many of these records each split has."""
    return {} if splits is None else {name: int((here & (splits == name).to_numpy(bool)).sum()) for name in split_names(splits)}


def in_words(counts: dict[str, int]) -> str:
    """` (2 in train, 1 in test)`, or nothing."""
    return " (" + ", ".join(f"{n:,} in {name}" for name, n in counts.items() if n) + ")" if any(counts.values()) else ""


def summary(collections: Sequence[Known], inside: list[Known], like: list[Known]) -> str:
    """What was found, in a sentence."""
    names = ", ".join(f"{int(same(known).sum()):,} of {known.name}" for known in inside)
    candidates = ", ".join(f"{int(alike(known).sum()):,} like {known.name}" for known in like)
    searched = f"{sum(known.images for known in collections):,} images of {plural(len(collections), 'known collection')}"
    looks = [known for known in collections if known.shared is not None]
    by = "bytes, pixels or looks" if len(looks) == len(collections) else "bytes or pixels"
    start = f"Images of known collections are here: {names}" if inside else f"None of the {searched} is here, by {by}"
    if not like:
        return start
    start = start if inside else f"None of the {searched} is here, by bytes or pixels"
    return f"{start}. Candidates that look alike, not verified on pixels: {candidates}"


def comparable(dataset: Dataset) -> np.ndarray:
    """Records with a digest that tells; shape (records,)."""
    marks = dataset.fingerprints
    if marks.empty:
        return np.zeros(dataset.size, bool)
    known = marks["bytes"].notna() | marks["pixels"].notna()
    return np.asarray(known.to_numpy(bool) & ~marks["constant"].to_numpy(bool))


def found_anywhere(dataset: Dataset) -> int:
    """Records that are in any of the collections."""
    return int(np.logical_or.reduce([same(known) for known in dataset.known]).sum())


def records_table(dataset: Dataset, splits: pd.Series | None) -> Table:
    """Every record that was found."""
    rows_of = [(known, np.flatnonzero(known.evidence.notna().to_numpy())) for known in dataset.known]
    positions = np.concatenate([found for _, found in rows_of])
    rows = dataset.records.iloc[positions]
    names = [known.name for known, found in rows_of for _ in found]
    evidence = [evidence_in_words(known, position) for known, found in rows_of for position in found.tolist()]
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
            Column(name="evidence", kind="text", values=evidence, title="Evidence"),
        ),
    )  # fmt: skip
