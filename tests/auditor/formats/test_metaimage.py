"""MetaImage written here by hand from MetaIO's tags; what is hostile is refused in words."""

from __future__ import annotations

import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from auditor.format import format_of, open_header, open_pixels, read_source
from auditor.measuring.measure import Measurer
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Header, Limits, Pixels
from auditor.values.measurement import Task

VOLUME = np.arange(2 * 3 * 4).reshape(2, 3, 4)  # slices, rows, columns
CODES = {"i1": "CHAR", "u1": "UCHAR", "i2": "SHORT", "u2": "USHORT", "i4": "INT", "u4": "UINT", "i8": "LONG_LONG",
         "u8": "ULONG_LONG", "f4": "FLOAT", "f8": "DOUBLE"}  # fmt: skip


def head(array: npt.NDArray[Any], *more: str, data: str = "LOCAL", channels: int = 1) -> bytes:
    sides = array.shape[::-1] if channels == 1 else array.shape[-2::-1]
    lines = [
        "ObjectType = Image", f"NDims = {len(sides)}", "BinaryData = True",
        f"BinaryDataByteOrderMSB = {array.dtype.byteorder == '>'}", f"DimSize = {' '.join(map(str, sides))}",
        f"ElementType = MET_{CODES[array.dtype.newbyteorder('=').str[1:]]}", *more, f"ElementDataFile = {data}",
    ]  # fmt: skip
    return ("\n".join(lines) + "\n").encode()


def read(content: bytes, path: Path = Path("x.mha"), limits: Limits = Limits()) -> tuple[Header, Pixels]:  # noqa: B008
    source = FileSource(path=path, content=content)
    header = open_header(source, limits)
    return header, open_pixels(source, header, limits)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">u2", ">i4", "<u4", "<i8", ">u8", ">f4", "<f8"])
def test_every_type_comes_back_plain_and_compressed(dtype: str, packed: bool) -> None:
    array = VOLUME.astype(dtype)
    raw = zlib.compress(array.tobytes()) if packed else array.tobytes()
    content = head(array, f"CompressedData = {packed}") + raw
    header, pixels = read(content)
    assert format_of(content) == header.format == "metaimage"
    assert (header.frames, header.shape) == (2, (3, 4))
    assert np.array_equal(pixels.array, VOLUME)
    assert pixels.array.dtype == array.dtype.newbyteorder("=")


def test_channels_stay_channels_and_a_fourth_axis_lies_within_a_slice() -> None:
    colour = np.arange(3 * 4 * 3, dtype="u1").reshape(3, 4, 3)
    header, pixels = read(head(colour, "ElementNumberOfChannels = 3", channels=3) + colour.tobytes())
    assert (header.frames, header.shape) == (1, (3, 4, 3))
    assert np.array_equal(pixels.array[0], colour)
    times = np.arange(5 * 24, dtype="<i2").reshape(5, 2, 3, 4)
    header, pixels = read(head(times) + times.tobytes())
    assert header.frames == 10
    assert np.array_equal(pixels.array[7], times[2, 1])


@pytest.mark.parametrize(
    ("matrix", "code"), [("1 0 0 0 1 0 0 0 1", "LPS"), ("-1 0 0 0 -1 0 0 0 1", "RAS"), ("0 1 0 0 0 -1 1 0 0", "PIL")]
)
def test_spacing_orientation_and_origin_are_told(matrix: str, code: str) -> None:
    more = (f"TransformMatrix = {matrix}", "Offset = -90 12.5 0", "ElementSpacing = 0.5 0.75 3")
    array = VOLUME.astype("u1")
    header = read(head(array, *more) + array.tobytes())[0]
    assert header.facts["orientation"] == code
    assert [header.facts[name] for name in ("spacing_column", "spacing_row", "slice_spacing")] == [0.5, 0.75, 3]
    assert [header.fields[f"metaimage.origin{i}"] for i in (1, 2, 3)] == [-90, 12.5, 0]


def test_numbers_written_as_text_are_read() -> None:
    array = VOLUME.astype("<i2")
    content = head(array).replace(b"BinaryData = True", b"BinaryData = False")
    assert np.array_equal(read(content + " ".join(map(str, range(24))).encode())[1].array, VOLUME)


