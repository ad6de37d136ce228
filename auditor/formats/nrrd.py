"""NRRD, attached and detached (teem, "Definition of NRRD File Format", versions 1 to 5).

Header and pixels are read here, bounded: encodings raw, gzip, bzip2, hex and text, both byte orders, line and byte skips, one
data file or several. The axes in space (x, y, z) become frames (z, y, x); an axis of colours becomes channels; every other
axis (directions of a diffusion scan, times) lies within a slice's place, as in NIfTI. Stored values; `old min` is not applied.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from auditor.containers.guard import decoding
from auditor.containers.nrrd_header import (
    MAGIC,
    SPACES,
    grid_of,
    header_lines,
    kinds_of,
    orientation_of,
    read_nrrd_header,
    spacings_of,
    vector,
)
from auditor.containers.samples import container_fields
from auditor.values.fields import words
from auditor.values.image import FieldValue, FileSource, Format, Header, Limits, Pixels
from auditor.values.person_columns import column_kind

FORMATS = {"nrrd": Format(words="NRRD", suffixes=("nrrd", "nhdr"))}
PRIORITY = 50


def sniff(head: bytes) -> str | None:
    """The format, from the first bytes."""
    return "nrrd" if MAGIC.match(head) else None


def open_header(source: FileSource, limits: Limits) -> Header:
    """What the header says.

    Raises:
        UnreadableFile: damaged, no image, a data file that is not there, or it declares more than the limits allow.
    """
    nrrd = read_nrrd_header(source, limits)
    given, samples = nrrd.fields, nrrd.samples
    order = "big" if given.get("endian", "").lower() == "big" else "little"
    channels = 1 if nrrd.colour is None else nrrd.sizes[nrrd.colour]
    fields = container_fields("nrrd", samples, nrrd.shape, channels=channels, byte_order=order) | {
        "nrrd.version": int(source.content[7:8]),
        "nrrd.encoding": samples.encoding,
        "nrrd.axes": len(nrrd.sizes),
        "nrrd.space": given.get("space", "").lower() if given.get("space", "").lower() in SPACES else None,
        "nrrd.kinds": "+".join(kinds_of(given)) or None,
        "nrrd.content": "yes" if given.get("content") else "no",
    }
    spacings = spacings_of(nrrd)
    origin = vector(given.get("space origin", ""))
    for number, axis in enumerate(nrrd.space[:3], 1):
        fields[f"nrrd.size{number}"] = nrrd.sizes[axis]
        fields[f"nrrd.spacing{number}"] = spacings[axis]
        fields[f"nrrd.origin{number}"] = origin[number - 1] if len(origin) >= number else None
    orientation, grid = orientation_of(nrrd), grid_of(nrrd)
    facts: dict[str, FieldValue] = {"placed": "yes" if grid else "no"} if len(nrrd.space) == 3 else {}
    if orientation:
        facts["orientation"] = orientation
    if grid:
        facts["grid"] = grid
    for name, axis in zip(("spacing_column", "spacing_row", "slice_spacing"), nrrd.space, strict=False):
        spacing = spacings[axis]
        if spacing is not None:
            facts[name] = spacing
    facts |= samples.facts(source)
    return Header(
        format="nrrd", shape=nrrd.shape, frames=nrrd.frames, fields=fields, facts=facts, beside=samples.beside(source)
    )


def open_pixels(source: FileSource, header: Header, limits: Limits) -> Pixels:
    """Decode all frames, in native byte order.

    Raises:
        UnreadableFile: truncated, damaged, over the limits, or a data file is not there.
    """
    nrrd = read_nrrd_header(source, limits)
    flat = nrrd.samples.read(source, limits)
    with decoding("NRRD image"):
        array = flat.reshape(nrrd.sizes[::-1])
        order = [*nrrd.space[2:], *nrrd.other[::-1], *nrrd.space[1::-1], *(() if nrrd.colour is None else (nrrd.colour,))]
        array = array.transpose([len(nrrd.sizes) - 1 - axis for axis in order])
        array = np.ascontiguousarray(array.reshape(header.frames, *header.shape), nrrd.samples.dtype.newbyteorder("="))
    return Pixels(array=array)


def texts(source: FileSource, limits: Limits) -> Iterator[tuple[str, str, bool]]:
    """Free texts of the header: what they are called, the text, and whether its presence alone tells of a person."""
    head = header_lines(source.content, limits)[0]
    for line in head:
        key, mark, text = line.partition(":=")
        if line.startswith("#"):
            yield "NRRD comment", line[1:].strip(), False
        elif mark:
            yield "NRRD key", text.strip(), bool(text.strip()) and column_kind(words(key)) is not None
        elif line.lower().startswith("content:"):
            yield "NRRD content", line[8:].strip(), False
