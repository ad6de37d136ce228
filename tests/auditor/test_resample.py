import numpy as np
import pytest

from auditor.resample import resize


def test_shrinking_averages_areas():
    picture = np.arange(64, dtype=np.float32).reshape(8, 8)
    expected = picture.reshape(2, 4, 2, 4).mean(axis=(1, 3))
    assert np.allclose(resize(picture, 2, 2), expected, atol=1e-4)


def test_a_picture_of_the_wanted_size_is_unchanged():
    picture = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    assert np.array_equal(resize(picture, 5, 7), picture)


def test_growing_interpolates_between_the_old_pixels():
    grown = resize(np.array([[0.0, 1.0]], dtype=np.float32), 1, 8)
    assert (np.diff(grown[0]) >= 0).all()
    assert 0 < grown[0, 3] < 0.5 < grown[0, 4] < 1


def test_one_axis_may_shrink_while_the_other_grows():
    assert resize(np.ones((100, 2), dtype=np.float32), 10, 10).shape == (10, 10)


@pytest.mark.parametrize("shape", [(0, 3), (3,), (2, 2, 3)])
def test_what_is_no_grey_picture_is_refused(shape):
    with pytest.raises(ValueError, match="grey picture"):
        resize(np.zeros(shape, dtype=np.float32), 2, 2)
