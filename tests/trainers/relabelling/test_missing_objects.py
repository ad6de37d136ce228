"""Windows around drawn objects, the tuned threshold, and a network that is moved to it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainers.engine.models import network_named
from trainers.kinds import task_named
from trainers.relabelling.missing_objects import around_objects, best_threshold, shifted
from trainers.values.pictures import UNKNOWN_PIXEL
from trainers.values.recipe import Normalisation, Recipe, Trained


def drawn(shape: tuple[int, ...], *boxes: tuple[slice, ...]) -> np.ndarray:
    mask = np.zeros((1, *shape), np.uint8)
    for box in boxes:
        mask[(0, *box)] = 1
    return mask


def windows(mask: np.ndarray, *, complete: bool = False, margin: float = 0.25, least: float = 0.0) -> np.ndarray:
    return around_objects(mask, complete=np.array([complete]), margin=margin, least_pixels=least)[0]


def test_only_the_window_around_a_drawn_object_is_known() -> None:
    mask = drawn((32, 32), np.s_[8:16, 10:14])
    found = windows(mask)
    # a quarter of the longer side, 8, is 2 on every side
    assert (found[6:18, 8:16] == mask[0, 6:18, 8:16]).all()
    outside = np.ones((32, 32), bool)
    outside[6:18, 8:16] = False
    assert (found[outside] == UNKNOWN_PIXEL).all()
    assert mask.max() == 1, "the mask that was given stays"


def test_windows_end_at_the_edge_and_may_overlap() -> None:
    found = windows(drawn((20, 20), np.s_[0:4, 0:4], np.s_[6:10, 0:4]), margin=0.5)
    assert (found != UNKNOWN_PIXEL).sum() == 12 * 6
    assert (found == 1).sum() == 32


def test_a_trusted_mask_is_known_whole_and_an_empty_one_not_at_all() -> None:
    mask = drawn((16, 16), np.s_[2:5, 2:5])
    assert (windows(mask, complete=True) == mask[0]).all()
    assert (windows(drawn((16, 16))) == UNKNOWN_PIXEL).all()
    assert (windows(drawn((16, 16)), complete=True) == 0).all()


def test_the_least_size_is_in_proportion_to_the_picture() -> None:
    mask = drawn((64, 64), np.s_[4:6, 4:6], np.s_[40:44, 40:44])
    # 80 pixels in 256 × 256 are 5 in 64 × 64
    found = windows(mask, least=80)
    assert (found[0:20, 0:20] == UNKNOWN_PIXEL).all()
    assert (found == 1).sum() == 16


def test_windows_of_volumes_have_a_depth() -> None:
    found = windows(drawn((6, 16, 16), np.s_[2:4, 4:8, 4:8]))
    assert (found != UNKNOWN_PIXEL).sum() == 4 * 6 * 6


def test_the_threshold_is_where_dice_is_best() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros((6, 20, 20), np.uint8)
    truth[:, 5:15, 5:15] = 1
    low = np.where(truth > 0, rng.uniform(0.011, 0.02, truth.shape), rng.uniform(0, 0.009, truth.shape)).astype(np.float32)
    assert 0.009 <= best_threshold(truth, low) < 0.012
    unknown = truth.copy()
    unknown[:, :, 12:] = UNKNOWN_PIXEL
    low[:, :, 12:] = 0.9  # what nobody knows does not count
    assert 0.009 <= best_threshold(unknown, low) < 0.012


@pytest.mark.parametrize("threshold", [0.002, 0.3, 0.9])
def test_the_moved_network_says_object_above_one_half_where_it_did_above_the_threshold(threshold: float) -> None:
    torch.manual_seed(0)
    task = task_named(kind="segmentation", classes=("background", "object"), channels=1, shape=(16, 16))
    network = network_named("unet", task, width=4).eval()
    trained = Trained(
        network=network, task=task, recipe=Recipe(network="unet", width=4), temperature=2.0,
        normalisation=Normalisation(mean=(0.5,), deviation=(0.2,)), seed=0,
    )  # fmt: skip
    images = 50 * torch.randn(4, 1, 16, 16)
    with torch.no_grad():
        before = torch.sigmoid(network(images) / 2)
        after = torch.sigmoid(shifted(trained, threshold).network(images) / 2)
        again = torch.sigmoid(network(images) / 2)
    clear = (before - threshold).abs() > 1e-4
    assert ((after > 0.5) == (before > threshold))[clear].all()
    assert torch.equal(before, again), "the network that was given stays"
