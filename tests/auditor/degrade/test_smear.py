from __future__ import annotations

import numpy as np

from auditor.degrade.smear import smear


def violet_fraction(image: np.ndarray) -> float:
    """Share of dark pixels that are more blue than red: a nucleus, never a red cell."""
    return float(((image[..., 2] > image[..., 0]) & (image.mean(axis=2) < 0.55)).mean())


def test_a_smear_is_the_same_for_the_same_numbers_and_in_colour():
    first, again = (smear(1, 2, white_cell=True, seed=3, side=96) for _ in range(2))
    assert (first == again).all()
    assert first.shape == (96, 96, 3)
    assert first.min() >= 0
    assert first.max() <= 1


def test_only_the_positive_class_shows_a_nucleus():
    for patient in range(6):
        assert violet_fraction(smear(patient, 0, white_cell=False, side=128)) < 0.001
        assert violet_fraction(smear(patient, 0, white_cell=True, side=128)) > 0.003


def test_a_patient_keeps_the_stain():
    colours = np.array([[np.median(smear(p, i, white_cell=False, side=96), axis=(0, 1)) for i in range(2)] for p in range(6)])
    within = np.abs(colours[:, 0] - colours[:, 1]).mean()
    between = np.abs(colours[:, 0] - np.roll(colours[:, 1], 1, axis=0)).mean()
    assert within < between
