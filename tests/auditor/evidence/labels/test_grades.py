from dataclasses import replace

import numpy as np
from builders import make_dataset

from auditor.checks.ln001 import EstimatedNoise
from auditor.checks.ln002 import SuspectLabels
from auditor.evidence.labels.estimate import estimate_noise
from auditor.evidence.labels.grades import by_grade, other_grades


def graded(seed: int, n: int = 2000, grades: int = 5, blur: float = 0.45):
    """Probabilities of a model, true grade, given grade: a tenth wrong, half of those by two grades or more."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, grades, n)
    seen = truth + rng.normal(0, blur, n)
    p = np.exp(-((seen[:, None] - np.arange(grades)) ** 2) / (2 * blur**2))
    p = (p / p.sum(axis=1, keepdims=True)).astype(np.float32)
    given = truth.copy()
    for i in np.flatnonzero(rng.random(n) < 0.1):
        far = rng.random() < 0.5
        given[i] = rng.choice([g for g in range(grades) if (abs(g - truth[i]) > 1 if far else abs(g - truth[i]) == 1)])
    return p, truth, given


def test_of_two_equally_suspect_labels_the_one_further_off_comes_first():
    p, _, given = graded(0)
    estimate = estimate_noise(p, given)
    ranked = by_grade(estimate, p, given)
    others = other_grades(p, given)
    distance = (others * np.abs(np.arange(5) - given[:, None])).sum(axis=1)
    assert np.allclose(ranked.score, 1 - (1 - estimate.score) * (distance / 4) ** 0.25, atol=1e-6)
    assert (ranked.flagged == estimate.flagged).all()


def test_errors_of_two_grades_rank_no_lower_than_without_distance():
    def place(score, far):
        return np.argsort(np.argsort(score, kind="stable"))[far].mean()

    gains = []
    for seed in range(6):
        p, truth, given = graded(seed)
        estimate = estimate_noise(p, given)
        far = np.abs(given - truth) >= 2
        gains.append(place(estimate.score, far) - place(by_grade(estimate, p, given).score, far))
    assert np.mean(gains) > 0
    assert min(gains) > -1


def test_the_suggestion_is_the_median_of_the_other_grades():
    p, _, given = graded(2, n=100)
    p[:10], given[:10] = np.array([0.02, 0.4, 0.0, 0.25, 0.33]), 0
    flagged = np.arange(100) < 10
    estimate = replace(estimate_noise(p, given), flagged=flagged, suggested=np.where(flagged, 1, given))
    ranked = by_grade(estimate, p, given)
    assert set(ranked.suggested[:10].tolist()) == {3}  # of .41, .0, .26, .34 for grades 1 to 4 the middle lies at 3
    assert (ranked.suggested[10:] == given[10:]).all()


def test_without_any_other_probability_all_other_grades_are_alike():
    others = other_grades(np.array([[0.0, 1.0, 0.0]], dtype=np.float32), np.array([1]))
    assert others.tolist() == [[0.5, 0.0, 0.5]]


def test_the_checks_tell_how_many_grades_a_label_is_off():
    p, _, given = graded(1, blur=0.3)
    p = 0.9 * p + np.float32(0.02)
    dataset = make_dataset(
        labels=[f"g{v}" for v in given], task="ordinal", classes=[f"g{v}" for v in range(5)], probabilities=p
    )
    verdict = EstimatedNoise().run(dataset)
    assert verdict.metrics["two_grades_apart_fraction"] == np.mean(np.abs(p.argmax(axis=1) - given) >= 2)
    _, *listed = SuspectLabels().run(dataset).findings
    assert listed
    for finding in listed:
        apart = abs(int(str(finding.evidence["given"])[1:]) - int(str(finding.evidence["suggested"])[1:]))
        assert finding.evidence["grades_apart"] == apart
        assert f"{apart} grade" in finding.message
