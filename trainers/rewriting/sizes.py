"""Which size the pictures of a collection share, axis by axis, and what it costs: proportions are kept, and pixels are counted.

Where neither height nor width tells the class, sizes stay. Where they do because some files were sampled more finely, all
pictures get one distance between pixels; else one height, one width, or one canvas. Nothing is made smaller than what nine
tenths of the pictures hold on each axis, and no more than half of all pixels are given up, unless the user names a size.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from auditor.statistics.distributions import rankdata

SizeRule = Literal["keep", "pad", "resize", "spacing"]
Fill = Literal["pad", "crop"]
Doubles = npt.NDArray[np.float64]
HELD_BY = 0.10
"""The quantile of each side that a canvas never goes below: nine tenths of the pictures hold it."""
MOST_LOST = 0.5
"""Share of all pixels that is given up without the user's word."""
MOST_CROPPED = 0.10
"""Share of a picture, in the median, that may be cut off where the proportions tell the class."""
TELLS, FEWEST = 0.60, 5
STEP = 1.05


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """What every picture is put on.

    Args:
        rule: `keep`; `pad`: dark rows below and columns on the right, no pixel is changed; `resize`: scaled in proportion, then
            padded or cropped around its middle; `spacing`: scaled to one distance between pixels, sizes as they come.
        height, width: of the canvas; 0 = this axis is left as it comes.
        fill: what is done where a picture has other proportions than the canvas.
        spacing: mm between pixels.
    """

    rule: SizeRule = "keep"
    height: int = 0
    width: int = 0
    fill: Fill = "pad"
    spacing: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Heights, widths and mm between rows and between columns (0: unknown) of the pictures, float64, (pictures,)."""

    heights: Doubles
    widths: Doubles
    rows: Doubles
    columns: Doubles

    @property
    def pixels(self) -> Doubles:
        """Of each picture."""
        return self.heights * self.widths


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One picture on a canvas: the size that it is scaled to, and that of the result."""

    inner: tuple[int, int]
    outer: tuple[int, int]


def placed(height: int, width: int, canvas: Canvas, spacing: tuple[float, float] = (0.0, 0.0)) -> Placed:
    """How a picture of this size and spacing lies on the canvas."""
    own = (height, width)
    if canvas.rule == "keep":
        return Placed(inner=own, outer=own)
    if canvas.rule == "pad":
        return Placed(inner=own, outer=(canvas.height, canvas.width))
    if canvas.rule == "spacing":
        known = min(spacing) > 0
        inner = _sides(height * spacing[0] / canvas.spacing, width * spacing[1] / canvas.spacing) if known else own
        return Placed(inner=inner, outer=inner)
    scales = [wanted / side for wanted, side in ((canvas.height, height), (canvas.width, width)) if wanted]
    scale = min(scales) if canvas.fill == "pad" else max(scales)
    inner = _sides(height * scale, width * scale)
    return Placed(inner=inner, outer=(canvas.height or inner[0], canvas.width or inner[1]))


def _sides(height: float, width: float) -> tuple[int, int]:
    return max(1, round(height)), max(1, round(width))


def pixels_lost(sizes: Sizes, canvas: Canvas) -> float:
    """Share of all pixels that are given up by shrinking and cropping, 0–1; an enlarged picture wins none."""
    kept = 0.0
    for height, width, row, column in zip(sizes.heights, sizes.widths, sizes.rows, sizes.columns, strict=True):
        one = placed(int(height), int(width), canvas, (float(row), float(column)))
        share = 1.0
        for side, inner, outer in zip((height, width), one.inner, one.outer, strict=True):
            share *= min(1.0, inner / side) * min(1.0, outer / inner)
        kept += share * height * width
    return float(1 - kept / sizes.pixels.sum())


def enlarged(sizes: Sizes, canvas: Canvas) -> npt.NDArray[np.bool_]:
    """Which pictures are scaled up, (pictures,)."""
    each = zip(sizes.heights, sizes.widths, sizes.rows, sizes.columns, strict=True)
    return np.array([placed(int(h), int(w), canvas, (r, c)).inner[0] > h for h, w, r, c in each], np.bool_)


