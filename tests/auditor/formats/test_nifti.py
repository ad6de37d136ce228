from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from auditor.format import format_of, open_header, open_pixels
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Header, Limits, Pixels

LIMITS = Limits()
DATA = Path(__file__).parents[3] / "../shared/data/nifti_and_other/nibabel_tests_data"
RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


def read(content: bytes, limits: Limits = LIMITS) -> tuple[Header, Pixels]:
    source = FileSource(path=Path("volume"), content=content)
    header = open_header(source, limits)
    pixels = open_pixels(source, header, limits)
    assert pixels.array.shape == (header.frames, *header.shape)
    assert pixels.array.dtype.isnative
    return header, pixels


def refused(content: bytes, limits: Limits = LIMITS) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        read(content, limits)
    return caught.value


def volume(array: Any, *, version: int = 1, order: str = "<", slope: float = 1.0, intercept: float = 0.0) -> bytes:
    head = (nibabel.Nifti1Header if version == 1 else nibabel.Nifti2Header)(endianness=order)
    head.set_data_dtype(array.dtype)
    head.set_data_shape(array.shape)
    head.set_zooms([0.5, 0.75, 3.0, 2.0][: array.ndim])
    head["magic"] = b"n+1" if version == 1 else head["magic"]
    head["vox_offset"] = 352 if version == 1 else 544
    head["scl_slope"], head["scl_inter"] = slope, intercept
    # stored values are written as they are: nibabel would scale them first
    return head.binaryblock + bytes(4) + array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "f4", "f8"])
def test_stored_values_come_back_slice_by_slice(version: int, order: str, dtype: str) -> None:
    array = np.arange(5 * 4 * 3).reshape(5, 4, 3).astype(dtype)
    content = volume(array, version=version, order=order, slope=2.0, intercept=-3.0)
    header, pixels = read(content)
    np.testing.assert_array_equal(pixels.array, array.transpose(2, 1, 0))
    assert (pixels.slope, pixels.intercept) == (2.0, -3.0)
    assert header.fields["container.bit_depth"] == np.dtype(dtype).itemsize * 8
    assert header.fields["nifti.version"] == version
    assert [header.fields[f"nifti.pixdim{i}"] for i in (1, 2, 3)] == [0.5, 0.75, 3.0]
    loaded = (nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image).from_bytes(content)
    np.testing.assert_allclose(pixels.array * 2.0 - 3.0, loaded.get_fdata().transpose(2, 1, 0))


def test_gzip_is_looked_through() -> None:
    array = np.arange(60).reshape(5, 4, 3).astype(np.int16)
    header, pixels = read(gzip.compress(volume(array)))
    np.testing.assert_array_equal(pixels.array, array.transpose(2, 1, 0))
    assert header.fields["container.compression"] == "gzip"


def test_frames_of_a_series_follow_each_other_slice_by_slice() -> None:
    array = np.arange(5 * 4 * 3 * 2).reshape(5, 4, 3, 2).astype(np.int16)
    header, pixels = read(volume(array))
    assert header.frames == 6
    np.testing.assert_array_equal(pixels.array[3], array[:, :, 1, 1].T)


def test_flat_images_and_colour_are_read() -> None:
    flat = np.arange(20).reshape(5, 4).astype(np.uint8)
    np.testing.assert_array_equal(read(volume(flat))[1].array[0], flat.T)
    colour = np.random.default_rng(0).integers(0, 255, (5, 4, 3, 3)).astype(np.uint8)
    header, pixels = read(nibabel.Nifti1Image(colour.view(RGB).reshape(5, 4, 3), np.eye(4)).to_bytes())
    assert header.shape == (4, 5, 3)
    np.testing.assert_array_equal(pixels.array, colour.transpose(2, 1, 0, 3))


def test_a_slope_of_zero_means_not_scaled() -> None:
    assert read(volume(np.zeros((2, 2, 2), np.int16), slope=0.0, intercept=7.0))[1].slope == 1.0
    assert read(volume(np.zeros((2, 2, 2), np.int16), slope=np.nan))[1].intercept == 0.0


