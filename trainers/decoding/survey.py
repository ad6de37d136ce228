"""What a scan knows of a collection's pictures and masks, and how they are to be decoded because of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.masks.mask_facts import MOST_VALUES
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError
from trainers.decoding.decode import Plan

RASTERS = frozenset({"png", "jpeg", "bmp", "gif", "webp", "tiff", "npz", "npy"})
SMALL_SIDE = 64
"""Pictures of one size up to this side stay as they are."""
MOST_SIDE = 128


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a scan knows of the pictures; frames, heights, widths, depths (bits) and formats of the readable ones alone."""

    readable: npt.NDArray[np.bool_]
    frames: npt.NDArray[np.float64]
    heights: npt.NDArray[np.float64]
    widths: npt.NDArray[np.float64]
    depths: npt.NDArray[np.float64]
    formats: frozenset[str]
    coloured: bool


def survey_of(dataset: Dataset) -> Survey:
    """What the scan found out about the pictures.

    Raises:
        DatasetError: no picture could be read.
    """
    table, known = dataset.metadata, dataset.fingerprints
    if not {"container.height", "container.width"} <= set(table.columns) or "pixels" not in known.columns:
        raise DatasetError("no picture of the dataset could be read: there is nothing to train on")
    readable = (known["pixels"].notna() & table["container.height"].notna()).to_numpy(bool)
    if not readable.any():
        raise DatasetError("no picture of the dataset could be read: there is nothing to train on")

    def numbers(frame: pd.DataFrame, name: str, default: float) -> npt.NDArray[np.float64]:
        column = frame[name] if name in frame.columns else pd.Series(default, index=frame.index)
        return pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=default)[readable]

    return Survey(
        readable=readable,
        frames=numbers(dataset.facts, "frames", 1) if len(dataset.facts) else np.ones(int(readable.sum())),
        heights=numbers(table, "container.height", 1),
        widths=numbers(table, "container.width", 1),
        depths=numbers(table, "container.bit_depth", 16),
        formats=frozenset(map(str, table.loc[readable, "container.format"].dropna())),
        coloured=bool((numbers(table, "container.channels", 3) >= 3).any())
        or bool((numbers(table, "container.palette", 0) > 0).any()),
    )


def joined(surveys: Sequence[Survey]) -> Survey:
    """Several collections as one."""

    def whole(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(survey, name) for survey in surveys])

    return Survey(
        readable=whole("readable"),
        frames=whole("frames"),
        heights=whole("heights"),
        widths=whole("widths"),
        depths=whole("depths"),
        formats=frozenset().union(*(survey.formats for survey in surveys)),
        coloured=any(survey.coloured for survey in surveys),
    )


def plan_of(dataset: Dataset, survey: Survey, *, side: int | None, most: int, masks: bool) -> Plan:
    """Shape, depth and window of the result."""
    volumes = bool((survey.frames > 1).all())
    raw = bool((survey.depths == 8).all()) and len(survey.formats) == 1 and survey.formats <= RASTERS
    values, soft = mask_values_of(dataset) if masks else ((), False)
    return Plan(
        shape=shape_of(survey, side=side, most=most // 2 if volumes else most, volumes=volumes),
        depth="uint16" if (survey.depths > 8).all() else "uint8",
        window=not raw,
        mask_values=values,
        soft_masks=soft,
    )


def shape_of(survey: Survey, *, side: int | None, most: int, volumes: bool) -> tuple[int, ...]:
    """The median of each side, shrunk so that the longest is `side` or at most `most`.

    Sides that must change are rounded to a multiple of 8 (of 16 from 64 on), which suits networks that halve several times.
    """
    sizes = sides_of(survey, volumes=volumes)
    medians = [float(np.median(s)) for s in sizes]
    same = all((s == s[0]).all() for s in sizes)
    longest = max(medians)
    target = float(side) if side is not None else min(longest, float(most))
    if same and (target == longest or (side is None and longest <= SMALL_SIDE)):
        return tuple(int(m) for m in medians)

    def rounded(length: float) -> int:
        step = 16 if length >= SMALL_SIDE else 8 if length >= 16 else 1
        return max(1, round(length / step) * step)

    if side is not None:
        return tuple(max(1, round(m * target / longest)) for m in medians)
    return tuple(rounded(m * target / longest) for m in medians)


def sides_of(survey: Survey, *, volumes: bool) -> list[npt.NDArray[np.float64]]:
    """Of every readable picture: height and width, of volumes the depth before them."""
    return [survey.frames] * volumes + [survey.heights, survey.widths]


def usual_shape(survey: Survey, *, volumes: bool) -> tuple[int, ...]:
    """The median of each side."""
    return tuple(int(np.median(side)) for side in sides_of(survey, volumes=volumes))


def paths_of_masks(dataset: Dataset) -> pd.Series:
    """The readable mask of each record: a path, or NA."""
    known = dataset.masks
    paths = pd.Series(pd.NA, index=dataset.records.index, dtype="string")
    if len(known):
        usable = known[known["problem"].fillna("") == ""].drop_duplicates("record")
        paths.loc[usable["record"].to_numpy()] = usable["path"].astype("string").to_numpy()
    return paths


def mask_values_of(dataset: Dataset) -> tuple[tuple[int, ...], bool]:
    """Values of the masks in the order of their classes, the background first; or (), True where values are no classes.

    Small whole numbers from 0 on are class indices already, also those that no mask happens to hold.
    """
    known = dataset.masks
    known = known[known["problem"].fillna("") == ""] if len(known) else known
    if not len(known):
        return (), False
    if (known["distinct"] > MOST_VALUES).any() or (known["fraction_values"] > 0).any():
        return (), True
    found = sorted({int(float(v)) for text in known["values"].dropna().unique() for v in str(text).split()})
    if found[0] >= 0 and found[-1] < MOST_VALUES and (found[0] == 0 or len(found) > 1):
        found = list(range(found[-1] + 1))
    elif 0 not in found:
        found = [0, *found] if len(found) == 1 else found
    elif found[0] < 0:
        found = [0, *(v for v in found if v != 0)]
    return tuple(found), False
