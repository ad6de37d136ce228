import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association
from sklearn.metrics import roc_auc_score

from auditor.statistics.association import associate, count_cells, cramers_v, rank_cells
from auditor.statistics.clusters import clusters_of, deal_folds, draw_patients, held_by
from auditor.statistics.coding import CodedField, code_field
from auditor.statistics.targets import Targets


def against_rest(*positives: np.ndarray) -> Targets:
    positive = np.column_stack(positives).astype(bool)
    return Targets(names=tuple(str(i) for i in range(positive.shape[1])), positive=positive, known=np.ones_like(positive))


def coded(values: object, patients: np.ndarray | None = None) -> CodedField:
    column = pd.Series(values, name="f")
    field = code_field(column, np.arange(len(column)) if patients is None else patients)
    assert field is not None
    return field


def test_the_auc_from_counts_equals_scikit_learn_inside_each_fold() -> None:
    g = np.random.default_rng(0)
    field = coded(g.normal(size=400))
    targets = against_rest(g.random(400) < 0.3, g.random(400) < 0.1)
    fold = (np.arange(400) % 5).astype(np.int8)
    counts = count_cells(field, targets, fold, folds=5)
    found = associate(counts, field)
    for c in range(2):
        score = found.rates[c, 0][fold, field.codes]
        truth = targets.positive[:, c]
        parts = [(roc_auc_score(truth[fold == h], score[fold == h]), truth[fold == h].sum() * (~truth[fold == h]).sum())
                 for h in range(5)]  # fmt: skip
        expected = sum(a * w for a, w in parts) / sum(w for _, w in parts)
        assert found.auc[c] == pytest.approx(expected, abs=1e-12)


def test_ties_count_half() -> None:
    rates = np.array([[[[0.2, 0.2, 0.7]]]])
    positive, negative = np.array([[[[1.0, 2.0, 3.0]]]]), np.array([[[[4.0, 1.0, 2.0]]]])
    score = np.repeat([0.2, 0.7, 0.2, 0.7], [3, 3, 5, 2])
    label = np.repeat([1, 0], [6, 7])
    assert rank_cells(rates, positive, negative).auc[0] == pytest.approx(roc_auc_score(label, score))


def test_a_null_field_lies_at_one_half_on_average_for_rare_classes_too() -> None:
    g = np.random.default_rng(1)
    aucs = []
    for _ in range(150):
        targets = against_rest(g.random(300) < 0.07)
        clusters = clusters_of(None, 300)
        fold = deal_folds(clusters, targets, folds=5, seed=0)
        field = coded(g.normal(size=300))
        aucs.append(associate(count_cells(field, targets, fold, folds=5), field).auc[0])
    assert np.mean(aucs) == pytest.approx(0.5, abs=0.02)


def test_an_identifier_predicts_nothing_out_of_fold() -> None:
    g = np.random.default_rng(2)
    values = [f"id{i}" for i in range(200)]
    assert code_field(pd.Series(values, name="id"), np.arange(200)) is None
    patients = np.repeat(np.arange(50), 4)
    assert code_field(pd.Series([f"id{p}" for p in patients], name="id"), patients) is None
    mixed = coded(["dup" if g.random() < 0.3 else v for v in values])
    assert mixed.values == ("dup", "(rare values)")


def test_a_half_sd_shift_is_estimated_without_loss() -> None:
    aucs = []
    for seed in range(40):
        g = np.random.default_rng(seed)
        label = g.random(1000) < 0.5
        field = coded(g.normal(size=1000) + 0.5 * label)
        targets = against_rest(label)
        fold = deal_folds(clusters_of(None, 1000), targets, folds=5, seed=0)
        aucs.append(associate(count_cells(field, targets, fold, folds=5), field).auc[0])
    assert np.mean(aucs) == pytest.approx(0.638, abs=0.01)


def test_zech_2018_hospital_alone_tells_pneumonia() -> None:
    # 42,396 radiographs of Mount Sinai at 34.2 % pneumonia, 112,120 of NIH at 1.2 %; published totals give AUC .857.
    label = np.concatenate([np.arange(42_396) < round(0.342 * 42_396), np.arange(112_120) < round(0.012 * 112_120)])
    order = np.random.default_rng(0).permutation(len(label))
    field = coded(np.repeat(["MSH", "NIH"], [42_396, 112_120])[order])
    targets = against_rest(label[order])
    fold = deal_folds(clusters_of(None, len(label)), targets, folds=5, seed=0)
    assert associate(count_cells(field, targets, fold, folds=5), field).auc[0] == pytest.approx(0.857, abs=0.003)


