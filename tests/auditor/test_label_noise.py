import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.dataset import State
from auditor.label_noise import judge_labels


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
    assert task.rows.tolist() == [i for i in range(60) if i not in (3, 5)]
    assert task.classes == ("a", "b")
    assert np.allclose(task.probabilities, p[task.rows], atol=1e-6)
    assert np.array_equal(task.codes, task.rows % 2)


def test_codes_follow_the_columns_of_the_predictions():
    dataset = make_dataset(labels=["a", "b"] * 30, probabilities=even(60)[:, ::-1], prediction_classes=["b", "a"])
    (task,) = judge_labels(dataset, tolerance=0.01)
    assert task.classes == ("b", "a")
    assert task.estimate.disagreement.value == 0


def test_multi_label_classes_with_one_answer_only_are_left_out():
    states = {"x": [0, 1] * 30, "y": [0] * 60, "z": [State.UNCERTAIN] * 30 + [0, 1] * 15}
    tasks = judge_labels(make_dataset(states=states, probabilities=np.full((60, 3), 0.4)), tolerance=0.01)
    assert [(t.name, len(t.rows)) for t in tasks] == [("x", 60), ("z", 30)]
    assert tasks[0].classes == ("not x", "x")
    assert np.allclose(tasks[0].probabilities, [0.6, 0.4])


def test_without_anything_to_judge_it_is_skipped_with_the_reason_of_the_probe():
    with pytest.raises(SkipCheck, match="no pixel features"):
        judge_labels(make_dataset(labels=["a", "b"] * 30), tolerance=0.01)
    with pytest.raises(SkipCheck, match="fewer than 20"):
        judge_labels(make_dataset(states={"x": [0] * 60}, probabilities=np.full((60, 1), 0.5)), tolerance=0.01)
