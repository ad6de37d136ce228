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


def test_patterns_do_not_change_with_a_quarter_turn_nor_with_the_contrast_of_what_is_above_the_step(view_of):
    gray = np.random.default_rng(0).random((128, 128)).astype(np.float32)
    plain, turned, dim = (
        measured(view_of, gray),
        measured(view_of, np.rot90(gray).copy()),
        measured(view_of, (gray > 0.5) * np.float32(0.5)),
    )
    black = measured(view_of, (gray > 0.5).astype(np.float32))
    for code in range(texture.CODES):
        assert plain[f"s1lbp{code}"] == pytest.approx(turned[f"s1lbp{code}"], abs=1e-6)
        assert black[f"s1lbp{code}"] == pytest.approx(dim[f"s1lbp{code}"], abs=1e-6)


def test_a_pixel_darker_than_all_its_neighbours_has_eight_ones(view_of):
    gray = np.ones((9, 9), dtype=np.float32)
    gray[4, 4] = 0
    assert texture._shares([gray])[0][8] * 81 == pytest.approx(1)


def test_patterns_do_not_tell_eight_bits_from_sixteen(view_of):
    """Faint noise on a slope, as in a radiograph: rounded to 8 bits, a third of the neighbours are equal."""
    noise = np.random.default_rng(0).normal(0, 0.003, (96, 96))
    deep = (np.clip(0.2 + 0.5 * SMOOTH[0, :].repeat(2)[:96] + noise, 0, 1)).astype(np.float32)
    shallow = np.round(deep * 255).astype(np.float32) / np.float32(255)
    one, other = measured(view_of, deep), measured(view_of, shallow)
    patterns = [name for name in texture.COLUMNS if "lbp" in name]
    assert max(abs(one[name] - other[name]) for name in patterns) < 0.02


def test_noise_has_more_contrast_than_a_ramp(view_of):
    noise = np.random.default_rng(0).random((128, 128)).astype(np.float32)
    strongest = f"s1contrast{len(texture.CONTRASTS)}"
    assert measured(view_of, noise)[strongest] > 0.9
    assert measured(view_of, SMOOTH)[strongest] == 0
