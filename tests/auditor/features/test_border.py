import numpy as np
import pytest

from auditor.features import border

NOISE = np.random.default_rng(0).integers(40, 200, (112, 112), dtype=np.uint8)


def numbers(view_of, picture):
    return dict(zip(border.COLUMNS, border.measure(view_of(picture)).tolist(), strict=True))


def test_padding_is_told_by_side_and_area(view_of):
    picture = np.full((112, 112), 25, np.uint8)
    picture[28:, 14:98] = NOISE[28:, 14:98]
    found = numbers(view_of, picture)
    assert found["padding_top_fraction"] == 0.25
    assert found["padding_bottom_fraction"] == 0
    assert found["padding_left_fraction"] == found["padding_right_fraction"] == 0.125
    assert found["padding_fraction"] == pytest.approx(1 - 84 * 84 / 112**2)
    assert found["padding_level"] == pytest.approx(25 / 255, abs=1e-4)


def test_a_picture_without_padding_and_a_flat_one_have_none(view_of):
    assert numbers(view_of, NOISE)["padding_fraction"] == 0
    flat = numbers(view_of, np.full((50, 50), 9, np.uint8))
    assert flat["padding_fraction"] == 0
    assert np.isnan(flat["padding_level"])


def test_the_border_is_the_outer_seventh(view_of):
    picture = np.zeros((112, 112), np.uint8)
    picture[16:96, 16:96] = 255
    assert numbers(view_of, picture)["mean"] == 0
    picture[:16] = 255
    assert numbers(view_of, picture)["mean"] == pytest.approx(16 * 112 / (112**2 - 80**2))


def test_writing_in_a_corner_is_seen_there_alone(view_of):
    picture = np.full((112, 112), 30, np.uint8)
    picture[2:18:3, 92:110] = 250
    found = numbers(view_of, picture)
    assert found["corner_text_top_right"] > 0.2
    assert [found[f"corner_text_{c}"] for c in ("top_left", "bottom_left", "bottom_right")] == [0, 0, 0]


def test_odd_images_give_numbers(view_of, odd):
    found = numbers(view_of, odd[1])
    assert all(np.isfinite(v) for name, v in found.items() if name != "padding_level")
