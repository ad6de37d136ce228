import numpy as np
import pytest

from auditor.features import outside

ROWS, COLUMNS = np.indices((192, 192))
BODY = (ROWS - 96) ** 2 + (COLUMNS - 96) ** 2 < 60**2


def film(*, background=0.05, body=0.7):
    picture = np.full((192, 192), background, np.float32)
    picture[BODY] = body
    return picture


def numbers(view_of, gray):
    return dict(zip(outside.COLUMNS, outside.measure(view_of(np.zeros(gray.shape, np.uint8), gray=gray)).tolist(), strict=True))


def test_the_outside_is_everything_but_the_body_and_a_margin():
    small = film()[::2, ::2]
    found = outside.outside_of(small)
    assert not found[BODY[::2, ::2]].any()
    expected = 1 - np.pi * 33**2 / 96**2
    assert found.mean() == pytest.approx(expected, abs=0.02)


def test_dark_bodies_on_bright_ground_have_an_outside_too(view_of):
    assert numbers(view_of, film(background=0.9, body=0.2))["mean"] == pytest.approx(0.9, abs=1e-3)


def test_a_marker_beside_the_body_is_outside_and_marks_its_quarter(view_of):
    plain = film()
    marked = film()
    marked[8:30, 160:182] = 1.0
    assert numbers(view_of, plain)["marked_fraction"] == 0
    found = numbers(view_of, marked)
    assert found["marked_fraction_top_right"] > 0.07
    assert found["marked_fraction_bottom_left"] == 0


def test_holes_of_the_body_are_not_outside():
    holed = film()[::2, ::2].copy()
    holed[40:56, 40:56] = 0.05
    assert not outside.outside_of(holed)[40:56, 40:56].any()


def test_a_picture_without_background_has_no_outside(view_of):
    gray = np.random.default_rng(0).random((96, 96)).astype(np.float32)
    found = numbers(view_of, gray)
    assert found.pop("area_fraction") == 0
    assert np.isnan(list(found.values())).all()


def test_odd_images_raise_nothing(view_of, odd):
    assert outside.measure(view_of(odd[1])).shape == (len(outside.COLUMNS),)
