from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor.format import format_of, open_header, open_pixels
from auditor.formats.array import load_member, members
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Header, Limits, Pixels

LIMITS = Limits()
DATA = Path(__file__).parents[3] / "../shared/data/images/pneumoniamnist/data/pneumoniamnist.npz"


def source_of(content: bytes) -> FileSource:
    return FileSource(path=Path("array"), content=content)


def read(content: bytes, limits: Limits = LIMITS) -> tuple[Header, Pixels]:
    source = source_of(content)
    header = open_header(source, limits)
    pixels = open_pixels(source, header, limits)
    assert pixels.array.shape == (header.frames, *header.shape)
    return header, pixels


def npy(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize("dtype", ["u1", ">u2", "<i4", "f2", ">f8", "?"])
@pytest.mark.parametrize("wrap", [npy, lambda a: npz(image=a)])
def test_one_array_is_one_image(dtype: str, wrap: Any) -> None:
    array = np.arange(20).reshape(4, 5).astype(dtype)
    header, pixels = read(wrap(array))
    np.testing.assert_array_equal(pixels.array[0], array)
    assert pixels.array.dtype.isnative
    assert header.fields["container.bit_depth"] == (1 if dtype == "?" else np.dtype(dtype).itemsize * 8)


@pytest.mark.parametrize(
    ("shape", "frames", "frame"),
    [((4, 5, 3), 1, (4, 5, 3)), ((6, 4, 5), 6, (4, 5)), ((2, 4, 5, 3), 2, (4, 5, 3)), ((4, 5), 1, (4, 5))],
)
def test_axes_are_frames_rows_columns_channels(shape: Any, frames: int, frame: Any) -> None:
    header, _ = read(npy(np.zeros(shape, np.uint8)))
    assert (header.frames, header.shape) == (frames, frame)


def test_fortran_order_comes_back_right() -> None:
    array = np.asfortranarray(np.arange(35).reshape(5, 7))
    np.testing.assert_array_equal(read(npy(array))[1].array[0], array)


def test_the_members_of_an_npz_are_listed_and_loaded_one_by_one() -> None:
    images, labels = np.arange(2 * 3 * 4).reshape(2, 3, 4).astype(np.uint8), np.array([[0], [1]])
    source = source_of(npz(train_images=images, train_labels=labels))
    assert {name: (shape, str(dtype)) for name, (shape, dtype) in members(source, LIMITS).items()} == {
        "train_images": ((2, 3, 4), "uint8"),
        "train_labels": ((2, 1), "int64"),
    }
    np.testing.assert_array_equal(load_member(source, "train_images", LIMITS), images)
    header = open_header(source, LIMITS)
    assert header.fields["container.arrays"] == 2
    with pytest.raises(UnreadableFile) as caught:
        open_pixels(source, header, LIMITS)
    assert caught.value.kind == "no-pixels"


def test_pickled_objects_are_never_loaded() -> None:
    bomb = np.array([{"a": 1}], dtype=object)
    for content in (npy(bomb, allow_pickle=True), npz(a=bomb)):
        with pytest.raises(UnreadableFile) as caught:
            open_header(source_of(content), LIMITS)
        assert caught.value.kind == "refused"


def test_an_npz_that_declares_too_much_is_refused_before_inflating() -> None:
    content = npz(a=np.zeros((10_000, 1_000), np.uint8))
    assert len(content) < 20_000
    small = Limits(decoded_bytes=1 << 20)
    with pytest.raises(UnreadableFile) as caught:
        open_header(source_of(content), small)
    assert caught.value.kind == "too-large"
    with pytest.raises(UnreadableFile) as caught:
        load_member(source_of(content), "a", small)
    assert caught.value.kind == "too-large"


def test_a_zip_that_lies_about_its_size_is_a_finding() -> None:
    content = bytearray(npz(a=np.zeros((50, 50), np.uint8)))
    for mark, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = content.find(mark)
        content[start + at : start + at + 4] = (400 << 20).to_bytes(4, "little")
    with pytest.raises(UnreadableFile) as caught:
        load_member(source_of(bytes(content)), "a", LIMITS)
    assert caught.value.kind in ("malformed", "truncated")


@pytest.mark.parametrize(
    "array", [np.zeros((3, 3), complex), np.array(["a", "b"]), np.zeros((2, 2), "M8[s]"), np.zeros(4), np.zeros((0, 3))]
)
def test_arrays_that_are_no_images_say_so(array: Any) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read(npy(array))
    assert caught.value.kind in ("unsupported", "no-pixels")


def test_a_truncated_array_is_a_finding() -> None:
    for content in (npy(np.zeros((40, 40))), npz(a=np.random.default_rng(0).normal(size=(40, 40)))):
        for part in (0.9, 0.3):
            with pytest.raises(UnreadableFile) as caught:
                read(content[: int(len(content) * part)])
            assert caught.value.kind in ("truncated", "malformed")


def test_a_zip_without_arrays_is_no_npz() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "x")
    assert format_of(buffer.getvalue()) is None


def test_pneumoniamnist_lists_its_six_arrays() -> None:
    if not DATA.is_file():
        pytest.skip("the real data set is not on this machine")
    source = source_of(DATA.read_bytes())
    with np.load(DATA) as oracle:
        assert {name: shape for name, (shape, _) in members(source, LIMITS).items()} == {
            n: oracle[n].shape for n in oracle.files
        }
        np.testing.assert_array_equal(load_member(source, "test_images", LIMITS), oracle["test_images"])
