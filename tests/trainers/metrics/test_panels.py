from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from trainers.metrics import label_panels, mask_panel
from trainers.metrics.panel import BINS, Panel, calibration_bins

SINGLE = [m.name for m in label_panels.SINGLE]
EXACT = 1e-9


def alone(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.int64)


def case(classes: int, *, n: int = 300, seed: int = 0, coarse: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, size=n, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    p = rng.dirichlet(np.ones(classes), n)
    p[np.arange(n), truth] += 0.5
    p /= p.sum(axis=1, keepdims=True)
    if coarse:  # many ties
        p = np.round(p * 5) + 1
        p /= p.sum(axis=1, keepdims=True)
    return truth.astype(np.int64), p


def named(panel: Panel, names: list[str]) -> dict[str, float]:
    return dict(zip(names, panel.plain()[0].tolist(), strict=True))


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("coarse", [False, True])
def test_metrics_of_single_labels_equal_scikit_learn(classes: int, coarse: bool) -> None:
    truth, p = case(classes, coarse=coarse)
    predicted = p.argmax(axis=1)
    panel = label_panels.single_panel(truth, p, alone(300), 300)
    found = named(panel, SINGLE)
    auc = sk.roc_auc_score(truth, p[:, 1]) if classes == 2 else sk.roc_auc_score(truth, p, multi_class="ovr")
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(truth, predicted), abs=EXACT)
    assert found["macro_auc"] == pytest.approx(auc, abs=EXACT)
    assert found["mcc"] == pytest.approx(sk.matthews_corrcoef(truth, predicted), abs=EXACT)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(truth, predicted), abs=EXACT)
    brier = sk.brier_score_loss(truth, p, scale_by_half=True, labels=range(classes))
    assert found["brier_score"] == pytest.approx(brier, abs=EXACT)
    assert panel.plain()[1] == pytest.approx(sk.recall_score(truth, predicted, average=None), abs=EXACT)


def test_calibration_error_equals_a_plain_loop_over_bins_of_equal_size() -> None:
    truth, p = case(3, n=450)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == truth
    expected = 0.0
    for part in np.array_split(np.argsort(confidence), BINS):  # 450 distinct values: 15 bins of 30
        expected += len(part) / 450 * abs(confidence[part].mean() - right[part].mean())
    found = named(label_panels.single_panel(truth, p, alone(450), 450), SINGLE)["calibration_error"]
    assert found == pytest.approx(expected, abs=EXACT)


def test_calibration_bins_keep_equal_values_together_and_hold_ten_or_more() -> None:
    assert set(calibration_bins(np.full(100, 0.7)).tolist()) == {1}
    assert np.bincount(calibration_bins(np.linspace(0, 1, 45))).min() >= 10
    assert calibration_bins(np.empty(0)).size == 0


def test_metrics_of_grades_equal_scikit_learn() -> None:
    truth, p = case(5, n=400, seed=2)
    grade = (np.cumsum(p, axis=1) >= 0.5).argmax(axis=1)
    found = named(label_panels.ordinal_panel(truth, p, alone(400), 400), [m.name for m in label_panels.ordinal_metrics(5)])
    assert found["quadratic_kappa"] == pytest.approx(sk.cohen_kappa_score(truth, grade, weights="quadratic"), abs=EXACT)
    assert found["grade_error"] == pytest.approx(sk.mean_absolute_error(truth, grade), abs=EXACT)
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(truth, grade), abs=EXACT)


def test_the_predicted_grade_is_the_median_and_not_the_likeliest() -> None:
    p = np.array([[0.4, 0.0, 0.3, 0.3]])
    found = named(label_panels.ordinal_panel(np.array([2]), p, alone(1), 1), [m.name for m in label_panels.ordinal_metrics(4)])
    assert found["grade_error"] == 0


