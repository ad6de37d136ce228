"""What a DICOM file says about its own pixels and place: for the integrity checks, never a metadata field.

Source: DICOM PS3.3 C.7.6.3 (image pixel), C.7.6.2 (image plane), C.9.2 (overlays; embedded ones retired in 2004).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from auditor.containers.dicom_fields import number
from auditor.containers.dicom_header import DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, PIXELS, UNDEFINED, Elements
from auditor.containers.dicom_image import Described
from auditor.values.grid import grid_text
from auditor.values.image import FieldValue

_NATIVE = frozenset({IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE})
_POSITION, _ORIENTATION, _INSTANCE_NUMBER = 0x00200032, 0x00200037, 0x00200013
_OVERLAY_ALLOCATED = tuple(0x60000100 + (group << 16) for group in range(0, 0x20, 2))
_OVERLAY_POSITION = tuple(0x60000102 + (group << 16) for group in range(0, 0x20, 2))
_BETWEEN, _THICKNESS = 0x00180088, 0x00180050
_INTERCEPT, _SLOPE = 0x00281052, 0x00281053
FACT_TAGS = frozenset(
    (
        _INTERCEPT,
        _SLOPE,
        _POSITION,
        _ORIENTATION,
        _INSTANCE_NUMBER,
        _BETWEEN,
        _THICKNESS,
        *_OVERLAY_ALLOCATED,
        *_OVERLAY_POSITION,
    )
)
"""Elements that the walk must keep beside those of the fields."""

_TOWARDS = (("L", "R"), ("P", "A"), ("H", "F"))
"""DICOM's patient axes: x grows to the left, y to the back, z to the head (PS3.3 C.7.6.2.1.1)."""


def dicom_facts(elements: Elements, described: Described | None) -> dict[str, FieldValue]:
    """Facts of one file; what it does not say is absent.

    `orientation` is where the rows and the columns run to (`LP` for an axial slice), `cosines` the same exactly,
    `slice_position` the distance along the normal of the slice, millimetres, `plane_row` and `plane_column` where its first
    pixel lies along its rows and columns; `grid` all of this in one (`auditor.values.grid`); `placed` whether a single slice
    says where it lies; `slope` and `intercept` where there are such, `scaling_fault` what is wrong with them; `frame_spacing`
    how far the frames of one object lie apart.
    """
    facts: dict[str, FieldValue] = {}
    for name, tag in (("bits_allocated", 0x00280100), ("bits_stored", 0x00280101), ("high_bit", 0x00280102)):
        if (value := number(elements, tag)) is not None:
            facts[name] = value
    if (value := number(elements, _INSTANCE_NUMBER)) is not None:
        facts["instance_number"] = value
    for name, index in (("spacing_row", 0), ("spacing_column", 1)):
        if (value := number(elements, 0x00280030, index)) is not None:
            facts[name] = value
    facts |= _place(elements) | _scaling(elements)
    if described is not None and described.frames == 1:
        facts |= {"placed": "yes", "grid": grid} if (grid := _grid(elements)) else {"placed": "no"}
    between = number(elements, _BETWEEN) or number(elements, _THICKNESS)
    if described is not None and described.frames > 1 and between:
        facts["frame_spacing"] = abs(between)
    if described is not None and elements.pixels is not None and elements.pixels.length != UNDEFINED:
        facts |= _lengths(elements, described)
    return facts


def _place(elements: Elements) -> dict[str, FieldValue]:
    if _ORIENTATION not in elements.found and _ORIENTATION not in elements.shared:
        return {}
    cosines = [number(elements, _ORIENTATION, i) for i in range(6)]
    if any(value is None for value in cosines):
        return {}
    row, column = np.array(cosines[:3], float), np.array(cosines[3:], float)
    facts: dict[str, FieldValue] = {
        "orientation": _direction(row) + _direction(column),
        "cosines": " ".join(f"{value + 0.0:.2f}" for value in np.round([*row, *column], 2)),
    }
    position = [number(elements, _POSITION, i) for i in range(3)]
    if not any(value is None for value in position):
        place = np.array(position, float)
        for name, way in (("slice_position", np.cross(row, column)), ("plane_row", row), ("plane_column", column)):
            facts[name] = round(float(way @ place), 4)
    return facts


