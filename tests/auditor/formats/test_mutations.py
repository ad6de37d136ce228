"""Damaged files of every format: whatever is in a file, only `UnreadableFile` leaves a reader."""

from __future__ import annotations

import gzip
import io
import random
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import imagecodecs
import nibabel
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image

from auditor.format import open_header, open_pixels
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Limits

LIMITS = Limits(decoded_bytes=32 << 20, inflated_bytes=16 << 20, header_bytes=4 << 20, pixels=32 << 20)
KINDS = {
    "empty",
    "truncated",
    "malformed",
    "not-an-image",
    "too-large",
    "unsupported",
    "missing-codec",
    "memory",
    "no-pixels",
    "refused",
}
DICOM = (
    "CT_small.dcm", "MR_small_RLE.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "MR_small_jp2klossless.dcm",
    "JPGExtended.dcm", "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_rle_16bit_2frame.dcm", "image_dfl.dcm", "rtdose_1frame.dcm",
    "SC_rgb_small_odd_big_endian.dcm", "JPEGLSNearLossless_08.dcm", "priv_SQ.dcm", "reportsi.dcm", "badVR.dcm",
)  # fmt: skip


def pillow(array: Any, name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, name, **options)
    return buffer.getvalue()


def tiff(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


@cache
def originals() -> tuple[bytes, ...]:
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 255, (24, 20, 3), dtype=np.uint8)
    grey, deep = colour[..., 0], rng.integers(0, 65535, (24, 20, 3), dtype=np.uint16)
    more = {"save_all": True, "append_images": [Image.fromarray(colour[::-1])]}
    volume = nibabel.Nifti1Image(rng.integers(0, 99, (6, 5, 4, 3)).astype(np.int16), np.eye(4)).to_bytes()
    arrays, one = io.BytesIO(), io.BytesIO()
    np.savez_compressed(arrays, a=colour)
    np.save(one, grey)
    folder = Path(pydicom.__file__).parent / "data/test_files"
    return (
        pillow(colour, "PNG"), pillow(grey > 99, "PNG"), imagecodecs.png_encode(deep), pillow(colour, "JPEG", progressive=True),
        pillow(grey, "JPEG"), pillow(colour, "GIF", **more), pillow(colour, "BMP"), pillow(grey, "BMP"),
        pillow(colour, "WEBP", **more), pillow(colour, "WEBP"), tiff(np.stack([colour, colour]), photometric="rgb"),
        tiff(colour, compression="lzw", photometric="rgb", predictor=2), tiff(grey, compression="jpeg"),
        tiff(deep, compression="zlib", photometric="rgb"), tiff(grey.astype("f4"), tile=(16, 16), bigtiff=True),
        pillow(grey > 99, "TIFF", compression="group4"), volume, gzip.compress(volume), arrays.getvalue(), one.getvalue(),
        *((folder / name).read_bytes() for name in DICOM),
    )  # fmt: skip


def damaged(content: bytes, dice: random.Random) -> bytes:
    data = bytearray(content)
    way = dice.random()
    if way < 0.15:
        return bytes(data[: dice.randrange(1, len(data))])
    at = dice.randrange(len(data))
    if way < 0.25:
        del data[at : at + dice.randrange(200)]
        return bytes(data)
    if way < 0.35:
        data[at:at] = dice.randbytes(dice.randrange(1, 40))
        return bytes(data)
    head = min(len(data), dice.choice((64, 400, 2000, len(data))))
    for _ in range(dice.choice((1, 2, 4, 16))):
        at = dice.randrange(head)
        if dice.random() < 0.5:
            data[at : at + 4] = dice.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"))
        else:
            data[at] = dice.choice((0, 1, 127, 128, 255, dice.randrange(256)))
    return bytes(data)


def try_to_read(content: bytes) -> str:
    """The kind of the refusal, or `read`."""
    source = FileSource(path=Path("file"), content=content)
    refusal: UnreadableFile | None = None
    try:
        header = open_header(source, LIMITS)
        pixels = open_pixels(source, header, LIMITS)
    except UnreadableFile as error:
        refusal = error
    if refusal is not None:
        assert refusal.reason
        assert refusal.kind in KINDS
        return refusal.kind
    assert pixels.array.shape == (header.frames, *header.shape)
    assert pixels.array.dtype.kind in "buif"
    return "read"


def mutate(count: int, seed: int) -> set[str]:
    dice = random.Random(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return {try_to_read(damaged(originals()[i % len(originals())], dice)) for i in range(count)}


def test_the_undamaged_files_are_read() -> None:
    kinds = [try_to_read(content) for content in originals()]
    assert kinds.count("no-pixels") == 2
    assert set(kinds) == {"read", "no-pixels"}


def test_only_unreadable_file_leaves_a_reader() -> None:
    assert mutate(500, seed=11) > {"read", "truncated", "malformed", "too-large"}


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(8))
def test_only_unreadable_file_leaves_a_reader_at_length(seed: int) -> None:
    assert mutate(1500, seed=100 + seed) > {"read", "truncated", "malformed", "too-large"}


@pytest.mark.parametrize(
    "content", [b"\0", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"GIF89a", b"\x93NUMPY", b"PK\x03\x04", b"\x1f\x8b\x08"]
)
def test_a_bare_mark_is_no_image(content: bytes) -> None:
    assert try_to_read(content) in ("truncated", "malformed", "not-an-image")
