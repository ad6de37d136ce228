import numpy as np
import pytest

from auditor.features import texture

SMOOTH = (np.add.outer(np.arange(64), np.arange(64)) / 126).astype(np.float32)


def measured(view_of, gray):
    numbers = texture.measure(view_of(np.zeros(gray.shape, np.uint8), gray=gray))
    return dict(zip(texture.COLUMNS, numbers.tolist(), strict=True))


def test_odd_images_give_shares_that_sum_to_one_per_histogram(view_of, odd):
    numbers = texture.measure(view_of(odd[1]))
    assert np.isfinite(numbers).all()
    assert numbers.sum() == pytest.approx(2 * len(texture.SCALES), abs=1e-4)


def test_patterns_do_not_change_with_a_quarter_turn_or_with_contrast(view_of):
    gray = np.random.default_rng(0).random((128, 128)).astype(np.float32)
    plain, turned, dim = (
        measured(view_of, gray),
        measured(view_of, np.rot90(gray).copy()),
        measured(view_of, gray * np.float32(0.5)),
    )
    for code in range(texture.CODES):
        assert plain[f"s1lbp{code}"] == pytest.approx(turned[f"s1lbp{code}"], abs=1e-6)
        assert plain[f"s1lbp{code}"] == pytest.approx(dim[f"s1lbp{code}"], abs=1e-6)


def test_a_pixel_darker_than_all_its_neighbours_has_eight_ones(view_of):
    gray = np.ones((9, 9), dtype=np.float32)
    gray[4, 4] = 0
    assert texture._shares([gray])[0][8] * 81 == pytest.approx(73)  # the dark one and the 72 flat ones that do not touch it


def test_noise_has_more_contrast_than_a_ramp(view_of):
    noise = np.random.default_rng(0).random((128, 128)).astype(np.float32)
    strongest = f"s1contrast{len(texture.CONTRASTS)}"
    assert measured(view_of, noise)[strongest] > 0.9
    assert measured(view_of, SMOOTH)[strongest] == 0
