from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from auditor.degrade.hostile import UNREADABLE, deflate_bomb, huge_png, truncated_jpeg, write_unreadable


def test_one_file_of_each_kind_is_written_small_and_the_same_for_a_seed(tmp_path: Path):
    truth = write_unreadable(tmp_path, "images", seed=1)
    assert [row.detail for row in truth] == list(UNREADABLE)
    sizes = {row.detail: (tmp_path / row.record).stat().st_size for row in truth}
    assert sizes["empty"] == 0
    assert max(sizes.values()) < 1_000_000
    write_unreadable(tmp_path, "again", seed=1)
    assert all(
        (tmp_path / r.record).read_bytes() == (tmp_path / r.record.replace("images", "again")).read_bytes() for r in truth
    )


def test_the_truncated_jpeg_opens_but_does_not_decode():
    picture = Image.open(io.BytesIO(truncated_jpeg(0)))
    assert picture.format == "JPEG"
    with pytest.raises(OSError, match="truncated"):
        picture.load()


def test_the_huge_png_is_a_valid_png():
    assert (np.asarray(Image.open(io.BytesIO(huge_png(side=1500)))) == 0).all()


def test_the_huge_png_declares_and_holds_30000_squared():
    content = huge_png()
    assert struct.unpack_from(">II", content, 16) == (30_000, 30_000)
    length = struct.unpack_from(">I", content, 33)[0]
    inflate, left, total = zlib.decompressobj(), content[41 : 41 + length], 0
    while not inflate.eof and total < 32 << 20:  # the beginning is real; the end is checked at 1500²
        total += len(inflate.decompress(left, 1 << 20))
        left = inflate.unconsumed_tail
    assert total >= 32 << 20


def test_the_deflate_bomb_is_a_valid_deflated_dicom_file():
    dataset = pydicom.dcmread(io.BytesIO(deflate_bomb(0, side=700)))
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1.99"
    assert dataset.pixel_array.shape == (700, 700)


def test_the_deflate_bomb_inflates_to_512_mebibytes():
    content = deflate_bomb(0)
    assert len(content) < 600_000
    start = 144 + struct.unpack_from("<I", content, 140)[0]
    inflate, left, total = zlib.decompressobj(-15), content[start:], 0
    while not inflate.eof:
        total += len(inflate.decompress(left, 1 << 22))
        left = inflate.unconsumed_tail
    assert total == pytest.approx(512 << 20, rel=1e-5)
