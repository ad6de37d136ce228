import numpy as np
import pytest
import torch

from trainers.engine.augment import STRENGTHS, Strength, Warp, augment, draw_warp

CPU = torch.device("cpu")
FOLDING = Strength(rotation=0, scale=0, shift=0, elastic=0.6, gamma=0, noise=0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def warps(shape: tuple[int, ...], strength: str = "strong", count: int = 16, seed: int = 0) -> Warp:
    chosen = STRENGTHS[strength]
    assert chosen is not None
    return draw_warp(count, shape, chosen, generator(seed), device=CPU)


def pixels(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.stack(torch.meshgrid(*[torch.arange(float(s)) for s in shape], indexing="ij"), -1).reshape(1, -1, len(shape))


def taken_from(warp: Warp) -> torch.Tensor:
    """Source pixel of each output pixel, (b, n, d)."""
    place = (warp.grid().flip(-1) + 1) * torch.tensor(warp.shape) / 2 - 0.5
    return place.flatten(1, -2)


@pytest.mark.parametrize("shape", [(64, 64), (40, 72), (12, 24, 20)])
def test_points_go_through_the_same_map_as_pixels(shape: tuple[int, ...]) -> None:
    warp = warps(shape, count=4)
    some = torch.arange(0, pixels(shape).shape[1], 7)
    found = warp.points(taken_from(warp)[:, some])
    assert (found - pixels(shape)[:, some]).abs().max() < 1e-3


def test_a_spot_in_the_picture_in_the_mask_and_as_a_point_lands_in_one_place() -> None:
    images, masks = torch.zeros(16, 1, 64, 64), torch.zeros(16, 64, 64, dtype=torch.uint8)
    images[:, :, 36:41, 20:25] = 1
    masks[:, 36:41, 20:25] = 3
    warp = warps((64, 64))
    moved, drawn = warp.images(images)[:, 0], warp.masks(masks)
    points = warp.points(torch.full((16, 1, 2), 0.0) + torch.tensor([38.0, 22.0]))[:, 0]
    boxes = warp.boxes(torch.tensor([35.5, 19.5, 40.5, 24.5]).expand(16, 1, 4))[:, 0]
    grid = pixels((64, 64))[0]
    assert drawn.dtype == torch.uint8
    assert set(drawn.unique().tolist()) == {0, 3}
    for i in range(16):
        weight = moved[i].flatten()[:, None]
        centre = (grid * weight).sum(0) / weight.sum()
        drawn_at = grid[drawn[i].flatten() == 3]
        assert (centre - points[i]).abs().max() < 0.6
        assert (drawn_at.mean(0) - points[i]).abs().max() < 0.6
        assert (drawn_at.amin(0) > boxes[i, :2] - 0.5).all()
        assert (drawn_at.amax(0) < boxes[i, 2:] + 0.5).all()


@pytest.mark.parametrize("shape", [(48, 48), (10, 20, 16)])
def test_the_jacobian_is_that_of_the_map_and_positive(shape: tuple[int, ...]) -> None:
    warp = warps(shape, count=8)
    step = 1e-2
    columns = []
    centre = pixels(shape)
    # the map y → x at displaced outputs, through its inverse: x is found so that points(x) = y
    inner = centre[:, torch.arange(0, centre.shape[1], 37)].expand(8, -1, -1)
    start = taken_from(warp)[:, torch.arange(0, centre.shape[1], 37)]
    for axis in range(len(shape)):
        shifted = start.clone()
        shifted[..., axis] += step
        columns.append((warp.points(shifted) - inner) / step)
    numeric = 1 / torch.linalg.det(torch.stack(columns, -1))
    analytic = warp.jacobian().flatten(1)[:, torch.arange(0, centre.shape[1], 37)]
    assert (analytic > 0).all()
    assert ((numeric - analytic).abs() / analytic).median() < 0.02


def test_a_distortion_that_would_fold_is_dropped() -> None:
    warp = draw_warp(64, (32, 32), FOLDING, generator(), device=CPU)
    kept = warp.waves.flatten(1).abs().sum(1) > 0
    assert 0 < int(kept.sum()) < 64
    assert (warp.jacobian() > 0).all()


def test_displacement_is_at_most_the_share_of_the_side() -> None:
    elastic = Strength(rotation=0, scale=0, shift=0, elastic=0.08, gamma=0, noise=0)
    warp = draw_warp(200, (64, 96), elastic, generator(), device=CPU)
    moved = (taken_from(warp) - pixels((64, 96))).norm(dim=-1).amax(1)
    assert moved.max() <= 0.08 * 64 + 1e-3
    assert moved.max() > 0.07 * 64


def test_no_strength_mirrors_unless_told_to() -> None:
    images = torch.zeros(64, 1, 32, 32)
    images[..., :8] = 1
    for strength in ("off", "standard", "strong"):
        moved, _ = augment(images, None, strength, generator())
        assert (moved[..., :16].mean((1, 2, 3)) > moved[..., 16:].mean((1, 2, 3))).all()
    moved, _ = augment(images, None, "standard", generator(), flips=(1,))
    mirrored = moved[..., :16].mean((1, 2, 3)) < moved[..., 16:].mean((1, 2, 3))
    assert 16 < int(mirrored.sum()) < 48


def test_off_changes_nothing_and_one_seed_gives_one_result() -> None:
    images = torch.rand(4, 3, 16, 16, generator=generator(1))
    same, none = augment(images, None, "off", generator())
    assert same is images
    assert none is None
    one, other, third = (augment(images, None, "strong", generator(s))[0] for s in (5, 5, 6))
    np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert (one - third).abs().max() > 0.05
    assert one.min() >= 0
    assert one.max() <= 1


def test_volumes_and_their_masks_are_augmented_together() -> None:
    images = torch.zeros(4, 1, 8, 16, 12)
    images[:, :, 2:6, 4:12, 3:9] = 1
    masks = images[:, 0].to(torch.int64)
    moved, drawn = augment(images, masks, "standard", generator())
    assert moved.shape == images.shape
    assert drawn is not None
    assert drawn.dtype == torch.int64
    inside = moved[:, 0][drawn == 1].mean()
    outside = moved[:, 0][drawn == 0].mean()
    assert inside > 0.85
    assert outside < 0.15
