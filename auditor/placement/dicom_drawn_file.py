"""Reads one DICOM segmentation or structure set, and where images lie; inside bounded workers alone."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from auditor.containers import outline
from auditor.containers.guard import decoding
from auditor.containers.run_lengths import counts_of_array
from auditor.format import open_header, open_pixels, read_source
from auditor.placement.dicom_documents import CONTOURS, SEGMENTATION, DrawnFile, DrawnObject, Place
from auditor.values.errors import UnreadableFile
from auditor.values.grid import grid_text
from auditor.values.image import FileSource, Limits

MOST_OBJECTS = 500_000


def places(limits: Limits, paths: Sequence[Path]) -> list[Place | None]:
    """Where some images lie; None of one whose header cannot be read. Called inside a bounded worker."""
    found: list[Place | None] = []
    for path in paths:
        try:
            header = open_header(read_source(path, limits, mapped=True), limits)
        except UnreadableFile:
            found.append(None)
            continue
        height, width = header.shape[:2] if len(header.shape) >= 2 else (0, 0)
        found.append(
            Place(
                instance=header.roles.get("instance", ""), grid=str(header.facts.get("grid") or ""),
                frame_of_reference=header.roles.get("frame_of_reference", ""), height=height, width=width,
                frames=header.frames,
            )
        )  # fmt: skip
    return found


def read_drawn(limits: Limits, path: Path) -> DrawnFile:
    """Read one file; called inside a bounded worker.

    Raises:
        UnreadableFile: no DICOM, over the limits, or neither a segmentation nor a structure set.
    """
    from pydicom import dcmread  # slow to import, and most sets have no such file
    from pydicom.errors import InvalidDicomError

    source = read_source(path, limits)
    try:
        with decoding("drawing of DICOM", loggers=("pydicom",)):
            # of bytes in memory no more is made room for than there is, whatever length an element declares
            told = dcmread(io.BytesIO(source.content), stop_before_pixels=True, force=True)
            kind = str(told.get("SOPClassUID", ""))
        if kind == SEGMENTATION:
            return _of_segmentation(told, source, limits)
        if kind == CONTOURS:
            return _of_contours(told)
    except (InvalidDicomError, OSError, AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError):
        raise UnreadableFile("malformed", "its sequences are not those of a segmentation or structure set") from None
    raise UnreadableFile("unsupported", "neither a segmentation nor a structure set")


def _of_segmentation(told: Any, source: FileSource, limits: Limits) -> DrawnFile:
    names = {int(one.SegmentNumber): _name_of_segment(one) for one in told.SegmentSequence}
    array = open_pixels(source, open_header(source, limits), limits).array
    if array.ndim != 3:
        raise UnreadableFile("malformed", "its frames have several channels")
    half = float(told.get("MaximumFractionalValue", 255)) / 2 if told.SegmentationType == "FRACTIONAL" else 0
    shared = told.get("SharedFunctionalGroupsSequence")
    groups = told.PerFrameFunctionalGroupsSequence
    wrong: Counter[str] = Counter()
    if len(groups) != len(array):
        raise UnreadableFile("malformed", f"{len(array):,} frames, and the places of {len(groups):,}")
    objects: list[DrawnObject] = []
    drawn: set[int] = set()
    for frame, group in zip(array, groups, strict=True):
        both = (group, *(shared or ()))
        number = int(_item(both, "SegmentIdentificationSequence").ReferencedSegmentNumber)
        if number not in names:
            wrong["frames of a segment that is not declared"] += 1
            continue
        mask = np.asarray(frame > half)
        if not mask.any():
            continue  # writers fill up the slices in which a segment is not
        drawn.add(number)
        packed = outline.runs(
            outline.Runs(left=0, top=0, height=mask.shape[0], width=mask.shape[1], counts=counts_of_array(mask))
        )
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        sizes = float(columns[-1] - columns[0] + 1), float(rows[-1] - rows[0] + 1)
        objects.append(
            DrawnObject(
                label=names[number], instance=_source_of(both), packed=packed, grid=_grid(both),
                box=(float(columns[0]), float(rows[0]), *sizes),
            )
        )  # fmt: skip
    return DrawnFile(
        objects=tuple(objects), wrong=wrong, unseen=tuple(names[one] for one in names if one not in drawn),
        frame_of_reference=str(told.get("FrameOfReferenceUID", "")),
    )  # fmt: skip


def _name_of_segment(segment: Any) -> str:
    said = str(segment.get("SegmentLabel", "")).strip()
    if not said and segment.get("SegmentedPropertyTypeCodeSequence"):
        said = str(segment.SegmentedPropertyTypeCodeSequence[0].get("CodeMeaning", "")).strip()
    return (said or f"segment {int(segment.SegmentNumber)}")[:200]


def _item(groups: Sequence[Any], keyword: str) -> Any:
    """The first item of a functional group, of the frame or else of all frames."""
    for group in groups:
        if group.get(keyword):
            return group[keyword][0]
    raise KeyError(keyword)


def _source_of(groups: Sequence[Any]) -> str:
    """The image that a frame is derived from; empty where it does not say, or says several."""
    try:
        sources = _item(groups, "DerivationImageSequence").get("SourceImageSequence") or ()
    except KeyError:
        return ""
    named = {str(one.get("ReferencedSOPInstanceUID", "")) for one in sources}
    return named.pop() if len(named) == 1 else ""


def _grid(groups: Sequence[Any]) -> str:
    """Where a frame lies; empty where it does not say so whole."""
    try:
        position = _item(groups, "PlanePositionSequence").ImagePositionPatient
        cosines = _item(groups, "PlaneOrientationSequence").ImageOrientationPatient
        measures = _item(groups, "PixelMeasuresSequence")
    except (KeyError, AttributeError):
        return ""
    row, column = np.array(cosines[:3], float), np.array(cosines[3:], float)
    down, across = map(float, measures.PixelSpacing)
    deep = abs(float(measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 1.0)) or 1.0
    steps = np.column_stack([row * across, column * down, np.cross(row, column) * deep, np.array(position, float)])
    return grid_text(steps * np.array([[-1], [-1], [1]]))


def _of_contours(told: Any) -> DrawnFile:
    listed = told.get("StructureSetROISequence") or ()
    names = {
        int(one.ROINumber): (str(one.get("ROIName", "")).strip() or f"region {int(one.ROINumber)}")[:200] for one in listed
    }
    frames = {str(one.get("ReferencedFrameOfReferenceUID", "")) for one in listed} - {""}
    wrong: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    objects: dict[int, list[DrawnObject]] = defaultdict(list)
    for region in told.get("ROIContourSequence") or ():
        number = int(region.ReferencedROINumber)
        for contour in region.get("ContourSequence") or ():
            if number not in names:
                wrong["contours of a region that is not declared"] += 1
            elif contour.get("ContourGeometricType") != "CLOSED_PLANAR":
                unread["points and open contours"] += 1
            elif (points := _points(contour)) is None:
                wrong["contours without three corners of three finite numbers"] += 1
            else:
                named = {str(one.get("ReferencedSOPInstanceUID", "")) for one in contour.get("ContourImageSequence") or ()}
                instance = named.pop() if len(named) == 1 else ""
                objects[number].append(DrawnObject(label=names[number], instance=instance, contour=points.tobytes()))
        if sum(map(len, objects.values())) > MOST_OBJECTS:
            raise UnreadableFile("too-large", f"more than {MOST_OBJECTS:,} contours")
    return DrawnFile(
        objects=tuple(one for own in objects.values() for one in own), wrong=wrong, unread=unread,
        unseen=tuple(names[one] for one in names if one not in objects),
        frame_of_reference=frames.pop() if len(frames) == 1 else "",
    )  # fmt: skip


def _points(contour: Any) -> np.ndarray | None:
    data = contour.get("ContourData")
    points = np.array([float(value) for value in data], np.float64) if data else np.empty(0)
    return points if len(points) >= 9 and len(points) % 3 == 0 and np.isfinite(points).all() else None
