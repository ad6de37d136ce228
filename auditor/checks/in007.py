"""IN007: pixel spacing or orientation is mixed, said twice and differently, or not said at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.evidence.quality.grids import SAME_STEPS
from auditor.evidence.quality.integrity import Fault, numbers, place, report, told
from auditor.values.dataset import Dataset
from auditor.values.results import Location, Severity, Verdict

PLACED = frozenset({"CT", "MR", "PT"})
"""Modalities of which every slice has a place; a radiograph has none by right."""


@dataclass(frozen=True, kw_only=True)
class MixedGeometry(Check):
    """Pixel spacing or orientation is mixed, said twice and differently, or not said at all.

    ## What it does

    Within each series (the folder or header says which): slices must have one orientation and one pixel spacing. Over the
    collection, per modality: when nine tenths share one orientation of volumes or slices, the others are listed; where pixel
    spacings spread by more than `max_spacing_ratio`, that is told once, as information. Volumes whose header says no place
    (neither sform nor qform, no space directions, a CT or MR slice without position) are told; and NIfTI files whose sform and
    qform, of which some readers take the one and some the other, put a voxel a quarter of a step apart or more, or whose pixdim
    is not the distance of neighbours in the sform. An sform of a standard space (Talairach, MNI) differs by right.

    ## Why is this bad?

    A volume stacked from mixed slices is a picture of nobody. Mixed orientations turn left into right; mixed spacings change
    the size of everything that a network sees. Of a volume without a place nobody can say which side is left.

    ## How to fix

    Split the series; resample all to one orientation and spacing before training, and keep the originals.

    ## Options

    * `max_spacing_ratio`: largest over smallest pixel spacing (5th and 95th percentile) of one modality that is not told.
    * `max_step_change`: relative difference of pixdim from the distance of neighbours that counts.
    * `min_common`: share of a collection that makes an orientation the usual one.
    * `max_findings`: so many get a finding of their own; the table `files` lists all.

    ## References

    * DICOM PS3.3 C.7.6.2 (image plane module).
    * nifti1.h (qform and sform).
    """

    code: ClassVar[str] = "IN007"
    name: ClassVar[str] = "mixed-geometry"
    severity: ClassVar[Severity] = Severity.WARNING

    max_spacing_ratio: float = 1.5
    max_step_change: float = 0.01
    min_common: float = 0.9
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        facts = dataset.facts
        known = (
            facts["orientation"].notna().to_numpy(dtype=bool)
            if "orientation" in facts.columns
            else np.zeros(dataset.size, bool)
        )
        row, across = numbers(facts, "spacing_row", dataset.size), numbers(facts, "spacing_column", dataset.size)
        spaced = np.isfinite(row) & np.isfinite(across)
        homeless = _without_place(dataset)
        if not (known | spaced | homeless).any():
            raise SkipCheck("no header says how the pixels are spaced or oriented")
        faults = self._series(dataset, spaced) + self._collection(dataset, known, row, spaced)
        faults += told(
            dataset,
            homeless,
            "no place",
            one="says no place in the patient: left and right cannot be told. Export it again",
            most="say no place in the patient: left and right cannot be told. Export them again",
        )
        faults += self._contradictions(dataset)
        judged = int((known | spaced | homeless).sum())
        return report(
            self.code,
            faults,
            what="differ in spacing or orientation from their series, collection or themselves, or say none",
            unit="images",
            evaluated=judged,
            total=dataset.size,
            why_not="their headers say neither",
            max_findings=self.max_findings,
        )

    def _contradictions(self, dataset: Dataset) -> list[Fault]:
        """What one NIfTI header says twice, and differently."""
        apart, change = (numbers(dataset.facts, name, dataset.size) for name in ("forms_apart", "pixdim_apart"))
        by_right = _texts(dataset, "forms_same_space") == "no"
        with np.errstate(invalid="ignore"):
            forms, steps = (apart > SAME_STEPS) & ~by_right, change > self.max_step_change
        return [
            *told(
                dataset,
                forms,
                "sform and qform",
                one="puts the voxels elsewhere by its sform than by its qform: readers differ. Make both one",
                most="put their voxels elsewhere by their sform than by their qform: readers differ. Make both one",
            ),
            *told(
                dataset,
                steps & ~forms,
                "pixdim",
                one="gives in pixdim another distance of neighbours than in its sform. Write pixdim again from the sform",
                most="give in pixdim another distance of neighbours than in their sform. Write pixdim again from the sform",
            ),
        ]

    def _series(self, dataset: Dataset, spaced: npt.NDArray[np.bool_]) -> list[Fault]:
        if not dataset.has("series"):
            return []
        facts = dataset.facts
        frame = pd.DataFrame({"series": pd.factorize(dataset.records["series"])[0], "position": np.arange(dataset.size)})
        # Both directions of the spacing are one thing: told apart, every odd series would be reported twice.
        columns = {"cosines": "orientation", "spacing_row": "pixel spacing"}
        faults = []
        for column, what in columns.items():
            if column not in facts.columns:
                continue
            frame["value"] = facts[column].to_numpy()
            if column == "spacing_row":
                pairs = zip(facts["spacing_row"], facts["spacing_column"], strict=True)
                frame["value"] = pd.Series([f"{r} {c}" for r, c in pairs], dtype=object).where(spaced)
            part = frame[(frame["series"] >= 0) & frame["value"].notna() & (spaced | (column == "cosines"))]
            counts = part.groupby("series")["value"].nunique()
            for series in counts[counts > 1].index:
                members = part[part["series"] == series]
                usual = members["value"].value_counts().index[0]
                odd = members[members["value"] != usual]
                message = (
                    f"{len(odd):,} of {len(members):,} images of one series differ in {what} from the rest. Split the series, "
                    "or leave out the scouts"
                )
                # Scouts and three-plane localisers are three orientations by right.
                few = len(members) <= 3
                faults.append(
                    Fault(
                        where=place(dataset, int(odd["position"].iloc[0])),
                        kind=f"series: {what}",
                        message=message,
                        severity=Severity.INFO if few else Severity.WARNING,
                        subject=f"series {column}",
                        evidence={"images": len(members), "images_different": len(odd)},
                    )
                )
        return faults

    def _collection(
        self, dataset: Dataset, known: npt.NDArray[np.bool_], row: npt.NDArray[np.float64], spaced: npt.NDArray[np.bool_]
    ) -> list[Fault]:
        metadata = dataset.metadata
        faults: list[Fault] = []
        kind = (
            metadata["dicom.Modality"].fillna("")
            if "dicom.Modality" in metadata.columns
            else pd.Series("", index=metadata.index)
        )
        for modality in sorted(set(kind)):
            mine = (kind == modality).to_numpy(dtype=bool)
            ways = dataset.facts["orientation"].to_numpy()[mine & known] if known.any() else np.empty(0, object)
            if len(ways) >= 10:
                names, counts = np.unique(ways.astype(str), return_counts=True)
                usual = str(names[counts.argmax()])
                if len(names) > 1 and counts.max() / counts.sum() >= self.min_common:
                    for position in np.flatnonzero(mine & known).tolist():
                        way = str(dataset.facts["orientation"].iat[position])
                        if way != usual:
                            message = f"Oriented {way}, where {counts.max():,} of {counts.sum():,} are {usual}. Reorient it"
                            faults.append(
                                Fault(
                                    where=place(dataset, position),
                                    kind="collection: orientation",
                                    message=message,
                                    severity=Severity.WARNING,
                                )
                            )
                elif len(names) > 1:
                    message = (
                        f"{len(names)} orientations are mixed among the {modality or 'collected'} images, none is the usual one"
                    )
                    faults.append(
                        Fault(
                            where=Location(),
                            kind="collection: orientation",
                            message=message,
                            severity=Severity.INFO,
                            subject=f"orientation {modality}",
                            evidence={"orientations": len(names)},
                        )
                    )
            spacings = row[mine & spaced]
            if len(spacings) >= 10 and np.percentile(spacings, 5) > 0:
                low, high = (float(v) for v in np.percentile(spacings, (5, 95)))
                if high / low > self.max_spacing_ratio:
                    message = (
                        f"Pixel spacing runs from {low:.3g} to {high:.3g} mm among the {modality or 'collected'} images "
                        "(5th to 95th percentile). "
                        "Resample to one spacing before training"
                    )
                    faults.append(
                        Fault(
                            where=Location(field="pixel spacing"),
                            kind="collection: spacing",
                            message=message,
                            severity=Severity.INFO,
                            subject=f"spacing {modality}",
                            evidence={"low": low, "high": high},
                        )
                    )
        return faults


def _texts(dataset: Dataset, name: str) -> npt.NDArray[np.object_]:
    if name not in dataset.facts.columns:
        return np.full(dataset.size, "", object)
    return np.asarray(dataset.facts[name].fillna("").to_numpy(dtype=object))


def _without_place(dataset: Dataset) -> npt.NDArray[np.bool_]:
    unplaced = _texts(dataset, "placed") == "no"
    metadata = dataset.metadata
    if "dicom.Modality" not in metadata.columns:
        dicom = np.zeros(dataset.size, bool)
        ought = dicom
    else:
        modality = metadata["dicom.Modality"].fillna("").astype(str)
        dicom, ought = (modality != "").to_numpy(bool), modality.isin(PLACED).to_numpy(bool)
    format_ = (
        metadata["container.format"].fillna("") if "container.format" in metadata.columns else pd.Series("", metadata.index)
    )
    dicom = dicom | (format_ == "dicom").to_numpy(dtype=bool)
    return np.asarray(unplaced & (~dicom | ought))