def test_free_text_of_the_header_is_told_by_presence_alone() -> None:
    image = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4))
    image.header["descrip"] = b"canary name"
    header, _ = read(image.to_bytes())
    assert header.fields["nifti.descrip"] == "yes"
    assert "canary" not in repr(header)


def test_a_truncated_volume_is_a_finding() -> None:
    content = volume(np.random.default_rng(0).integers(0, 99, (9, 9, 9)).astype(np.int16))
    for data in (content, gzip.compress(content)):
        for part in (0.9, 0.5):
            assert refused(data[: int(len(data) * part)]).kind == "truncated"
    assert refused(content[:200]).kind in ("not-an-image", "truncated")


def test_a_volume_that_declares_too_much_is_refused_before_inflating() -> None:
    head = bytearray(volume(np.zeros((2, 2, 2), np.uint8))[:352])
    struct.pack_into("<4h", head, 40, 3, 1000, 1000, 800)
    error = refused(gzip.compress(bytes(head) + bytes(1 << 20)))
    assert error.kind == "too-large"
    assert "763 MiB" in error.reason


def test_no_more_is_inflated_than_the_header_declares() -> None:
    content = volume(np.ones((2, 2, 2), np.uint8))
    assert read(gzip.compress(content + bytes(1 << 26)), Limits(decoded_bytes=100, inflated_bytes=100))[1].array.sum() == 8


@pytest.mark.parametrize(("at", "value"), [(40, -1), (40, 9), (42, 0), (42, -5), (70, 1), (70, 32), (70, 1792), (70, 77)])
def test_impossible_headers_are_findings(at: int, value: int) -> None:
    content = bytearray(volume(np.zeros((2, 2, 2), np.uint8)))
    struct.pack_into("<h", content, at, value)
    assert refused(bytes(content)).kind in ("malformed", "unsupported")


def test_pairs_and_analyze_are_unsupported_with_a_hint() -> None:
    content = bytearray(volume(np.zeros((2, 2, 2), np.uint8)))
    content[344:348] = b"ni1\0"
    assert "pair" in refused(bytes(content)).reason
    content[344:348] = bytes(4)
    error = refused(bytes(content))
    assert (error.kind, "Analyze" in error.reason) == ("unsupported", True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tiny.mnc", "MINC"),
        ("minc2_4d.mnc", "MINC"),
        ("test.mgz", "MGH"),
        ("T1.PAR", "PAR/REC"),
        ("example4d+orig.HEAD", "AFNI"),
        ("analyze.hdr", "Analyze"),
    ],
)
def test_other_volume_formats_are_recognised_and_refused(name: str, words: str) -> None:
    if not DATA.is_dir():
        pytest.skip("the real volumes are not on this machine")
    error = refused((DATA / name).read_bytes())
    assert error.kind == "unsupported"
    assert words in error.reason


@pytest.mark.parametrize(
    "name",
    [
        "anatomical.nii",
        "example4d.nii.gz",
        "example_nifti2.nii.gz",
        "functional.nii",
        "resampled_anat_moved.nii",
        "standard.nii.gz",
    ],
)
def test_real_volumes_are_read_as_nibabel_reads_them(name: str) -> None:
    if not DATA.is_dir():
        pytest.skip("the real volumes are not on this machine")
    _, pixels = read((DATA / name).read_bytes())
    loaded = nibabel.load(DATA / name).get_fdata()
    loaded = loaded.reshape(*loaded.shape[:3], -1)
    scaled = pixels.array.astype(np.float64) * pixels.slope + pixels.intercept
    expected = loaded.transpose(2, 3, 1, 0).reshape(scaled.shape)
    np.testing.assert_allclose(scaled, expected)


def test_plain_gzip_is_no_volume() -> None:
    assert format_of(gzip.compress(b"Image Index,Finding Labels\n" * 50)) is None
