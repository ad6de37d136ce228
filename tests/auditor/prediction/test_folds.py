import numpy as np
from builders import make_dataset

from auditor.prediction.folds import assign_folds, fold_groups


def test_identical_pictures_stay_together_but_constant_ones_are_no_link():
    pixels = ["same", "same", "x", "blank", "blank", None]
    dataset = make_dataset(same_pixels=pixels, constant=[False, False, False, True, True, False])
    group = fold_groups(dataset)
    assert group[0] == group[1]
    assert len(set(group.tolist())) == 5


def test_a_picture_shared_by_two_patients_joins_them():
    dataset = make_dataset(patients=["007", "7", "7", "8"], same_pixels=["p", "q", "p", "r"])
    group = fold_groups(dataset)
    assert group[0] == group[1] == group[2] != group[3]


def test_one_patient_id_for_all_records_is_no_group():
    assert len(set(fold_groups(make_dataset(patients=["1"] * 5)).tolist())) == 5


def test_folds_keep_groups_whole_and_strata_even():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(300), 3)
    strata = np.repeat((np.arange(300) % 10 == 0).astype(np.int64), 3)
    fold = assign_folds(strata, group, folds=5, rng=rng)
    assert all(len(set(fold[group == g])) == 1 for g in range(300))
    assert np.bincount(fold).tolist() == [180] * 5
    assert np.bincount(fold[strata == 1]).tolist() == [18] * 5
