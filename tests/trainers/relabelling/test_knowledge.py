"""A teacher that knows nothing must not teach."""

import numpy as np
import pytest

from trainers.relabelling.pseudo_labels import ignorance, rate_of_labels


def said(rng: np.random.Generator, truth: np.ndarray, right: float, classes: int) -> np.ndarray:
    other = (truth + rng.integers(1, classes, len(truth))) % classes
    return np.where(rng.random(len(truth)) < right, truth, other)


def judged(
    teacher: float, labels: float, *, classes: int = 3, trusted: int = 60, seed: int = 0, unlabelled: float = 0.0
) -> str:
    rng = np.random.default_rng(seed)
    known, others = rng.integers(0, classes, trusted), rng.integers(0, classes, 400)
    given = np.where(rng.random(400) < unlabelled, -1, said(rng, others, labels, classes))
    return ignorance(
        said(rng, known, teacher, classes), known, said(rng, others, teacher, classes), given, classes=classes
    )  # fmt: skip


def test_a_teacher_at_chance_or_below_is_refused_with_its_figure() -> None:
    assert "knows too little" in judged(0.26, 0.7)
    assert "%" in judged(0.26, 0.7)
    for seed in range(40):
        assert judged(1 / 3, 0.7, seed=seed), "by chance it passes once in a thousand"


def test_always_the_commonest_class_is_no_knowledge() -> None:
    truth = np.array([0] * 50 + [1] * 10)
    assert "knows too little" in ignorance(np.zeros(60, int), truth, np.zeros(80, int), np.zeros(80, int), classes=2)


def test_a_teacher_that_is_right_less_often_than_the_labels_is_refused() -> None:
    assert "make labels worse" in judged(0.7, 0.97)
    assert judged(0.95, 0.7) == ""


def test_where_most_records_have_no_label_it_only_has_to_know_something() -> None:
    assert judged(0.7, 0.97, unlabelled=0.8) == ""
    assert "knows too little" in judged(0.3, 0.97, unlabelled=0.8)


@pytest.mark.parametrize(("rate", "accuracy", "classes"), [(0.7, 0.9, 2), (0.95, 0.8, 3), (0.5, 0.6, 5)])
def test_the_rate_of_labels_follows_from_their_agreement(rate: float, accuracy: float, classes: int) -> None:
    agreement = accuracy * rate + (1 - accuracy) * (1 - rate) / (classes - 1)
    assert rate_of_labels(agreement, accuracy, classes) == pytest.approx(rate)
