import numpy as np
import pytest

from auditor.prediction.probe import fit_probe, half_whitening


def blobs(n=300, width=10, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, classes, n)
    features = (rng.normal(size=(n, width)) + 4 * np.eye(width)[codes]).astype(np.float32)
    return features, np.eye(classes, dtype=np.float32)[codes], codes


def fitted(features, targets, *, known=None, exclusive=True, references=10_000):
    known = np.ones(targets.shape, dtype=bool) if known is None else known
    return fit_probe(features, targets, known, exclusive=exclusive, references=references, rng=np.random.default_rng(0))


def test_a_fitted_probe_predicts_new_rows_with_probabilities_that_sum_to_one():
    features, targets, _ = blobs()
    fresh, _, codes = blobs(seed=1)
    p = fitted(features, targets).probabilities(fresh)
    assert np.mean(p.argmax(axis=1) == codes) > 0.95
    assert np.allclose(p.sum(axis=1), 1, atol=1e-5)
    assert p.min() > 0


def test_units_do_not_matter():
    features, targets, _ = blobs()
    scale = np.geomspace(1e-3, 1e5, 10).astype(np.float32)
    plain = fitted(features, targets).probabilities(features)
    scaled = fitted(features * scale + 5 * scale, targets).probabilities(features * scale + 5 * scale)
    assert np.allclose(plain, scaled, atol=1e-2)


def test_missing_numbers_count_as_the_mean_and_constant_columns_as_nothing():
    features, targets, codes = blobs()
    holes = np.hstack([features, np.full((300, 2), 7, np.float32), np.full((300, 1), np.nan, np.float32)])
    holes[::5, 9] = np.nan
    p = fitted(holes, targets).probabilities(holes)
    assert np.isfinite(p).all()
    assert np.mean(p.argmax(axis=1) == codes) > 0.95


def test_features_that_do_not_vary_at_all_give_the_prior():
    _, targets, _ = blobs()
    flat = np.ones((300, 4), np.float32)
    p = fitted(flat, targets).probabilities(flat)
    assert np.allclose(p, targets.mean(axis=0), atol=0.1)
    assert np.ptp(p, axis=0).max() < 1e-5


def test_a_training_part_of_a_single_class_teaches_nothing_and_gives_its_prior():
    features, targets, _ = blobs()
    only = np.zeros_like(targets)
    only[:, 1] = 1
    probe = fitted(features, only)
    assert not probe.learnt.any()
    assert np.allclose(probe.probabilities(features), [0, 1, 0], atol=1e-6)


def test_a_class_without_training_rows_is_not_learnt_and_gets_nothing_from_the_regression():
    features, targets, _ = blobs()
    targets = np.hstack([targets, np.zeros((300, 1), np.float32)])
    probe = fitted(features, targets)
    assert probe.learnt.tolist() == [True, True, True, False]
    assert probe.probabilities(features)[:, 3].max() < 1e-6


def test_independent_classes_learn_from_their_own_known_rows_only():
    features, targets, codes = blobs()
    known = np.ones(targets.shape, dtype=bool)
    known[codes == 1, 0] = False
    noise = targets.copy()
    noise[codes == 1, 0] = 1
    honest = fitted(features, targets, known=known, exclusive=False).probabilities(features)
    misled = fitted(features, noise, known=known, exclusive=False).probabilities(features)
    assert np.allclose(honest, misled)
    assert np.mean((honest[:, 2] > 0.5) == (codes == 2)) > 0.95


@pytest.mark.parametrize("references", [40, 10_000])
def test_fewer_references_cost_little(references):
    features, targets, _ = blobs()
    fresh, _, codes = blobs(seed=2)
    probe = fitted(features, targets, references=references)
    assert len(probe.references) == min(references, 300)
    assert np.mean(probe.probabilities(fresh).argmax(axis=1) == codes) > 0.95


@pytest.mark.parametrize(("rows", "features"), [(24, 40), (60, 40), (2, 40)])
def test_components_are_those_of_the_covariance_however_many_rows_there_are(rows, features):
    rng = np.random.default_rng(rows)
    standard = rng.normal(size=(rows, features)) * np.linspace(1, 4, features)
    standard = (standard - standard.mean(axis=0)).astype(np.float32)
    values, vectors = np.linalg.eigh(np.cov(standard.T.astype(np.float64), bias=True))
    rotation = half_whitening(standard)
    most = min(rows - 1, features)
    assert rotation.shape == (features, most)
    for i in range(most):
        expected = vectors[:, -1 - i] / values[-1 - i] ** 0.25
        assert np.abs(rotation[:, i] @ expected) == pytest.approx(np.linalg.norm(expected) ** 2, rel=1e-3)
        assert rotation[:, i][np.abs(rotation[:, i]).argmax()] > 0
