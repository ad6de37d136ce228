from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score

from auditor.feature import feature_columns, measure_all
from auditor.prediction.out_of_fold import soften
from auditor.prediction.predict import predict, why_not
from auditor.values.image import Header, Pixels
from auditor.values.labels import State
from auditor.view import View

PNEUMONIA = Path(__file__).parents[2] / "../shared/data/images/pneumoniamnist/data/pneumoniamnist.npz"


def cloud(labels, *, distance=4.0, width=20, seed=0):
    """Features in which each label is a Gaussian cloud."""
    codes = pd.factorize(pd.Series(labels), sort=True)[0]
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(codes.max() + 1, width))
    centres *= distance / np.linalg.norm(centres, axis=1, keepdims=True)
    numbers = rng.normal(size=(len(codes), width)) + centres[codes]
    return pd.DataFrame(numbers.astype(np.float32), columns=[f"patches.f{i}" for i in range(width)])


def flip(labels, fraction, seed=0):
    rng = np.random.default_rng(seed)
    names = sorted(set(labels))
    wrong = rng.random(len(labels)) < fraction
    return [
        names[(names.index(v) + rng.integers(1, len(names))) % len(names)] if w else v
        for v, w in zip(labels, wrong, strict=True)
    ]


def two_classes(n=200):
    return ["a" if i % 3 else "b" for i in range(n)]


def features_of(images):
    def view(image):
        header = Header(format="png", shape=image.shape)
        gray = image.astype(np.float32) / image.max(initial=1)
        return View(gray=gray, stored=image, header=header, pixels=Pixels(array=image[None]))

    return pd.DataFrame([measure_all(view(image)) for image in images], columns=feature_columns())


def accuracy(dataset):
    p = dataset.predictions.probabilities
    return float(np.mean(p.argmax(axis=1) == dataset.labels.codes))


def test_separable_classes_are_predicted_with_probabilities_that_sum_to_one():
    labels = two_classes()
    dataset = predict(make_dataset(labels=labels, features=cloud(labels)))
    p = dataset.predictions.probabilities
    assert accuracy(dataset) > 0.97
    assert np.allclose(p.sum(axis=1), 1, atol=1e-5)
    assert (dataset.predictions.classes, dataset.predictions.origin) == (("a", "b"), "built-in probe")
    assert (dataset.predictions.out_of_fold, dataset.predictions.folds) == (True, 5)


def test_features_without_information_give_chance_and_no_more():
    labels = two_classes(600)
    noise = cloud(["x"] * 600, distance=0)
    dataset = predict(make_dataset(labels=labels, features=noise))
    assert 0.6 < accuracy(dataset) < 0.72
    assert dataset.predictions.probabilities.max() < 0.9


