"""One mask: which objects it holds, and the same mask worse, in its own form. Runs in the bounded workers by name."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from auditor.containers.guard import decoding
from auditor.degrade import drawings
from auditor.degrade.drawings import Change, Mask
from auditor.format import open_header, read_source
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits
from trainers.copying.place import put
from trainers.degrading.harm import Look, Work

WRITTEN = ("png", "bmp", "tiff")
MODES = ("1", "L", "P", "I", "I;16")


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A mask as its file holds it: numbers per pixel, and what its form needs beside them."""

    values: Mask
    kind: str
    mode: str = ""
    palette: Any = None


def look(limits: Limits, path: Path) -> Look:
    """Count the objects.

    Raises:
        UnreadableFile: it is damaged, or of a form that is not written.
    """
    mask = _stored(limits, path).values
    by_value = drawings.objects_of(mask, numbered=True)
    return Look(
        numbered=len(by_value),
        parts=sum(len(one.parts) for one in by_value),
        whole=sum(len(one.parts) == 1 for one in by_value),
    )


def worsen(limits: Limits, path: Path, goal: Path, work: Work) -> tuple[list[Change], float]:
    """Write the mask to `goal`, worse; what was done, without the pixels, and its F1 against the mask as it was.

    Raises:
        UnreadableFile: it is damaged, or of a form that is not written.
    """
    stored = _stored(limits, path)
    mask, changes = stored.values, []
    for kind in ("gone", "deform", "simplify", "boxes"):
        objects = drawings.objects_of(mask, numbered=work.numbered)
        mask, done = _step(kind, mask, objects, work)
        changes += [_slim(change) for change in done]
    put(goal, _encoded(stored, mask))
    return changes, drawings.overlap(stored.values, mask)


def _slim(change: Change) -> Change:
    """Without its pixels: where it lay is all that is told."""
    parts = tuple((box, np.empty((0, 0), np.bool_)) for box, _ in change.drawn.parts)
    return replace(change, drawn=replace(change.drawn, parts=parts))


def _step(kind: str, mask: Mask, objects: list[drawings.Drawn], work: Work) -> tuple[Mask, list[Change]]:
    if kind == "gone" and work.gone:
        return drawings.without(mask, objects, frozenset(_known(work.gone, len(objects))))
    if kind == "deform" and work.deform is not None:
        return drawings.deformed(mask, objects, work.deform, seed=work.seed)
    if kind == "simplify" and work.simplify is not None:
        return drawings.simplified(mask, objects, work.simplify)
    if kind == "boxes" and work.boxes:
        return drawings.boxed(mask, objects)
    return mask, []


def _known(gone: Collection[int], count: int) -> list[int]:
    if max(gone) >= count:
        raise UnreadableFile("malformed", "it holds other objects than a moment ago; was it changed meanwhile?")
    return sorted(gone)


def _stored(limits: Limits, path: Path) -> Stored:
    source = read_source(path, limits)
    header = open_header(source, limits)
    if header.frames != 1:
        raise UnreadableFile("unsupported", "masks of several frames are not written; those of one are")
    if header.format not in WRITTEN:
        raise UnreadableFile(
            "unsupported", f"masks of {header.frames} frames in {header.format} are not written; PNG, BMP, TIFF"
        )
    with decoding("mask"):
        if header.format == "tiff":
            values = tifffile.imread(io.BytesIO(source.content))
            return Stored(values=_plain(values), kind="tiff")
        with Image.open(io.BytesIO(source.content), formats=("PNG", "BMP")) as image:
            image.load()
            palette = image.getpalette() if image.mode == "P" else None
            values, mode = np.asarray(image), image.mode
    plain = _plain(values)
    if mode not in MODES and plain.dtype != np.uint8:
        raise UnreadableFile("unsupported", "a mask in colours is not written; save it as one number per pixel")
    return Stored(values=plain, kind=header.format, mode=mode, palette=palette)


def _plain(values: npt.NDArray[Any]) -> Mask:
    """(height, width) of whole numbers."""
    if values.ndim == 3 and values.shape[2] in (3, 4) and all(np.array_equal(values[..., 0], values[..., c]) for c in (1, 2)):
        values = values[..., 0]
    if values.ndim != 2 or values.dtype.kind not in "uib":
        raise UnreadableFile("unsupported", "a mask that has not one whole number per pixel is not written; save it as such")
    return values.astype(np.uint8) if values.dtype == np.bool_ else values


def _encoded(stored: Stored, mask: Mask) -> bytes:
    stream = io.BytesIO()
    if stored.kind == "tiff":
        tifffile.imwrite(stream, mask, photometric="minisblack", compression="zlib", metadata=None, software=False)
        return stream.getvalue()
    if stored.mode == "1":
        image = Image.fromarray(mask.astype(np.uint8) * 255).convert("1")
    elif stored.mode in MODES:
        image = Image.fromarray(mask)
        if stored.palette is not None:
            image.putpalette(stored.palette)
    else:
        image = Image.fromarray(mask)  # three equal channels are one
    image.save(stream, stored.kind.upper())
    return stream.getvalue()
