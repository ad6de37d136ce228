"""IN008: slices of a series are missing or doubled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, SkipCheck
from auditor.evidence.quality.integrity import Fault, numbers, place, report
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict


@dataclass(frozen=True, kw_only=True)
class MissingSlices(Check):
    """Slices of a series are missing or doubled.

    ## What it does

    Takes the place of each slice along the normal of its series (Image Position and Image Orientation) and looks at the
    steps: a step near a whole multiple of the usual one means missing slices, two slices at one place doubled ones, anything
    else uneven spacing. Series with several slices at every place (phases, echoes, diffusion) are left out, and so are those
    of less than `min_slices` slices or of mixed orientation (IN007). Without positions, gaps in Instance Number are told as
    information.

    ## Why is this bad?

    A volume with a hole is shorter than the patient: lesions are lost and measured wrongly, and a 3D model sees a jump as
    anatomy.

    ## How to fix

    Fetch the missing slices from the archive; remove the doubled ones.

    ## Options

    * `min_slices`: series of fewer slices are not judged.
    * `tolerance`: deviation from a whole multiple of the usual step that still counts as one.
    * `max_findings`: so many get a finding of their own; the table `files` lists all.

    ## References

    * DICOM PS3.3 C.7.6.2.1.1 (image position and orientation).
    """

    code: ClassVar[str] = "IN008"
    name: ClassVar[str] = "missing-or-doubled-slices"
    severity: ClassVar[Severity] = Severity.WARNING

    min_slices: int = 5
    tolerance: float = 0.2
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge."""
        if not dataset.has("series"):
            raise SkipCheck("nothing says which images form a series")
        n = dataset.size
        position, number = numbers(dataset.facts, "slice_position", n), numbers(dataset.facts, "instance_number", n)
        cosines = (
            dataset.facts["cosines"] if "cosines" in dataset.facts.columns else pd.Series(None, index=dataset.records.index)
        )
        series = pd.factorize(dataset.records["series"])[0]
        faults, judged = [], 0
        order = np.argsort(series, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(series[order])) + 1):
            if len(rows) < self.min_slices or series[rows[0]] < 0:
                continue
            placed = bool(np.isfinite(position[rows]).all()) and cosines.iloc[rows].nunique() == 1
            found = _by_position(np.sort(position[rows]), self.tolerance) if placed else _by_number(number[rows])
            if found is None:
                continue
            judged += len(rows)
            for kind, count, message in found:
                level = Severity.WARNING if placed else Severity.INFO
                faults.append(
                    Fault(
                        where=place(dataset, rows[0]),
                        kind=kind,
                        message=f"{message} (series of {len(rows):,} images)",
                        severity=level,
                        evidence={"images": len(rows), "count": count},
                    )
                )
        if judged == 0:
            raise SkipCheck("no series of slices with positions or instance numbers")
        return report(
            self.code,
            faults,
            what="start a series with missing or doubled slices",
            unit="images",
            evaluated=judged,
            total=n,
            why_not="they belong to no series of slices",
            max_findings=self.max_findings,
        )


Found = list[tuple[str, int, str]]
MOST_ODD = 0.25
"""Where more places than this hold another number of slices than most do, no number is the rule."""


def _by_position(places: npt.NDArray[np.float64], tolerance: float) -> Found | None:
    """Faults of slices at rising places; None where nothing says how many slices a place should hold."""
    steps = np.diff(places)
    same = steps < 1e-3
    if same.mean() > 0.3 or not (~same).any():
        return _by_phase(np.diff(np.flatnonzero(np.concatenate([[True], ~same, [True]]))))
    usual = float(np.median(steps[~same]))
    ratio = steps / usual
    near = np.abs(ratio - np.round(ratio)) <= tolerance
    missing = int((np.round(ratio[near & (ratio > 1.5)]) - 1).sum())
    uneven = int((~near & ~same).sum())
    found: Found = []
    if missing:
        found.append(("missing", missing, f"{missing:,} slices are missing: gaps of whole multiples of {usual:.3g} mm"))
    if same.any():
        found.append(("doubled", int(same.sum()), f"{int(same.sum()):,} slices lie where another one lies"))
    if uneven and not missing:
        found.append(("uneven", uneven, f"{uneven:,} steps between slices are uneven (usual: {usual:.3g} mm)"))
    return found


def _by_phase(held: npt.NDArray[np.int64]) -> Found | None:
    """Faults of several slices at each place (phases, echoes, directions): all but a few places hold as many.

    Args:
        held: slices at each place, the places in their order.
    """
    usual = int(np.median(held))
    odd = int((held != usual).sum())
    if usual < 2 or odd > MOST_ODD * len(held):
        return None
    found: Found = []
    missing, doubled = int(np.clip(usual - held, 0, None).sum()), int(np.clip(held - usual, 0, None).sum())
    if missing:
        found.append(
            ("missing", missing, f"{missing:,} slices are missing: most places hold {usual}, and {odd} hold another number")
        )
    if doubled:
        found.append(("doubled", doubled, f"{doubled:,} slices lie where {usual} others lie, as many as at most places"))
    return found


def _by_number(given: npt.NDArray[np.float64]) -> Found | None:
    """Faults of instance numbers; None where they are not there."""
    if not np.isfinite(given).all():
        return None
    found: Found = []
    distinct = np.unique(given)
    gaps = int(distinct[-1] - distinct[0] + 1 - len(distinct))
    # Only a few gaps are holes; half of the numbers missing is a choice (every second slice, a subset).
    if 0 < gaps <= 0.25 * len(distinct):
        found.append(("missing numbers", gaps, f"{gaps:,} instance numbers are missing in between"))
    doubled = len(given) - len(distinct)
    if 0 < doubled <= 0.25 * len(distinct):
        found.append(("doubled numbers", doubled, f"{doubled:,} instance numbers occur twice"))
    return found
