from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from auditor.values.corrections import Evaluation
from auditor.values.results import Column, Table
from reports.charts import draw as draw_chart
from trainers.grading.evaluate import choose_best, compare_arms, score
from trainers.grading.paired import delong, draw_seeds, interval, mcnemar
from trainers.grading.wording import judge, number, signed

CLASSES = ("benign", "malignant", "normal")


def arms(
    rng: np.random.Generator,
    *,
    patients: int = 120,
    images: int = 2,
    seeds: int = 3,
    gain: float = 0.0,
    seed_spread: float = 0.05,
    arm_spread: float = 0.3,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Truth, two arms (seeds, records, 3) and patients: hard patients, hard pictures, lucky and unlucky trainings."""
    who = np.arange(patients).repeat(images)
    truth = rng.integers(0, 3, patients).repeat(images)
    hard, picture = rng.normal(0, 1, patients)[who], rng.normal(size=(len(who), 3))
    made = []
    for arm in range(2):
        own = rng.normal(0, arm_spread, patients)[who]
        for _ in range(seeds):
            score = np.sqrt(0.7) * picture + np.sqrt(0.3) * rng.normal(size=picture.shape)
            score[np.arange(len(who)), truth] += 1 + hard + own + rng.normal(0, seed_spread) + gain * arm
            made.append(np.exp(score) / np.exp(score).sum(axis=1, keepdims=True))
    return truth, np.stack(made[:seeds]), np.stack(made[seeds:]), np.array([f"p{i}" for i in who], dtype=object)


def compared(*, resamples: int = 400, **options: object) -> Evaluation:
    truth, before, after, patients = arms(np.random.default_rng(1), **options)  # type: ignore[arg-type]
    return compare_arms(
        truth, before, after, patients=patients, task="single", classes=CLASSES, arm="robust", resamples=resamples
    )


def column(table: Table, name: str) -> Column:
    return next(c for c in table.columns if c.name == name)


def table(evaluation: Evaluation, name: str) -> Table:
    return next(t for t in evaluation.tables if t.name == name)


def test_a_planted_gain_is_called_improved_in_one_plain_sentence() -> None:
    found = compared(gain=1.0)
    assert found.verdict == "improved"
    main = found.metrics[0]
    assert main.metric == "balanced_accuracy"
    assert 0 < main.low < main.difference < main.high
    assert found.summary == (
        f"improved: balanced accuracy {number(main.before)} → {number(main.after)} (difference {signed(main.difference)}, "
        f"95 % interval {signed(main.low)} to {signed(main.high)}; 120 patients, 3 seeds)"
    )
    assert (found.records, found.patients, found.seeds, found.arm, found.baseline) == (240, 120, 3, "robust", "none")


def test_the_values_are_means_over_seeds() -> None:
    truth, before, after, patients = arms(np.random.default_rng(1))
    found = {m.metric: m for m in compared(resamples=50).metrics}
    expected = [np.mean([balanced_accuracy_score(truth, p.argmax(1)) for p in arm]) for arm in (before, after)]
    assert (found["balanced_accuracy"].before, found["balanced_accuracy"].after) == pytest.approx(expected, abs=1e-12)
    auc = np.mean([roc_auc_score(truth, p, multi_class="ovr") for p in after])
    assert found["macro_auc"].after == pytest.approx(auc, abs=1e-12)
    assert len(patients) == len(truth)


def test_the_same_loss_is_called_harmed_and_less_is_better_is_turned() -> None:
    truth, before, after, patients = arms(np.random.default_rng(1), gain=1.0)
    found = compare_arms(
        truth, after, before, patients=patients, task="single", classes=CLASSES, arm="bad", resamples=400
    )  # fmt: skip
    assert found.verdict == "harmed"
    brier = next(m for m in found.metrics if m.metric == "brier_score")
    assert brier.after > brier.before
    assert brier.difference == pytest.approx(brier.before - brier.after)
    assert brier.verdict == "harmed"


def test_equal_arms_are_not_worse_with_an_interval_of_zero() -> None:
    truth, before, _, patients = arms(np.random.default_rng(1))
    found = compare_arms(
        truth, before, before, patients=patients, task="single", classes=CLASSES, arm="same", resamples=200
    )  # fmt: skip
    assert found.verdict == "not worse"
    assert all((m.difference, m.low, m.high, m.p) == (0, 0, 0, 1) for m in found.metrics)


def test_a_small_evaluation_part_cannot_tell() -> None:
    found = compared(patients=30, arm_spread=1.0)
    assert found.verdict == "cannot tell"
    assert found.summary.endswith("a loss of .010 is not ruled out")


def test_fewer_than_ten_patients_never_decide() -> None:
    found = compared(patients=8, images=20, gain=4.0)
    assert {m.verdict for m in found.metrics} == {"cannot tell"}
    assert "fewer than 10 patients" in found.summary
    assert any(note.startswith("8 patients") for note in found.notes)


def test_the_same_call_gives_the_same_evaluation_and_order_of_seeds_is_paired() -> None:
    assert compared(resamples=100) == compared(resamples=100)
    truth, before, _, patients = arms(np.random.default_rng(1), seed_spread=2.0)
    options = {"patients": patients, "task": "single", "classes": CLASSES, "arm": "x", "resamples": 200}
    paired = compare_arms(truth, before, before, **options)
    crossed = compare_arms(truth, before, before[[1, 2, 0]], **options)
    assert paired.metrics[0].high == 0
    assert crossed.metrics[0].high > 0.05


def test_a_class_that_lost_is_said_even_when_the_whole_improved() -> None:
    truth, before, after, patients = arms(np.random.default_rng(1), patients=200, gain=3.0)
    normal = truth == 2
    after = after.copy()
    after[:, normal] = [0.8, 0.1, 0.1]
    before = before.copy()
    rng = np.random.default_rng(0)
    weak = ~normal & (rng.random(len(truth)) < 0.7)
    before[:, weak] = [0.1, 0.1, 0.8]
    found = compare_arms(
        truth, before, after, patients=patients, task="single", classes=CLASSES, arm="biased", resamples=300
    )  # fmt: skip
    recall = dict(zip(CLASSES, column(table(found, "per_class"), "difference").values, strict=True))
    assert recall["normal"] < -0.5
    assert found.metrics[0].difference == pytest.approx(np.mean(list(recall.values())), abs=1e-12)
    assert "but the recall fell for normal" in found.summary
    assert any("normal" in note for note in found.notes)


def guesses(rng: np.random.Generator, truth: np.ndarray, right: float, seeds: int = 3) -> np.ndarray:
    """Seeds that say the truth in this share of the records, else another class."""
    made = []
    for _ in range(seeds):
        said = np.where(rng.random(len(truth)) < right, truth, (truth + rng.integers(1, 3, len(truth))) % 3)
        made.append(np.eye(3)[said])
    return np.stack(made)


def against(before: float, after: float, *, records: int = 200, seed: int = 0) -> Evaluation:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, records)
    return compare_arms(
        truth, guesses(rng, truth, before), guesses(rng, truth, after), patients=np.arange(records), task="single",
        classes=CLASSES, arm="robust", resamples=400,
    )  # fmt: skip


def test_a_gain_up_to_chance_is_none() -> None:
    found = against(0.05, 0.34)
    assert found.metrics[0].low > 0, "the interval of the difference alone would call it improved"
    assert found.verdict == "neither learnt the task"
    assert {m.verdict for m in found.metrics} == {"cannot tell"}
    assert found.summary.startswith("neither learnt the task: balanced accuracy .0")
    notes = " ".join(found.notes)
    assert "none is below a predictor that never looked at an image" in notes, "far below chance is explained"
    assert "robust is not shown to be above" in notes
    assert "a larger --budget" in notes


@pytest.mark.parametrize(
    ("before", "after", "verdict"), [(0.34, 0.7, "improved"), (0.7, 0.34, "harmed"), (0.05, 0.7, "improved")]
)
def test_one_arm_above_chance_is_enough_to_compare(before: float, after: float, verdict: str) -> None:
    found = against(before, after)
    assert found.verdict == verdict
    assert any("never looked at an image" in note for note in found.notes), "which arm is not above it is told"


@pytest.mark.parametrize("task", ["multi", "ordinal", "continuous", "segmentation"])
def test_every_kind_of_task_has_a_floor(task: str) -> None:
    rng = np.random.default_rng(2)
    truth: np.ndarray = {
        "multi": rng.integers(0, 2, (90, 2)).astype(float), "ordinal": rng.integers(0, 3, 90),
        "continuous": rng.normal(size=90), "segmentation": (rng.random((40, 6, 6)) < 0.3).astype(np.int64),
    }[task]  # fmt: skip
    classes = {"continuous": (), "segmentation": ("object",), "multi": ("a", "b")}.get(task, CLASSES)

    def told(right: bool) -> str:
        mixed = truth if right else truth[rng.permutation(len(truth))]
        said = (
            np.eye(3)[mixed]
            if task == "ordinal"
            else mixed + (0.1 * rng.normal(size=truth.shape) if task == "continuous" else 0)
        )
        return compare_arms(
            truth, np.stack([said] * 2), np.stack([said] * 2), patients=np.arange(len(truth)), task=task, classes=classes,
            arm="x", resamples=200,
        ).verdict  # fmt: skip

    assert told(right=True) == "not worse"
    assert told(right=False) == "neither learnt the task"


def painted(rng: np.random.Generator, truth: np.ndarray, *, found: float, wrong: float) -> np.ndarray:
    """Masks that hold this share of the object pixels and this share of the others, by two networks."""
    drawn = rng.random((2, *truth.shape))
    return (drawn < np.where(truth == 1, found, wrong)).astype(np.int64)


def in_large_objects(before: tuple[float, float], after: tuple[float, float]) -> Evaluation:
    """Objects on four fifths of each picture: all foreground has a Dice of .89."""
    rng = np.random.default_rng(3)
    truth = (rng.random((40, 16, 16)) < 0.8).astype(np.int64)
    one, two = (painted(rng, truth, found=f, wrong=w) for f, w in (before, after))
    return compare_arms(
        truth, one, two, patients=np.arange(40), task="segmentation", classes=("object",), arm="weak", resamples=300
    )


def test_masks_below_the_dice_of_all_foreground_are_learnt_where_they_follow_the_picture() -> None:
    found = in_large_objects((0.5, 0.1), (0.75, 0.1))
    assert column(table(found, "trivial_predictors"), "dice").values[1] < 0.88, "neither is above all foreground in Dice"
    assert found.verdict == "improved"
    (note,) = [note for note in found.notes if "painted without a look" in note]
    assert "neither network is above it" in note
    assert "atthews correlation per pixel, in which such a predictor has .000" in note


def test_more_paint_on_large_objects_is_no_gain() -> None:
    found = in_large_objects((0.5, 0.2), (0.85, 0.75))
    assert found.metrics[0].low > 0, "by Dice alone it is one"
    assert found.verdict == "cannot tell"
    assert found.metrics[0].verdict == "cannot tell"
    assert "does not bear it out" in found.summary
    blind = in_large_objects((0.5, 0.5), (0.9, 0.9))
    assert blind.metrics[0].low > 0
    assert blind.verdict == "neither learnt the task"


def test_less_paint_that_follows_the_picture_better_is_no_harm() -> None:
    found = in_large_objects((0.85, 0.6), (0.6, 0.05))
    assert found.metrics[0].high < 0
    assert found.verdict == "cannot tell"


def test_self_grading_an_absent_class_and_unknown_truth_are_said() -> None:
    truth, before, after, patients = arms(np.random.default_rng(1))
    truth = np.where(np.arange(len(truth)) < 5, -1, truth)
    wider = [np.concatenate([arm, np.zeros((*arm.shape[:2], 1))], axis=2) for arm in (before, after)]
    found = compare_arms(
        truth, *wider, patients=patients, task="single", classes=(*CLASSES, "rare"), arm="x", resamples=50, self_graded=True
    )
    assert found.self_graded
    assert "self-graded" in found.summary
    assert "Absent in the evaluation part, so not judged: rare." in found.notes
    assert any(note.startswith("5 records") for note in found.notes)
    assert found.records == 235


def test_trivial_predictors_stand_beside_and_never_beat_chance() -> None:
    beside = table(compared(resamples=50), "trivial_predictors")
    names = column(beside, "predictor").values
    assert names[:2] == ("none", "robust")
    balanced = dict(zip(names, column(beside, "balanced_accuracy").values, strict=True))
    assert balanced["always the commonest class"] == balanced["prior probabilities"] == pytest.approx(1 / 3)
    auc = dict(zip(names, column(beside, "macro_auc").values, strict=True))
    assert auc["prior probabilities"] == 0.5


def test_charts_can_be_drawn_and_calibration_of_perfect_confidence_lies_on_the_diagonal() -> None:
    found = compared(resamples=50)
    assert [chart.name for chart in found.charts] == ["differences", "calibration"]
    for chart in found.charts:
        assert "<svg" in draw_chart(chart, "x").svg
    lines = found.charts[1].table
    assert set(column(lines, "arm").values) == {"perfect", "none", "robust"}
    counted = [c for c in column(lines, "predictions").values if c is not None]
    assert sum(counted) == 2 * 3 * 240


def test_classical_tests_are_made_only_where_each_patient_has_one_image() -> None:
    assert any("McNemar" in note for note in compared(resamples=50).notes)
    found = compared(resamples=50, images=1)
    tests = table(found, "paired_tests")
    assert column(tests, "test").values[0].startswith("McNemar")
    assert len(column(tests, "test").values) == 4


@pytest.mark.parametrize(("lost", "won"), [(0, 0), (3, 12), (25, 25), (1, 0)])
def test_mcnemar_equals_statsmodels(lost: int, won: int) -> None:
    before = np.array([True] * lost + [False] * won + [True] * 10)
    after = np.array([False] * lost + [True] * won + [True] * 10)
    expected = statsmodels_mcnemar([[10, lost], [won, 0]], exact=True).pvalue if lost + won else 1.0
    assert mcnemar(before, after) == (lost, won, pytest.approx(expected, abs=1e-12))


def test_delong_equals_the_definition_by_pairs() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(80) < 0.4
    scores = [np.round(rng.normal(size=80) + shift * positive, 1) for shift in (1.0, 1.4)]
    cases, others = np.flatnonzero(positive), np.flatnonzero(~positive)
    psi = np.array([[[float(s[i] > s[j]) + 0.5 * float(s[i] == s[j]) for j in others] for i in cases] for s in scores])
    auc = psi.mean(axis=(1, 2))
    s10, s01 = np.cov(psi.mean(axis=2)), np.cov(psi.mean(axis=1))
    s = s10 / len(cases) + s01 / len(others)
    z = (auc[1] - auc[0]) / np.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    assert delong(positive, *scores) == pytest.approx((auc[0], auc[1], 2 * norm.sf(abs(z))), abs=1e-12)
    assert delong(positive, scores[0], scores[0])[2] == 1


def test_findings_are_judged_by_macro_auc_and_unknown_cells_are_left_out() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random((200, 3)) < 0.4).astype(np.float64)
    before, after = (
        np.stack([1 / (1 + np.exp(-(truth * shift - 1 + rng.normal(size=truth.shape)))) for _ in range(3)]) for shift in (1, 3)
    )
    truth[rng.random(truth.shape) < 0.3] = np.nan
    truth[:4] = np.nan
    truth[:, 2] = np.where(np.isnan(truth[:, 2]), np.nan, 0)
    found = compare_arms(
        truth, before, after, patients=[None] * 200, task="multi", classes=("a", "b", "c"), arm="x", resamples=200
    )
    assert found.verdict == "improved"
    assert found.metrics[0].metric == "macro_auc"
    assert any("c" in note and "both answers" in note for note in found.notes)
    known = [~np.isnan(truth[:, c]) for c in range(2)]
    expected = np.mean([[roc_auc_score(truth[k, c], p[k, c]) for c, k in enumerate(known)] for p in after])
    assert found.metrics[0].after == pytest.approx(expected, abs=1e-12)
    assert found.records == int((~np.isnan(truth)).any(axis=1).sum()) < 200


def test_grades_are_judged_by_kappa_also_from_the_thresholds_of_a_network() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 150)

    def above(noise: float) -> np.ndarray:
        latent = truth + rng.normal(0, noise, 150)
        return 1 / (1 + np.exp(-3 * (latent[:, None] - np.arange(3) - 0.5)))

    before, after = [above(1.5) for _ in range(3)], [above(0.3) for _ in range(3)]
    options = {"patients": np.arange(150), "task": "ordinal", "classes": ("0", "1", "2", "3"), "arm": "x", "resamples": 200}
    found = compare_arms(truth, before, after, **options)
    assert (found.metrics[0].metric, found.verdict) == ("quadratic_kappa", "improved")
    wide = [[np.diff(np.column_stack([0 * p[:, :1], 1 - p, 0 * p[:, :1] + 1]), axis=1) for p in a] for a in (before, after)]
    assert compare_arms(truth, *wide, **options).metrics[0].after == pytest.approx(found.metrics[0].after, abs=1e-12)


def test_numbers_are_judged_by_an_error_that_is_turned_and_a_margin_in_standard_deviations() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(50, 10, 200)
    before, after = (np.stack([truth + rng.normal(0, s, 200) for _ in range(3)])[:, :, None] for s in (6, 3))
    options = {"patients": np.arange(200), "task": "continuous", "classes": (), "resamples": 200}
    found = compare_arms(truth, before, after, arm="x", **options)
    assert found.verdict == "improved"
    assert found.metrics[0].difference > 0 > found.metrics[0].after - found.metrics[0].before
    assert "(gain +" in found.summary
    slightly = compare_arms(truth, after, after + 0.01, arm="y", **options)
    assert slightly.verdict in ("not worse", "harmed", "improved")
    assert len(found.charts) == 1


def test_masks_are_judged_by_dice_beside_all_foreground_and_all_background() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros((20, 24, 24), np.uint8)
    for i, mask in enumerate(truth):
        mask[4 : 12 + i % 4, 6:16] = 1
    before, after = (
        np.clip(truth[None, :, None] * 0.9 + rng.normal(0, s, (2, 20, 1, 24, 24)), 0, 1).astype(np.float32) for s in (0.6, 0.2)
    )
    found = compare_arms(
        truth, before, after, patients=np.arange(20) // 2, task="segmentation", classes=("background", "gland"), arm="weak",
        resamples=200,
    )  # fmt: skip
    assert (found.metrics[0].metric, found.verdict) == ("dice", "improved")
    assert [m.metric for m in found.metrics] == ["dice", "pixel_mcc", "hausdorff95_px"]
    beside = table(found, "trivial_predictors")
    assert {"all background", "all foreground"} <= set(column(beside, "predictor").values)
    mcc = dict(zip(column(beside, "predictor").values, column(beside, "pixel_mcc").values, strict=True))
    assert mcc["all foreground"] == mcc["all background"] == 0
    assert column(table(found, "per_class"), "class").values == ("gland",)


def test_score_holds_every_metric_of_one_arm_within_its_range() -> None:
    truth, before, _, patients = arms(np.random.default_rng(1))
    found = score(truth, before, patients=patients, task="single", classes=CLASSES, resamples=200)
    assert found[0].metric == "balanced_accuracy"
    assert all(s.low <= s.value <= s.high for s in found)
    perfect = score(truth, [np.eye(3)[truth]], patients=patients, task="single", classes=CLASSES, resamples=50)
    assert perfect[0].value == perfect[0].high == 1


def test_the_choice_prefers_doing_nothing_within_one_standard_error() -> None:
    truth, before, after, patients = arms(np.random.default_rng(1), gain=1.0)
    _, _, same, _ = arms(np.random.default_rng(1), gain=0.0)
    options = {"baseline": "none", "patients": patients, "task": "single", "classes": CLASSES, "resamples": 300}
    better = choose_best(truth, {"none": before, "same": same, "robust": after}, **options)
    assert better.arm == "robust"
    assert better.gains["robust"] > better.errors["robust"]
    assert choose_best(truth, {"none": before, "copy": before}, **options).arm == "none"
    assert choose_best(truth, {"none": after, "robust": before}, **options).arm == "none"
    with pytest.raises(ValueError, match="baseline"):
        choose_best(truth, {"robust": before}, **options)


def test_what_does_not_fit_is_refused_and_nothing_to_judge_cannot_tell() -> None:
    truth, before, after, patients = arms(np.random.default_rng(1))
    options = {"patients": patients, "task": "single", "classes": CLASSES, "arm": "x", "resamples": 20}
    with pytest.raises(ValueError, match="same seeds"):
        compare_arms(truth, before, after[:2], **options)
    with pytest.raises(ValueError, match="number of records"):
        compare_arms(truth[:-1], before, after, **options)
    with pytest.raises(ValueError, match="one column per class"):
        compare_arms(truth, before[:, :, :2], after, **options)
    found = compare_arms(np.full(len(truth), -1), before, after, **options)
    assert (found.verdict, found.metrics, found.records) == ("cannot tell", (), 0)


@pytest.mark.parametrize(
    ("task", "truth", "prediction"),
    [
        ("single", np.full(12, -1), np.full((3, 12, 2), 0.5)),
        ("multi", np.full((12, 2), np.nan), np.full((3, 12, 2), 0.5)),
        ("ordinal", np.full(12, -1), np.full((3, 12, 2), 0.5)),
        ("continuous", np.full(12, np.nan), np.zeros((3, 12, 1))),
        ("segmentation", np.full((12, 4, 4), 255, np.uint8), np.zeros((3, 12, 1, 4, 4))),
    ],
)
def test_no_known_truth_cannot_tell_in_any_task(task: str, truth: np.ndarray, prediction: np.ndarray) -> None:
    options = {"patients": np.arange(12), "task": task, "classes": ("a", "b")}
    assert compare_arms(truth, prediction, prediction, arm="x", **options).verdict == "cannot tell"
    assert score(truth, prediction, **options) == ()
    assert choose_best(truth, {"none": prediction, "x": prediction}, baseline="none", **options).arm == "none"


@pytest.mark.parametrize("task", ["single", "multi", "ordinal", "continuous", "segmentation"])
def test_an_evaluation_part_of_one_class_or_value_ends_without_a_warning(task: str) -> None:
    truth = {"multi": np.zeros((12, 2)), "continuous": np.ones(12), "segmentation": np.zeros((12, 4, 4), np.uint8)}.get(
        task, np.zeros(12, np.int64)
    )
    shape = {"continuous": (3, 12, 1), "segmentation": (3, 12, 1, 4, 4)}.get(task, (3, 12, 2))
    prediction = np.full(shape, 0.3)
    found = compare_arms(
        truth, prediction, prediction, patients=np.arange(12), task=task, classes=("a", "b"), arm="x", resamples=50
    )  # fmt: skip
    # always saying the only class there is is no knowledge, however right
    assert found.verdict in ("neither learnt the task", "cannot tell")
    assert found.verdict == "neither learnt the task" or "is not defined on the evaluation records" in found.summary


def test_records_that_no_arm_could_predict_are_left_out_of_both() -> None:
    truth, before, after, patients = arms(np.random.default_rng(1))
    after = after.copy()
    after[1, :10] = np.nan
    found = compare_arms(truth, before, after, patients=patients, task="single", classes=CLASSES, arm="x", resamples=20)
    assert found.records == len(truth) - 10


def test_verdicts_follow_the_interval() -> None:
    assert [judge(*ends, 0.01) for ends in ((0.01, 0.02), (-0.02, -0.01), (-0.005, 0.02), (-0.02, 0.02), (0.0, 0.0))] == [
        "improved", "harmed", "not worse", "cannot tell", "not worse",
    ]  # fmt: skip
    assert (number(0.9124), number(1.0), number(12.345), signed(-0.05), signed(0.039)) == (
        ".912", "1.000", "12.35", "−.050", "+.039",
    )  # fmt: skip


def test_an_interval_of_one_seed_is_that_of_patients_alone() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(1, 1, 400)
    drawn = np.array([rng.choice(x, 400).mean() for _ in range(2000)])[:, None]
    found = interval(np.array([x.mean()]), drawn, draw_seeds(1, resamples=2000, seed=0), patients=400)
    assert (found.low, found.high) == pytest.approx(x.mean() + np.array([-1, 1]) * 1.966 * x.std(ddof=1) / 20, abs=0.01)


def simulated(repeats: int, **options: float) -> np.ndarray:
    """Value, low, high of balanced accuracy in `repeats` data sets."""
    found = []
    for r in range(repeats):
        truth, before, after, patients = arms(np.random.default_rng([r, 5]), **options)  # type: ignore[arg-type]
        main = compare_arms(
            truth, before, after, patients=patients, task="single", classes=CLASSES, arm="x", resamples=400, seed=r
        ).metrics[0]  # fmt: skip
        found.append((main.difference, main.low, main.high))
    return np.array(found)


def true_gain(**options: float) -> float:
    differences = []
    for r in range(20):
        truth, before, after, _ = arms(np.random.default_rng([r, 6]), **{**options, "patients": 2000, "seeds": 30})  # type: ignore[arg-type]
        differences.append(np.mean((after.argmax(2) == truth).mean(1) - (before.argmax(2) == truth).mean(1)))
    return float(np.mean(differences))


@pytest.mark.slow
@pytest.mark.parametrize(("patients", "seed_spread"), [(40, 0.05), (120, 0.0), (120, 0.05), (120, 0.1), (240, 0.05)])
def test_equal_arms_are_covered_and_seldom_called_improved(patients: int, seed_spread: float) -> None:
    _, low, high = simulated(300, patients=patients, images=3, seed_spread=seed_spread).T
    assert np.mean((low <= 0) & (high >= 0)) >= 0.93
    assert np.mean(low > 0) <= 0.045  # 2.5 % and three standard errors of 300 repeats
    assert np.mean(high < 0) <= 0.045


@pytest.mark.slow
def test_a_planted_gain_is_covered_and_found() -> None:
    options = {"patients": 240, "images": 3, "seed_spread": 0.05, "gain": 0.4}
    true = true_gain(images=3, seed_spread=0.05, gain=0.4)
    _, low, high = simulated(200, **options).T
    assert 0.06 < true < 0.12
    assert np.mean((low <= true) & (true <= high)) >= 0.92
    assert np.mean(low > 0) >= 0.8
