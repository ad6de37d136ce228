from dataclasses import replace

import numpy as np
import pytest
from builders import make_dataset
from sklearn.linear_model import Ridge

from auditor.prediction.files import read_predictions
from auditor.prediction.numbers import STRENGTHS, fit_numbers, ridge
from auditor.prediction.predict import predict, why_not
from auditor.values.errors import DatasetError


def features(rng, n):
    values = rng.normal(size=(n, 20)).astype(np.float32)
    return values, 40 + 6 * values[:, 0] - 4 * values[:, 1]


def test_ridge_is_that_of_scikit_learn_at_one_of_the_strengths():
    rng = np.random.default_rng(0)
    inside = rng.normal(size=(300, 8))
    inside -= inside.mean(axis=0)
    numbers = inside @ rng.normal(size=8) + rng.normal(size=300)
    numbers -= numbers.mean()
    found = ridge(inside, numbers)
    fits = [Ridge(alpha=s * 300, fit_intercept=False).fit(inside, numbers).coef_ for s in STRENGTHS]
    assert min(np.abs(found - fit).max() for fit in fits) < 1e-8
    assert np.abs(found - fits[-1]).max() > 0.1


def test_a_wild_label_does_not_bend_the_probe():
    rng = np.random.default_rng(1)
    x, y = features(rng, 400)
    wild = y.copy()
    wild[::40] += 5000
    honest, bent = fit_numbers(x, y).numbers(x), fit_numbers(x, wild).numbers(x)
    assert np.abs(honest - bent).max() < 10


def test_numbers_are_predicted_out_of_fold_and_by_patient():
    rng = np.random.default_rng(2)
    x, y = features(rng, 600)
    names = [f"texture.f{i}" for i in range(20)]
    table = dict(zip(names, x.T.tolist(), strict=True))
    dataset = make_dataset(labels=y.tolist(), task="continuous", features=table, patients=[f"p{i // 3}" for i in range(600)])
    assert why_not(dataset) is None
    found = predict(dataset, seed=1).predictions
    assert found is not None
    assert (found.classes, found.origin, found.folds) == (("value",), "built-in probe", 5)
    assert np.corrcoef(found.probabilities[:, 0], y)[0, 1] > 0.9
    again = predict(dataset, seed=1).predictions
    assert again is not None
    assert (found.probabilities == again.probabilities).all()
    noise = make_dataset(labels=rng.normal(size=600).tolist(), task="continuous", features=table)
    blind = predict(noise, seed=1).predictions
    assert blind is not None
    assert abs(np.corrcoef(blind.probabilities[:, 0], noise.labels.values)[0, 1]) < 0.15


def test_too_few_and_one_patient_have_a_reason():
    rng = np.random.default_rng(3)
    x, y = features(rng, 30)
    table = {"texture.a": x[:, 0].tolist()}
    few = make_dataset(labels=y[:10].tolist(), task="continuous", features={"texture.a": x[:10, 0].tolist()})
    assert "10 labelled records" in str(why_not(few))
    one = make_dataset(labels=y.tolist(), task="continuous", features=table, same_pixels=["same"] * 30)
    assert "same picture" in str(why_not(one))
    assert predict(one) is one


def test_predicted_numbers_are_read_from_an_array_or_the_column_value(tmp_path):
    dataset = make_dataset(labels=[1.5, 2.5, 3.5], task="continuous")
    np.save(tmp_path / "p.npy", np.array([1.0, 2.0, 300.0]))
    found = read_predictions(tmp_path / "p.npy", dataset, workers=0)
    assert found.probabilities.tolist() == [[1.0], [2.0], [300.0]]
    (tmp_path / "p.csv").write_text("record,value\nr0002,7\nr0000,5\n")
    found = read_predictions(tmp_path / "p.csv", dataset, workers=0)
    assert found.probabilities[[0, 2], 0].tolist() == [5.0, 7.0]
    assert np.isnan(found.probabilities[1, 0])
    np.save(tmp_path / "two.npy", np.ones((3, 2)))
    with pytest.raises(DatasetError, match="one predicted number each"):
        read_predictions(tmp_path / "two.npy", dataset, workers=0)
    np.save(tmp_path / "bad.npy", np.array([1.0, np.inf, 2.0]))
    with pytest.raises(DatasetError, match="infinite"):
        read_predictions(tmp_path / "bad.npy", dataset, workers=0)


def test_several_models_of_numbers_are_averaged():
    from auditor.evidence.labels.ensemble import join_predictions

    dataset = predict(
        make_dataset(
            labels=list(np.arange(40.0)),
            task="continuous",
            features={"texture.a": list(np.arange(40.0)), "texture.b": [0.0] * 40},
        )
    )
    one = dataset.predictions
    assert one is not None
    gap = one.probabilities.copy()
    gap[3] = np.nan
    joined = join_predictions([one, replace(one, probabilities=gap + 2)], dataset)
    assert joined.probabilities[3] == one.probabilities[3]
    assert joined.probabilities[5] == pytest.approx(one.probabilities[5] + 1)
