import numpy as np

from auditor.features import zones


def test_each_cell_is_the_mean_of_its_place(view_of):
    picture = np.zeros((28, 28), np.uint8)
    picture[:2, :2] = 255
    picture[26:, 26:] = 51
    found = zones.measure(view_of(picture)).reshape(zones.SIDE, zones.SIDE)
    assert found[0, 0] == 1.0
    assert np.isclose(found[13, 13], 0.2)
    assert np.count_nonzero(found) == 2


def test_the_outer_two_layers_are_the_four_pixel_border_of_28_pixels():
    depth = np.array([zones.depth(name) for name in zones.COLUMNS])
    assert (depth < 2).sum() == 14 * 14 - 10 * 10
    assert depth.max() == 6
    assert [zones.depth(name) for name in ("r00c07", "r13c13", "r06c07")] == [0, 0, 6]


def test_odd_images_give_finite_numbers(view_of, odd):
    assert np.isfinite(zones.measure(view_of(odd[1]))).all()
