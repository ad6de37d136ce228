from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from auditor.degrade.phantom import chest_of, radiograph


def thumbnail(image: np.ndarray, side: int = 16) -> np.ndarray:
    step = image.shape[0] // side
    return image[: side * step, : side * step].reshape(side, step, side, step).mean(axis=(1, 3)).ravel()


def test_a_radiograph_is_the_same_for_the_same_numbers_and_within_0_to_1():
    first, again = (radiograph(3, 1, opacity=True, seed=2, side=96) for _ in range(2))
    assert (first == again).all()
    assert first.shape == (96, 96)
    assert first.min() >= 0
    assert first.max() <= 1
    assert first.std() > 0.15


def test_patient_image_seed_and_class_each_change_the_picture():
    base = radiograph(3, 1, opacity=False, seed=2, side=96)
    others = [
        radiograph(4, 1, opacity=False, seed=2, side=96),
        radiograph(3, 2, opacity=False, seed=2, side=96),
        radiograph(3, 1, opacity=False, seed=3, side=96),
        radiograph(3, 1, opacity=True, seed=2, side=96),
    ]
    assert all((base != other).any() for other in others)
    assert chest_of(3, seed=2) == chest_of(3, seed=2) != chest_of(4, seed=2)


def test_the_opacity_lies_in_the_lungs_and_is_brighter():
    for patient in range(5):
        clear, ill = (radiograph(patient, 0, opacity=o, seed=5, side=96) for o in (False, True))
        rows, columns = np.nonzero(np.abs(ill - clear) > 0.05)
        assert (ill - clear).max() > 0.08
        assert len(rows) > 40
        assert (ill - clear)[rows, columns].mean() > 0
        assert rows.min() > 0.15 * 96
        assert rows.max() < 0.90 * 96


def test_images_of_one_patient_resemble_each_other_more_than_those_of_two():
    pictures = {(p, i): thumbnail(radiograph(p, i, opacity=False, side=96), 32) for p in range(8) for i in range(2)}
    same = np.median([np.abs(pictures[p, 0] - pictures[p, 1]).mean() for p in range(8)])
    apart = np.median([np.abs(pictures[p, 0] - pictures[q, 1]).mean() for p in range(8) for q in range(8) if p != q])
    assert same < 0.75 * apart


@pytest.mark.slow
def test_a_linear_model_on_thumbnails_tells_the_classes_apart_in_unseen_patients():
    X = np.array(
        [thumbnail(radiograph(p, i, opacity=(p + i) % 2 == 0, seed=1, side=128)) for p in range(150) for i in range(2)]
    )
    y = np.array([(p + i) % 2 == 0 for p in range(150) for i in range(2)])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000)).fit(X[:200], y[:200])
    assert 0.88 <= model.score(X[200:], y[200:]) <= 1.0
