"""The heads of a collection: volumes, and series of slices put together, each with what its front shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.privacy.face import Look, look, unpacked
from auditor.evidence.privacy.front import FRONTED, LEAST_SLICES, assembled
from auditor.values.dataset import Dataset

HEAD_WORDS = (
    "HEAD", "BRAIN", "SKULL", "FACE", "FACIAL", "ORBIT", "SINUS", "NECK", "JAW", "MAXILLA", "MANDIBLE", "EYE", "CRANI", "CEREB",
    "PITUIT", "WHOLE",
)  # fmt: skip
"""Parts of what `BodyPartExamined` says of a picture that may show a head."""

CORONAL = "slices from front to back are not put together"
SPARSE = "its slices are too few, too far apart or say nothing of their place"


@dataclass(frozen=True, kw_only=True)
class Body:
    """One volume or series: its records by their position, and what its front shows."""

    positions: npt.NDArray[np.int64]
    look: Look


def bodies(dataset: Dataset) -> list[Body]:
    """All volumes and series of CT and MR that may show a head, in the order of their first records.

    Series of fewer than eight slices show no face and are left out.
    """
    part = _text(dataset, dataset.metadata, "dicom.BodyPartExamined").str.upper()
    may = np.asarray((part == "") | part.str.contains("|".join(HEAD_WORDS), regex=True), bool)
    said = np.asarray(part != "", bool)
    frames = _numbers(dataset, "frames")
    records = dataset.records.index
    volumes = [
        Body(positions=np.array([at], np.int64), look=_expected(unpacked(dataset.fronts[str(records[at])]), bool(said[at])))
        for at in np.flatnonzero(may & (frames > 1)).tolist()
        if str(records[at]) in dataset.fronts
    ]
    ways = _text(dataset, dataset.facts, "orientation")
    modality = _text(dataset, dataset.metadata, "dicom.Modality")
    slices = may & (frames == 1) & np.asarray((ways.str.len() == 2) & modality.isin(FRONTED), bool)
    cosines = _text(dataset, dataset.facts, "cosines")
    keys = _series(dataset)
    places = _numbers(dataset, "slice_position")
    found: list[Body] = []
    at = np.flatnonzero(slices)
    for _, group in pd.Series(at).groupby([keys[at], cosines.to_numpy()[at]], sort=False):
        rows = group.to_numpy(np.int64)
        at_places = places[rows][np.isfinite(places[rows])]
        if len(rows) < LEAST_SLICES or 0 < len(np.unique(at_places)) < LEAST_SLICES:
            continue
        seen = _series_look(dataset, rows, str(ways.iloc[rows[0]]), str(cosines.iloc[rows[0]]), places)
        found.append(Body(positions=rows, look=_expected(seen, bool(said[rows[0]]))))
    return sorted([*volumes, *found], key=lambda body: int(body.positions[0]))


def _series_look(
    dataset: Dataset, rows: npt.NDArray[np.int64], ways: str, cosines: str, places: npt.NDArray[np.float64]
) -> Look:
    if not {"A", "P"} & set(ways):
        return Look(state="cannot tell", reason=CORONAL)
    names = [str(name) for name in dataset.records.index[rows]]
    kept = [i for i, name in enumerate(names) if name in dataset.fronts and np.isfinite(places[rows[i]])]
    numbers = [float(value) for value in cosines.split()]
    if len(kept) < LEAST_SLICES or len(numbers) != 6:
        return Look(state="cannot tell", reason=SPARSE)
    normal = np.cross(numbers[:3], numbers[3:])
    lines = [dataset.fronts[names[i]] for i in kept]
    front = assembled(lines, places[rows[kept]], ways, rising=float(normal[int(np.abs(normal).argmax())]) > 0)
    return Look(state="cannot tell", reason=SPARSE) if front is None else look(front)


def _expected(seen: Look, said: bool) -> Look:
    """What the header calls a head and does not look like one cannot be told."""
    return Look(state="cannot tell", reason=seen.reason) if said and seen.state == "no head" else seen


def _series(dataset: Dataset) -> npt.NDArray[np.int64]:
    """A number per record, equal within a series; within a folder where no series is known."""
    column = (
        dataset.records["series"] if dataset.has("series") else pd.Series(pd.NA, index=dataset.records.index, dtype="string")
    )
    folder = dataset.records["path"].astype("string").str.rpartition("/")[0]
    return np.asarray(pd.factorize(column.astype("string").fillna("folder " + folder.fillna("")))[0], np.int64)


def _text(dataset: Dataset, frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        return pd.Series("", index=dataset.records.index, dtype="object")
    return frame[name].astype("object").where(frame[name].notna(), "").astype(str)


def _numbers(dataset: Dataset, name: str) -> npt.NDArray[np.float64]:
    if name not in dataset.facts.columns:
        return np.full(dataset.size, np.nan)
    return np.asarray(dataset.facts[name], np.float64)
