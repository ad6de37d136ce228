"""Rows of letters are counted, whatever the depth and the polarity; noise and anatomy are not letters."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from auditor.features.lettering import COLUMNS, measure
from auditor.values.image import Header, Pixels
from auditor.view import view_of

TEXT = "ID 4711 1956 12 24"


def picture(text: str, size: int, seed: int, *, where: tuple[int, int] = (6, 6), side: int = 400) -> npt.NDArray[np.uint8]:
    base = gaussian_filter(np.random.default_rng(seed).normal(0, 1, (side, side)), 20)
    image = Image.fromarray(((base - base.min()) / np.ptp(base) * 150).astype(np.uint8))
    ImageDraw.Draw(image).text(where, text, fill=255, font=ImageFont.load_default(size))
    return np.asarray(image)


def row(array: npt.NDArray[Any], *, inverted: bool = False) -> float:
    view = view_of(Header(format="png", shape=array.shape), Pixels(array=array[None], inverted=inverted))
    found = measure(view)
    assert found.shape == (len(COLUMNS),)
    return float(found[1])


@pytest.mark.parametrize("size", [12, 16, 24])
def test_a_row_of_letters_is_counted_in_most_pictures(size: int) -> None:
    assert np.median([row(picture(TEXT, size, seed)) for seed in range(6)]) >= 9


def test_depth_and_polarity_do_not_matter() -> None:
    eight = max((picture(TEXT, 20, seed) for seed in range(4)), key=row)
    deep = eight.astype(np.uint16) * 16 + 100
    assert row(deep) == row(eight) >= 9
    assert row(255 - eight) >= 9
    assert row(255 - eight, inverted=True) == row(eight)


def test_smooth_pictures_noise_and_constants_hold_no_row() -> None:
    assert max(row(picture("", 16, seed)) for seed in range(8)) < 9
    assert row(np.random.default_rng(0).integers(0, 255, (300, 300)).astype(np.uint8)) < 9
    assert row(np.full((200, 200), 7, np.uint8)) == 0
    assert row(np.zeros((8, 8), np.uint8)) == 0


def test_a_side_marker_alone_is_no_text() -> None:
    assert row(picture("R", 24, 0)) < 9


def test_the_middle_of_the_picture_is_not_looked_at() -> None:
    assert row(picture("ID 4711 195", 12, 0, where=(150, 200))) < 9
