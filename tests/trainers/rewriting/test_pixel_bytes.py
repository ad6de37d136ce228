"""What hides beside the picture is gone, and the picture is the same: decoded by others (Pillow, imagecodecs)."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID

from auditor.values.errors import UnreadableFile
from trainers.rewriting.pixel_bytes import cleaned_pixels

PICTURE = np.random.default_rng(0).integers(0, 255, (16, 16), dtype=np.uint8)
JPEG_BASELINE, JPEG2000, MPEG2 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.100"
EXPLICIT = "1.2.840.10008.1.2.1"


def described(content: bytes, bits: int = 8) -> Dataset:
    dataset = Dataset()
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.BitsAllocated = 16, 16, 1, bits
    dataset.add_new("PixelData", "OB" if bits == 8 else "OW", content)
    return dataset


def frame_of(dataset: Dataset) -> bytes:
    return next(generate_frames(dataset.PixelData, number_of_frames=1))


def test_comments_and_exif_of_jpeg_are_overwritten() -> None:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "Doe^Jane"
    Image.fromarray(PICTURE).save(stream, "JPEG", comment=b"Doe^Jane", exif=exif, quality=95)
    dataset = described(encapsulate([stream.getvalue()]))
    before = np.asarray(Image.open(io.BytesIO(frame_of(dataset))))
    assert cleaned_pixels(dataset, JPEG_BASELINE, 0)
    assert b"Doe" not in dataset.PixelData
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(frame_of(dataset)))), before)


@pytest.mark.parametrize("form", ["j2k", "jp2"])
def test_comments_of_jpeg_2000_are_overwritten(form: str) -> None:
    encoded = imagecodecs.jpeg2k_encode(PICTURE, codecformat=form)
    at = encoded.index(b"\xff\x52")  # before the coding style: a place in the main header
    comment = b"Doe^Jane"
    told = encoded[:at] + b"\xff\x64" + (len(comment) + 4).to_bytes(2, "big") + b"\0\1" + comment + encoded[at:]
    if form == "jp2":  # the box of the codestream grows by as much
        box = told.index(b"jp2c") - 4
        length = int.from_bytes(told[box : box + 4], "big")
        told = told[:box] + (length + len(comment) + 6 if length else 0).to_bytes(4, "big") + told[box + 4 :]
        xml = b"<p>Doe</p>"
        told = told[:box] + (len(xml) + 8).to_bytes(4, "big") + b"xml " + xml + told[box:]
    dataset = described(encapsulate([told]))
    assert cleaned_pixels(dataset, JPEG2000, 0)
    assert b"Doe" not in dataset.PixelData
    np.testing.assert_array_equal(imagecodecs.jpeg2k_decode(frame_of(dataset)), PICTURE)


def test_an_overlay_in_unused_bits_is_cleared_and_the_samples_stay() -> None:
    samples = np.arange(256, dtype="<u2") * 16
    drawn = samples | (np.arange(256) % 2 << 15).astype("<u2")
    dataset = described(drawn.tobytes(), bits=16)
    assert cleaned_pixels(dataset, EXPLICIT, 1 << 15)
    np.testing.assert_array_equal(np.frombuffer(dataset.PixelData, "<u2"), samples)


def test_a_tail_is_cut_off_and_a_whole_picture_is_left_alone() -> None:
    dataset = described(PICTURE.tobytes() + b"Doe^Jane")
    assert cleaned_pixels(dataset, EXPLICIT, 0)
    assert dataset.PixelData == PICTURE.tobytes()
    assert not cleaned_pixels(dataset, EXPLICIT, 0)


def test_films_and_planes_that_cannot_be_cleared_are_refused() -> None:
    with pytest.raises(UnreadableFile, match="films"):
        cleaned_pixels(described(b""), MPEG2, 0)
    with pytest.raises(UnreadableFile, match="cannot be cleared"):
        cleaned_pixels(described(b"\0" * 10, bits=16), EXPLICIT, 1 << 15)
    assert UID(MPEG2).name.startswith("MPEG2")
