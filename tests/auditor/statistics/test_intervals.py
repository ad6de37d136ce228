import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from auditor.statistics.association import associate, count_cells
from auditor.statistics.coding import code_field
from auditor.statistics.intervals import (
    bootstrap_interval,
    clustered_error,
    detectable_auc,
    logit_interval,
    obuchowski_variance,
    surest,
)
from auditor.statistics.targets import Targets


def clustered(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    g = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(80), 5)
    positive = g.normal(size=80)[cluster] + 0.7 * g.normal(size=400) > 0
    return g.normal(size=80)[cluster] + 0.5 * g.normal(size=400) + 0.8 * positive, positive, cluster


def test_obuchowski_is_the_spread_over_new_patients() -> None:
    found = [obuchowski_variance(*clustered(seed)) for seed in range(300)]
    aucs, variances = np.array(found).T
    assert np.sqrt(variances.mean()) == pytest.approx(aucs.std(), rel=0.12)
    score, positive, _ = clustered(0)
    assert found[0][0] == pytest.approx(roc_auc_score(positive, score))


def test_obuchowski_agrees_with_the_bootstrap_of_patients() -> None:
    score, positive, cluster = clustered(1)
    _, variance = obuchowski_variance(score, positive, cluster)
    g = np.random.default_rng(0)
    aucs = []
    for _ in range(500):
        rows = (g.integers(0, 80, 80)[:, None] * 5 + np.arange(5)).ravel()
        aucs.append(roc_auc_score(positive[rows], score[rows]))
    assert np.sqrt(variance) == pytest.approx(np.std(aucs), rel=0.12)


def test_with_one_record_per_patient_it_is_delong() -> None:
    g = np.random.default_rng(2)
    positive = g.random(200) < 0.4
    score = g.normal(size=200) + positive
    auc, variance = obuchowski_variance(score, positive, np.arange(200))
    v10 = np.array([(score[~positive] < s).mean() for s in score[positive]])
    v01 = np.array([(score[positive] > s).mean() for s in score[~positive]])
    assert auc == pytest.approx(v10.mean())
    assert variance == pytest.approx(v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01))


def test_the_quick_error_and_the_bootstrap_agree() -> None:
    g = np.random.default_rng(3)
    cluster = np.repeat(np.arange(200), 3)
    label = (g.random(200) < 0.4)[cluster]
    field = code_field(pd.Series(g.normal(size=200)[cluster] + 1.2 * label, name="f"), cluster)
    assert field is not None
    fold = (cluster % 5).astype(np.int8)
    targets = Targets(names=("c",), positive=label[:, None], known=np.ones((600, 1), bool))
    counts = count_cells(field, targets, fold, folds=5)
    found = associate(counts, field)
    known = np.ones(600, bool)
    error = clustered_error(found, counts, 0, positive=label, known=known, clusters=cluster, patients=200)
    quick = logit_interval(float(found.auc[0]), error, smaller_side=80)
    slow = bootstrap_interval(field, counts, 0, positive=label, known=known, clusters=cluster, patients=200, smaller_side=80)
    assert slow[0] <= found.auc[0] <= slow[1]
    assert quick == pytest.approx(slow, abs=0.04)
    assert slow[1] - slow[0] > quick[1] - quick[0]  # the bootstrap also sees that the predictor was learnt


def test_patients_of_one_record_are_drawn_by_the_cell_with_the_same_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    g = np.random.default_rng(4)
    cluster = np.concatenate([np.arange(600), np.repeat(np.arange(600, 700), 3)])  # most have one record, some have three
    label = g.random(700)[cluster] < 0.4
    field = code_field(pd.Series(g.normal(size=900) + 1.2 * label, name="f"), cluster)
    assert field is not None
    targets = Targets(names=("c",), positive=label[:, None], known=np.ones((900, 1), bool))
    counts = count_cells(field, targets, (cluster % 5).astype(np.int8), folds=5)

    def ends(seed: int) -> tuple[float, float]:
        return bootstrap_interval(
            field, counts, 0, positive=label, known=np.ones(900, bool), clusters=cluster, patients=700, smaller_side=250,
            resamples=2000, seed=seed,
        )  # fmt: skip

    each = ends(0)
    noise = max(abs(a - b) for a, b in zip(each, ends(1), strict=True))
    monkeypatch.setattr("auditor.statistics.intervals.DRAWN_EACH", 0)
    assert ends(0) == pytest.approx(each, abs=max(0.006, 3 * noise))
    # with as many records each standing for itself, the spread would be that of 900 patients
    alone = np.arange(900)
    narrow = bootstrap_interval(
        field, counts, 0, positive=label, known=np.ones(900, bool), clusters=alone, patients=900, smaller_side=250,
        resamples=2000,
    )  # fmt: skip
    assert narrow[1] - narrow[0] < each[1] - each[0] + 0.01


def test_few_patients_never_make_anyone_sure() -> None:
    assert surest(10) == pytest.approx(0.025**0.1)
    assert logit_interval(1.0, 0.0, smaller_side=5)[0] < 0.5
    assert logit_interval(1.0, 0.0, smaller_side=1000)[0] > 0.99


def test_the_detectable_auc_is_detected_with_the_power_it_states() -> None:
    from scipy.stats import mannwhitneyu, norm

    auc = detectable_auc(60, 60, tests=1)
    shift = np.sqrt(2) * norm.ppf(auc)
    g = np.random.default_rng(0)
    hits = [mannwhitneyu(g.normal(size=60) + shift, g.normal(size=60)).pvalue <= 0.05 for _ in range(400)]
    assert np.mean(hits) == pytest.approx(0.8, abs=0.07)


def test_more_tests_and_fewer_patients_see_less() -> None:
    assert detectable_auc(50, 50, tests=1) < detectable_auc(50, 50, tests=60) < detectable_auc(10, 50, tests=60)
    assert detectable_auc(0, 50, tests=1) == 1.0
