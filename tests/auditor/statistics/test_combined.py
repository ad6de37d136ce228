import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from auditor.statistics.coding import CodedField, code_field
from auditor.statistics.combined import combine, fold_auc, score_test
from auditor.statistics.interactions import coarsen, screen_pairs


def fields_of(values: np.ndarray, patients: np.ndarray) -> list[CodedField]:
    found = [code_field(pd.Series(column, name=str(i)), patients) for i, column in enumerate(values.T)]
    return [field for field in found if field is not None]


def test_the_screen_finds_xor_among_sixty_columns() -> None:
    g = np.random.default_rng(0)
    values = g.normal(size=(1000, 60))
    label = (values[:, 7] > 0) ^ (values[:, 31] > 0)
    coarse = np.column_stack([coarsen(field) for field in fields_of(values, np.arange(1000))])
    best = screen_pairs(coarse, label)[0]
    assert (best.first, best.second) == (7, 31)
    assert best.p < 1e-50


def test_the_screen_is_silent_on_noise_and_on_single_fields() -> None:
    alarms = 0
    for seed in range(20):
        g = np.random.default_rng(seed)
        values = g.normal(size=(1000, 20))
        label = values[:, 0] + g.normal(size=1000) > 0
        coarse = np.column_stack([coarsen(field) for field in fields_of(values, np.arange(1000))])
        alarms += any(0 not in (pair.first, pair.second) for pair in screen_pairs(coarse, label))
    assert alarms <= 3


def test_xor_is_predicted_out_of_fold() -> None:
    g = np.random.default_rng(1)
    values = g.normal(size=(1000, 60))
    label = (values[:, 0] > 0) ^ (values[:, 1] > 0)
    fold = (np.arange(1000) % 5).astype(np.int8)
    found = combine(fields_of(values, np.arange(1000)), label, np.ones(1000, bool), np.arange(1000), fold, folds=5, seed=0,
                    importance=lambda auc, p: True)  # fmt: skip
    assert found.auc > 0.95
    assert found.p < 1e-6
    assert found.pairs[0][:2] == (0, 1)
    assert set(np.argsort(-found.importance)[:2]) == {0, 1}


@pytest.mark.slow
def test_the_score_test_allows_for_common_training_data_and_patients() -> None:
    called = 0
    for seed in range(100):
        g = np.random.default_rng(seed)
        patients = np.repeat(np.arange(50), 20)
        values, label = g.normal(size=(50, 8))[patients], (g.random(50) < 0.5)[patients]
        fold = (patients % 5).astype(np.int8)
        called += combine(fields_of(values, patients), label, np.ones(1000, bool), patients, fold, folds=5, seed=0).p <= 0.05
    assert called <= 9


def test_the_fold_auc_is_scikit_learns_inside_folds() -> None:
    g = np.random.default_rng(2)
    label, score = g.random(300) < 0.4, g.normal(size=300)
    fold = (np.arange(300) % 3).astype(np.int8)
    weights = [label[fold == h].sum() * (~label[fold == h]).sum() for h in range(3)]
    parts = [roc_auc_score(label[fold == h], score[fold == h]) for h in range(3)]
    assert fold_auc(score, label, np.arange(300), fold, folds=3)[0] == pytest.approx(np.average(parts, weights=weights))


def test_a_useless_score_has_a_uniform_p_and_a_good_one_a_small_p() -> None:
    g = np.random.default_rng(3)
    fold = (np.arange(400) % 5).astype(np.int8)
    label = g.random(400) < 0.5
    null = [score_test(g.normal(size=400), label, np.arange(400), fold, folds=5) for _ in range(200)]
    assert np.mean(np.array(null) <= 0.05) <= 0.05  # careful: the variance allows for a model that was trained
    assert score_test(g.normal(size=400) + label, label, np.arange(400), fold, folds=5) < 1e-4


def test_left_and_right_scores_are_seen_inside_patients() -> None:
    patients, label = np.repeat(np.arange(100), 2), np.tile([False, True], 100)
    fold = (patients % 5).astype(np.int8)
    assert score_test(label + 0.0, label, patients, fold, folds=5) < 1e-6