def test_metrics_of_numbers_equal_scikit_learn_also_far_from_zero() -> None:
    rng = np.random.default_rng(1)
    truth = 1e6 + rng.normal(size=200)
    predicted = truth + rng.normal(scale=0.4, size=200)
    mae, r2 = label_panels.continuous_panel(truth, predicted, alone(200), 200).plain()[0]
    assert mae == pytest.approx(sk.mean_absolute_error(truth, predicted), abs=EXACT)
    assert r2 == pytest.approx(sk.r2_score(truth, predicted), abs=EXACT)


def findings(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (rng.random((300, 4)) < [0.5, 0.2, 0.1, 0.8]).astype(np.float64)
    p = np.clip(0.5 * truth + 0.6 * rng.random((300, 4)), 0, 1)
    truth[rng.random((300, 4)) < 0.2] = np.nan
    return truth, p


def test_metrics_of_findings_equal_scikit_learn_on_the_known_cells() -> None:
    truth, p = findings()
    panel = label_panels.multi_panel(truth, p, alone(300), 300)
    found = named(panel, [m.name for m in label_panels.MULTI])
    cells = [(truth[~np.isnan(truth[:, c]), c].astype(int), p[~np.isnan(truth[:, c]), c]) for c in range(4)]
    auc = [sk.roc_auc_score(y, q) for y, q in cells]
    assert panel.plain()[1] == pytest.approx(auc, abs=EXACT)
    assert found["macro_auc"] == pytest.approx(np.mean(auc), abs=EXACT)
    balanced = [sk.balanced_accuracy_score(y, q >= 0.5) for y, q in cells]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(balanced), abs=EXACT)
    assert found["mcc"] == pytest.approx(np.mean([sk.matthews_corrcoef(y, q >= 0.5) for y, q in cells]), abs=EXACT)
    y, q = (np.concatenate([cell[i] for cell in cells]) for i in (0, 1))
    assert found["brier_score"] == pytest.approx(np.mean((y - q) ** 2), abs=EXACT)


