from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from auditor.degrade.scenarios import SCENARIOS, leakage_scenario


def worst_auc(labels: np.ndarray, field: np.ndarray) -> float:
    """The largest one-against-rest AUC, in either direction, by the Mann-Whitney formula."""
    ranks, best = rankdata(field), 0.5
    for name in np.unique(labels):
        inside = labels == name
        k = inside.sum()
        auc = (ranks[inside].sum() - k * (k + 1) / 2) / (k * (len(labels) - k))
        best = max(best, auc, 1 - auc)
    return float(best)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_scenario_is_the_same_for_a_seed_and_about_as_large_as_asked(name):
    first, again, other = (leakage_scenario(name, 600, seed) for seed in (1, 1, 2))
    assert (first.labels == again.labels).all()
    assert (first.field == again.field).all()
    assert (first.field != other.field).any() or (first.labels != other.labels).any()
    assert len(first.labels) == len(first.field) == len(first.patients) == 600


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("null 50/50", 0.5),
        ("null 80/20", 0.5),
        ("null 95/5", 0.5),
        ("one of ten classes", 1.0),
        ("rare, 60 % revealed", 0.8),
        ("0.5 sd shift", 0.638),  # Φ(0.5 / √2)
        ("balanced 80/20 binary", 0.8),
        ("left and right, leaking", 1.0),
        ("left and right, independent", 0.5),
    ],
)
def test_the_strength_of_a_scenario_is_the_published_one(name, expected):
    drawn = [leakage_scenario(name, 4000, seed) for seed in range(5)]
    assert np.mean([worst_auc(s.labels, s.field) for s in drawn]) == pytest.approx(expected, abs=0.04)


def test_prevalence_is_exact():
    for name, share in (("null 95/5", 0.05), ("null 80/20", 0.2), ("rare, 60 % revealed", 0.05)):
        assert (leakage_scenario(name, 1000, 7).labels == "class 1").mean() == pytest.approx(share)


def test_label_and_field_are_constant_within_a_patient_where_they_should_be():
    for name in ("constant per patient, independent", "unequal patients, leaking", "unequal patients, independent"):
        s = leakage_scenario(name, 1000, 0)
        for patient in np.unique(s.patients):
            inside = s.patients == patient
            assert len(set(s.labels[inside])) == 1
            assert len(set(s.field[inside])) == 1


def test_patients_are_50_of_20_images_or_unequal_or_pairs():
    counts = {n: np.unique(leakage_scenario(n, 1000, 0).patients, return_counts=True)[1] for n in SCENARIOS}
    assert counts["constant per patient, independent"].tolist() == [20] * 50
    assert counts["unequal patients, independent"].max() > 4 * np.median(counts["unequal patients, independent"]) / 2
    assert counts["left and right, leaking"].tolist() == [2] * 500


def test_every_pair_has_one_positive_and_one_negative_image():
    s = leakage_scenario("left and right, independent", 1000, 0)
    assert all(len(set(s.labels[i : i + 2])) == 2 for i in range(0, 1000, 2))
