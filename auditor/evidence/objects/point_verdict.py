"""Points that cannot be right: outside their image, or two marks of one reader on the same spot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.objects.sweep import Pairs, near_pairs
from auditor.values.results import Column, Coverage, Finding, Location, Severity, Table, Verdict

Doubles = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
WORDS = {
    "outside": "a point that leaves its image",
    "doubled": "two marks of one reader on the same object",
    "two classes": "one object marked as two classes",
}


def judge_points(
    points: pd.DataFrame,
    sizes: Doubles,
    *,
    code: str,
    severity: Severity,
    max_outside: float,
    doubled: float,
    max_findings: int,
) -> Verdict:
    """What LN006 says of marks; `points` all have numbers, `sizes` as in `pixels_outside`."""
    at = points[["x", "y"]].to_numpy(dtype=np.float64)
    outside = pixels_outside(np.hstack([at, at]), sizes)
    far = np.flatnonzero(outside > max_outside)
    pairs = doubled_points(points, most=doubled)
    first, second = pairs.first, pairs.second
    names = points["label"].to_numpy(dtype=object)
    same = names[first] == names[second]
    others = np.concatenate([np.full(len(far), -1), second]).astype(np.int64)
    suspects = points.iloc[np.concatenate([far, first]).astype(np.int64)].assign(
        kind=pd.Series(["outside"] * len(far) + ["doubled" if one else "two classes" for one in same], dtype="str").to_numpy(),
        other=np.array(["" if i < 0 else str(names[i]) for i in others], dtype=object),
    )
    sized = int(np.isfinite(outside).sum())
    return Verdict(
        summary=(
            f"{len(suspects):,} findings in {len(points):,} points: {len(far):,} outside their image, {int(same.sum()):,} "
            f"marked twice by one reader, {int((~same).sum()):,} marked as two classes."
            if len(suspects)
            else f"No point outside its image or marked twice among {len(points):,}."
        ),
        metrics={
            "points": len(points), "points_outside_image": len(far), "doubled_points": int(same.sum()),
            "contradictory_points": int((~same).sum()),
        },
        findings=tuple(
            Finding(
                code=code, severity=severity, subject=f"{kind} point {place}", where=Location(record=record),
                evidence={"kind": kind, "label": label},
                message=f"{WORDS[kind]}: {label!r} at x {x:.0f}, y {y:.0f}" + (f", and {other!r}" if other else ""),
            )
            for place, record, kind, label, other, x, y in suspects.head(max_findings)[
                ["record", "kind", "label", "other", "x", "y"]
            ].itertuples()
        ),
        tables=(_table(suspects),) if len(suspects) else (),
        coverage=Coverage(
            evaluated=min(sized, len(points) - pairs.left), total=len(points), unit="points",
            reason=not_judged(len(points) - sized, pairs.left),
        ),
    )  # fmt: skip


def doubled_points(points: pd.DataFrame, *, most: float) -> Pairs:
    """Pairs of marks of one reader in one image that are at most `most` pixels apart (`value`: −distance, in pixels).

    Args:
        points: `record`, `label`, `x`, `y` [, `rater`]; a row without numbers pairs with none.
    """
    at = points[["x", "y"]].to_numpy(dtype=np.float64)
    there = np.flatnonzero(np.isfinite(at).all(axis=1)).astype(np.int64)
    at = at[there]
    keys = ["record", "rater"] if "rater" in points.columns else ["record"]
    group = np.asarray(points.iloc[there].groupby(keys, sort=False).ngroup(), dtype=np.int64)

    def nearness(a: Positions, b: Positions) -> Doubles:
        return np.asarray(-np.hypot(*(at[a] - at[b]).T), dtype=np.float64)

    found = near_pairs(group, at, np.nextafter(at + most, np.inf), nearness, -most)
    return replace(found, first=there[found.first], second=there[found.second])


def not_judged(unsized: int, crowded: int) -> str:
    """Why some boxes or points are not judged in all that LN006 looks at: so many for want of a size, so many on one spot."""
    reasons = ["the size of the image is not known, so the border was not judged"] if unsized else []
    reasons += [f"of {crowded:,} too many lie on one spot to compare them all"] if crowded else []
    return "; ".join(reasons)


def pixels_outside(corners: Doubles, size: Doubles) -> Doubles:
    """How far each box (n, 4), or point as a box without extent, reaches beyond its image; NaN where the size is not known.

    Args:
        size: width and height of its image, shape (n, 2).
    """
    beyond = np.maximum(np.maximum(-corners[:, :2], corners[:, 2:] - size), np.maximum(-corners[:, 2:], corners[:, :2] - size))
    return np.asarray(np.maximum(beyond, 0).max(axis=1)) if len(corners) else np.empty(0)


def _table(suspects: pd.DataFrame) -> Table:
    return Table(
        name="points", title="Suspect points",
        columns=(
            Column(name="record", kind="record", values=suspects["record"].tolist(), title="Record"),
            Column(name="label", kind="class", values=suspects["label"].tolist(), title="Label"),
            Column(name="kind", kind="text", values=suspects["kind"].tolist(), title="What"),
            Column(name="other_label", kind="text", values=suspects["other"].tolist(), title="Other's"),
            *(Column(name=name, kind="number", values=suspects[name].tolist(), title=name) for name in ("x", "y")),
        ),
    )  # fmt: skip