def _grid(elements: Elements) -> str:
    """Where the pixels of one slice lie (`auditor.values.grid`); empty where the file does not say it."""
    if _ORIENTATION not in elements.found and _ORIENTATION not in elements.shared:
        return ""
    cosines = [number(elements, _ORIENTATION, i) for i in range(6)]
    position = [number(elements, _POSITION, i) for i in range(3)]
    spacing = [number(elements, 0x00280030, i) for i in range(2)]
    if any(value is None for value in (*cosines, *position, *spacing)):
        return ""
    row, column = np.array(cosines[:3], float), np.array(cosines[3:], float)
    deep = number(elements, _BETWEEN) or number(elements, _THICKNESS) or 1.0
    down, across = (float(value) for value in spacing if value is not None)
    steps = np.column_stack([row * across, column * down, np.cross(row, column) * abs(deep), np.array(position, float)])
    return grid_text(steps * np.array([[-1], [-1], [1]]))


def rescale(elements: Elements) -> tuple[float, float]:
    """Rescale Slope and Intercept; 1 and 0 where the file has none that can be applied."""
    slope, intercept = number(elements, _SLOPE), number(elements, _INTERCEPT)
    return float(slope) if slope else 1.0, float(intercept) if intercept is not None else 0.0


def _scaling(elements: Elements) -> dict[str, FieldValue]:
    """What readers make of the stored values, where they make something else of them; and a scaling that cannot be meant."""
    for name, tag in (("Rescale Slope", _SLOPE), ("Rescale Intercept", _INTERCEPT)):
        element = elements.found.get(tag) or elements.shared.get(tag)
        if element is not None and element.value.strip(b"\0 ") and number(elements, tag) is None:
            return {"scaling_fault": f"{name} is infinite or no number"}
    if number(elements, _SLOPE) == 0:
        return {"scaling_fault": "Rescale Slope is 0"}
    slope, intercept = rescale(elements)
    return {"slope": slope, "intercept": intercept} if (slope, intercept) != (1.0, 0.0) else {}


def _direction(vector: npt.NDArray[np.float64]) -> str:
    axis = int(np.abs(vector).argmax())
    return _TOWARDS[axis][0 if vector[axis] > 0 else 1]


def _lengths(elements: Elements, described: Described) -> dict[str, FieldValue]:
    """Bytes that are there and bytes that rows, columns, samples, frames and bits ask for; one pad byte is by the rule."""
    assert elements.pixels is not None
    if elements.transfer_syntax not in _NATIVE:
        return {}
    samples = described.rows * described.columns * described.samples * described.frames
    expected = -(-samples * described.allocated // 8)
    if described.photometric == "YBR_FULL_422" and described.samples == 3 and elements.pixels.length < expected:
        expected = expected // 3 * 2
    return {"pixel_bytes": elements.pixels.length, "pixel_bytes_expected": expected + expected % 2}


def overlay_bits(elements: Elements) -> int:
    """The bits of a stored sample that hold embedded overlays, as a mask; 0 where there are none."""
    bits = 0
    for allocated, position in zip(_OVERLAY_ALLOCATED, _OVERLAY_POSITION, strict=True):
        place = number(elements, position)
        # An overlay of its own (60xx,3000) has one bit allocated at position 0.
        if place is not None and 0 < place < 64 and (number(elements, allocated) or 0) > 1:
            bits |= 1 << int(place)
    return bits


def overflow_fraction(array: npt.NDArray[np.generic], described: Described, overlays: int) -> float:
    """Share of the stored samples with bits beyond Bits Stored that are neither a sign nor an overlay.

    Unsigned samples overflow from 2^BitsStored on. Signed ones may carry their sign on (as pydicom and dcmtk write them) or
    leave the bits beyond at zero; both are read the same. Pixels kept in high bits (High Bit ≠ Bits Stored − 1) are another
    layout, and IN010's.
    """
    width = 8 * array.dtype.itemsize
    if described.tag != PIXELS or described.allocated == 1 or described.stored >= width or array.dtype.kind not in "iu":
        return 0.0
    beyond = (1 << width) - (1 << described.stored)
    raw = array.view(np.dtype(f"u{array.dtype.itemsize}"))
    kind = raw.dtype.type
    extra = raw & kind(beyond & ~overlays)
    wrong = extra != 0
    if described.signed:
        negative = (raw & kind(1 << (described.stored - 1))) != 0
        wrong &= ~(negative & (extra == kind(beyond & ~overlays)))
    return float(wrong.mean())


def has_high_pixels(elements: Elements, described: Described) -> bool:
    """True when the samples lie in other bits than 0 … BitsStored − 1."""
    high = number(elements, 0x00280102)
    return high is not None and high != described.stored - 1
