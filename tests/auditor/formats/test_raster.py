from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from auditor.format import format_of, open_header, open_pixels
from auditor.values.errors import UnreadableFile
from auditor.values.image import FileSource, Header, Limits, Pixels

LIMITS = Limits()
DATA = Path(__file__).parents[3] / "../shared/data/images"


def read(content: bytes, limits: Limits = LIMITS) -> tuple[Header, Pixels]:
    source = FileSource(path=Path("image"), content=content)
    header = open_header(source, limits)
    pixels = open_pixels(source, header, limits)
    assert pixels.array.shape == (header.frames, *header.shape)
    return header, pixels


def refused(content: bytes, limits: Limits = LIMITS) -> UnreadableFile:
    with pytest.raises(UnreadableFile) as caught:
        read(content, limits)
    return caught.value


def encode(array: Any, name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (array if isinstance(array, Image.Image) else Image.fromarray(array)).save(buffer, name, **options)
    return buffer.getvalue()


def noise(*shape: int, high: int = 256, dtype: type = np.uint8, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, high, shape).astype(dtype)


def png(width: int, height: int, depth: int, colour: int, data: bytes, *, interlace: int = 0, before: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", ["png", "bmp", "gif", "webp"])
def test_lossless_colour_comes_back_as_it_was_written(name: str) -> None:
    image = np.repeat(np.repeat(noise(4, 5, 3, high=2) * np.uint8(255), 6, 0), 6, 1)
    header, pixels = read(encode(image, name.upper(), **({"lossless": True} if name == "webp" else {})))
    assert header.format == name == header.fields["container.format"]
    assert header.shape == (24, 30, 3)
    np.testing.assert_array_equal(pixels.array[0], image)


def test_a_jpeg_is_decoded_as_pillow_decodes_it_and_tells_how_it_was_written() -> None:
    image = noise(40, 48, 3)
    content = encode(image, "JPEG", quality=83, subsampling=2, progressive=True, dpi=(72, 72), comment=b"x")
    header, pixels = read(content)
    with Image.open(io.BytesIO(content)) as oracle:
        np.testing.assert_array_equal(pixels.array[0], np.asarray(oracle))
    expected = {"bit_depth": 8, "channels": 3, "width": 48, "height": 40, "jpeg_quality": 83, "jpeg_subsampling": "4:2:0",
                "jpeg_progressive": "yes", "jpeg_app_markers": "JFIF", "dpi": 72.0, "icc": "no", "exif": "no", "comment": "yes",
                "photometric": "YCbCr"}  # fmt: skip
    assert {key: header.fields[f"container.{key}"] for key in expected} == expected


@pytest.mark.parametrize("quality", [1, 5, 10, 30, 49, 50, 51, 75, 90, 95, 99, 100])
def test_the_quality_setting_is_told_from_the_tables(quality: int) -> None:
    header, _ = read(encode(noise(16, 16), "JPEG", quality=quality))
    assert header.fields["container.jpeg_quality"] == quality


def test_jpegs_of_equal_tables_have_equal_digests_and_others_not() -> None:
    digests = [
        read(encode(noise(16, 16, seed=seed), "JPEG", quality=quality))[0].fields["container.jpeg_quant_hash"]
        for seed, quality in ((0, 80), (1, 80), (0, 81))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_grey_jpeg_has_two_axes_and_cmyk_becomes_rgb() -> None:
    assert read(encode(noise(16, 16), "JPEG"))[0].shape == (16, 16)
    header, pixels = read(encode(Image.fromarray(noise(16, 16, 3)).convert("CMYK"), "JPEG"))
    assert header.shape == (16, 16, 3)
    assert header.fields["container.channels"] == 4
    assert pixels.array.dtype == np.uint8


def test_twelve_bit_jpeg_keeps_its_depth() -> None:
    image = noise(16, 24, high=4096, dtype=np.uint16)
    content = imagecodecs.jpeg_encode(image, bitspersample=12, level=100)
    header, pixels = read(content)
    assert header.fields["container.bit_depth"] == 12
    np.testing.assert_array_equal(pixels.array[0], imagecodecs.jpeg_decode(content))
    assert pixels.array.dtype == np.uint16


def test_sixteen_bit_grey_png_keeps_its_depth() -> None:
    image = noise(13, 17, high=65536, dtype=np.uint16)
    header, pixels = read(encode(image, "PNG"))
    np.testing.assert_array_equal(pixels.array[0], image)
    assert header.fields["container.bit_depth"] == 16


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("level", [0, 3, 9])
def test_sixteen_bit_colour_png_keeps_its_depth(channels: int, level: int) -> None:
    smooth = np.cumsum(noise(31, 23, channels, high=90, dtype=np.uint16), axis=1).astype(np.uint16) * np.uint16(31)
    header, pixels = read(imagecodecs.png_encode(smooth, level=level))
    np.testing.assert_array_equal(pixels.array[0], smooth)
    assert pixels.array.dtype == np.uint16
    assert header.fields["container.bit_depth"] == 16
    assert header.fields["container.channels"] == channels


def filtered(image: Any, kinds: Any) -> bytes:
    """PNG's row filters, written straight from the specification: one byte at a time."""
    rows, columns, channels = image.shape
    raw = image.astype(">u2").tobytes()
    size, pixel = columns * channels * 2, channels * 2
    lines = [bytes(size), *(raw[i * size : (i + 1) * size] for i in range(rows))]
    out = bytearray()
    for i in range(1, rows + 1):
        out.append(kinds[i - 1])
        for k in range(size):
            a = lines[i][k - pixel] if k >= pixel else 0
            b, c = lines[i - 1][k], lines[i - 1][k - pixel] if k >= pixel else 0
            p = a + b - c
            near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            out.append((lines[i][k] - (0, a, b, (a + b) // 2, near)[kinds[i - 1]]) % 256)
    return bytes(out)


@pytest.mark.parametrize(("rows", "columns"), [(12, 9), (1, 7), (11, 1), (1, 1), (5, 40)])
def test_every_row_filter_of_a_sixteen_bit_png_is_undone(rows: int, columns: int) -> None:
    image = noise(rows, columns, 3, high=65536, dtype=np.uint16)
    kinds = noise(rows, high=5, seed=3)
    data = zlib.compress(filtered(image, kinds.tolist()))
    _, pixels = read(png(columns, rows, 16, 2, data))
    np.testing.assert_array_equal(pixels.array[0], image)


@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (9, 5), (1, 3), (3, 1), (8, 4)])
def test_an_interlaced_sixteen_bit_png_is_put_together(rows: int, columns: int) -> None:
    image = noise(rows, columns, 3, high=65536, dtype=np.uint16)
    data = b""
    for row, column, down, across in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):  # fmt: skip # noqa: E501
        part = image[row::down, column::across]
        if part.size:
            data += filtered(part, [4] * part.shape[0])
    header, pixels = read(png(columns, rows, 16, 2, zlib.compress(data), interlace=1))
    np.testing.assert_array_equal(pixels.array[0], image)
    assert header.fields["container.interlace"] == "yes"


def test_palette_and_alpha_are_applied() -> None:
    image = Image.fromarray(noise(12, 12, 3)).quantize(7)
    header, pixels = read(encode(image, "PNG"))
    assert header.fields["container.palette"] == 7
    assert header.fields["container.channels"] == 1
    np.testing.assert_array_equal(pixels.array[0], np.asarray(image.convert("RGB")))
    assert read(encode(image, "PNG", transparency=0))[0].shape == (12, 12, 4)
    assert read(encode(noise(12, 12, 2), "PNG"))[0].shape == (12, 12, 2)


@pytest.mark.parametrize("name", ["PNG", "BMP"])
def test_one_bit_images_are_spread_over_the_eight_bit_range(name: str) -> None:
    image = noise(9, 11, high=2).astype(bool)
    header, pixels = read(encode(image, name))
    assert header.fields["container.bit_depth"] == 1
    np.testing.assert_array_equal(pixels.array[0], image * np.uint8(255))


@pytest.mark.parametrize("name", ["GIF", "WEBP"])
def test_the_frames_of_an_animation_are_frames(name: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if name == "WEBP" else {}
    header, pixels = read(encode(frames[0], name, save_all=True, append_images=frames[1:], **options))
    assert header.frames == 3
    np.testing.assert_array_equal(pixels.array[:, 0, 0], [[255, 0, 0], [0, 255, 0], [0, 0, 255]])


def test_chunks_text_keys_resolution_and_profile_of_a_png_are_told() -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Software", "canary-value")
    header, _ = read(encode(noise(4, 4), "PNG", pnginfo=info, dpi=(300, 300), icc_profile=b"profile"))
    assert header.fields["container.png_chunks"] == "iCCP+pHYs+tEXt"
    assert header.fields["container.png_text_keys"] == "Software"
    assert header.fields["container.dpi"] == pytest.approx(300, abs=0.1)
    assert header.fields["container.icc"] == "yes"
    assert "canary-value" not in repr(header)


def test_exif_gives_the_machine_but_no_owner_position_or_date() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Olympus", "E-1", "cellSens"
    exif[0x013B], exif[0x0132] = "canary artist", "2020:01:02 03:04:05"
    exif.get_ifd(0x8825)[2] = (50.0, 49.0, 8.0)
    for name in ("JPEG", "PNG", "WEBP"):
        header, _ = read(encode(noise(8, 8, 3), name, exif=exif))
        assert header.fields["container.make"] == "Olympus"
        assert header.fields["container.model"] == "E-1"
        assert header.fields["container.software"] == "cellSens"
        assert header.fields["container.exif_gps"] == header.fields["container.exif_date"] == "yes"
        assert "canary" not in repr(header)
        assert "2020" not in repr(header)


def test_a_damaged_exif_block_does_not_hide_the_image() -> None:
    header, _ = read(encode(noise(8, 8, 3), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f"))
    assert header.fields["container.exif_readable"] == "no"


@pytest.mark.parametrize("name", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_a_truncated_image_is_a_finding(name: str) -> None:
    content = encode(noise(64, 64, 3), name)
    for part in (0.9, 0.5, 0.1):
        assert refused(content[: int(len(content) * part)]).kind in ("truncated", "malformed")


def test_a_truncated_sixteen_bit_png_is_a_finding() -> None:
    content = imagecodecs.png_encode(noise(64, 64, 3, high=65536, dtype=np.uint16))
    assert refused(content[:-2000]).kind == "truncated"
    damaged = bytearray(content)
    damaged[len(content) // 2] ^= 0xFF
    assert refused(bytes(damaged)).kind == "malformed"


def test_a_png_that_declares_too_much_is_refused_before_decoding() -> None:
    error = refused(png(30000, 30000, 8, 0, zlib.compress(b"")))
    assert error.kind == "too-large"
    assert "858 MiB" in error.reason


def test_a_small_png_with_gigabytes_behind_it_costs_nothing() -> None:
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    assert read(png(10, 10, 16, 2, data))[1].array.shape == (1, 10, 10, 3)


def test_warnings_of_pillow_stay_inside() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(encode(Image.fromarray(noise(8, 8, 3)).quantize(4), "PNG", transparency=b"\0\xff\0\xff"))


@pytest.mark.parametrize(
    "content",
    [b"BM is a text that starts like a bitmap, but is none of it at all", b"GIF8 is no gif", b"\xff\xd8 no", b"RIFFxxxxWAVE"],
)
def test_text_and_other_files_are_no_images(content: bytes) -> None:
    assert format_of(content) is None
    assert refused(content).kind == "not-an-image"


def test_real_images_are_read_as_pillow_reads_them() -> None:
    if not DATA.is_dir():
        pytest.skip("the real images are not on this machine")
    files = [*DATA.glob("cleanvision_tests/**/*.png"), *DATA.glob("skimage/*.[pjg]*"), *sorted(DATA.glob("bccd/**/*.jpg"))[:10]]
    files = [file for file in files if file.name not in ("chessboard_RGB.png", "image_604.png")]
    assert len(files) > 20
    for file in files:
        _, pixels = read(file.read_bytes())
        with Image.open(file) as oracle:
            expected = np.asarray(oracle.convert("RGB") if oracle.mode == "P" else oracle)
        np.testing.assert_array_equal(pixels.array[0], expected, err_msg=file.name)
