"""What a reader is: content → format → header → pixels in the stored depth. One module per format in `auditor.formats`.

A reader module has four names:

* `FORMATS: frozenset[str]`: the formats it reads (`png`, `dicom`, ...);
* `sniff(head: bytes) -> str | None`: the format, told from the first `SNIFF_BYTES` bytes alone; never from the suffix;
* `open_header(source: FileSource, limits: Limits) -> Header`, cheap, decodes no pixel; shape () where there are no pixels;
* `open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels`.

All raise `UnreadableFile`, and nothing else, for whatever is in the file.
"""

from __future__ import annotations

import importlib
import pkgutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt

from auditor.values.errors import UnreadableFile

SNIFF_BYTES = 4096
FieldValue = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on what one file may cost. The header states the size first, so they are checked before decoding.

    `seconds` are of processor time, so that a busy machine refuses nothing that an idle one reads; `wall_seconds` are of the
    clock, and end what waits without working. Where processor time cannot be bounded (Windows), `seconds` are of the clock.
    """

    file_bytes: int = 2 << 30
    decoded_bytes: int = 512 << 20
    inflated_bytes: int = 256 << 20
    header_bytes: int = 64 << 20
    pixels: int = 400_000_000
    frames: int = 20_000
    nesting: int = 32
    elements: int = 100_000
    seconds: float = 60.0
    wall_seconds: float = 600.0


@dataclass(frozen=True, kw_only=True)
class FileSource:
    """One file, read once: its path and its whole content (bounded by `Limits.file_bytes`)."""

    path: Path
    content: bytes


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
    """

    format: str
    shape: tuple[int, ...]
    frames: int = 1
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, FieldValue] = field(default_factory=dict)


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


@cache
def readers() -> tuple[ModuleType, ...]:
    """All reader modules."""
    import auditor.formats as package

    return tuple(importlib.import_module(f"auditor.formats.{m.name}") for m in pkgutil.iter_modules(package.__path__))


def format_of(head: bytes) -> str | None:
    """The image format of a file that starts with `head`, or None."""
    found = reader_of(head)
    return None if found is None else found[1]


def reader_of(head: bytes) -> tuple[ModuleType, str] | None:
    """The reader and the format for a file that starts with `head`, or None."""
    for module in readers():
        name: str | None = module.sniff(head)
        if name is not None:
            return module, name
    return None


def read_source(path: Path, limits: Limits) -> FileSource:
    """Read a file whole.

    Raises:
        UnreadableFile: empty, larger than `limits.file_bytes`, not a regular file, no permission.
    """
    try:
        status = path.stat()
        # asked before opening: a pipe would block
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile("refused", "not a regular file (folder, device, pipe or socket)")
        with path.open("rb") as file:
            # one byte more than it had, so that a file that grew meanwhile is noticed; never the limit itself, because
            # read() reserves what it is asked for
            content = file.read(status.st_size + 1) if status.st_size <= limits.file_bytes else b""
    except OSError as error:
        raise UnreadableFile("refused", f"the file cannot be opened ({error.strerror})") from None
    except MemoryError:
        raise UnreadableFile("memory", f"the file has {status.st_size:,} bytes, more than fit into memory") from None
    size = max(status.st_size, len(content))
    if size > limits.file_bytes:
        raise UnreadableFile("too-large", f"the file has {size:,} bytes, more than the limit of {limits.file_bytes:,}")
    if not content:
        raise UnreadableFile("empty", "the file is empty (0 bytes)")
    return FileSource(path=path, content=content)


def open_header(source: FileSource, limits: Limits) -> Header:
    """Header of a file of any known format.

    Raises:
        UnreadableFile: no known image format, or a malformed header, or one that declares more than `limits` allow.
    """
    found = reader_of(source.content[:SNIFF_BYTES])
    if found is None:
        raise UnreadableFile("not-an-image", "the content is of no known image format")
    header: Header = found[0].open_header(source, limits)
    return header


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:
    """Pixels of a file whose header was read.

    Raises:
        UnreadableFile: truncated, malformed, over the limits, or a codec is missing.
    """
    found = reader_of(source.content[:SNIFF_BYTES])
    if found is None:
        raise UnreadableFile("not-an-image", "the content is of no known image format")
    pixels: Pixels = found[0].open_pixels(source, header, limits)
    return pixels


def check_declared(shape: tuple[int, ...], frames: int, itemsize: int, limits: Limits) -> None:
    """Refuse a header that declares more than the limits allow, before a byte is decoded.

    Raises:
        UnreadableFile: kind `too-large`.
    """
    count = frames
    for side in shape:
        count *= side
    if frames > limits.frames:
        raise UnreadableFile("too-large", f"the header declares {frames:,} frames, more than the limit of {limits.frames:,}")
    if count > limits.pixels or count * itemsize > limits.decoded_bytes:
        raise UnreadableFile(
            "too-large",
            f"the header declares {count * itemsize / 2**20:,.0f} MiB of pixels, more than the limit of "
            f"{limits.decoded_bytes / 2**20:,.0f} MiB",
        )
