from dataclasses import replace

import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.evidence.labels.label_noise import JudgedOnce, judge_labels
from auditor.values.labels import State


def even(n, classes=2):
    p = np.full((n, classes), 0.2 / (classes - 1))
    p[np.arange(n), np.arange(n) % classes] = 0.8
    return p


def test_single_labels_are_one_task_over_the_records_with_label_and_prediction():
    labels = ["a", "b"] * 30
    labels[3] = None
    p = even(60)
    p[5] = np.nan
    (task,) = judge_labels(make_dataset(labels=labels, probabilities=p), tolerance=0.01)
    assert task.records.tolist() == [i for i in range(60) if i not in (3, 5)]
    assert task.classes == ("a", "b")
    assert np.allclose(task.probabilities, p[task.records], atol=1e-6)
    assert np.array_equal(task.codes, task.records % 2)


def test_codes_follow_the_columns_of_the_predictions():
    dataset = make_dataset(labels=["a", "b"] * 30, probabilities=even(60)[:, ::-1], prediction_classes=["b", "a"])
    (task,) = judge_labels(dataset, tolerance=0.01)
    assert task.classes == ("b", "a")
    assert task.estimate.disagreement.value == 0


def test_multi_label_classes_with_one_answer_only_are_left_out():
    states = {"x": [0, 1] * 30, "y": [0] * 60, "z": [State.UNCERTAIN] * 30 + [0, 1] * 15}
    tasks = judge_labels(make_dataset(states=states, probabilities=np.full((60, 3), 0.4)), tolerance=0.01)
    assert [(t.name, len(t.records)) for t in tasks] == [("x", 60), ("z", 30)]
    assert tasks[0].classes == ("not x", "x")
    assert np.allclose(tasks[0].probabilities, [0.6, 0.4])


def test_without_anything_to_judge_it_is_skipped_with_the_reason_of_the_probe():
    with pytest.raises(SkipCheck, match="no pixel features"):
        judge_labels(make_dataset(labels=["a", "b"] * 30), tolerance=0.01)
    with pytest.raises(SkipCheck, match="fewer than 20"):
        judge_labels(make_dataset(states={"x": [0] * 60}, probabilities=np.full((60, 1), 0.5)), tolerance=0.01)


def test_a_label_of_a_study_is_judged_once_by_its_pooled_images():
    """A finding that the second view does not show: noise by image, none by study."""
    labels = [name for i in range(60) for name in ["ab"[i % 2]] * 2]
    p = np.full((120, 2), 0.5)
    for i in range(60):
        p[2 * i, i % 2], p[2 * i, 1 - i % 2] = 0.97, 0.03
        p[2 * i + 1] = [0.4, 0.6] if i % 2 == 0 else [0.6, 0.4]
    studies = [str(i // 2) for i in range(120)]
    by_image = make_dataset(labels=labels, probabilities=p, columns={"study": studies})
    by_study = make_dataset(labels=labels, probabilities=p, columns={"study": studies}, level="study")
    (image,), (study,) = (judge_labels(d, tolerance=0.01) for d in (by_image, by_study))
    assert image.estimate.disagreement.value == pytest.approx(0.5)
    assert study.estimate.disagreement.value == 0
    assert len(study.codes) == 60
    assert len(study.records) == 120
    assert study.label_of[0] == study.label_of[1] != study.label_of[2]


def test_a_finding_of_a_study_is_shown_by_the_image_that_shows_it_best():
    states = {"x": [1, 1] * 30 + [0, 0] * 30}
    p = np.tile([[0.9], [0.1]], (60, 1))
    p[60:] = 0.1
    dataset = make_dataset(states=states, probabilities=p, columns={"study": [str(i // 2) for i in range(120)]}, level="study")
    (task,) = judge_labels(dataset, tolerance=0.01)
    assert task.estimate.disagreement.value == 0


def test_what_was_judged_is_kept_for_these_labels_alone():
    dataset = make_dataset(labels=["a", "b"] * 30, probabilities=even(60))
    dataset = replace(dataset, judgements=JudgedOnce(dataset))
    first = judge_labels(dataset, tolerance=0.01)
    assert judge_labels(dataset, tolerance=0.01) is first
    assert judge_labels(dataset, tolerance=0.02) is not first
    turned = replace(
        dataset, labels=replace(dataset.labels, values=dataset.labels.values.iloc[::-1].set_axis(dataset.records.index))
    )
    (task,) = judge_labels(turned, tolerance=0.01)
    assert task.estimate.disagreement.value == 1


def test_images_of_one_study_agree_where_both_models_agree_on_all_of_them():
    from auditor.evidence.labels.estimate import estimate_noise

    p = even(120)
    p[:, :] = p[np.arange(120) // 2 % 2]
    studies = [str(i // 2) for i in range(120)]
    dataset = make_dataset(
        labels=["ab"[i // 2 % 2] for i in range(120)], probabilities=p, columns={"study": studies}, level="study"
    )
    agreed = np.ones(120, np.bool_)
    agreed[[1, 6, 7]] = False
    dataset = replace(dataset, predictions=replace(dataset.predictions, agreed=agreed))
    (task,) = judge_labels(dataset, tolerance=0.01)
    of_study = np.ones(60, np.bool_)
    of_study[[0, 3]] = False
    order = [int(studies[r]) for r in task.records[np.unique(task.label_of, return_index=True)[1]]]
    expected = estimate_noise(task.probabilities, task.codes.astype(np.int64), agreed=of_study[order])
    assert task.estimate.sure.count == expected.sure.count
