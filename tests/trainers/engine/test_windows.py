import numpy as np
import pytest
import torch

from auditor.values.errors import ConfigError
from trainers.engine.feed import windows_of
from trainers.engine.loop import train
from trainers.engine.predict import predict
from trainers.kinds import task_named
from trainers.values.pictures import Examples, Pictures
from trainers.values.recipe import Recipe


@pytest.mark.parametrize("shape", [(20, 30), (10, 12, 14)])
def test_a_window_is_cut_alike_from_picture_and_mask_and_lies_within(shape: tuple[int, ...]) -> None:
    draw = np.random.default_rng(0)
    numbers = torch.arange(int(np.prod(shape)), dtype=torch.float32).reshape(1, 1, *shape).repeat(8, 1, *[1] * len(shape))
    masks = (numbers[:, 0] % 251).to(torch.uint8)
    size = tuple(side // 2 for side in shape)
    images, drawn = windows_of(numbers, masks, size, draw)
    assert images.shape == (8, 1, *size)
    assert torch.equal((images[:, 0] % 251).to(torch.uint8), drawn)
    assert len({float(image.flatten()[0]) for image in images}) > 2, "each picture has a window of its own"


def test_half_of_the_windows_hold_an_object_where_objects_are_rare() -> None:
    masks = torch.zeros(200, 64, 64, dtype=torch.uint8)
    masks[:, 60, 3] = 1
    masks[:, 0, :] = 255
    _, drawn = windows_of(torch.zeros(200, 1, 64, 64), masks, (8, 8), np.random.default_rng(1))
    found = float((drawn == 1).flatten(1).any(1).float().mean())
    assert 0.4 < found < 0.65


def test_masks_are_learnt_in_windows_and_put_together() -> None:
    draw = np.random.default_rng(0)
    masks = np.zeros((24, 32, 32), np.uint8)
    for mask in masks:
        row, column = draw.integers(2, 22, 2)
        mask[row : row + 8, column : column + 8] = 1
    array = (40 + 150 * masks + draw.integers(0, 20, masks.shape)).astype(np.uint8)[:, None]
    pictures = Pictures(array=array, readable=np.ones(24, bool), masks=masks, masked=np.ones(24, bool), mask_values=(0, 1))
    task = task_named(kind="segmentation", classes=("background", "object"), channels=1, shape=(32, 32))
    rows = np.arange(24)
    examples = Examples(rows=rows, targets=np.zeros((24, 0), np.float32), weights=np.ones(24, np.float32), groups=rows)
    recipe = Recipe(network="unet", width=4, epochs=12, batch=8, rate=1e-2, patch=16)
    fit = train(pictures, examples, task, recipe, seed=0, device="cpu")
    said = predict(fit, pictures, rows, device="cpu")
    assert said.shape == (24, 1, 32, 32)
    both = 2 * ((said[:, 0] > 0.5) & (masks == 1)).sum()
    assert both / ((said[:, 0] > 0.5).sum() + masks.sum()) > 0.9


def test_other_targets_are_those_of_whole_pictures() -> None:
    pictures = Pictures(array=np.zeros((4, 1, 16, 16), np.uint8), readable=np.ones(4, bool))
    task = task_named(kind="single", classes=("a", "b"), channels=1, shape=(16, 16))
    rows = np.arange(4)
    examples = Examples(rows=rows, targets=np.eye(2, dtype=np.float32)[rows % 2], weights=np.ones(4, np.float32), groups=rows)
    with pytest.raises(ConfigError, match="windows are for masks"):
        train(pictures, examples, task, Recipe(epochs=1, width=4, patch=8), seed=0, device="cpu")
