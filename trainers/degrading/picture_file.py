"""One picture in another depth, or a near-copy of it, in its own form. Runs in the bounded workers by name."""

from __future__ import annotations

from pathlib import Path

from auditor.degrade.copies import near_copy
from auditor.degrade.encode import Picture, encode, to_depth
from auditor.format import open_header, open_pixels, read_source
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits
from trainers.copying.place import put

DEEP, SHALLOW = ("png", "tiff"), ("jpeg", "bmp")


def deepen(limits: Limits, path: Path, goal: Path, bits: int) -> bool:
    """Write a picture to `goal` with so many bits; False, and nothing is written, where it has them already.

    Raises:
        UnreadableFile: it is damaged, or of a form that is not written.
    """
    kind, picture = _picture(limits, path)
    if kind not in DEEP:
        raise UnreadableFile("unsupported", f"pictures in {kind} have no other depth; PNG and TIFF have 8 or 16 bits")
    if 8 * picture.dtype.itemsize == bits:
        return False
    put(goal, encode(to_depth(picture, bits), f"{kind}{bits}"))
    return True


def copy_nearly(limits: Limits, path: Path, goal: Path, way: str, seed: int) -> None:
    """Write a near-copy of a picture to `goal` (`auditor.degrade.copies.NEAR_COPIES`).

    Raises:
        UnreadableFile: it is damaged, or of a form that is not written.
    """
    kind, picture = _picture(limits, path)
    bits = "" if kind in SHALLOW else str(8 * picture.dtype.itemsize)
    put(goal, encode(near_copy(picture, way, seed=seed), f"{kind}{bits}"))


def _picture(limits: Limits, path: Path) -> tuple[str, Picture]:
    """The form and the pixels, (height, width) or (height, width, 3), uint8 or uint16."""
    source = read_source(path, limits)
    header = open_header(source, limits)
    if header.format not in (*DEEP, *SHALLOW) or header.frames != 1:
        raise UnreadableFile("unsupported", f"pictures in {header.format} are not written; PNG, TIFF, JPEG and BMP are")
    pixels = open_pixels(source, header, limits)
    picture = pixels.array[0]
    if picture.dtype not in ("uint8", "uint16") or (picture.ndim == 3 and picture.shape[2] != 3) or pixels.inverted:
        raise UnreadableFile("unsupported", "pictures of other samples than 8 or 16 bits in grey or RGB are not written")
    return header.format, picture
