import numpy as np
import pytest
import torch
from monai.metrics import compute_hausdorff_distance

from auditor.evidence.raters.overlap import (
    dice,
    f1,
    hausdorff95,
    intersection_over_union,
    matched_boxes,
    matched_points,
    pairwise_masks,
    staple,
)


def disk(radius, centre=(32, 32), size=64):
    y, x = np.ogrid[:size, :size]
    return (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2


def test_dice_by_hand():
    first, second = np.array([[1, 1, 0, 0]], bool), np.array([[0, 1, 1, 0]], bool)
    assert dice(first, second) == 0.5
    assert dice(first, first) == 1
    assert dice(first & False, first & False) == 1
    assert dice(first, first & False) == 0


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")
@pytest.mark.parametrize(("radius", "centre"), [(15, (30, 34)), (10, (32, 32)), (5, (20, 40))])
def test_hausdorff_95_is_that_of_monai(radius, centre):
    first, second = disk(12), disk(radius, centre)
    as_batch = [torch.from_numpy(np.stack([~m, m])[None]).float() for m in (first, second)]
    expected = float(compute_hausdorff_distance(*as_batch, include_background=False, percentile=95)[0, 0])
    assert hausdorff95(first, second) == pytest.approx(expected, abs=1e-4)


def test_a_missing_mask_has_no_distance_and_two_have_none():
    assert np.isnan(hausdorff95(disk(5), disk(5) & False))
    assert hausdorff95(disk(5) & False, disk(5) & False) == 0


def test_distances_are_in_the_unit_of_the_spacing():
    first, second = disk(10), disk(10, (32, 36))
    assert hausdorff95(first, second, spacing=(0.5, 0.5)) == pytest.approx(hausdorff95(first, second) / 2)


def test_pairs_are_symmetric():
    overlap, distance = pairwise_masks(np.stack([disk(10), disk(12), disk(5)]))
    assert np.allclose(overlap, overlap.T)
    assert overlap[0, 1] == pytest.approx(dice(disk(10), disk(12)))
    assert distance[0, 2] == pytest.approx(hausdorff95(disk(10), disk(5)))


def staple_slowly(masks, rounds=100):
    """Equations 16 to 19 of Warfield et al. 2004, pixel by pixel."""
    d = masks.reshape(len(masks), -1).astype(float)
    p = q = np.full(len(d), 0.99)
    prior = d.mean()
    for _ in range(rounds):
        a = prior * np.prod(np.where(d == 1, p[:, None], 1 - p[:, None]), axis=0)
        b = (1 - prior) * np.prod(np.where(d == 0, q[:, None], 1 - q[:, None]), axis=0)
        w = a / (a + b)
        p, q = d @ w / w.sum(), (1 - d) @ (1 - w) / (1 - w).sum()
    return w, p, q


def test_staple_is_the_published_recursion():
    rng = np.random.default_rng(0)
    truth = disk(14)
    masks = np.stack([truth ^ (rng.random(truth.shape) < e) for e in (0.02, 0.05, 0.1, 0.2)])
    found = staple(masks, tolerance=0)
    w, p, q = staple_slowly(masks)
    assert found.truth.ravel() == pytest.approx(w, abs=1e-6)
    assert found.sensitivity == pytest.approx(p, abs=1e-6)
    assert found.specificity == pytest.approx(q, abs=1e-6)


def test_staple_knows_who_draws_too_small():
    masks = np.stack([disk(14), disk(14), disk(14), disk(9)])
    found = staple(masks)
    assert ((found.truth > 0.5) == disk(14)).all()
    assert found.sensitivity[3] == pytest.approx(disk(9).sum() / disk(14).sum(), abs=0.01)


def test_staple_of_empty_masks_is_empty():
    assert staple(np.zeros((3, 4, 4), bool)).truth.max() == 0


def test_boxes_are_matched_one_to_one():
    first = np.array([[0, 0, 10, 10], [20, 20, 30, 30]], float)
    second = np.array([[0, 0, 10, 10], [1, 0, 10, 10], [50, 50, 60, 60]], float)
    assert intersection_over_union(first, second)[0].tolist() == pytest.approx([1, 0.9, 0])
    assert matched_boxes(first, second) == 1
    assert f1(1, 2, 3) == pytest.approx(0.4)
    assert matched_boxes(first, np.empty((0, 4))) == 0
    assert np.isnan(f1(0, 0, 0))


def test_as_many_points_as_possible_are_matched():
    """The greedy nearest match of 1 with 1.4 would leave 0 and 2 without partners."""
    first, second = np.array([[0.0, 0], [1, 0]]), np.array([[1.4, 0], [0.9, 0]])
    assert matched_points(first, second, radius=1.0) == 2
    assert matched_points(first, second, radius=0.2) == 1
