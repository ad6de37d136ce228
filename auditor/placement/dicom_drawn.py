"""Segmentations and contours of DICOM, laid onto the images that they name: boxes with outlines, as those of any other form.

A frame of a segmentation is the object of its segment on the image from which it is derived; a closed contour of a structure
set is one of its region on the image that it names. Where neither names an image, the slice in which it lies is taken.
Source: DICOM PS3.3 A.51 (segmentation), A.19 and C.8.8.6 (structure set, ROI contour), C.7.6.2 (image plane).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.containers import outline
from auditor.placement.dicom_documents import WORDS, DrawnFile, DrawnObject, Place
from auditor.placement.listing import Listing, Options
from auditor.placement.records import box_frame, with_outlines
from auditor.placement.unused import UNUSED
from auditor.reading.jobs import Job, in_order, told
from auditor.values.dataset import Problem
from auditor.values.errors import UnreadableFile
from auditor.values.grid import Grid, farthest, grid_of

TOGETHER = 64
ELSEWHERE = 0.25
"""Steps: where one pixel of two planes lies farther apart, they are two (as IN006 has it)."""
OFF_PLANE = 0.55
"""Thicknesses of a slice from its middle: a contour beyond lies in another."""
ABSENT = "are of an image that is not there"
AWAY = "lie elsewhere in the patient than the image that they name"
OF_FRAMES = "are of single frames of an image of many"
NOWHERE = "name no image, and lie in none"


@dataclass(frozen=True, kw_only=True)
class Drawings:
    """Boxes with outlines, or none; what is amiss, and what is told."""

    boxes: pd.DataFrame | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def drawn_on(listing: Listing, options: Options, files: Mapping[str, str], ids: Sequence[str]) -> Drawings:
    """What some files draw on some images.

    Args:
        files: file → its SOP class.
        ids: the images, which are records.
    """
    if not files:
        return Drawings()
    images = _Images(_places(listing, options, ids))
    jobs = [Job(function="auditor.placement.dicom_drawn_file:read_drawn", arguments=(listing.root / name,)) for name in files]
    rows: list[tuple[object, ...]] = []
    packed: list[bytes] = []
    problems: list[Problem] = []
    unread: Counter[str] = Counter()
    unseen: Counter[str] = Counter()
    for name, answer in zip(files, in_order(jobs, options.limits, workers=options.workers, chunk=1), strict=True):
        try:
            said: DrawnFile = answer.value
        except UnreadableFile as error:
            problems.append(Problem(kind=error.kind, path=name, reason=f"what it draws cannot be read: {told(error)}"))
            continue
        amiss: Counter[tuple[str, str]] = Counter({("", words): many for words, many in said.wrong.items()})
        used = len(rows)
        for one in said.objects:
            found = images.laid(one, said.frame_of_reference)
            if isinstance(found, str):
                amiss[found, f"{'contours' if one.contour else 'frames'} that {found}"] += 1
                continue
            record, shape, (x, y, wide, high) = found
            rows.append((record, one.label, x, y, x + wide, y + high, name, 0))
            packed.append(shape)
        # of images that are all elsewhere nobody said that they are here: that is no fault of this dataset
        elsewhere = {OF_FRAMES, NOWHERE} if len(rows) > used else {OF_FRAMES, NOWHERE, ABSENT}
        problems += [
            Problem(kind=UNUSED if why in elsewhere else "malformed", path=name, reason=f"{many:,} {words}: not used")
            for (why, words), many in amiss.items()
        ]
        unread.update(said.unread)
        unseen[WORDS[files[name]]] += len(said.unseen)
    columns = ("record", "label", "x0", "y0", "x1", "y1", "path", "line")
    boxes = box_frame({column: [row[i] for row in rows] for i, column in enumerate(columns)})
    kinds = Counter(WORDS[kind] for kind in files.values())
    notes = [f"{len(boxes):,} objects are drawn by " + ", ".join(f"{many:,} {words}" for words, many in sorted(kinds.items()))]
    notes += [f"{many:,} {words} are not read" for words, many in sorted(unread.items())]
    notes += [f"{many:,} names of {words} are drawn nowhere" for words, many in sorted(unseen.items()) if many]
    return Drawings(boxes=with_outlines(boxes, packed) if len(boxes) else None, problems=tuple(problems), notes=tuple(notes))


def _places(listing: Listing, options: Options, ids: Sequence[str]) -> dict[str, Place]:
    """Where the images lie; those whose header cannot be read are left to the pass, which says so."""
    chunks = [ids[start : start + TOGETHER] for start in range(0, len(ids), TOGETHER)]
    jobs = [
        Job(function="auditor.placement.dicom_drawn_file:places", arguments=([listing.root / name for name in chunk],))
        for chunk in chunks
    ]
    found: dict[str, Place] = {}
    for chunk, answer in zip(chunks, in_order(jobs, options.limits, workers=options.workers, chunk=1), strict=True):
        places: Sequence[Place | None] = [] if isinstance(answer.raised, UnreadableFile) else answer.value
        found |= {name: place for name, place in zip(chunk, places, strict=False) if place is not None}
    return found


class _Images:
    """The images, by instance and by where they lie."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self.places = places
        self.grids: dict[str, Grid | None] = {name: grid_of(place.grid) for name, place in places.items()}
        self.of_instance: dict[str, str] = {}
        self.of_frame: dict[str, list[str]] = defaultdict(list)
        for name, place in places.items():
            self.of_instance.setdefault(place.instance, name)
            if place.frame_of_reference and self.grids[name] is not None:
                self.of_frame[place.frame_of_reference].append(name)

    def laid(self, one: DrawnObject, frame: str) -> tuple[str, bytes, tuple[float, float, float, float]] | str:
        """The record, the outline in its pixels and the box around that; or why there is none."""
        name = self.of_instance.get(one.instance) if one.instance else self._around(one, frame)
        if name is None:
            return ABSENT if one.instance else NOWHERE
        if self.places[name].frames > 1:
            return OF_FRAMES
        grid = self.grids[name]
        if not one.contour:
            own = grid_of(one.grid)
            if own is not None and grid is not None and self._gap(name, own) >= ELSEWHERE:
                return AWAY
            return name, one.packed, one.box
        if grid is None:
            return "are of an image that does not say where it lies"
        corners, depth = _in_pixels(one.contour, grid)
        if depth > OFF_PLANE:
            return AWAY
        packed = outline.polygons([corners])
        box = outline.bounds(packed)
        return (name, packed, box) if box is not None else "have no three corners"

    def _around(self, one: DrawnObject, frame: str) -> str | None:
        """The slice of one frame of reference in which an object lies."""
        own = grid_of(one.grid)
        if not one.contour and own is None:
            return None
        gaps: list[tuple[float, str]] = []
        for name in self.of_frame.get(frame, ()):
            grid = self.grids[name]
            assert grid is not None
            gaps.append((_in_pixels(one.contour, grid)[1] if own is None else self._gap(name, own), name))
        nearest = min(gaps, default=(np.inf, ""))
        return nearest[1] if nearest[0] < (ELSEWHERE if own is not None else OFF_PLANE) else None

    def _gap(self, name: str, own: Grid) -> float:
        """The largest distance of one pixel of a frame from the same of an image, in steps."""
        grid, place = self.grids[name], self.places[name]
        assert grid is not None
        return farthest(grid, own, (max(place.width, 2), max(place.height, 2), 1))


def _in_pixels(contour: bytes, grid: Grid) -> tuple[npt.NDArray[np.float64], float]:
    """Corners in pixels of an image, and how many slices the farthest lies before or behind it."""
    points = np.frombuffer(contour, np.float64).reshape(-1, 3) * [-1, -1, 1]
    steps = np.linalg.solve(grid[:, :3], (points - grid[:, 3]).T).T
    return np.asarray(steps[:, :2] + 0.5, np.float64), float(np.abs(steps[:, 2]).max())