def tells(values: Doubles, classes: Sequence[object]) -> bool:
    """Whether a class can be told from a number: AUC of the class told best ≥ 0.60 on either side."""
    names: npt.NDArray[Any] = np.array(["" if c is None or c != c else str(c) for c in classes], dtype=object)
    known = names != ""
    ranks, names = rankdata(values[known]), names[known]
    for name in set(names.tolist()):
        own = names == name
        n, m = int(own.sum()), int((~own).sum())
        if min(n, m) < FEWEST:
            continue
        area = (ranks[own].sum() - n * (n + 1) / 2) / (n * m)
        if max(area, 1 - area) >= TELLS:
            return True
    return False


def chosen_canvas(
    sizes: Sizes, classes: Sequence[object], told: Collection[str], *, fill: Literal["auto", "pad", "crop"] = "auto"
) -> Canvas:
    """The canvas where `told` of height, width and spacing tell the class; kept where none does."""
    if not told:
        return Canvas()
    if (sizes.rows > 0).all() and (sizes.columns > 0).all():
        extents = (sizes.heights * sizes.rows, sizes.widths * sizes.columns)
        if not any(tells(np.round(extent), classes) for extent in extents):
            return common_spacing(sizes)
    if "height" in told and "width" not in told and not tells(sizes.widths / sizes.heights, classes):
        return _roomy(sizes, lambda k: Canvas(rule="resize", height=round(k)), _floor(sizes.heights))
    if "width" in told and "height" not in told and not tells(sizes.heights / sizes.widths, classes):
        return _roomy(sizes, lambda k: Canvas(rule="resize", width=round(k)), _floor(sizes.widths))
    return common_size(sizes, classes, fill=fill)


def common_size(
    sizes: Sizes, classes: Sequence[object], *, fill: Literal["auto", "pad", "crop"] = "auto", height: int = 0, width: int = 0
) -> Canvas:
    """One height and width with the median proportions; a side that the user names stands."""
    wide = float(np.exp(np.median(np.log(sizes.widths / sizes.heights))))

    def on(k: float, how: Fill) -> Canvas:
        return Canvas(rule="resize", height=max(1, round(k)), width=max(1, round(k * wide)), fill=how)

    if height or width:

        def found(how: Fill) -> Canvas:
            return Canvas(
                rule="resize", height=height or max(1, round(width / wide)), width=width or max(1, round(height * wide)),
                fill=how,
            )  # fmt: skip
    else:
        least = max(_floor(sizes.heights), _floor(sizes.widths) / wide)

        def found(how: Fill) -> Canvas:
            return _roomy(sizes, lambda k: on(k, how), least)

    if fill != "auto":
        return found(fill)
    if not tells(sizes.widths / sizes.heights, classes):
        return found("pad")
    cropped = found("crop")
    shares = []
    for h, w in zip(sizes.heights, sizes.widths, strict=True):
        one = placed(int(h), int(w), cropped)
        shares.append(1 - one.outer[0] * one.outer[1] / (one.inner[0] * one.inner[1]))
    return cropped if float(np.median(shares)) <= MOST_CROPPED else found("pad")


def common_spacing(sizes: Sizes) -> Canvas:
    """One distance between pixels, no coarser than nine tenths of the pictures have it, nor than half of the pixels allow."""
    coarse = float(np.quantile(np.maximum(sizes.rows, sizes.columns), 1 - HELD_BY, method="higher"))
    return _roomy(sizes, lambda k: Canvas(rule="spacing", spacing=1 / k), 1 / coarse)


def largest(sizes: Sizes) -> Canvas:
    """Room for every picture as it is."""
    return Canvas(rule="pad", height=int(sizes.heights.max()), width=int(sizes.widths.max()))


def _floor(sides: Doubles) -> float:
    return float(np.quantile(sides, HELD_BY, method="lower"))


def _roomy(sizes: Sizes, canvas: Callable[[float], Canvas], least: float) -> Canvas:
    """The smallest canvas from `least` on that gives up no more than half of the pixels."""
    k = least
    while pixels_lost(sizes, canvas(k)) > MOST_LOST:
        k *= STEP
    return canvas(k)
