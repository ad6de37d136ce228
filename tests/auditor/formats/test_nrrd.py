"""NRRD written here by hand from the format's definition; what is hostile is refused in words."""

from __future__ import annotations

import bz2
import gzip
import os
import tracemalloc
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
CODES = {
    "i1": "int8", "u1": "uchar", "i2": "short", "u2": "uint16", "i4": "signed int", "u4": "unsigned int", "i8": "longlong",
    "u8": "uint64_t", "f4": "float", "f8": "double",
}  # fmt: skip


def encoded(array: npt.NDArray[Any], encoding: str) -> bytes:
    raw = array.tobytes()
    if encoding == "gzip":
        return gzip.compress(raw)
    if encoding == "bzip2":
        return bz2.compress(raw)
    if encoding == "hex":
        return b"\n".join(raw[i : i + 16].hex().encode() for i in range(0, len(raw), 16))
    return " ".join(map(str, array.ravel().tolist())).encode() if encoding == "ascii" else raw


def head(array: npt.NDArray[Any], encoding: str = "raw", *more: str, version: int = 4) -> bytes:
    """A header for an array in C order: its last axis is the fastest."""
    code = array.dtype.newbyteorder("=").str[1:]
    lines = [
        f"NRRD000{version}", "# written by a test", f"type: {CODES[code]}", f"dimension: {array.ndim}",
        "sizes: " + " ".join(map(str, array.shape[::-1])), f"encoding: {encoding}",
        f"endian: {'big' if array.dtype.byteorder == '>' else 'little'}", *more,
    ]  # fmt: skip
    return ("\n".join(lines) + "\n").encode()


def nrrd(array: npt.NDArray[Any], encoding: str = "raw", *more: str) -> bytes:
    return head(array, encoding, *more) + b"\n" + encoded(array, encoding)


def read(content: bytes, path: Path = Path("x.nrrd"), limits: Limits = Limits()) -> tuple[Header, Pixels]:  # noqa: B008
    source = FileSource(path=path, content=content)
    header = open_header(source, limits)
    return header, open_pixels(source, header, limits)


def refused(content: bytes, path: Path = Path("x.nrrd"), limits: Limits = Limits()) -> UnreadableFile:  # noqa: B008
    with pytest.raises(UnreadableFile) as caught:
        read(content, path, limits)
    return caught.value


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "hex", "ascii"])
@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">u2", ">i4", "<u4", "<i8", ">u8", ">f4", "<f8"])
def test_every_type_comes_back_from_every_encoding(dtype: str, encoding: str) -> None:
    array = VOLUME.astype(dtype)
    header, pixels = read(nrrd(array, encoding))
    assert format_of(nrrd(array)) == header.format == "nrrd"
    assert (header.frames, header.shape) == (2, (3, 4))
    assert np.array_equal(pixels.array, VOLUME)
    assert pixels.array.dtype == array.dtype.newbyteorder("=")
    assert header.fields["container.bit_depth"] == array.dtype.itemsize * 8


def test_the_largest_numbers_come_back_from_text() -> None:
    array = np.array([[2**64 - 1, 0], [1, 2**63]], "<u8")
    assert np.array_equal(read(nrrd(array, "ascii"))[1].array[0], array)
    floats = np.array([[0.1, -1e300], [np.nan, np.inf]], "<f8")
    assert np.array_equal(read(nrrd(floats, "ascii"))[1].array[0], floats, equal_nan=True)


def test_an_axis_of_colours_becomes_channels_wherever_it_lies() -> None:
    picture = np.arange(3 * 4 * 3, dtype="u1").reshape(3, 4, 3)  # rows, columns, colours
    first = read(nrrd(picture, "raw", "kinds: RGB-color domain domain"))
    assert first[0].shape == (3, 4, 3)
    assert np.array_equal(first[1].array[0], picture)
    last = read(nrrd(np.ascontiguousarray(np.moveaxis(picture, 2, 0)), "raw", "kinds: domain domain 3-color"))
    assert np.array_equal(last[1].array[0], picture)


def test_directions_of_a_diffusion_scan_lie_within_the_place_of_a_slice() -> None:
    scan = np.arange(2 * 3 * 4 * 5, dtype="<i2").reshape(2, 3, 4, 5)  # slices, rows, columns, directions
    header, pixels = read(nrrd(scan, "raw", "kinds: list space space space"))
    assert (header.frames, header.shape) == (10, (3, 4))
    assert np.array_equal(pixels.array[7], scan[1, :, :, 2])
    slow = np.ascontiguousarray(np.moveaxis(scan, 3, 0))
    placed = read(nrrd(slow, "raw", "space: RAS", "space directions: (1,0,0) (0,1,0) (0,0,1) none"))
    assert np.array_equal(placed[1].array, pixels.array)