def test_the_same_seed_gives_the_same_numbers_and_another_seed_other_folds():
    labels = two_classes()
    dataset = make_dataset(labels=labels, features=cloud(labels, distance=1.5))
    first, again, other = (predict(dataset, seed=s).predictions.probabilities for s in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_patient_is_never_in_training_and_test_at_once():
    """Patients can be told apart, labels are random per patient: only a leak would predict them."""
    patients = [str(i // 8) for i in range(400)]
    rng = np.random.default_rng(0)
    own = rng.integers(0, 2, 50)
    labels = ["ab"[own[int(p)]] for p in patients]
    features = cloud([f"{int(p):02d}" for p in patients], distance=12)
    grouped = accuracy(predict(make_dataset(labels=labels, features=features, patients=patients)))
    leaking = accuracy(predict(make_dataset(labels=labels, features=features)))
    assert leaking > 0.95
    assert grouped < 0.7


def test_the_probe_does_not_read_the_encoding():
    labels = two_classes()
    leak = [float(v == "a") for v in labels]
    features = cloud(["x"] * 200, distance=0).assign(
        **{"intensity.stored_levels": leak, "intensity.range_used_fraction": leak, "container.bit_depth": leak}
    )
    assert accuracy(predict(make_dataset(labels=labels, features=features))) < 0.75


def test_grey_pictures_stored_with_three_channels_look_like_those_stored_with_one():
    labels = two_classes()
    mean = [0.4 if v == "a" else np.nan for v in labels]
    colours = {f"intensity.{c}_mean": mean for c in ("red", "green", "blue")}
    features = cloud(["x"] * 200, distance=0).assign(**colours)
    assert accuracy(predict(make_dataset(labels=labels, features=features))) < 0.75


def test_colour_is_read():
    labels = two_classes()
    colours = {
        "intensity.red_mean": [0.8 if v == "a" else 0.2 for v in labels],
        "intensity.green_mean": 0.5,
        "intensity.blue_mean": 0.5,
    }
    features = cloud(["x"] * 200, distance=0, width=3).assign(**colours)
    assert accuracy(predict(make_dataset(labels=labels, features=features))) > 0.95


def test_records_without_label_or_pixels_are_not_predicted_and_rare_classes_not_judged():
    labels = [*two_classes(), None, "rare", "a"]
    features = cloud([v or "a" for v in labels])
    features.iloc[-1] = np.nan
    dataset = predict(make_dataset(labels=labels, features=features))
    p = dataset.predictions.probabilities
    assert np.isnan(p[200:]).all()
    assert np.isfinite(p[:200]).all()
    assert (p[:200, dataset.labels.classes.index("rare")] == 0).all()


def test_a_class_that_only_one_patient_has_is_not_judged():
    labels = [*two_classes(), *["c"] * 20]
    patients = [*(str(i) for i in range(200)), *["last"] * 20]
    dataset = predict(make_dataset(labels=labels, features=cloud(labels), patients=patients))
    assert np.isnan(dataset.predictions.probabilities[200:]).all()
    assert np.isfinite(dataset.predictions.probabilities[:200]).all()


def test_a_fold_whose_training_part_holds_one_class_is_left_out_and_the_rest_judged():
    # Two patients have both classes each, a hundred have `a` alone: where both fall in one fold, the rest is all `a`.
    labels = [*["a"] * 100, *["a", "b"] * 20]
    patients = [*(str(i) for i in range(100)), *["x"] * 20, *["y"] * 20]
    for seed in range(6):
        p = predict(make_dataset(labels=labels, features=cloud(labels), patients=patients), seed=seed).predictions.probabilities
        judged = np.isfinite(p).all(axis=1)
        assert judged[:100].sum() >= 60
        assert np.allclose(p[judged].sum(axis=1), 1, atol=1e-5)


def test_multi_label_classes_are_judged_one_by_one_on_what_is_known():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (300, 3))
    numbers = np.hstack([truth * 5 + rng.normal(size=(300, 3)), rng.normal(size=(300, 6))]).astype(np.float32)
    states = {c: truth[:, i].tolist() for i, c in enumerate("xyz")}
    states["x"] = [State.UNCERTAIN if i % 4 == 0 else v for i, v in enumerate(states["x"])]
    states["z"] = [1] * 3 + [0] * 297
    features = pd.DataFrame(numbers, columns=[f"patches.{i}" for i in range(9)])
    dataset = predict(make_dataset(states=states, features=features))
    p = dataset.predictions.probabilities
    assert np.mean((p[:, 0] > 0.5) == truth[:, 0]) > 0.97
    assert np.mean((p[:, 1] > 0.5) == truth[:, 1]) > 0.97
    assert np.isnan(p[:, 2]).all()


def test_ordinal_labels_are_predicted_in_grade_order():
    labels = ["mild", "none", "severe"] * 60
    dataset = predict(make_dataset(labels=labels, task="ordinal", classes=["none", "mild", "severe"], features=cloud(labels)))
    assert dataset.predictions.classes == ("none", "mild", "severe")
    assert accuracy(dataset) > 0.95


def test_given_predictions_are_left_alone():
    labels = two_classes()
    dataset = make_dataset(labels=labels, features=cloud(labels), probabilities=np.full((200, 2), 0.5))
    assert predict(dataset) is dataset


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 30, "features": cloud(["a"] * 30)}, "no label"),
        (
            {
                "labels": [1.5] * 30,
                "task": "continuous",
                "features": cloud(["a"] * 30),
                "patients": ["p"] * 15 + [None] * 15,
                "same_pixels": ["x"] * 30,
            },
            "same picture",
        ),
        ({"labels": two_classes(30)}, "no pixel features"),
        ({"labels": two_classes(12), "features": cloud(two_classes(12))}, "12 labelled records"),
        ({"labels": ["a"] * 30, "features": cloud(["a"] * 30)}, "two classes"),
        ({"labels": ["a"] * 30 + ["b"] * 4, "features": cloud(["a"] * 34)}, "two classes"),
        (
            {
                "labels": two_classes(60),
                "features": cloud(two_classes(60)),
                "patients": ["A" if i % 3 else "B" for i in range(60)],
            },
            "fewer than two classes have records of two patients",
        ),
        (
            {"labels": ["a"] * 30 + ["b"] * 30, "features": cloud(["a"] * 60), "patients": [*"q" * 30, *map(str, range(30))]},
            "fewer than two classes have records of two patients",
        ),
        ({"labels": two_classes(30), "features": cloud(["a"] * 30), "same_pixels": ["p"] * 30}, "same picture"),
    ],
)
def test_what_cannot_be_predicted_has_a_reason_and_is_returned_unchanged(arguments, words):
    dataset = make_dataset(**arguments)
    assert words in why_not(dataset)
    assert predict(dataset) is dataset


