"""What LN005 says of masks that lie beside what they outline."""

from __future__ import annotations

import numpy as np
import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.masks.mask_place import MIN_PAIRS, Fit, can_tell, fit_of
from auditor.evidence.masks.outlines import unpacked
from auditor.values.dataset import Dataset
from auditor.values.drawings import OUTLINES
from auditor.values.remedies import MASK_PLACE
from auditor.values.results import Column, Finding, Location, Severity, Table, Verdict

ON_THE_SPOT, SHIFTED = "masks_on_edges", "masks_shifted"
"""Metrics: masks whose outlines follow the edges of the picture where they are drawn, and those that follow them elsewhere."""


def judge_places(dataset: Dataset, *, code: str, severity: Severity, max_findings: int) -> Verdict:
    """Masks that fit their picture clearly better elsewhere.

    Raises:
        SkipCheck: too few outlines follow edges of their pictures: whether one is shifted cannot be told.
    """
    rows, fits = _fits(dataset)
    if not can_tell(fits):
        fitting = sum(fit.on_the_spot for fit in fits)
        raise SkipCheck(
            f"the outlines of {fitting:,} of {len(fits):,} masks that could be laid over their pictures follow edges there "
            f"(at least {MIN_PAIRS}, and most, are needed): whether a mask lies beside what it outlines cannot be told"
        )
    gain = np.array([fit.best - fit.here for fit in fits])
    chosen = [int(i) for i in np.argsort(-gain, kind="stable") if fits[i].shifted]
    fitting = sum(fit.on_the_spot for fit in fits)
    return Verdict(
        summary=(
            f"{len(chosen):,} of {len(fits):,} masks fit the edges of their picture better elsewhere."
            if chosen
            else f"None of {len(fits):,} masks fits the edges of its picture better elsewhere."
        ),
        metrics={ON_THE_SPOT: fitting, SHIFTED: len(chosen)},
        findings=tuple(
            Finding(
                code=code, severity=severity, subject=MASK_PLACE, score=float(gain[i]),
                where=Location(path=str(rows["path"].iloc[i]), record=str(rows["record"].iloc[i])),
                message=f"the mask seems to lie beside what it outlines: it would fit {_way(rows.iloc[i], fits[i])}; "
                f"{fitting:,} of {len(fits):,} masks fit as they are drawn. Lay it over its image and look",
                evidence={"fit": round(fits[i].here, 3), "best_fit": round(fits[i].best, 3)},
            )
            for i in chosen[:max_findings]
        ),
        tables=(_table(rows, fits, chosen),) if chosen else (),
    )  # fmt: skip


def with_drawn(dataset: Dataset) -> pd.DataFrame:
    """`Dataset.masks`, and what was drawn of outlines as further ones of them."""
    drawn = None if dataset.drawings is None else dataset.drawings.images
    if drawn is None or not len(drawn):
        return dataset.masks
    return pd.concat([dataset.masks, drawn], ignore_index=True) if len(dataset.masks) else drawn


def _fits(dataset: Dataset) -> tuple[pd.DataFrame, list[Fit]]:
    """Masks of one frame that could be laid over their pictures, and how they fit."""
    kept, fits = [], []
    masks = with_drawn(dataset)
    columns = (masks.get(name, ()) for name in ("path", "record", "format"))
    for place, (path, record, form) in enumerate(zip(*columns, strict=True)):
        key = f"{path}\x1f{record}" if form == OUTLINES else str(path)
        outlines, picture = dataset.outlines.get(key, b""), dataset.thumbnails.get(str(record), b"")
        fit = fit_of(unpacked(picture), unpacked(outlines)) if outlines and picture else None
        if fit is not None:
            kept.append(place)
            fits.append(fit)
    return masks.iloc[kept], fits


def _shift(row: pd.Series, fit: Fit) -> tuple[int, int]:
    """Pixels of the mask, down and right."""
    return round(fit.down * float(row["height"])), round(fit.right * float(row["width"]))


def _way(row: pd.Series, fit: Fit) -> str:
    down, right = _shift(row, fit)
    ways = [(down, "lower", "higher"), (right, "to the right", "to the left")]
    return " and ".join(f"about {abs(n):,} pixels {plus if n > 0 else minus}" for n, plus, minus in ways if n)


def _table(rows: pd.DataFrame, fits: list[Fit], chosen: list[int]) -> Table:
    ways = [_shift(rows.iloc[i], fits[i]) for i in chosen]
    return Table(
        name="shifted_masks", title="Masks that fit better elsewhere, clearest first",
        columns=(
            Column(name="record", kind="record", values=[str(rows["record"].iloc[i]) for i in chosen], title="Record"),
            Column(name="path", kind="path", values=[str(rows["path"].iloc[i]) for i in chosen], title="Mask"),
            Column(name="down", kind="integer", values=[down for down, _ in ways], title="Pixels lower"),
            Column(name="right", kind="integer", values=[right for _, right in ways], title="Pixels to the right"),
            Column(name="fit", kind="number", values=[round(fits[i].here, 3) for i in chosen], title="Fit as drawn"),
            Column(name="best_fit", kind="number", values=[round(fits[i].best, 3) for i in chosen], title="Best fit"),
        ),
    )  # fmt: skip
