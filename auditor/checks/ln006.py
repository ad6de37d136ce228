"""LN006: boxes that cannot be right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.boxes import areas, corners_of, overlapping_pairs
from auditor.check import Check, SkipCheck
from auditor.dataset import Dataset
from auditor.types import Cell, Column, Coverage, Finding, Location, Severity, Table, Verdict

_WORDS = {
    "no area": "a box without area",
    "outside": "a box that leaves its image",
    "doubled": "two boxes of one class on the same object",
    "two classes": "one object boxed as two classes",
}


@dataclass(frozen=True, kw_only=True)
class SuspectBoxes(Check):
    """Boxes are empty, doubled, or outside their image.

    ## What it does

    Looks at the geometry alone: boxes without width or height, or with corners in the wrong order; boxes that reach more than
    `max_outside_pixels` beyond the border of their image; pairs of one image that cover each other (intersection over union of
    `min_iou` or more), told apart into doubled (one class) and contradictory (two classes). Where the size of an image is not
    known, the border is not judged there, and the coverage says so. Overlooked and swapped objects need predictions of boxes
    and are not looked for.

    ## Why is this bad?

    An empty box makes some losses infinite and is silently dropped by others; a doubled box counts one object twice in training
    and as a false negative in the test; a box outside the image shifts when the loader clips it.

    ## How to fix

    Delete empty boxes and one of each doubled pair, clip boxes at the border, and let an expert choose where two classes
    contradict each other. `line` is the line of the object in the annotation file.

    ## Options

    * `min_iou`: boxes that share this much are one object (0.8).
    * `max_outside_pixels`: a box may reach so far beyond the border; annotation tools differ by one (1).
    * `max_findings`: so many boxes are listed as findings (50); the table has them all.

    ## References

    * Everingham et al.: The Pascal Visual Object Classes challenge. IJCV 88, 2010 (intersection over union).
    * Northcutt, Athalye & Mueller: Pervasive label errors in test sets. NeurIPS 2021.
    """

    code: ClassVar[str] = "LN006"
    name: ClassVar[str] = "suspect-boxes"
    severity: ClassVar[Severity] = Severity.WARNING

    min_iou: float = 0.8
    max_outside_pixels: float = 1.0
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge every box; raises SkipCheck without boxes."""
        boxes = dataset.boxes
        if boxes.empty:
            raise SkipCheck("the dataset has no boxes")
        suspects, sized = self._suspects(dataset)
        counts = {kind: int((suspects["kind"] == kind).sum()) for kind in _WORDS}
        unsized = len(boxes) - sized
        flawed = ", ".join(f"{counts[kind]:,} × {words}" for kind, words in _WORDS.items() if counts[kind])
        return Verdict(
            summary=(
                f"{len(suspects):,} findings in {len(boxes):,} boxes: {flawed}."
                if len(suspects)
                else f"No empty, doubled or misplaced box among {len(boxes):,} (doubled: IoU of {self.min_iou} or more)."
            ),
            metrics={
                "boxes": len(boxes),
                "boxes_without_area": counts["no area"],
                "boxes_outside_image": counts["outside"],
                "doubled_pairs": counts["doubled"],
                "contradictory_pairs": counts["two classes"],
            },
            findings=self._findings(suspects, boxes),
            tables=(_table(suspects, boxes),) if len(suspects) else (),
            coverage=Coverage(
                evaluated=sized,
                total=len(boxes),
                unit="boxes",
                reason="the size of the image is not known, so the border was not judged" if unsized else "",
            ),
        )

    def _suspects(self, dataset: Dataset) -> tuple[pd.DataFrame, int]:
        """Suspects (`kind`, `box`, `other` = position or −1, `iou`, `outside` in pixels); how many images' sizes are known."""
        boxes, corners = dataset.boxes, corners_of(dataset.boxes)
        empty = areas(corners) <= 0
        outside = _pixels_outside(dataset, corners)
        parts = [
            _part("no area", np.flatnonzero(empty)),
            _part("outside", np.flatnonzero(outside > self.max_outside_pixels), outside=outside),
        ]
        images = pd.factorize(boxes["record"])[0].astype(np.int64)
        first, second, iou = overlapping_pairs(images, corners, min_iou=self.min_iou)
        names = boxes["label"].to_numpy(dtype=object)
        same = names[first] == names[second]
        for kind, part in (("doubled", same), ("two classes", ~same)):
            parts.append(_part(kind, first[part], other=second[part], iou=iou[part]))
        return pd.concat(parts, ignore_index=True), int(np.isfinite(outside).sum())

    def _findings(self, suspects: pd.DataFrame, boxes: pd.DataFrame) -> tuple[Finding, ...]:
        found: list[Finding] = []
        listed = suspects.head(self.max_findings)
        columns = (listed[name].tolist() for name in ("kind", "box", "other", "iou", "outside"))
        for kind, place, other, iou, outside in zip(*columns, strict=True):
            box = boxes.iloc[place]
            evidence: dict[str, Cell] = {"kind": kind, "label": str(box["label"])}
            message = f"{_WORDS[kind]}: {box['label']!r}"
            if other >= 0:
                twin = boxes.iloc[other]
                evidence |= {"iou": round(iou, 3), "other_label": str(twin["label"]), "other_line": int(twin["line"])}
                message += f" and {twin['label']!r} (line {int(twin['line'])}) share {iou:.0%} of their area"
            elif kind == "outside":
                message += f" reaches {outside:.0f} pixels beyond the border"
            found.append(
                Finding(
                    code=self.code, severity=self.severity, subject=f"{kind} {place}", evidence=evidence,
                    score=iou if other >= 0 else None, message=message,
                    where=Location(path=str(box["path"]) or None, line=int(box["line"]) or None, record=str(box["record"])),
                )
            )  # fmt: skip
        return tuple(found)


