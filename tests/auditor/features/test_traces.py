import io

import numpy as np
import pytest
from PIL import Image

from auditor.features import traces


def smooth(seed=0, side=128):
    noise = np.random.default_rng(seed).normal(0, 18, (side, side))
    wave = 60 * np.sin(np.add.outer(np.arange(side), 2 * np.arange(side)) / 9)
    return np.clip(128 + noise + wave, 0, 255).astype(np.uint8)


def jpeg(picture, quality):
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def numbers(view_of, picture):
    return dict(zip(traces.COLUMNS, traces.measure(view_of(picture)).tolist(), strict=True))


def test_an_earlier_jpeg_is_seen_in_the_pixels(view_of):
    plain, strong, weak = (numbers(view_of, p) for p in (smooth(), jpeg(smooth(), 20), jpeg(smooth(), 75)))
    assert plain["dct_zero_fraction"] < 0.1
    assert plain["dct_zero_fraction"] < weak["dct_zero_fraction"] < strong["dct_zero_fraction"]
    assert strong["dct_zero_fraction"] > 0.7
    assert plain["blockiness"] == pytest.approx(0, abs=0.06)
    assert strong["blockiness"] > 0.2


def test_eight_bits_stored_in_sixteen_keep_their_step(view_of):
    assert numbers(view_of, smooth().astype(np.uint16) * 257)["level_step"] == 257
    assert numbers(view_of, smooth())["level_step"] == 1


def test_a_stretched_histogram_has_gaps(view_of):
    narrow = (smooth() // 4).astype(np.uint8)
    assert numbers(view_of, narrow)["level_gap_fraction"] < 0.1
    assert numbers(view_of, narrow * 4)["level_gap_fraction"] == pytest.approx(0.75, abs=0.02)


def test_grey_stored_as_colour_has_no_coloured_pixel(view_of):
    grey = np.repeat(smooth()[..., None], 3, axis=2)
    assert numbers(view_of, grey)["colour_fraction"] == 0
    coloured = grey.copy()
    coloured[:32, :, 0] //= 2
    assert numbers(view_of, coloured)["colour_fraction"] == pytest.approx(0.25, abs=0.02)


def test_odd_images_raise_nothing(view_of, odd):
    found = traces.measure(view_of(odd[1]))
    assert found.shape == (len(traces.COLUMNS),)
    assert not np.isinf(found).any()
