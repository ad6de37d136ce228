"""IN006: an image and its mask, or the two images of a pair, have different geometry."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.check import Check, Need, SkipCheck
from auditor.evidence.kin.groups import location
from auditor.evidence.kin.turned import LYING, TURNS, orientations
from auditor.evidence.masks.shifted_masks import with_drawn
from auditor.evidence.quality.grids import ELSEWHERE_STEPS, is_default, parted, parted_as_places, series_grid
from auditor.evidence.quality.integrity import Fault, numbers, report
from auditor.values.dataset import Dataset
from auditor.values.drawings import OUTLINES
from auditor.values.grid import Grid, grid_of, grid_text
from auditor.values.results import Location, Severity, Verdict

MODALITIES = frozenset((
    "mr", "mri", "ct", "cbct", "pct", "sct", "pseudoct", "pseudo", "synthetic", "synth", "t1", "t1c", "t1ce", "t1w",
    "t2", "t2w", "flair", "adc", "dwi", "pet", "spect", "us", "he", "ihc",
))  # fmt: skip
"""Words that tell the two images of one scene apart in a path."""
_WORD = re.compile(r"[A-Za-z]+[0-9]?[a-z]*")


@dataclass(frozen=True, kw_only=True)
class GeometryMismatch(Check):
    """An image and its mask, or two images of a pair, differ in geometry.

    ## What it does

    Compares height, width, number of frames, and the place in the patient (distance of neighbours along each axis, direction of
    the axes, first pixel) of each image with those of its mask, and of the images of a translation pair: files whose paths
    differ in one word for the modality alone (`mr/007.nii.gz` and `ct/007.nii.gz`, `1BA001/mr.nii.gz` and
    `1BA001/pseudo_ct.nii.gz`). Places are one where no pixel is more than a quarter of a step apart, so that rounding counts
    for nothing. A mask is an error where its array is of another size, or one of its pixels lies a step or more elsewhere; a
    mask that says no place, or only the one that programs write which know none, is a warning beside an image that says one.
    A mask of many slices, listed for each slice of a series, is compared with the series. A mask that is listed and not there
    is an error too.
    Outlines (COCO, LabelMe, CVAT) whose file states another size of the picture are one as well. Where an image's EXIF
    orientation exchanges its sides and the mask fits then, that is said to be the cause.

    ## Why is this bad?

    Loaders resize the mask or the partner without a word, and every pixel then has the label of another place. Those that go
    by places (ITK, MONAI) and those that go by arrays (NumPy) see two different masks where the places differ.

    ## How to fix

    Resample one to the grid of the other (nearest neighbour for masks), or give the right file.

    ## Options

    * `max_spacing_change`: relative difference of the distance of neighbours that counts.
    * `max_findings`: so many files get a finding of their own; the table `files` lists all.

    ## References

    * Thummerer et al.: SynthRAD2023. Medical Physics 2023 (paired MR and CT on one grid).
    * Isensee et al.: nnU-Net, `verify_dataset_integrity` (shape, spacing and direction of image and segmentation).
    """

    code: ClassVar[str] = "IN006"
    name: ClassVar[str] = "geometry-mismatch"
    severity: ClassVar[Severity] = Severity.ERROR
    needs: ClassVar[frozenset[Need]] = frozenset({"fingerprints", "outlines"})

    max_spacing_change: float = 0.01
    max_findings: int = 50

    def run(self, dataset: Dataset) -> Verdict:
        """Compare geometries."""
        shapes = _geometries(dataset)
        pairs = pairs_of(dataset)
        masks = with_drawn(dataset)
        if not len(masks) and not pairs:
            raise SkipCheck("there are neither masks nor pairs of images of two modalities")
        faults = self._masks(dataset, shapes) + self._pairs(dataset, shapes, pairs)
        total = len(masks) + len(pairs)
        judged = int((masks["height"].notna() | (masks["problem"] != "")).sum()) if len(masks) else 0
        return report(
            self.code,
            faults,
            what="do not fit their mask or partner",
            unit="pairs",
            evaluated=judged + len(pairs),
            total=total,
            why_not="the mask could not be read",
            max_findings=self.max_findings,
            metrics={"masks": len(masks), "translation_pairs": len(pairs)},
        )

    def _masks(self, dataset: Dataset, shapes: pd.DataFrame) -> list[Fault]:
        faults = []
        series = _series(dataset, shapes)
        for given in with_drawn(dataset).to_dict("records"):
            row: dict[str, object] = {str(name): value for name, value in given.items()}
            where = Location(path=str(row["path"]), record=str(row["record"]))
            if row["problem"] == "missing":
                message = "The mask is listed but not on disk. Restore it, or remove the name from the table"
                faults.append(Fault(where=where, kind="mask missing", message=message))
                continue
            if row["problem"] or row["record"] not in shapes.index:
                continue
            if str(row["path"]) in series:
                image = series[str(row["path"])]
                if image["record"] != row["record"]:  # told once, at the first slice
                    continue
            else:
                image = _row(shapes, int(shapes.index.get_indexer(pd.Index([str(row["record"])]))[0]))
            told = _difference(image, row, self.max_spacing_change)
            if told is not None:
                told = _by_tag(told, image, row)
                message = f"Image and mask differ in {told.kind}: {told.text}. {told.advice}"
                if row["format"] == OUTLINES:
                    message = (
                        f"The outlines were drawn on a picture of another size: {told.text}. Give the picture that they were "
                        "drawn on, or bring corners and run lengths to the size of this one"
                    )
                faults.append(Fault(where=where, kind=f"mask: {told.kind}", message=message, severity=told.level))
        return faults

    def _pairs(self, dataset: Dataset, shapes: pd.DataFrame, pairs: list[tuple[int, int]]) -> list[Fault]:
        faults = []
        for a, b in pairs:
            one, other = _row(shapes, a), _row(shapes, b)
            told = _difference(one, other, self.max_spacing_change)
            if told is not None:
                partner = str(dataset.records.index[b])
                message = f"The image and its partner differ in {told.kind}: {told.text}. Bring both to one grid"
                level = Severity.ERROR if told.kind == "size" else Severity.WARNING
                faults.append(
                    Fault(
                        where=location(dataset, a),
                        kind=f"pair: {told.kind}",
                        message=message,
                        severity=level,
                        subject=partner,
                        evidence={"partner": partner},
                    )
                )
        return faults


def _geometries(dataset: Dataset) -> pd.DataFrame:
    frame = pd.DataFrame(index=dataset.records.index)
    for name in ("height", "width"):
        frame[name] = numbers(dataset.metadata, f"container.{name}", dataset.size)
    frame["turn"] = orientations(dataset).astype(np.float64)
    for name in ("frames", "spacing_row", "spacing_column"):
        frame[name] = numbers(dataset.facts, name, dataset.size)
    for name in ("orientation", "grid", "placed"):
        frame[name] = dataset.facts[name] if name in dataset.facts.columns else None
    frame["format"] = dataset.metadata["container.format"] if "container.format" in dataset.metadata.columns else None
    return frame


def _series(dataset: Dataset, shapes: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Mask file → the series that it is of, as one image: where a mask of several frames is listed for single slices."""
    masks = dataset.masks
    if not len(masks):
        return {}
    known = masks[masks["record"].isin(shapes.index)]
    found: dict[str, dict[str, object]] = {}
    for path, rows in known.groupby("path", sort=False):
        slices = shapes.loc[rows["record"].tolist()]
        if len(slices) < 2 or not (slices["frames"] == 1).all() or not (rows["frames"].astype(float) > 1).all():
            continue
        grids = [grid for text in slices["grid"] if (grid := grid_of(text)) is not None]
        whole = series_grid(grids) if len(grids) == len(slices) else None
        first: dict[str, object] = {str(name): slices[name].to_numpy()[0] for name in slices.columns}
        found[str(path)] = first | {
            "record": str(slices.index[0]),
            "frames": float(len(slices)),
            "grid": grid_text(whole) if whole is not None else "",
        }
    return found