def test_one_fold_is_refused():
    with pytest.raises(ValueError, match="two folds"):
        predict(make_dataset(labels=two_classes(), features=cloud(two_classes())), folds=1)


def test_softening_moves_probabilities_towards_even_and_sharpening_away():
    p = np.array([[0.8, 0.2]], dtype=np.float32)
    assert 0.5 < soften(p, 2.0, exclusive=True)[0, 0] < 0.8 < soften(p, 0.5, exclusive=True)[0, 0]
    assert soften(p, 1.0, exclusive=True)[0, 0] == pytest.approx(0.8, abs=1e-5)
    assert soften(p, 2.0, exclusive=False)[0, 1] == pytest.approx(1 / 3, abs=1e-4)


def test_probabilities_are_calibrated():
    labels = two_classes(3000)
    dataset = predict(make_dataset(labels=labels, features=cloud(labels, distance=1.5)))
    p = dataset.predictions.probabilities.max(axis=1)
    right = dataset.predictions.probabilities.argmax(axis=1) == dataset.labels.codes
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        part = (p >= low) & (p < high)
        assert abs(p[part].mean() - right[part].mean()) < 0.05


def test_digits_with_flipped_labels_are_ranked():
    digits = load_digits()
    truth = [str(v) for v in digits.target[:900]]
    labels = flip(truth, 0.1)
    dataset = predict(make_dataset(labels=labels, features=features_of((digits.images[:900] * 15).astype(np.uint8))))
    p = dataset.predictions.probabilities
    wrong = np.array(labels) != np.array(truth)
    codes = dataset.labels.codes
    assert np.mean(p.argmax(axis=1) == pd.factorize(pd.Series(truth), sort=True)[0]) > 0.96
    assert average_precision_score(wrong, -p[np.arange(900), codes]) > 0.97


@pytest.mark.slow
@pytest.mark.skipif(not PNEUMONIA.exists(), reason="the real data are not on this machine")
def test_pneumonia_is_predicted_as_well_as_measured():
    with np.load(PNEUMONIA) as z:
        images = np.concatenate([z[f"{s}_images"] for s in ("train", "val", "test")])
        labels = [str(v) for s in ("train", "val", "test") for v in z[f"{s}_labels"].ravel()]
    assert accuracy(predict(make_dataset(labels=labels, features=features_of(images)))) > 0.955


def test_the_probe_says_where_its_two_halves_agree():
    labels = two_classes()
    easy, hard = (
        predict(make_dataset(labels=labels, features=cloud(labels, distance=d))).predictions.agreed for d in (6.0, 0.3)
    )
    assert easy.mean() > 0.95 > hard.mean()
    states = {"x": [i % 2 for i in range(200)]}
    assert predict(make_dataset(states=states, features=cloud(labels))).predictions.agreed is None
