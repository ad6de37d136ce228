import numpy as np
import pytest
import torch

from auditor.values.errors import ConfigError
from trainers.engine.augment import mixed
from trainers.kinds import task_named
from trainers.values.task import LearningTask


def task(kind: str) -> LearningTask:
    return task_named(kind=kind, classes=("a", "b", "c", "d"), channels=1, shape=(2, 2))  # type: ignore[arg-type]


def test_smoothing_spreads_a_share_over_all_classes() -> None:
    found = task("single").smoothed(np.eye(4, dtype=np.float32)[:1], 0.2)
    np.testing.assert_allclose(found, [[0.85, 0.05, 0.05, 0.05]], rtol=1e-6)
    assert found.dtype == np.float32


def test_smoothing_of_several_labels_moves_each_towards_one_half_and_leaves_the_unknown() -> None:
    found = task("multi").smoothed(np.array([[1, 0, np.nan]], np.float32), 0.2)
    np.testing.assert_allclose(found, [[0.9, 0.1, np.nan]], rtol=1e-6)


def test_numbers_and_masks_are_not_smoothed() -> None:
    value = np.array([[2.0]], np.float32)
    assert task("continuous").smoothed(value, 0.2) is value


def test_mixup_blends_pictures_and_targets_with_the_same_partner() -> None:
    targets = torch.eye(5)
    images = targets.reshape(5, 1, 5, 1) * 2
    a, b = mixed(images, targets, 0.7, torch.Generator().manual_seed(0))
    torch.testing.assert_close(a.reshape(5, 5), 2 * b)
    torch.testing.assert_close(b.sum(1), torch.ones(5))
    assert ((b.diagonal() - 0.7).abs() < 1e-6).any()


def test_masks_cannot_be_blended() -> None:
    with pytest.raises(ConfigError, match="mixup"):
        mixed(torch.zeros(2, 1, 2, 2), torch.zeros(2, 2, 2, dtype=torch.uint8), 0.5, torch.Generator())
