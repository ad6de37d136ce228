"""How a DICOM file describes its pixels: the image pixel module, group 0028."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from auditor.containers.dicom_fields import number, palette, text
from auditor.containers.dicom_header import DOUBLE_PIXELS, FLOAT_PIXELS, PIXELS, Elements
from auditor.values.errors import UnreadableFile


@dataclass(frozen=True, kw_only=True)
class Described:
    """How the pixels are described by group 0028; `colours` is the palette, where there is one that can be applied."""

    rows: int
    columns: int
    samples: int
    frames: int
    allocated: int
    stored: int
    signed: bool
    planar: int
    photometric: str
    tag: int
    colours: tuple[tuple[int, int, int], tuple[bytes, bytes, bytes]] | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one decoded frame."""
        channels = 3 if self.colours is not None else self.samples
        return (self.rows, self.columns) if channels == 1 else (self.rows, self.columns, channels)

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Shape of one frame before a palette is applied."""
        return (self.rows, self.columns) if self.samples == 1 else (self.rows, self.columns, self.samples)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of one stored sample, native byte order."""
        if self.tag != PIXELS:
            return np.dtype("f4" if self.tag == FLOAT_PIXELS else "f8")
        if self.allocated == 1:
            return np.dtype("u1")
        return np.dtype(("i" if self.signed else "u") + str(self.allocated // 8))


def uid_name(uid: str) -> str:
    """The standard's name of a UID; empty for one that it does not define (whose text is the file's own)."""
    from pydicom.uid import UID  # slow to import, and most files are no DICOM

    name = UID(uid, validation_mode=0).name
    return "" if name == uid else str(name)


def describe(elements: Elements) -> Described:
    """The image pixel module.

    Raises:
        UnreadableFile: an attribute is missing or impossible.
    """
    assert elements.pixels is not None
    rows, columns = number(elements, 0x00280010), number(elements, 0x00280011)
    samples, frames = number(elements, 0x00280002), number(elements, 0x00280008)
    default = {FLOAT_PIXELS: 32, DOUBLE_PIXELS: 64}.get(elements.pixels.tag)
    allocated = default or number(elements, 0x00280100)
    stored = default or number(elements, 0x00280101)
    planar = number(elements, 0x00280006)
    photometric = text(elements, 0x00280004)
    if not rows or not columns or rows < 0 or columns < 0:
        raise UnreadableFile("malformed", "the DICOM file has pixels but does not say how many rows and columns")
    if allocated not in (1, 8, 16, 32, 64):
        said = "nothing" if allocated is None else f"{allocated} bits"
        raise UnreadableFile("unsupported", f"DICOM pixels of {said} allocated per sample are not read")
    samples = 1 if samples is None else int(samples)
    if samples not in (1, 3, 4):
        raise UnreadableFile("malformed", f"the DICOM file declares {samples} samples per pixel")
    stored = allocated if stored is None or not 1 <= stored <= allocated else stored
    palettes = palette(elements) if photometric == "PALETTE COLOR" and samples == 1 and allocated in (8, 16) else None
    return Described(
        rows=int(rows),
        columns=int(columns),
        samples=samples,
        frames=max(int(frames or 1), 1),
        allocated=int(allocated),
        stored=int(stored),
        signed=number(elements, 0x00280103) == 1,
        planar=int(planar or 0),
        photometric=photometric,
        tag=elements.pixels.tag,
        colours=palettes,
    )
