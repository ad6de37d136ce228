import numpy as np
import pytest
from builders import make_dataset
from sklearn.metrics import average_precision_score

from auditor.evidence.labels.ensemble import join_predictions
from auditor.values.predictions import Predictions


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True)).astype(np.float32)


def model(p, name, classes=("a", "b", "c"), **more):
    return Predictions(probabilities=np.asarray(p, dtype=np.float32), classes=classes, origin=name, **more)


def test_one_model_is_returned_as_it_is():
    dataset = make_dataset(labels=["a", "b", "c"] * 10)
    one = model(np.full((30, 3), 1 / 3), "one.npy")
    assert join_predictions([one], dataset) is one
    with pytest.raises(ValueError, match="no predictions"):
        join_predictions([], dataset)


def test_the_mean_finds_more_wrong_labels_than_its_best_model_and_a_boastful_one_does_not_decide():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 3000)
    given = np.where(rng.random(3000) < 0.1, (truth + 1) % 3, truth)
    signal = 2.0 * np.eye(3)[truth]
    logits = [signal + rng.normal(size=(3000, 3)) * s for s in (1.2, 1.2, 2.2)]
    models = [model(softmax(z * k), f"{k}.npy") for z, k in zip(logits, (1, 1, 30), strict=True)]
    dataset = make_dataset(labels=[f"{'abc'[g]}" for g in given])
    joined = join_predictions(models, dataset)
    assert joined.origin == "1.npy + 1.npy + 30.npy"

    def precision(p):
        return average_precision_score(given != truth, -p[np.arange(3000), given])

    assert precision(joined.probabilities) > max(precision(m.probabilities) for m in models) + 0.02
    plain = np.mean([m.probabilities for m in models], axis=0)
    assert precision(joined.probabilities) > precision(plain)
    assert np.allclose(joined.probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_record_is_judged_by_the_models_that_predicted_it():
    dataset = make_dataset(labels=["a", "b"] * 20)
    sure = np.tile([[0.9, 0.1], [0.1, 0.9]], (20, 1)).astype(np.float32)
    half, none = sure.copy(), sure.copy()
    half[0], none[:2] = np.nan, np.nan
    joined = join_predictions([model(half, "x", ("a", "b")), model(none, "y", ("a", "b"), out_of_fold=False)], dataset)
    assert np.isnan(joined.probabilities[0]).all()
    assert np.isfinite(joined.probabilities[1:]).all()
    assert not joined.out_of_fold


def test_multi_label_models_are_joined_class_by_class():
    dataset = make_dataset(states={"x": [0, 1] * 20, "y": [1, -1] * 20})
    p = np.full((40, 2), 0.25, dtype=np.float32)
    p[::2, 1] = np.nan
    joined = join_predictions([model(p, "1", ("x", "y")), model(np.full((40, 2), 0.75), "2", ("x", "y"))], dataset)
    assert joined.probabilities.shape == (40, 2)
    assert np.isfinite(joined.probabilities).all()


def test_several_models_say_where_they_agree_and_a_record_of_one_model_is_no_dispute():
    dataset = make_dataset(labels=["a", "b", "c"] * 10)
    one = np.tile(np.array([0.8, 0.1, 0.1]), (30, 1))
    other = one[:, [0, 1, 2]].copy()
    other[3] = [0.1, 0.8, 0.1]
    other[4] = np.nan
    joined = join_predictions([model(one, "one"), model(other[:, ::-1], "other", classes=("c", "b", "a"))], dataset)
    assert np.flatnonzero(~joined.agreed).tolist() == [3]
    states = make_dataset(states={"x": [0, 1] * 15})
    ones = [model(np.full((30, 1), 0.5), name, classes=("x",)) for name in "ab"]
    assert join_predictions(ones, states).agreed is None