@pytest.mark.parametrize(
    ("data", "names"),
    [("x.raw", ["x.raw"]), ("s%02d.raw 1 2 1", ["s01.raw", "s02.raw"]), ("LIST\nb.raw\na.raw", ["b.raw", "a.raw"])],
)
def test_pixels_beside_the_header_are_read_inside_the_dataset_alone(tmp_path: Path, data: str, names: list[str]) -> None:
    array = VOLUME.astype("<i2")
    for name, part in zip(names, np.split(array, len(names)), strict=True):
        (tmp_path / name).write_bytes(part.tobytes())
    (tmp_path / "x.mhd").write_bytes(head(array, data=data))
    source = read_source(tmp_path / "x.mhd", Limits())
    header = open_header(source, Limits())
    assert header.beside == tuple(names)
    assert np.array_equal(open_pixels(source, header, Limits()).array, VOLUME)
    for outside in ("../x.raw", "/etc/hostname", "absent.raw"):
        with pytest.raises(UnreadableFile) as caught:
            read(head(array, data=outside), tmp_path / "x.mhd")
        assert caught.value.kind == "refused"


def test_a_header_of_another_format_before_the_pixels_is_skipped(tmp_path: Path) -> None:
    array = VOLUME.astype("<i2")
    (tmp_path / "x.raw").write_bytes(b"any header" + array.tobytes())
    for skip in ("10", "-1"):
        assert np.array_equal(read(head(array, f"HeaderSize = {skip}", data="x.raw"), tmp_path / "x.mhd")[1].array, VOLUME)


def test_a_name_in_the_header_is_told_and_never_shown(tmp_path: Path) -> None:
    array = VOLUME.astype("u1")
    (tmp_path / "x.mha").write_bytes(head(array, "PatientName = Smith^John", "Comment = for Mary_Jones") + array.tobytes())
    (answer,) = Measurer(root=tmp_path, limits=Limits()).measure(Task(path="x.mha", records=("x",)))
    assert answer.exposure == {"embedded": "MetaImage Comment (name)+MetaImage tag"}
    assert "Smith" not in str(answer.header)


GOOD = head(VOLUME.astype("<u2")) + VOLUME.astype("<u2").tobytes()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (GOOD[:-1], "truncated"),
        (GOOD[:90], "truncated"),
        (GOOD.replace(b"DimSize = 4 3 2", b"DimSize = 4 3"), "malformed"),
        (GOOD.replace(b"DimSize = 4 3 2", b"DimSize = 4 0 2"), "malformed"),
        (GOOD.replace(b"DimSize = 4 3 2", b"DimSize = 40000 30000 20000"), "too-large"),
        (GOOD.replace(b"NDims = 3", b"NDims = 12"), "malformed"),
        (GOOD.replace(b"MET_USHORT", b"MET_STRING"), "unsupported"),
        (GOOD.replace(b"NDims", b"ElementNumberOfChannels = 0\nNDims"), "malformed"),
        (GOOD.replace(b"NDims", b"CompressedData = True\nNDims"), "malformed"),
        (GOOD.replace(b"NDims", b"HeaderSize = -7\nNDims"), "malformed"),
        (GOOD.replace(b"LOCAL", b"LIST\nvoxels.raw").split(b"\0")[0], "refused"),
        (GOOD.replace(b"LOCAL", b"a\0b"), "refused"),
        (GOOD.replace(b"LOCAL", b"x" * 5000), "refused"),
        (GOOD.replace(b"LOCAL", b"x%d.raw 1 999999 1"), "malformed"),
        (GOOD.replace(b"BinaryData = True", b"BinaryData = False"), "truncated"),
        (b"ObjectType = Image\n" + b"Comment = x\n" * 30_000, "too-large"),
    ],
)
def test_what_is_damaged_is_refused_by_kind(content: bytes, kind: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read(content)
    assert caught.value.kind == kind


def test_a_bomb_inflates_no_further_than_the_header_declares() -> None:
    content = head(VOLUME.astype("u1"), "CompressedData = True") + zlib.compress(bytes(200 << 20))
    tracemalloc.start()
    read(content)
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()
