"""What the checks of image quality share: thresholds relative to the collection and the modality, and one way to report.

An image is judged among those of its modality and kind (grey, colour), by robust statistics: distance from the median over
the median absolute deviation. What is wrong with every image moves the median, so absolute limits stand beside; and one
defect of several images is one finding, with a table that lists them.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.groups import location
from auditor.feature import feature_needs
from auditor.values.dataset import Dataset
from auditor.values.results import Column, Coverage, Finding, Severity, Table, Verdict

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FEW = 20
"""Fewer images of one kind have no "usual" that one could be compared with."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What an image check found; all arrays have shape (records,).

    Args:
        flagged: has the defect.
        value: the measurement; NaN = not judged.
        usual: what is usual among its kind; NaN = there is no usual.
        what: `1 image {what}`, e.g. `looks blurred`.
        measure: what `value` is, in words.
        advice: what to do.
        unjudged: why images were not judged.
    """

    flagged: Bools
    value: Floats
    usual: Floats
    what: str
    measure: str
    advice: str
    unjudged: str = "their pixels were not read"


@dataclass(frozen=True, kw_only=True)
class ImageCheck(Check):
    """A check that judges images one by one, each against its own kind. Checks inherit it and say how they judge."""

    severity: ClassVar[Severity] = Severity.WARNING
    needs: ClassVar[frozenset[Need]] = feature_needs("quality")

    max_findings: int = 1

    @abstractmethod
    def judge(self, dataset: Dataset) -> Judgement:
        """Judge every image; raises SkipCheck where that is impossible."""

    def run(self, dataset: Dataset) -> Verdict:
        """Judge and report."""
        return _verdict(self, dataset, self.judge(dataset))


def feature(dataset: Dataset, name: str) -> Floats:
    """A feature column, shape (records,), NaN where there are no pixels.

    Raises:
        SkipCheck: no image was read.
    """
    if name not in dataset.features.columns:
        raise SkipCheck("no image was read, so there are no pixels to judge")
    values = dataset.features[name].to_numpy(dtype=np.float64)
    if not np.isfinite(values).any():
        raise SkipCheck("no image is large or varied enough to be judged")
    return values


def kinds_of(dataset: Dataset, *more: str) -> npt.NDArray[np.int64]:
    """A number per record, equal for images of one modality, body part and number of channels, and of the fields `more`."""
    told = ("dicom.Modality", "dicom.BodyPartExamined", "container.channels", *more)
    names = [name for name in told if name in dataset.metadata.columns]
    if not names:
        return np.zeros(dataset.size, np.int64)
    codes = np.zeros(dataset.size, np.int64)
    for name in names:
        own = pd.factorize(dataset.metadata[name], use_na_sentinel=False)[0].astype(np.int64)
        codes = codes * (own.max(initial=0) + 1) + own
    return np.asarray(pd.factorize(codes)[0], dtype=np.int64)


def usual(values: Floats, kinds: npt.NDArray[np.int64], *, least: float) -> tuple[Floats, Floats]:
    """Median and robust deviation (1.4826 × median absolute deviation, at least `least`) of each record's kind.

    NaN where fewer than `FEW` images of the kind were measured.
    """
    median, spread = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        known = values[rows][np.isfinite(values[rows])]
        if len(known) < FEW:
            continue
        centre = float(np.median(known))
        median[rows] = centre
        spread[rows] = max(1.4826 * float(np.median(np.abs(known - centre))), least)
    return median, spread


def apart(
    values: Floats, kinds: npt.NDArray[np.int64], *, side: Literal["low", "high", "both"], deviations: float, effect: float
) -> tuple[Bools, Floats]:
    """Images whose value lies more than `deviations` robust deviations and at least `effect` from the median of their kind.

    Returns:
        Flags, and the median of each record's kind (NaN where the kind is too small).
    """
    median, spread = usual(values, kinds, least=effect / deviations)
    with np.errstate(invalid="ignore"):
        distance = values - median
        distance = np.abs(distance) if side == "both" else distance if side == "high" else -distance
        flagged = (distance >= effect) & (distance > deviations * spread)
    return np.asarray(flagged & np.isfinite(values)), median


def _verdict(check: ImageCheck, dataset: Dataset, judged: Judgement) -> Verdict:
    evaluated = np.isfinite(judged.value)
    count, total = int(judged.flagged.sum()), int(evaluated.sum())
    if total == 0:
        raise SkipCheck(f"no image could be judged: {judged.unjudged}")
    gap = np.nan_to_num(np.abs(judged.value - np.where(np.isfinite(judged.usual), judged.usual, 0)))
    rows = np.flatnonzero(judged.flagged)
    rows = rows[np.argsort(-gap[rows], kind="stable")]
    share = count / total
    code, level = type(check).code, Severity.WARNING
    findings: list[Finding] = []
    if count > max(1, check.max_findings):
        # fifty lines of one kind hide the two of another: many images are one finding, and the table says which
        every = count == total
        which = f"All {total:,} images: each" if every else f"{count:,} of {total:,} images ({share:.0%}): each"
        shared = ", which is a property of the collection and not of single images" if every else ""
        findings.append(
            Finding(
                code=code, severity=level, subject="the dataset", score=round(share, 4),
                message=f"{which} {judged.what}{shared}. {judged.advice}",
                evidence={"images": count, "images_judged": total, "fraction": round(share, 4)},
            )
        )  # fmt: skip
        rows_told: list[int] = []
    else:
        rows_told = rows.tolist()
    for position in rows_told:
        value, normal = float(judged.value[position]), float(judged.usual[position])
        compared = f" (usual here: {normal:.3g})" if np.isfinite(normal) else ""
        where = location(dataset, position)
        findings.append(
            Finding(
                code=code, severity=level, where=where, score=round(value, 6),
                message=f"The image {judged.what}: {judged.measure} {value:.3g}{compared}. {judged.advice}",
                evidence={"value": round(value, 6)} | ({"usual": round(normal, 6)} if np.isfinite(normal) else {}),
            )
        )  # fmt: skip
    summary = (
        f"{count:,} of {total:,} images: each {judged.what}"
        if count
        else f"None of {total:,} images {judged.what}"
    )  # fmt: skip
    missing = dataset.size - total
    return Verdict(
        summary=summary,
        metrics={"images": total, "images_flagged": count, "images_flagged_fraction": round(share, 6)},
        findings=tuple(findings),
        tables=(_table(dataset, judged, rows),) if count else (),
        coverage=Coverage(
            evaluated=total, total=dataset.size, unit="images",
            reason=f"{missing:,} images were not judged: {judged.unjudged}" if missing else "",
        ),
    )  # fmt: skip


def _table(dataset: Dataset, judged: Judgement, rows: npt.NDArray[np.int64]) -> Table:
    paths = dataset.records["path"].iloc[rows]
    normal = judged.usual[rows]
    return Table(
        name="images",
        title=f"Images: {judged.measure}",
        columns=(
            Column(name="record", kind="record", values=[str(r) for r in dataset.records.index[rows]], title="Record"),
            Column(name="path", kind="path", values=[None if pd.isna(p) else str(p) for p in paths], title="File"),
            Column(name="value", kind="number", values=[round(float(v), 6) for v in judged.value[rows]], title=judged.measure),
            Column(
                name="usual", kind="number", values=[round(float(v), 6) if np.isfinite(v) else None for v in normal],
                title="Usual here",
            ),
        ),
    )  # fmt: skip