def _part(
    kind: str,
    box: npt.NDArray[np.int64],
    *,
    other: npt.NDArray[np.int64] | None = None,
    iou: npt.NDArray[np.float64] | None = None,
    outside: npt.NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": kind,
            "box": box,
            "other": -1 if other is None else other,
            "iou": np.nan if iou is None else iou,
            "outside": np.nan if outside is None else outside[box],
        }
    ).astype({"kind": "str", "box": "int64", "other": "int64", "iou": "float64", "outside": "float64"})


def _pixels_outside(dataset: Dataset, corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How far each box reaches beyond its image; NaN where the size of the image is not known."""
    metadata = dataset.metadata
    if not {"container.width", "container.height"} <= set(metadata.columns):
        return np.full(len(corners), np.nan)
    size = metadata[["container.width", "container.height"]].reindex(dataset.boxes["record"]).to_numpy(dtype=np.float64)
    beyond = np.maximum(np.maximum(-corners[:, :2], corners[:, 2:] - size), np.maximum(-corners[:, 2:], corners[:, :2] - size))
    return np.asarray(np.maximum(beyond, 0).max(axis=1))


def _table(suspects: pd.DataFrame, boxes: pd.DataFrame) -> Table:
    chosen = boxes.iloc[suspects["box"]]
    twins = suspects["other"].to_numpy()
    names, lines = boxes["label"].to_numpy(dtype=object), boxes["line"].to_numpy()
    return Table(
        name="boxes", title="Suspect boxes",
        columns=(
            Column(name="record", kind="record", values=chosen["record"].tolist(), title="Record"),
            Column(name="path", kind="path", values=chosen["path"].tolist(), title="Annotation"),
            Column(name="line", kind="integer", values=chosen["line"].tolist(), title="Line"),
            Column(name="label", kind="class", values=chosen["label"].tolist(), title="Label"),
            Column(name="kind", kind="text", values=suspects["kind"].tolist(), title="What"),
            Column(name="other_label", kind="class", values=[None if t < 0 else str(names[t]) for t in twins], title="Other's"),
            Column(name="other_line", kind="integer", values=[None if t < 0 else int(lines[t]) for t in twins], title="Line"),
            Column(
                name="iou", kind="fraction", title="IoU",
                values=[None if np.isnan(v) else round(float(v), 4) for v in suspects["iou"]],
            ),
            *(
                Column(name=name, kind="number", values=chosen[name].tolist(), title=name)
                for name in ("x0", "y0", "x1", "y1")
            ),
        ),
    )  # fmt: skip
