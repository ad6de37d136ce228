"""LN006: boxes, outlines and points that cannot be right, or that a model sees otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.objects.boxes import areas, corners_of, overlapping_pairs
from auditor.evidence.objects.object_verdict import judge_objects
from auditor.evidence.objects.outline_verdict import judge_outlines, nth_of_record, one_object, outlined, why_left
from auditor.evidence.objects.point_verdict import judge_points, not_judged, pixels_outside
from auditor.values.dataset import Dataset
from auditor.values.results import Cell, Column, Coverage, Finding, Location, Severity, Table, Verdict

_WORDS = {
    "no area": "a box without area",
    "outside": "a box that leaves its image",
    "doubled": "two boxes of one class on the same object",
    "two classes": "one object boxed as two classes",
}


@dataclass(frozen=True, kw_only=True)
class SuspectBoxes(Check):
    """Boxes, outlines or points are empty, doubled, outside their image, overlooked or swapped.

    ## What it does

    Looks at the geometry: boxes without width or height, or with corners in the wrong order; boxes and points that reach more
    than `max_outside_pixels` beyond the border of their image; pairs of boxes of one image that cover each other
    (intersection over union of `min_iou` or more) and are of one reader (or file of DICOM), and marks of one reader at most
    `doubled_pixels` apart, told apart into doubled (one class) and contradictory (two classes). Where the size of an image is
    not known, the border is not judged there, and the coverage says so.

    Outlines (polygons and run lengths of COCO; polygons, circles and masks of LabelMe, VIA and CVAT; long lines of YOLO) are
    drawn into pictures of the size of theirs, one picture at a time: outlines that are none, without area, that cross or
    cover themselves (more than `max_crossed` of their pixels would be counted otherwise by another rule of filling), that
    leave their image, or whose box is another one; and objects without an outline where nearly all others of their class have
    one. Where two objects have outlines, these tell whether they are one, and not their boxes. An outline that is too large
    to be drawn, or whose picture's size nobody says, is not evaluated, which the coverage tells. Points, lines and skeletons
    are not read.

    With a table of predicted boxes or points (`--predictions boxes.csv`) annotated and predicted objects are paired, boxes that
    share half of their area, points at most `max_distance_pixels` apart. What is predicted where nothing is annotated may be
    overlooked. How often the model errs is told by annotated objects that it is as sure are not there: only where it sees more
    of the former than it misses of the latter, beyond chance (records swapped at random, `max_p`) and by so much that at most
    `max_false` of the list is expected to be wrong, are they findings. This assumes that on complete annotations the model
    would invent objects no more often than it misses them. The classes of pairs are judged as LN001 and LN002 judge labels:
    swapped ones are findings where the disagreement does not follow the model's own doubt. A box whose overlap with its
    prediction is far below that of the others (`max_deviations`, and below a half) is badly placed. Annotated objects that are
    not predicted are in the table and are no findings: most are what the model misses. Of predictions that are declared
    in-sample, findings are info.

    ## Why is this bad?

    An empty box makes some losses infinite and is silently dropped by others; a doubled box counts one object twice in
    training and as a false negative in the test; a box outside the image shifts when the loader clips it. An outline that
    crosses itself is another object in every library, since they fill it by different rules. An overlooked object teaches a
    detector that such objects are background.

    ## How to fix

    Delete empty boxes and one of each doubled pair, clip boxes at the border, and let an expert choose where two classes
    contradict each other. `line` is the line of the object in the annotation file. What a model sees is a suggestion: add an
    object, or change a class, only where you see it.

    ## Options

    * `min_iou`: boxes that share this much are one object (0.8).
    * `max_outside_pixels`: a box may reach so far beyond the border; annotation tools differ by one (1).
    * `max_crossed`: at most this share of an outline's pixels may be counted otherwise by another rule of filling (0.05).
    * `doubled_pixels`: marks of one reader so near to each other are one object (1).
    * `max_distance_pixels`: an annotated and a predicted point so near to each other are one object (10).
    * `max_false`: at most this share of the overlooked objects that are listed is expected to be wrong (0.15).
    * `max_p`: an excess of objects where nothing is annotated that chance gives more often is none (0.01).
    * `max_deviations`: so many robust standard deviations below the median overlap is still like the others (6.0).
    * `max_findings`: so many are listed as findings of each kind of look (50); the tables have them all.

    ## References

    * Everingham et al.: The Pascal Visual Object Classes challenge. IJCV 88, 2010 (intersection over union).
    * Lin et al.: Microsoft COCO: Common objects in context. ECCV 2014 (polygons, run lengths).
    * Northcutt, Athalye & Mueller: Pervasive label errors in test sets. NeurIPS 2021.
    * Tkachenko, Thyagarajan & Mueller: ObjectLab: Automated diagnosis of mislabeled images in object detection data. ICML
      workshop 2023 (overlooked, swapped, badly located).
    * Elias & Gygi: Target-decoy search strategy. Nature Methods 4, 2007 (share of wrong ones).
    """

    code: ClassVar[str] = "LN006"
    name: ClassVar[str] = "suspect-boxes"
    severity: ClassVar[Severity] = Severity.WARNING

    needs: ClassVar[frozenset[Need]] = frozenset({"outlines"})

    min_iou: float = 0.8
    max_outside_pixels: float = 1.0
    max_crossed: float = 0.05
    doubled_pixels: float = 1.0
    max_distance_pixels: float = 10.0
    max_false: float = 0.15
    max_p: float = 0.01
    max_deviations: float = 6.0
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Judge every box and point; raises SkipCheck with neither."""
        parts = []
        if len(dataset.boxes):
            parts.append(self._boxes(dataset))
        if dataset.drawings is not None:
            parts.append(
                judge_outlines(
                    dataset.drawings, dataset.boxes, code=self.code, severity=self.severity, max_findings=self.max_findings,
                    max_outside=self.max_outside_pixels, max_crossed=self.max_crossed,
                )
            )  # fmt: skip
        if len(dataset.points):
            points = dataset.points.dropna(subset=["x", "y"]).reset_index(drop=True)
            parts.append(
                judge_points(
                    points, _sizes(dataset, points["record"]), code=self.code, severity=self.severity,
                    max_outside=self.max_outside_pixels, doubled=self.doubled_pixels, max_findings=self.max_findings,
                )
            )  # fmt: skip
        if not parts:
            raise SkipCheck("the dataset has no boxes and no points")
        found = dataset.predicted_objects
        if found is not None:
            parts.append(
                judge_objects(
                    found, dataset.boxes if found.shape == "boxes" else dataset.points, code=self.code, severity=self.severity,
                    reach=self.max_distance_pixels, max_false=self.max_false, max_p=self.max_p,
                    max_deviations=self.max_deviations, max_findings=self.max_findings,
                )
            )  # fmt: skip
        return replace(
            parts[0],
            summary=" ".join(part.summary for part in parts),
            metrics={name: value for part in parts for name, value in part.metrics.items()},
            findings=tuple(finding for part in parts for finding in part.findings),
            tables=tuple(table for part in parts for table in part.tables),
        )

    def _boxes(self, dataset: Dataset) -> Verdict:
        boxes = dataset.boxes
        suspects, sized, crowded = self._suspects(dataset)
        drawn = dataset.drawings
        crowded += drawn.crowded if drawn else 0
        counts = {kind: int((suspects["kind"] == kind).sum()) for kind in _WORDS}
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
                evaluated=max(min(sized, len(boxes) - crowded) - (drawn.left if drawn else 0), 0),
                total=len(boxes),
                unit="boxes",
                reason="; ".join(filter(None, (not_judged(len(boxes) - sized, crowded), why_left(drawn) if drawn else ""))),
            ),
        )

    def _suspects(self, dataset: Dataset) -> tuple[pd.DataFrame, int, int]:
        """Suspects (`kind`, `box`, `other` = position or −1, `iou`, `outside` in pixels); how many boxes lie in an image of
        known size; how many were not compared with all others.
        """
        boxes, corners = dataset.boxes, corners_of(dataset.boxes)
        outside = pixels_outside(corners, _sizes(dataset, boxes["record"]))
        # what an outline shows of its object is told there, once
        drawn = outlined(dataset.drawings, len(boxes))
        empty, away = (areas(corners) <= 0) & ~drawn, np.where(drawn, 0, outside)
        parts = [
            _part("no area", np.flatnonzero(empty)),
            _part("outside", np.flatnonzero(away > self.max_outside_pixels), outside=outside),
        ]
        images = _sheets(dataset)
        pairs = overlapping_pairs(images, corners, min_iou=self.min_iou)
        first, second, iou = one_object(pairs, dataset.drawings, images, self.min_iou)
        names = boxes["label"].to_numpy(dtype=object)
        same = names[first] == names[second]
        for kind, part in (("doubled", same), ("two classes", ~same)):
            parts.append(_part(kind, first[part], other=second[part], iou=iou[part]))
        return pd.concat(parts, ignore_index=True), int(np.isfinite(outside).sum()), pairs.left

    def _findings(self, suspects: pd.DataFrame, boxes: pd.DataFrame) -> tuple[Finding, ...]:
        found: list[Finding] = []
        nth = nth_of_record(boxes)
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
                    code=self.code, severity=self.severity, subject=f"{kind} {nth[place]}", evidence=evidence,
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


def _sheets(dataset: Dataset) -> npt.NDArray[np.int64]:
    """Which boxes one person drew on one image, as a number per box: what two readers, or files of DICOM, drew is no double."""
    names = ["record", *(name for name in ("rater",) if name in dataset.boxes.columns)]
    names += ["path"] if dataset.summary.layout == "dicom_tree" else []
    return np.asarray(dataset.boxes.groupby(names, sort=False, dropna=False).ngroup(), np.int64)


def _sizes(dataset: Dataset, records: pd.Series) -> npt.NDArray[np.float64]:
    """Width and height of the image of each, shape (records, 2); NaN where they are not known."""
    metadata = dataset.metadata
    if not {"container.width", "container.height"} <= set(metadata.columns):
        return np.full((len(records), 2), np.nan)
    return metadata[["container.width", "container.height"]].reindex(records).to_numpy(dtype=np.float64)


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