def test_strata_remove_what_they_explain() -> None:
    g = np.random.default_rng(3)
    site = g.integers(0, 2, 2000)
    label = g.random(2000) < np.where(site == 1, 0.6, 0.1)
    field = coded(np.where(g.random(2000) < 0.9, site, 1 - site).astype(str))
    targets = against_rest(label)
    fold = deal_folds(clusters_of(None, 2000), targets, folds=5, seed=0)
    assert associate(count_cells(field, targets, fold, folds=5), field).auc[0] > 0.7
    inside = associate(count_cells(field, targets, fold, folds=5, strata=site.astype(np.int64)), field).auc[0]
    assert inside == pytest.approx(0.5, abs=0.04)


def test_numbers_keep_ties_together_and_missing_is_a_value() -> None:
    values = np.r_[np.zeros(500), np.arange(1, 101), [np.nan] * 3]
    field = coded(values)
    assert len(set(field.codes[:500])) == 1
    assert field.values[-1] == "(missing)"
    assert (field.codes[-3:] == field.missing).all()
    assert field.size <= 33


def test_cramers_v_of_a_worked_example() -> None:
    # χ² = 196·(1/16 + 1/24 + 1/24 + 1/36) = 34.028; φ² − 1/99 = .33018; both sides 2 − 1/99; V = √(.33018/.98990).
    assert cramers_v(np.array([[30, 10], [10, 50]])) == pytest.approx(0.57753, abs=1e-5)
    assert cramers_v(np.array([[10, 20], [30, 40]])) == 0.0
    assert cramers_v(np.diag([20, 30, 50])) == pytest.approx(1.0, abs=1e-9)


def test_cramers_v_of_a_null_table_with_many_cells_is_near_zero() -> None:
    g = np.random.default_rng(0)
    tables = [np.histogram2d(g.integers(0, 20, 200), g.integers(0, 5, 200), bins=[20, 5])[0] for _ in range(50)]
    assert np.mean([cramers_v(t) for t in tables]) < 0.1
    assert np.mean([association(t.astype(int), method="cramer") for t in tables]) > 0.25


def test_patients_007_and_7_stay_two() -> None:
    clusters = clusters_of(pd.Series(["007", "7", None, "7"], dtype="string"), 4)
    assert (clusters.count, clusters.usable) == (3, True)
    assert clusters.index[1] == clusters.index[3] != clusters.index[0]


@pytest.mark.parametrize("ids", [None, [None] * 4, ["a", "b", "c", "d"]])
def test_ids_that_are_missing_or_all_different_are_not_usable(ids: list[str] | None) -> None:
    assert not clusters_of(None if ids is None else pd.Series(ids, dtype="string"), 4).usable


def test_folds_never_part_a_patient_and_spread_a_rare_class() -> None:
    patients = pd.Series(np.repeat(np.arange(50), 4).astype(str))
    rare = np.zeros(200, bool)
    rare[: 5 * 4] = True
    clusters = clusters_of(patients, 200)
    fold = deal_folds(clusters, against_rest(rare, np.arange(200) % 2 == 0), folds=5, seed=3)
    assert sorted(fold[clusters.index][:20:4]) == [0, 1, 2, 3, 4]


def test_a_draw_takes_whole_patients_and_keeps_rare_classes() -> None:
    patients = pd.Series(np.repeat(np.arange(500), 4).astype(str))
    rare = np.zeros(2000, bool)
    rare[[400, 800, 1200]] = True
    clusters = clusters_of(patients, 2000)
    rows = draw_patients(clusters, against_rest(rare), records=400, rare=10, seed=0)
    assert 380 <= len(rows) <= 400
    assert {400, 800, 1200} <= set(rows)
    assert (np.bincount(clusters.index[rows], minlength=500) % 4 == 0).all()


def test_holders_are_counted_in_patients() -> None:
    codes = np.array([0, 0, 0, 1, 1, 2, -1])
    patients = np.array([0, 0, 0, 1, 2, 3, 4])
    assert held_by(codes, patients, 3, least=2).tolist() == [False, True, False]
