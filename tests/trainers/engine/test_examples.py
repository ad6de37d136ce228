import numpy as np
import pytest
import torch
from builders import make_dataset

from auditor.values.corrections import Correction, Proposal
from auditor.values.errors import DatasetError
from auditor.values.labels import State
from trainers.engine.examples import examples_of
from trainers.kinds import task_named, task_of
from trainers.tasks.ordinal import cumulative
from trainers.values.pictures import Pictures


def pictures_of(n: int, **given: object) -> Pictures:
    return Pictures(array=np.zeros((n, 1, 8, 8), np.uint8), readable=np.ones(n, bool), **given)  # type: ignore[arg-type]


def correction(record: str, new: str, *, field: str = "label", safe: bool = True) -> Correction:
    return Correction(
        record=record, field=field, old="", new=new, code="LN001", strategy="test", reason="because", safe=safe
    )  # fmt: skip


def everything(n: int) -> np.ndarray:
    return np.ones(n, bool)


def test_one_label_per_record_becomes_one_hot_and_unlabelled_records_are_left_out() -> None:
    dataset = make_dataset(labels=["b", "a", None, "b"])
    task = task_of(dataset, pictures_of(4))
    assert (task.kind, task.classes, task.outputs, task.dims) == ("single", ("a", "b"), 2, 2)
    examples = examples_of(dataset, everything(4), task)
    assert examples.rows.tolist() == [0, 1, 3]
    assert examples.targets.tolist() == [[0, 1], [1, 0], [0, 1]]
    assert examples.weights.tolist() == [1, 1, 1]


def test_corrections_weights_and_removals_are_applied() -> None:
    dataset = make_dataset(labels=["a", "b", "a", None])
    proposal = Proposal(
        strategy="test",
        summary="",
        corrections=(correction("r0000", "b"), correction("r0003", "a", safe=False)),
        weights={"r0001": 0.25},
        removed={"r0002": "a duplicate"},
    )
    task = task_of(dataset, pictures_of(4))
    examples = examples_of(dataset, everything(4), task, proposal)
    assert examples.rows.tolist() == [0, 1, 3]
    assert examples.targets.argmax(1).tolist() == [1, 1, 0]
    assert examples.weights.tolist() == [1, 0.25, 1]
    assert examples_of(dataset, everything(4), task, proposal, only_safe=True).rows.tolist() == [0, 1]
    assert examples_of(dataset, np.array([1, 0]), task, proposal).rows.tolist() == [1, 0]
    emptied = Proposal(strategy="test", summary="", corrections=(correction("r0001", ""),))
    assert examples_of(dataset, everything(4), task, emptied).rows.tolist() == [0, 2]


@pytest.mark.parametrize("wrong", [correction("r0000", "c"), correction("r9999", "a")])
def test_a_correction_that_does_not_fit_is_refused(wrong: Correction) -> None:
    dataset = make_dataset(labels=["a", "b"])
    proposal = Proposal(strategy="test", summary="", corrections=(wrong,))
    with pytest.raises(ValueError):
        examples_of(dataset, everything(2), task_of(dataset, pictures_of(2)), proposal)


def test_of_several_labels_the_unknown_ones_are_nan() -> None:
    states = {
        "edema": [State.POSITIVE, State.UNCERTAIN, State.NOT_ASSESSED],
        "mass": [State.NEGATIVE, State.NOT_MENTIONED, State.NOT_ASSESSED],
        "nodule": [State.NEGATIVE, State.POSITIVE, State.UNCERTAIN],
    }
    dataset = make_dataset(states=states)
    task = task_of(dataset, pictures_of(3))
    examples = examples_of(dataset, everything(3), task)
    assert examples.rows.tolist() == [0, 1]
    np.testing.assert_array_equal(examples.targets, [[1, 0, 0], [np.nan, np.nan, 1]])
    proposal = Proposal(
        strategy="test",
        summary="",
        corrections=(correction("r0002", "1", field="label.mass"), correction("r0000", "0", field="label.edema")),
    )
    corrected = examples_of(dataset, everything(3), task, proposal)
    np.testing.assert_array_equal(corrected.targets, [[0, 0, 0], [np.nan, np.nan, 1], [np.nan, 1, np.nan]])


def test_grades_become_thresholds_and_come_back() -> None:
    dataset = make_dataset(labels=["0", "2", "1"], task="ordinal", classes=["0", "1", "2"])
    task = task_of(dataset, pictures_of(3))
    assert task.outputs == 2
    assert examples_of(dataset, everything(3), task).targets.tolist() == [[0, 0], [1, 1], [1, 0]]
    probabilities = np.array([[0.2, 0.5, 0.3], [0, 0, 1]], np.float32)
    np.testing.assert_allclose(cumulative(probabilities), [[0.8, 0.3], [1, 1]], atol=1e-6)
    task = task_named(kind="ordinal", classes=("1", "2", "3"))
    np.testing.assert_allclose(task.decoded(torch.from_numpy(cumulative(probabilities)).logit()), probabilities, atol=1e-6)
    np.testing.assert_allclose(task.decoded(torch.tensor([[0.3, 0.6]]).logit()), [[0.7, 0, 0.3]], atol=1e-6)


def test_a_number_is_standardised_over_the_training_records_and_comes_back() -> None:
    dataset = make_dataset(labels=[10, 20, 30, 1000, None], task="continuous")
    task = task_of(dataset, pictures_of(5), np.array([0, 1, 2]))
    assert task.target_mean == 20
    assert task.target_scale == pytest.approx(np.std([10, 20, 30]))
    examples = examples_of(dataset, everything(5), task)
    assert examples.rows.tolist() == [0, 1, 2, 3]
    assert examples.targets[:3, 0].tolist() == pytest.approx([-1.2247, 0, 1.2247], abs=1e-3)
    predictions = np.array([[10], [20], [30]], np.float32)
    np.testing.assert_allclose(task.soft_targets(predictions), examples.targets[:3], atol=1e-6)


def test_masks_are_a_task_where_they_were_read() -> None:
    dataset = make_dataset(n=3)
    masks = np.zeros((3, 8, 8), np.uint8)
    one = task_of(dataset, pictures_of(3, masks=masks, mask_values=(0, 255)))
    assert (one.kind, one.outputs, one.classes) == ("segmentation", 1, ("background", "object"))
    several = task_of(dataset, pictures_of(3, masks=masks, mask_values=(0, 1, 2)))
    assert several.outputs == 3
    examples = examples_of(dataset, everything(3), one)
    assert examples.targets.shape == (3, 0)
    with pytest.raises(DatasetError, match="neither labels nor masks"):
        task_of(dataset, pictures_of(3))
    with pytest.raises(DatasetError, match="one class"):
        task_of(make_dataset(labels=["a", "a"]), pictures_of(2))


def test_records_of_one_patient_are_one_group_and_examples_are_taken_and_joined() -> None:
    dataset = make_dataset(labels=["a", "b", "a", "b"], patients=["p", "q", "p", "007"])
    examples = examples_of(dataset, everything(4), task_of(dataset, pictures_of(4)))
    assert len(set(examples.groups.tolist())) == 3
    assert examples.groups[0] == examples.groups[2]
    some, others = examples.take(examples.rows > 1), examples.take(slice(0, 1))
    whole = some.joined(others)
    assert whole.rows.tolist() == [2, 3, 0]
    assert whole.targets.argmax(1).tolist() == [0, 1, 0]
    assert len(whole) == 3
