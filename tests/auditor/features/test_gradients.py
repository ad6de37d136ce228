import numpy as np
import pytest

from auditor.features import gradients

SMOOTH = (np.add.outer(np.arange(64), np.arange(64)) / 126).astype(np.float32)


def energy(view_of, gray):
    numbers = gradients.measure(view_of(np.zeros(gray.shape, np.uint8), gray=gray))
    return (numbers**2).reshape(gradients.GRID, gradients.GRID, gradients.DIRECTIONS)


def test_odd_images_give_finite_numbers(view_of, odd):
    assert np.isfinite(gradients.measure(view_of(odd[1]))).all()


def test_the_energy_of_an_image_sums_to_one_and_a_flat_one_has_none(view_of):
    assert energy(view_of, SMOOTH).sum() == pytest.approx(1, abs=1e-4)
    assert energy(view_of, np.full((20, 20), 0.5, np.float32)).sum() == 0


def test_a_ramp_across_has_its_gradient_across_and_a_ramp_down_a_quarter_turn_on(view_of):
    ramp = np.tile(np.linspace(0, 1, 96, dtype=np.float32), (96, 1))
    assert energy(view_of, ramp).sum(axis=(0, 1)).argmax() == 0
    assert energy(view_of, ramp.T).sum(axis=(0, 1)).argmax() == gradients.DIRECTIONS // 2


def test_directions_are_unsigned(view_of):
    ramp = np.tile(np.linspace(0, 1, 96, dtype=np.float32), (96, 1))
    assert np.allclose(energy(view_of, ramp), energy(view_of, ramp[:, ::-1].copy()), atol=1e-4)


def test_the_cell_says_where_the_edge_is(view_of):
    gray = np.zeros((96, 96), dtype=np.float32)
    gray[:, 88:] = 1
    assert energy(view_of, gray).sum(axis=(0, 2)).argmax() == gradients.GRID - 1
