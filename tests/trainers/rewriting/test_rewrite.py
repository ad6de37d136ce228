from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from auditor.degrade.encode import encode
from auditor.format import open_header, open_pixels
from auditor.values.image import FileSource, Header, Limits, Pixels
from trainers.rewriting.rewrite import Form, common_form, encoded, rewritten, sizes_of, survey
from trainers.rewriting.sizes import Canvas, common_size, largest

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def opened(content: bytes) -> tuple[Header, Pixels]:
    source = FileSource(path=Path("x"), content=content)
    header = open_header(source, Limits())
    return header, open_pixels(source, header, Limits())


def dicom(array: np.ndarray[Any, Any], bits: int, **tags: Any) -> tuple[Header, Pixels]:
    from auditor.degrade.encode import dicom as written

    return opened(written(array, bits=bits, seed=0, tags=tags))


def form_of(*files: tuple[Header, Pixels], size: Any = "keep", colour: Any = "auto") -> Form:
    seen = [survey(*f) for f in files]
    sizes = sizes_of(seen)
    canvas = {"keep": Canvas(), "pad": largest(sizes), "resize": common_size(sizes, [None] * len(seen), height=20, width=30)}
    return common_form(seen, canvas=canvas[size], colour=colour)


def png8(array: np.ndarray[Any, Any]) -> tuple[Header, Pixels]:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return opened(stream.getvalue())


def test_twelve_stored_bits_are_scaled_by_twelve_bits_not_by_sixteen() -> None:
    file = dicom(RAMP, 12)
    form = form_of(file, png8(np.zeros((64, 64), np.uint8)))
    assert (form.bits, form.stored_bits, form.channels, form.container) == (8, 8, 1, "png")
    assert np.array_equal(rewritten(*file, form)[0], np.rint(RAMP * (255 / 4095)).astype(np.uint8))


def test_twelve_bits_alone_stay_twelve_and_fill_the_sixteen_of_the_container() -> None:
    file = dicom(RAMP, 12)
    form = form_of(file)
    new = rewritten(*file, form)[0]
    assert form.bits == 12
    assert new.dtype == np.uint16
    assert np.array_equal(new >> 4, RAMP)
    assert int(new.max()) == 65535


def test_an_eight_bit_collection_keeps_every_level() -> None:
    array = np.arange(256, dtype=np.uint8).reshape(16, 16)
    file = png8(array)
    assert np.array_equal(rewritten(*file, form_of(file))[0], array)


def test_a_sixteen_bit_collection_keeps_every_level() -> None:
    array = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    file = opened(encode(array, "png16"))
    form = form_of(file)
    header, pixels = opened(encoded(rewritten(*file, form), form, file[0]))
    assert header.fields["container.bit_depth"] == 16
    assert np.array_equal(pixels.array[0], array)


def test_inverted_pictures_are_turned_over() -> None:
    file = dicom(RAMP, 12, PhotometricInterpretation="MONOCHROME1")
    upright = dicom(RAMP, 12)
    form = form_of(file, upright)
    assert np.array_equal(rewritten(*file, form) >> 4, (4095 - RAMP)[None])
    assert np.array_equal(rewritten(*upright, form) >> 4, RAMP[None])


def test_signed_pixels_fill_the_range_that_all_such_files_use() -> None:
    array = np.arange(-128, 128).astype(np.int16).reshape(16, 16)
    files = [
        (Header(format="dicom", shape=(16, 16), fields={"container.bit_depth": 16}), Pixels(array=a[None]))
        for a in (array, array * 8)
    ]
    form = form_of(*files)
    assert form.ranges["rescaled"] == (-1024.0, 1016.0)
    assert form.bits == 11
    assert np.array_equal(rewritten(*files[1], form)[0] >> 5, np.rint((array * 8 + 1024) * (2047 / 2040)))


def test_hounsfield_units_share_one_scale() -> None:
    plain = dicom(RAMP, 16, RescaleSlope="1", RescaleIntercept="-1024")
    halved = dicom(RAMP * 2, 16, RescaleSlope="0.5", RescaleIntercept="-1024")
    form = form_of(plain, halved)
    assert form.ranges["rescaled"] == (-1024.0, 3071.0)
    assert form.bits == 12
    assert np.array_equal(rewritten(*plain, form)[0] >> 4, RAMP)
    assert np.array_equal(rewritten(*halved, form)[0] >> 4, RAMP)


def test_sixteen_stored_bits_of_dicom_are_room_as_well() -> None:
    file = dicom(RAMP, 16)
    form = form_of(file)
    assert form.bits == 12
    assert np.array_equal(rewritten(*file, form)[0] >> 4, RAMP)


