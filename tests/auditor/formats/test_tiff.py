from __future__ import annotations

import io
import logging
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from auditor.format import open_header, open_pixels
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Header, Limits, Pixels

LIMITS = Limits()
DATA = Path(__file__).parents[3] / "../shared/data/images/skimage"


def read(content: bytes, limits: Limits = LIMITS) -> tuple[Header, Pixels]:
    source = FileSource(path=Path("image"), content=content)
    header = open_header(source, limits)
    pixels = open_pixels(source, header, limits)
    assert pixels.array.shape == (header.frames, *header.shape)
    assert pixels.array.dtype.isnative
    return header, pixels


def refused(content: bytes, limits: Limits = LIMITS) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        read(content, limits)
    return caught.value


def write(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def noise(*shape: int, dtype: str = "u1") -> Any:
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind == "f":
        return rng.normal(size=shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f2", "f4", "f8"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_depth_and_byte_order_comes_back_as_it_was_written(dtype: str, order: Any) -> None:
    image = noise(18, 25, dtype=dtype)
    header, pixels = read(write(image, byteorder=order, photometric="minisblack"))
    np.testing.assert_array_equal(pixels.array[0], image)
    assert pixels.array.dtype == image.dtype
    assert header.fields["container.bit_depth"] == image.dtype.itemsize * 8
    assert header.fields["container.sample_kind"] == {"u": "unsigned", "i": "signed", "f": "float"}[image.dtype.kind]
    assert header.fields["container.byte_order"] == {"<": "little", ">": "big"}[order]


@pytest.mark.parametrize("compression", ["zlib", "lzw", "packbits", "zstd", "lzma", "jpeg2000"])
def test_lossless_compressions_come_back(compression: str) -> None:
    image = noise(33, 40, 3)
    header, pixels = read(write(image, compression=compression, photometric="rgb"))
    np.testing.assert_array_equal(pixels.array[0], image)
    assert header.fields["container.channels"] == 3
    assert header.fields["container.compression"] != "none"


def test_tiles_predictor_planes_and_bigtiff_come_back() -> None:
    image = noise(50, 70, 3, dtype="u2")
    content = write(image, tile=(16, 32), compression="zlib", predictor=2, bigtiff=True, photometric="rgb")
    header, pixels = read(content)
    np.testing.assert_array_equal(pixels.array[0], image)
    assert (header.fields["container.tiled"], header.fields["container.predictor"]) == ("yes", 2)
    assert header.fields["container.big"] == "yes"
    planes = write(np.moveaxis(image, -1, 0), planarconfig="separate", photometric="rgb")
    header, pixels = read(planes)
    np.testing.assert_array_equal(pixels.array[0], image)
    assert header.fields["container.planar"] == 2


def test_equal_pages_are_frames_and_of_different_pages_the_largest_is_the_image() -> None:
    stack = noise(4, 12, 15, dtype="u2")
    assert np.array_equal(read(write(stack, photometric="minisblack"))[1].array, stack)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(stack[0, :5, :6])
        writer.write(stack[1])
        writer.write(stack[2, :3, :4])
    header, pixels = read(buffer.getvalue())
    assert header.fields["container.tiff_pages"] == 3
    np.testing.assert_array_equal(pixels.array, stack[1:2])


def test_ome_and_imagej_stacks_are_read_whole() -> None:
    stack = noise(5, 12, 15, dtype="u2")
    header, pixels = read(write(stack, ome=True, photometric="minisblack"))
    np.testing.assert_array_equal(pixels.array, stack)
    assert header.fields["container.tiff_description"] == "OME"
    for options in ({}, {"truncate": True}):
        header, pixels = read(write(stack, imagej=True, metadata={"axes": "ZYX"}, **options))
        np.testing.assert_array_equal(pixels.array, stack)
        assert header.fields["container.tiff_description"] == "ImageJ"


def test_an_ome_file_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "secret.ome.tif", noise(9, 9))
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYZCT" Type="uint8" SizeX="9" SizeY="9" SizeZ="2" SizeC="1" SizeT="1"><TiffData IFD="0" FirstZ="1">'
        f'<UUID FileName="{tmp_path}/secret.ome.tif">urn:uuid:1</UUID></TiffData></Pixels></Image></OME>'
    )
    header, _ = read(write(noise(9, 9), description=xml, metadata=None))
    assert header.frames == 1


@pytest.mark.parametrize("compression", [None, "group4", "packbits"])
def test_bilevel_pages_are_0_and_255(compression: str | None) -> None:
    image = noise(21, 19) > 128
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "TIFF", compression=compression)
    header, pixels = read(buffer.getvalue())
    shown = 255 - pixels.array[0] if pixels.inverted else pixels.array[0]
    np.testing.assert_array_equal(shown, image * np.uint8(255))
    assert header.fields["container.bit_depth"] == 1


def test_white_is_zero_is_told() -> None:
    image = noise(9, 9)
    assert read(write(image, photometric="miniswhite"))[1].inverted
    assert not read(write(image, photometric="minisblack"))[1].inverted


def test_a_palette_is_applied() -> None:
    indices = noise(9, 9)
    colours = noise(3, 256, dtype="u2")
    header, pixels = read(write(indices, photometric="palette", colormap=colours))
    np.testing.assert_array_equal(pixels.array[0], (colours >> 8).astype(np.uint8).T[indices])
    assert header.fields["container.channels"] == 1


