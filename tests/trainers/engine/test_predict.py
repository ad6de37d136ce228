import math

import numpy as np
import pytest
import torch
from torch import nn

from trainers.engine.predict import predict
from trainers.kinds import task_named
from trainers.values.pictures import Pictures
from trainers.values.recipe import Normalisation, Recipe, Trained


class Constant(nn.Module):
    """The mean of each picture as the first logit, fixed ones after it."""

    def __init__(self, *others: float) -> None:
        super().__init__()
        self.others = nn.Parameter(torch.tensor(others))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        first = images.mean((1, 2, 3))[:, None]
        return torch.cat([first, self.others.expand(len(images), -1)], 1)


def trained(network: nn.Module, kind: str, classes: tuple[str, ...], temperature: float = 1.0, **more: float) -> Trained:
    return Trained(
        network=network,
        task=task_named(kind=kind, classes=classes, channels=1, shape=(2, 2), **more),  # type: ignore[arg-type]
        recipe=Recipe(),
        normalisation=Normalisation(mean=(0.0,), deviation=(1 / 255,)),
        seed=0,
        temperature=temperature,
    )


PICTURES = Pictures(
    array=np.array([0, 1, 2, 3, 4], np.uint8).reshape(5, 1, 1, 1).repeat(2, 2).repeat(2, 3), readable=np.ones(5, bool)
)


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_rows_come_in_the_order_asked_for(batch: int) -> None:
    model = trained(Constant(0.0), "single", ("a", "b"))
    found = predict(model, PICTURES, np.array([3, 0, 2]), device="cpu", batch=batch)
    np.testing.assert_allclose(found[:, 0], [1 / (1 + math.exp(-v)) for v in (3, 0, 2)], rtol=1e-5)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-6)
    assert found.dtype == np.float32


def test_rows_may_be_named_by_booleans_and_may_be_none_at_all() -> None:
    model = trained(Constant(0.0), "single", ("a", "b"))
    some = predict(model, PICTURES, np.array([0, 1, 0, 0, 1], bool), device="cpu")
    np.testing.assert_array_equal(some, predict(model, PICTURES, np.array([1, 4]), device="cpu"))
    assert predict(model, PICTURES, np.zeros(5, bool), device="cpu").shape == (0, 2)


def test_the_temperature_divides_the_logits() -> None:
    model = trained(Constant(0.0), "single", ("a", "b"), temperature=2.0)
    found = predict(model, PICTURES, np.array([4]), device="cpu")
    assert found[0, 0] == pytest.approx(1 / (1 + math.exp(-2)), rel=1e-5)


def test_several_labels_are_independent_of_each_other() -> None:
    found = predict(trained(Constant(0.0), "multi", ("a", "b")), PICTURES, np.array([2]), device="cpu")
    np.testing.assert_allclose(found, [[1 / (1 + math.exp(-2)), 0.5]], rtol=1e-5)


def test_thresholds_between_grades_become_probabilities_of_grades() -> None:
    grades = task_named(kind="ordinal", classes=("0", "1", "2"), channels=1, shape=(2, 2))
    found = grades.decoded(torch.tensor([[math.log(4), 0.0]]))
    np.testing.assert_allclose(found, [[0.2, 0.3, 0.5]], atol=1e-6)


def test_a_number_gets_its_mean_and_scale_back() -> None:
    model = trained(Constant(), "continuous", (), target_mean=50, target_scale=10)
    np.testing.assert_allclose(predict(model, PICTURES, np.array([0, 2]), device="cpu"), [[50], [70]], rtol=1e-5)


def test_windows_of_a_larger_picture_agree_with_a_network_that_sees_single_pixels() -> None:
    class Pixel(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            assert images.shape[2:] == (2, 2)
            return images * self.scale

    model = trained(Pixel(), "segmentation", ("background", "object"))
    array = np.random.default_rng(0).integers(0, 9, (1, 1, 5, 7)).astype(np.uint8)
    found = predict(model, Pictures(array=array, readable=np.ones(1, bool)), np.array([0]), device="cpu")
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-array.astype(float))), rtol=1e-4)
