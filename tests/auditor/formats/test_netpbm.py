"""Netpbm in all six kinds, written by Pillow and by hand, and what is wrong in it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditor.format import open_header, open_pixels
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Limits


def read(content: bytes) -> np.ndarray:
    limits = Limits()
    source = FileSource(path=Path("a.ppm"), content=content)
    header = open_header(source, limits)
    pixels = open_pixels(source, header, limits).array
    assert pixels.shape == (1, *header.shape)
    return pixels[0]


GREY = np.random.default_rng(0).integers(0, 255, (5, 7), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 255, (5, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize("array", [GREY, COLOUR, GREY > 99], ids=["grey", "colour", "bits"])
def test_what_pillow_writes_is_read_as_it_was(array: np.ndarray) -> None:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PPM")
    found = read(stream.getvalue())
    assert np.array_equal(found, array if array.dtype != bool else array.astype(np.uint8) * 255)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"P2\n# by hand\n3 2\n# most\n200\n1 2 3\n4 5 200\n", [[1, 2, 3], [4, 5, 200]]),
        (b"P3 1 2 9\n1 2 3 4 5 6", [[[1, 2, 3]], [[4, 5, 6]]]),
        (b"P1\n4 2\n0101\n1 0 1 0\n", [[255, 0, 255, 0], [0, 255, 0, 255]]),
        (b"P5 2 1 4095\n\x01\x02\x00\x05", [[258, 5]]),
        (b"P2 2 1 65535 65535 0", [[65535, 0]]),
    ],
    ids=["plain grey", "plain colour", "plain bits", "sixteen bits", "plain sixteen bits"],
)
def test_each_kind_holds_its_stored_values(content: bytes, expected: object) -> None:
    assert read(content).tolist() == expected


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"P5 2 2 255\nabc", "truncated"), (b"P2 2 2 255\n1 2 3", "truncated"), (b"P2 1 1 255\nx", "malformed"),
        (b"P5 0 2 255\n", "malformed"), (b"P5 2 2 70000\nabcd", "malformed"), (b"P2 1 1 9\n10", "malformed"),
        (b"P5 99999 99999 255\n", "too-large"), (b"P1 3 1\n01", "truncated"), (b"P5 2 ", "malformed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_kind(content: bytes, kind: str) -> None:
    with pytest.raises(UnreadableFile) as raised:
        read(content)
    assert raised.value.kind == kind
