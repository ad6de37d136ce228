import numpy as np
import pytest

from auditor.features import patches

SMOOTH = (np.add.outer(np.arange(64), np.arange(64)) / 126).astype(np.float32)


def test_odd_images_give_finite_numbers(view_of, odd):
    assert np.isfinite(patches.measure(view_of(odd[1]))).all()


def test_the_thumbnail_has_mean_zero_and_deviation_one(view_of):
    numbers = patches.measure(view_of(np.random.default_rng(0).integers(0, 255, (28, 28), dtype=np.uint8)))
    assert numbers.shape == (len(patches.COLUMNS),)
    assert numbers.mean() == pytest.approx(0, abs=1e-5)
    assert numbers.std() == pytest.approx(1, abs=1e-4)


def test_brightness_and_contrast_do_not_matter_but_place_does(view_of):
    plain = patches.measure(view_of(np.zeros((64, 64), np.uint8), gray=SMOOTH))
    dim = patches.measure(view_of(np.zeros((64, 64), np.uint8), gray=SMOOTH * 0.3 + 0.1))
    turned = patches.measure(view_of(np.zeros((64, 64), np.uint8), gray=SMOOTH[::-1]))
    assert np.allclose(plain, dim, atol=1e-3)
    assert np.abs(plain - turned).max() > 1


def test_a_flat_image_is_all_zero(view_of):
    assert not patches.measure(view_of(np.full((64, 64), 255, dtype=np.uint8))).any()