@pytest.mark.parametrize(
    ("space", "code"),
    [("right-anterior-superior", "RAS"), ("left-posterior-superior", "LPS"), ("LAS", "LAS")],
)
def test_spacing_orientation_and_origin_are_told_as_of_nifti(space: str, code: str) -> None:
    more = ("space directions: (0.5,0,0) (0,0.8,0.6) (0,0,3)", "space origin: (-90,12.5,0)", "kinds: domain domain domain")
    header = read(nrrd(VOLUME.astype("u1"), "raw", f"space: {space}", *more))[0]
    assert header.facts["orientation"] == code
    assert (header.facts["spacing_column"], header.facts["spacing_row"], header.facts["slice_spacing"]) == (0.5, 1.0, 3.0)
    assert [header.fields[f"nrrd.origin{i}"] for i in (1, 2, 3)] == [-90, 12.5, 0]


def test_a_space_that_is_no_patient_has_spacings_and_no_orientation() -> None:
    header = read(nrrd(VOLUME.astype("u1"), "raw", "spacings: 0.5 nan -2"))[0]
    assert "orientation" not in header.facts
    sizes = {"pixel_bytes": 24, "pixel_bytes_expected": 24}
    assert header.facts == {"spacing_column": 0.5, "slice_spacing": 2, "placed": "no", **sizes}


def test_lines_and_bytes_are_skipped_and_minus_one_means_the_end() -> None:
    array = VOLUME.astype("<u2")
    start = head(array, "raw", "line skip: 2", "byte skip: 3") + b"\nfirst\nsecond\nabc"
    assert np.array_equal(read(start + array.tobytes())[1].array, VOLUME)
    end = head(array, "raw", "byte skip: -1") + b"\nany other header" + array.tobytes()
    assert np.array_equal(read(end)[1].array, VOLUME)
    inside = head(array, "gzip", "byte skip: 3") + b"\n" + gzip.compress(b"abc" + array.tobytes())
    assert np.array_equal(read(inside)[1].array, VOLUME)


@pytest.mark.parametrize(
    ("more", "names"),
    [
        (("data file: voxels.raw",), ["voxels.raw"]),
        (("datafile: ./parts/voxels.raw",), ["parts/voxels.raw"]),
        (("data file: part%03d.raw 1 2 1",), ["part001.raw", "part002.raw"]),
        (("data file: LIST", "b.raw", "a.raw"), ["b.raw", "a.raw"]),
    ],
)
def test_pixels_beside_the_header_are_read(tmp_path: Path, more: tuple[str, ...], names: list[str]) -> None:
    array = VOLUME.astype("<i2")
    (tmp_path / "parts").mkdir()
    for name, part in zip(names, np.split(array, len(names)), strict=True):
        (tmp_path / name).write_bytes(part.tobytes())
    (tmp_path / "x.nhdr").write_bytes(head(array, "raw", *more))
    source = read_source(tmp_path / "x.nhdr", Limits())
    header = open_header(source, Limits())
    assert header.beside == tuple(names)
    assert np.array_equal(open_pixels(source, header, Limits()).array, VOLUME)


def test_a_data_file_is_sought_in_the_dataset_and_nowhere_else(tmp_path: Path) -> None:
    array = VOLUME.astype("u1")
    (tmp_path / "set/headers").mkdir(parents=True)
    (tmp_path / "set/voxels.raw").write_bytes(array.tobytes())
    (tmp_path / "secret.raw").write_bytes(array.tobytes())
    (tmp_path / "set/headers/link.raw").symlink_to(tmp_path / "secret.raw")
    path = tmp_path / "set/headers/x.nhdr"
    inside = head(array, "raw", "data file: ../voxels.raw")
    source = FileSource(path=path, content=inside, root=tmp_path / "set")
    assert np.array_equal(open_pixels(source, open_header(source, Limits()), Limits()).array, VOLUME)
    assert refused(inside, path).kind == "refused"
    for name in ("../../secret.raw", str(tmp_path / "secret.raw"), "link.raw", "absent.raw", "C:\\x.raw", "."):
        error = refused(head(array, "raw", f"data file: {name}"), path)
        assert error.kind == "refused"
        assert "secret" not in error.reason