def masks(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    maps = np.zeros((2, 6, 40, 48), np.int64)
    for arm in range(2):
        for i in range(6):
            for c in (1, 2):
                y, x = rng.integers(4, 20, 2) + np.array([0, 14 * (c - 1)])
                maps[arm, i, y : y + rng.integers(5, 14), x : x + rng.integers(5, 12)] = c
    return maps[0], maps[1]


@pytest.mark.filterwarnings("ignore:monai.metrics.utils:FutureWarning")  # MONAI 1.6 warns of its own call
def test_metrics_of_masks_equal_monai_and_scikit_learn() -> None:
    from monai.metrics import compute_dice, compute_hausdorff_distance

    truth, predicted = masks()
    panel = mask_panel.mask_panel(truth, predicted, 2, alone(6), 6)
    dice, mcc, far = panel.plain()[0]
    hot = [torch.from_numpy(np.stack([(m == c) for c in range(3)], axis=1)).float() for m in (predicted, truth)]
    expected = compute_dice(*hot, include_background=False).numpy()
    assert panel.plain()[1] == pytest.approx(expected.mean(axis=0), abs=1e-6)
    assert dice == pytest.approx(expected.mean(), abs=1e-6)
    distance = compute_hausdorff_distance(*hot, include_background=False, percentile=95).numpy()
    assert far == pytest.approx(distance.mean(), abs=1e-6)
    by_hand = [sk.matthews_corrcoef((truth == c).ravel(), (predicted == c).ravel()) for c in (1, 2)]
    assert mcc == pytest.approx(np.mean(by_hand), abs=EXACT)
    by_hand = [[sk.f1_score((t == c).ravel(), (p == c).ravel()) for t, p in zip(truth, predicted, strict=True)] for c in (1, 2)]
    assert dice == pytest.approx(np.mean(by_hand), abs=EXACT)


def test_an_empty_image_counts_only_where_something_was_predicted() -> None:
    truth, predicted = np.zeros((3, 8, 8), np.int64), np.zeros((3, 8, 8), np.int64)
    truth[0, 2:4, 2:4] = predicted[0, 2:4, 2:4] = 1
    predicted[1, 5, 5] = 1
    dice, _, far = mask_panel.mask_panel(truth, predicted, 1, alone(3), 3).plain()[0]
    assert dice == 0.5  # one perfect, one with a false object; the third is empty in both
    assert far == pytest.approx(np.sqrt(128) / 2)


def test_pixels_that_nobody_knows_count_nowhere() -> None:
    truth, predicted = masks()
    unknown = np.zeros(truth.shape, bool)
    unknown[:, :, 20:30] = True
    blind = mask_panel.mask_panel(np.where(unknown, 255, truth), predicted, 2, alone(6), 6).plain()[0]
    cut = mask_panel.mask_panel(np.delete(truth, slice(20, 30), 2), np.delete(predicted, slice(20, 30), 2), 2, alone(6), 6)
    assert blind[:2] == pytest.approx(cut.plain()[0][:2], abs=EXACT)


@pytest.mark.parametrize("kind", ["single", "binary", "multi", "ordinal", "continuous", "masks"])
def test_a_resample_of_patients_equals_the_metric_of_the_repeated_records(kind: str) -> None:
    rng = np.random.default_rng(7)
    n = 6 if kind == "masks" else 300
    patients = (np.arange(n) // 2).astype(np.int64)
    times = rng.integers(0, 3, n // 2)
    times[0] = 1
    rows = np.repeat(np.arange(n), times[patients])
    if kind == "masks":
        truth, p = masks()
        build = lambda t, q, i, m: mask_panel.mask_panel(t, q, 2, i, m)  # noqa: E731
    elif kind == "multi":
        truth, p = findings()
        build = label_panels.multi_panel
    elif kind == "continuous":
        truth, p = rng.normal(size=n), rng.normal(size=n)
        build = label_panels.continuous_panel
    else:
        truth, p = case(2 if kind == "binary" else 4, coarse=True)
        build = label_panels.ordinal_panel if kind == "ordinal" else label_panels.single_panel
    weighted = build(truth, p, patients, n // 2).values(times[:, None].astype(np.float64))
    repeated = build(truth[rows], p[rows], alone(len(rows)), len(rows)).plain()
    keep = slice(None, -1) if kind in ("single", "binary", "multi", "ordinal") else slice(None)  # calibration keeps its bins
    assert weighted[0][0][keep] == pytest.approx(repeated[0][keep], abs=EXACT)
    assert weighted[1][0] == pytest.approx(repeated[1], abs=EXACT, nan_ok=True)


def test_classes_without_a_record_are_left_out_of_the_means() -> None:
    truth, p = case(3)
    with_empty = np.column_stack([p, np.zeros(len(p))])
    three = label_panels.single_panel(truth, p, alone(300), 300).plain()
    four = label_panels.single_panel(truth, with_empty, alone(300), 300).plain()
    assert four[0] == pytest.approx(three[0], abs=EXACT)
    assert np.isnan(four[1][3])


def test_degenerate_predictions_give_chance_values_and_no_warning() -> None:
    truth = np.array([0, 0, 1, 1], np.int64)
    found = named(label_panels.single_panel(truth, np.tile([1.0, 0.0], (4, 1)), alone(4), 4), SINGLE)
    assert (found["balanced_accuracy"], found["macro_auc"], found["mcc"], found["brier_score"]) == (0.5, 0.5, 0.0, 0.5)
    one = label_panels.ordinal_panel(np.zeros(4, np.int64), np.tile([1.0, 0.0], (4, 1)), alone(4), 4).plain()[0]
    assert np.isnan(one[0])  # κ of one grade alone is not defined
    assert np.isnan(label_panels.continuous_panel(np.ones(4), np.ones(4), alone(4), 4).plain()[0][1])
