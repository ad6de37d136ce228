"""One image file as plain values: its bounds, its content, what its header says, its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from auditor.values.errors import UnreadableFile

FieldValue = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class Format:
    """What is known of an image format without a file of it.

    Args:
        words: how people call it.
        suffixes: a file so called is taken for one of this format; lower case, without the dot, the usual one first.
        shared: it goes by these names too, but so do other files: the content is asked first. `""` is no suffix at all.
        holds: `image`: a file is one image or one stack of frames; `arrays`: it may hold many images, and other things.
        is_read: False where the format is known only to be told by name.
        becomes: what to convert it to where it is not read.
        stands_for_others: of one that is not read: its content is a small picture (JPEG, TIFF) of what lies in other files, so
            that the suffix goes before the content.
        general: it holds anything (weights of a network, tables), so that content alone makes no record of it.
    """

    words: str
    suffixes: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    holds: Literal["image", "arrays"] = "image"
    is_read: bool = True
    becomes: str = ""
    stands_for_others: bool = False
    general: bool = False

    def refusal(self) -> UnreadableFile:
        """What is said of a file of this format where it is not read."""
        return UnreadableFile("unsupported", f"the {self.words} format is not read: {self.becomes}")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on what one file may cost. The header states the size first, so they are checked before decoding.

    `seconds` are of processor time, so that a busy machine refuses nothing that an idle one reads; `wall_seconds` are of the
    clock, and end what waits without working. Where processor time cannot be bounded (Windows), `seconds` are of the clock.
    Files that took too long may together cost `lost_seconds`; each one after them gets a second, and for as long again.
    `memory_bytes` is the private memory of the process that reads.
    A table may hold `table_bytes` of text in `table_rows` and `table_columns`, each cell `cell_bytes`, and cost
    `table_seconds`, as may a file of predictions or of answers. A document that describes others (an annotation in XML, a
    description in JSON, a list of names) may have `document_bytes`. A dataset may have `kinds` different classes, and readers.
    """

    file_bytes: int = 2 << 30
    decoded_bytes: int = 512 << 20
    inflated_bytes: int = 256 << 20
    header_bytes: int = 64 << 20
    memory_bytes: int = 1 << 30
    pixels: int = 400_000_000
    frames: int = 100_000
    nesting: int = 32
    elements: int = 100_000
    seconds: float = 60.0
    wall_seconds: float = 600.0
    lost_seconds: float = 300.0
    table_bytes: int = 512 << 20
    table_rows: int = 20_000_000
    table_columns: int = 5_000
    cell_bytes: int = 1 << 20
    table_seconds: float = 30.0
    document_bytes: int = 16 << 20
    kinds: int = 2_000


@dataclass(frozen=True, kw_only=True)
class FileSource:
    """One file, read once.

    Args:
        path: where it lies.
        content: all of it, bounded by `Limits.file_bytes`.
        root: what a file beside it, that it names, must not leave; None is its own folder.
    """

    path: Path
    content: bytes
    root: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the container says, without decoding.

    Args:
        format: told from the content (`png`, `jpeg`, `tiff`, `dicom`, `nifti`, `npz`, ...).
        shape: one frame: (height, width) or (height, width, channels); empty when there are no pixels.
        frames: number of frames, pages or slices.
        fields: header fields, prefixed (`container.bit_depth`, `dicom.KVP`, `nifti.pixdim1`), identifying values hashed.
        roles: values for record roles: `patient`, `study`, `series`, `instance`, `frame_of_reference`, `time`, `site`, and
            `text`, the words of its free texts; plain text, never shown.
        facts: what the integrity checks ask, and no field that could be associated with a label: `pixel_bytes`,
            `pixel_bytes_expected`, `slice_position`, `slice_spacing`, `orientation`, `spacing_row`, `spacing_column` ...
        beside: other files that hold the pixels, relative to `FileSource.root`: they are part of the image's content.
    """

    format: str
    shape: tuple[int, ...]
    frames: int = 1
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, FieldValue] = field(default_factory=dict)
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """Decoded pixels in the stored depth.

    Args:
        array: shape (frames, height, width) or (frames, height, width, channels); dtype as stored, native byte order; single
            bits are boolean in DICOM and npy, and 0 and 255 in raster files and TIFF, as Pillow shows them.
        inverted: True when high values are dark (MONOCHROME1, WhiteIsZero).
        slope, intercept: rescale to physical units (1, 0 when none).
        overflow: share of the stored samples with bits beyond Bits Stored that are neither a sign nor an overlay (DICOM).
    """

    array: npt.NDArray[np.generic]
    inverted: bool = False
    overflow: float = 0.0
    slope: float = 1.0
    intercept: float = 0.0


def check_declared(shape: tuple[int, ...], frames: int, itemsize: int, limits: Limits) -> None:
    """Refuse a header that declares more than the limits allow, before a byte is decoded.

    Raises:
        UnreadableFile: kind `too-large`.
    """
    count = frames
    for side in shape:
        count *= side
    if frames > limits.frames:
        reason = f"the header declares {frames:,} frames, more than the limit of {limits.frames:,} ([limits] frames)"
        raise UnreadableFile("too-large", reason, declared_bytes=count * itemsize)
    if count > limits.pixels or count * itemsize > limits.decoded_bytes:
        reason = (
            f"the header declares {count * itemsize / 2**20:,.0f} MiB of pixels, more than the limit of "
            f"{limits.decoded_bytes / 2**20:,.0f} MiB ([limits] decoded-bytes)"
            if count * itemsize > limits.decoded_bytes
            else f"the header declares {count:,} samples, more than the limit of {limits.pixels:,} ([limits] pixels)"
        )
        raise UnreadableFile("too-large", reason, declared_bytes=count * itemsize)