def test_two_headers_alike_with_other_pixels_are_no_copies_and_share_no_cache(tmp_path: Path) -> None:
    answers = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        array = VOLUME.astype("u1") + (name == "b") * np.arange(24, dtype="u1").reshape(2, 3, 4)
        (tmp_path / name / "voxels.raw").write_bytes(array.tobytes())
        (tmp_path / name / "x.nhdr").write_bytes(head(array, "raw", "data file: voxels.raw"))
        answers += Measurer(root=tmp_path, limits=Limits()).measure(Task(path=f"{name}/x.nhdr", records=(name,)))
    assert all(answer.pixels is not None for answer in answers)
    assert answers[0].digest != answers[1].digest
    assert answers[0].key != answers[1].key


def test_a_name_in_the_header_is_told_and_never_shown(tmp_path: Path) -> None:
    content = nrrd(VOLUME.astype("u1"), "raw", "PatientName:=Smith^John", "content: scan of Mary_Jones", "modality:=DWMRI")
    (tmp_path / "x.nrrd").write_bytes(content)
    (answer,) = Measurer(root=tmp_path, limits=Limits()).measure(Task(path="x.nrrd", records=("x",)))
    assert answer.exposure == {"embedded": "NRRD content (name)+NRRD key"}
    assert "Smith" not in str(answer.header)


GOOD = nrrd(VOLUME.astype("<u2"))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (GOOD[:-1], "truncated"),
        (GOOD.split(b"\n\n")[0], "truncated"),
        (GOOD.replace(b"sizes: 4 3 2", b"sizes: 4 3"), "malformed"),
        (GOOD.replace(b"sizes: 4 3 2", b"sizes: 4 0 2"), "malformed"),
        (GOOD.replace(b"sizes: 4 3 2", b"sizes: 4 -3 2"), "malformed"),
        (GOOD.replace(b"sizes: 4 3 2", b"sizes: 40000 30000 20000"), "too-large"),
        (GOOD.replace(b"sizes: 4 3 2", b"sizes: 1 1 130000"), "too-large"),
        (GOOD.replace(b"dimension: 3", b"dimension: 99"), "malformed"),
        (GOOD.replace(b"uint16", b"block"), "unsupported"),
        (GOOD.replace(b"uint16", b"quad"), "malformed"),
        (GOOD.replace(b"encoding: raw", b"encoding: zrl"), "malformed"),
        (GOOD.replace(b"endian: little\n", b""), "malformed"),
        (GOOD.replace(b"endian", b"byte skip: -2\nendian"), "malformed"),
        (GOOD.replace(b"endian", b"line skip: 9\nendian"), "truncated"),
        (GOOD.replace(b"encoding: raw", b"encoding: gzip"), "malformed"),
        (GOOD.replace(b"encoding: raw", b"encoding: bzip2"), "malformed"),
        (GOOD.replace(b"encoding: raw", b"encoding: hex"), "malformed"),
        (GOOD.replace(b"endian", b"data file: x%d.raw 1 999999999 1\nendian"), "malformed"),
        (GOOD.replace(b"endian", b"data file: x%d.raw 1 3 0\nendian"), "malformed"),
        (nrrd(VOLUME.astype("<u2"), "ascii").replace(b" 23", b" 70000"), "malformed"),
        (nrrd(VOLUME.astype("<u2"), "ascii").replace(b" 23", b" soon"), "malformed"),
        (nrrd(VOLUME.astype("<u2"), "bzip2")[:-40], "truncated"),
        (nrrd(VOLUME.astype("<u2"), "gzip")[:-30], "truncated"),
        (b"NRRD0004\n" + b"# more\n" * 400_000, "too-large"),
    ],
)  # fmt: skip
def test_what_is_damaged_is_refused_by_kind(content: bytes, kind: str) -> None:
    assert refused(content).kind == kind


@pytest.mark.parametrize("encoding", ["gzip", "bzip2"])
def test_a_bomb_inflates_no_further_than_the_header_declares(encoding: str) -> None:
    bomb = {"gzip": gzip.compress, "bzip2": bz2.compress}[encoding](bytes(200 << 20))
    content = head(VOLUME.astype("u1"), encoding) + b"\n" + bomb
    tracemalloc.start()
    header, pixels = read(content)
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()
    assert pixels.array.shape == (header.frames, *header.shape)


def test_a_pipe_beside_the_header_is_not_opened(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes here")
    os.mkfifo(tmp_path / "voxels.raw")
    assert refused(head(VOLUME.astype("u1"), "raw", "data file: voxels.raw"), tmp_path / "x.nhdr").kind == "refused"