def test_a_jpeg_inside_is_decoded_to_rgb() -> None:
    smooth = np.dstack([np.tile(np.linspace(0, 250, 64), (64, 1))] * 3).astype(np.uint8)
    _, pixels = read(write(smooth, compression="jpeg", photometric="rgb"))
    assert np.abs(pixels.array[0].astype(int) - smooth).max() < 6


def test_software_resolution_and_tags_are_told_and_free_text_is_not() -> None:
    content = write(noise(9, 9), software="cellSens", resolution=(300, 300), resolutionunit=2, description="canary text")
    header, _ = read(content)
    assert header.fields["container.tiff_software"] == "cellSens"
    assert header.fields["container.dpi"] == 300
    assert header.fields["container.tiff_description"] == "text"
    assert "256+257+258" in str(header.fields["container.tiff_tags"])
    assert "canary" not in repr((header.fields, header.facts))
    assert header.roles == {"text": "canary text"}


def test_a_truncated_tiff_is_a_finding() -> None:
    for content in (
        write(noise(64, 64)),
        write(noise(64, 64), compression="zlib"),
        write(noise(2, 64, 64), photometric="minisblack"),
    ):
        for part in (0.95, 0.5, 0.05):
            assert refused(content[: int(len(content) * part)]).kind in ("truncated", "malformed", "no-pixels")


def test_a_tiff_that_declares_too_much_is_refused_before_decoding() -> None:
    small = Limits(decoded_bytes=1 << 20)
    assert refused(write(np.zeros((2000, 2000), np.uint8), compression="zlib"), small).kind == "too-large"
    assert refused(write(np.zeros((50, 200, 200), np.uint8), photometric="minisblack"), small).kind == "too-large"
    assert refused(write(np.zeros((50, 4, 4), np.uint8), photometric="minisblack"), Limits(frames=20)).kind == "too-large"


def test_a_jpeg_larger_than_its_page_is_refused_before_decoding() -> None:
    content = bytearray(write(noise(64, 64), compression="jpeg"))
    at = content.find(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", 60000, 60000)
    assert refused(bytes(content)).kind == "too-large"


def test_a_chain_of_pages_that_bites_its_tail_ends() -> None:
    content = bytearray(write(noise(9, 9), metadata=None, byteorder="<"))
    first = struct.unpack_from("<I", content, 4)[0]
    count = struct.unpack_from("<H", content, first)[0]
    struct.pack_into("<I", content, first + 2 + 12 * count, first)
    assert read(bytes(content))[0].frames == 1


def test_an_unknown_compression_is_unsupported() -> None:
    content = bytearray(write(noise(9, 9), byteorder="<"))
    at = content.find(struct.pack("<HHI", 259, 3, 1))
    struct.pack_into("<H", content, at + 8, 50013)
    error = refused(bytes(content))
    assert error.kind == "unsupported"
    assert "50013" in error.reason


def test_complaints_of_tifffile_stay_inside(caplog: pytest.LogCaptureFixture) -> None:
    content = bytearray(write(noise(9, 9), byteorder="<"))
    at = content.find(struct.pack("<HHI", 305, 2, 12))
    content[at + 2 : at + 4] = b"\x63\0"
    with caplog.at_level(logging.DEBUG):
        read(bytes(content))
    assert not caplog.records


def test_without_imagecodecs_the_reason_names_the_pip_command(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(write(noise(9, 9), compression="lzw"))
    (tmp_path / "b.tif").write_bytes(write(noise(9, 9), compression="zlib"))
    program = (
        "import sys; sys.modules['imagecodecs'] = None\n"
        "from pathlib import Path\n"
        "from auditor.values.errors import UnreadableFile\n"
        "from auditor.format import open_header, open_pixels, read_source\n"
        "from auditor.values.image import Limits\n"
        "for name in ('a.tif', 'b.tif'):\n"
        "    source = read_source(Path(sys.argv[1]) / name, Limits())\n"
        "    try:\n"
        "        print(open_pixels(source, open_header(source, Limits()), Limits()).array.shape)\n"
        "    except UnreadableFile as error:\n"
        "        print(error.kind, error.reason)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    assert first.startswith("missing-codec")
    assert "pip install 'medaudit[codecs]'" in first
    assert second == "(1, 9, 9)"


def test_real_multipage_files_are_read_as_tifffile_reads_them() -> None:
    if not DATA.is_dir():
        pytest.skip("the real images are not on this machine")
    grey, planes = (tifffile.imread(DATA / name) for name in ("multipage.tif", "multipage_rgb.tif"))
    np.testing.assert_array_equal(read((DATA / "multipage.tif").read_bytes())[1].array, grey)
    np.testing.assert_array_equal(read((DATA / "multipage_rgb.tif").read_bytes())[1].array, np.moveaxis(planes, 1, -1))


def test_a_tiff_of_no_page_is_damaged_and_no_document_without_a_picture() -> None:
    header = (
        b"II*\0\x08\0\0\0" + b"\x01\0" + b"\0\x01\x03\0\x01\0\0\0\x08\0\0\0" + b"\0\0\0\0"
    )  # one page, of which only the width is told
    assert refused(header).kind == "malformed"