@dataclass(frozen=True, kw_only=True)
class _Difference:
    kind: str
    text: str
    level: Severity = Severity.WARNING
    advice: str = "Resample the mask to the image, or give the right one"


def _difference(one: Mapping[str, object], other: Mapping[str, object], tolerance: float) -> _Difference | None:
    """What differs, the gravest first; None when nothing does, or nothing is known."""
    sides = [(_number(one, n), _number(other, n)) for n in ("height", "width", "frames")]
    if any(np.isfinite(a) and np.isfinite(b) and a != b for a, b in sides):
        first, second = (" × ".join(f"{pair[i]:.0f}" for pair in sides if np.isfinite(pair).all()) for i in (0, 1))
        text = f"{first} and {second} (height × width × frames)"
        return _Difference(kind="size", text=text, level=Severity.ERROR)
    a_grid, b_grid = grid_of(one.get("grid")), grid_of(other.get("grid"))
    if a_grid is not None and b_grid is not None and all(np.isfinite(a) for a, _ in sides):
        return _apart(one, other, (a_grid, b_grid), tolerance)
    for name in ("spacing_row", "spacing_column"):
        a, b = _number(one, name), _number(other, name)
        if np.isfinite(a) and np.isfinite(b) and abs(a - b) > tolerance * max(a, b):
            return _Difference(kind="pixel spacing", text=f"{a:.4g} and {b:.4g} mm")
    if a_grid is not None and other.get("placed") == "no":
        return _Difference(
            kind="place", text="the image says where it lies, the mask does not", advice="Copy the place of the image into it"
        )
    a_way, b_way = one.get("orientation"), other.get("orientation")
    if isinstance(a_way, str) and isinstance(b_way, str) and len(a_way) == len(b_way) > 0 and a_way != b_way:
        return _Difference(kind="orientation", text=f"{a_way} and {b_way}")
    return None