def test_a_sixteen_bit_png_counts_the_bits_that_any_such_file_uses() -> None:
    shallow, deep = opened(encode(RAMP, "png16")), opened(encode(RAMP // 2, "png16"))
    form = form_of(shallow, deep, png8(np.zeros((8, 8), np.uint8)))
    assert form.loose_bits == 12
    assert int(rewritten(*shallow, form).max()) == 255
    assert int(rewritten(*deep, form).max()) == round(2047 * 255 / 4095)


def test_floats_share_the_range_that_they_use_together() -> None:
    files = []
    for top in (1.0, 4.0):
        stream = io.BytesIO()
        tifffile.imwrite(stream, np.linspace(0, top, 64, dtype=np.float32).reshape(8, 8))
        files.append(opened(stream.getvalue()))
    form = form_of(*files)
    assert form.ranges["open"] == (0.0, 4.0)
    assert [int(rewritten(*file, form).max()) for file in files] == [round(65535 / 4), 65535]


def test_values_that_are_no_numbers_are_dark() -> None:
    array = np.full((1, 8, 8), np.nan, np.float32)
    array[0, 0, :2] = (1.0, 3.0)
    file = Header(format="tiff", shape=(8, 8)), Pixels(array=array)
    new = rewritten(*file, form_of(file))
    assert new[0, 0, 1] == 65535
    assert int(new[0, 1:].max()) == 0


def test_equal_channels_become_one() -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    file = png8(np.stack([gray] * 3, axis=2))
    form = form_of(file)
    assert form.channels == 1
    assert np.array_equal(rewritten(*file, form)[0], gray)


def test_one_coloured_picture_makes_all_of_them_rgb() -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    colour = np.stack([gray, gray, gray[::-1]], axis=2)
    files = png8(colour), png8(gray)
    form = form_of(*files)
    assert form.channels == 3
    assert np.array_equal(rewritten(*files[0], form)[0], colour)
    assert np.array_equal(rewritten(*files[1], form)[0], np.stack([gray] * 3, axis=2))
    header, _ = opened(encoded(rewritten(*files[1], form), form, files[1][0]))
    assert header.fields["container.channels"] == 3


def test_colours_become_luma_where_grey_is_wanted() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    file = png8(red)
    new = rewritten(*file, form_of(file, colour="grey"))
    assert new.shape == (1, 8, 8)
    assert set(new.ravel().tolist()) == {76}  # 0.299 · 255


def test_alpha_is_dropped() -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    file = png8(np.dstack([gray, gray, gray, np.full_like(gray, 7)]))
    assert np.array_equal(rewritten(*file, form_of(file))[0], gray)


@pytest.mark.parametrize(("rule", "shape"), [("keep", (20, 30)), ("pad", (40, 50)), ("resize", (20, 30))])
def test_sizes_are_kept_padded_or_made_equal(rule: str, shape: tuple[int, int]) -> None:
    small, large = png8(np.full((20, 30), 200, np.uint8)), png8(np.full((40, 50), 100, np.uint8))
    form = form_of(small, large, size=rule)
    new = rewritten(*small, form)[0]
    assert new.shape == shape
    assert int(new[:20, :30].min()) == 200
    assert int(new.astype(int).sum()) == 200 * 600
    assert rewritten(*large, form)[0].shape == ((40, 50) if rule != "resize" else (20, 30))


def test_stacks_become_nifti_that_the_reader_gives_back() -> None:
    array = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    file = Header(format="tiff", shape=(4, 5), frames=3, fields={"container.bit_depth": 8}), Pixels(array=array)
    form = form_of(file)
    header, pixels = opened(encoded(rewritten(*file, form), form, file[0]))
    assert (form.container, header.format, header.frames) == ("nifti", "nifti", 3)
    assert np.array_equal(pixels.array, array)


def test_coloured_stacks_keep_their_colours() -> None:
    array = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
    file = Header(format="gif", shape=(4, 5, 3), frames=2, fields={"container.bit_depth": 8}), Pixels(array=array)
    form = form_of(file)
    _, pixels = opened(encoded(rewritten(*file, form), form, file[0]))
    assert np.array_equal(pixels.array, array)


def test_the_new_file_holds_pixels_and_nothing_else() -> None:
    file = dicom(RAMP, 12, StudyDescription="follow-up")
    form = form_of(file)
    content = encoded(rewritten(*file, form), form, file[0])
    header, _ = opened(content)
    assert header.format == "png"
    assert header.fields["container.png_chunks"] in ("", None)
    assert content == encoded(rewritten(*file, form), form, file[0])


def test_no_file_gives_no_form() -> None:
    with pytest.raises(ValueError, match="no readable file"):
        common_form([], canvas=Canvas(), colour="auto")