def _by_tag(told: _Difference, image: Mapping[str, object], mask: Mapping[str, object]) -> _Difference:
    """The same; where the image's EXIF orientation exchanges its sides, and the mask then fits, that is the cause."""
    turn = _number(image, "turn")
    tag = int(turn) if np.isfinite(turn) else 1
    sides = [(_number(image, a), _number(mask, b)) for a, b in (("height", "width"), ("width", "height"))]
    if told.kind != "size" or tag not in LYING or not all(a == b for a, b in sides):
        return told
    return replace(
        told,
        text=f"{told.text}: the EXIF orientation {tag} of the image says that it is to be {TURNS[tag]}, and the mask "
        "fits the turned picture",
        advice="Turn the pixels of the image and remove the tag, or turn the mask back",
    )


def _apart(
    one: Mapping[str, object], other: Mapping[str, object], grids: tuple[Grid, Grid], tolerance: float
) -> _Difference | None:
    """Of an image and a mask (or partner) of one size, both of which say where they lie."""
    sides = (int(_number(one, "width")), int(_number(one, "height")), int(_number(one, "frames")))
    ways = one.get("orientation"), other.get("orientation")
    # the axes of a DICOM series and of a NIfTI file that was made of it run otherwise by right
    dicom = [given.get("format") == "dicom" for given in (one, other)]
    told = parted_as_places(*grids, sides) if dicom[0] != dicom[1] else parted(*grids, sides, tolerance)
    if told is None:
        return None
    kind, text, away = told
    if kind == "direction" and ways[0] != ways[1]:
        kind, text = "orientation", f"{ways[0]} and {ways[1]}"
    if is_default(grids[1]) and not is_default(grids[0]):
        text += "; the mask has the place that programs write which know none"
        return _Difference(kind=kind, text=text, advice="Copy the place of the image into it")
    return _Difference(kind=kind, text=text, level=Severity.ERROR if away >= ELSEWHERE_STEPS else Severity.WARNING)


def _row(shapes: pd.DataFrame, position: int) -> dict[str, object]:
    return {str(name): shapes[name].to_numpy()[position] for name in shapes.columns}


def _number(values: Mapping[str, object], name: str) -> float:
    value = values.get(name)
    return float(value) if isinstance(value, int | float | np.floating) else float("nan")


def pairs_of(dataset: Dataset) -> list[tuple[int, int]]:
    """Positions of images whose paths are equal but for one word for the modality; each with the first of its scene.

    Only when at least half of the files have a partner: then the layout is one of pairs, not a chance.
    """
    scenes: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    paths = dataset.records["path"].tolist()
    for position, path in enumerate(paths):
        if not isinstance(path, str):
            continue
        words = _WORD.findall(path)
        found = [w.lower() for w in words if w.lower() in MODALITIES]
        if found:
            plain = _WORD.sub(lambda m: "*" if m.group().lower() in MODALITIES else m.group(), path)
            scenes[tuple(part for part in re.split(r"[/_.\- ]+", plain) if part not in ("*", ""))].append(
                ("+".join(found), position)
            )
    pairs = []
    for members in scenes.values():
        if len(members) > 1 and len({kind for kind, _ in members}) == len(members):
            pairs += [(members[0][1], position) for _, position in members[1:]]
    together = len({p for pair in pairs for p in pair})
    return pairs if pairs and together >= len(paths) / 2 else []
