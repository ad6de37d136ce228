"""Worse masks keep what an object is: its parts, its holes, its number, and the space between two."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from auditor.degrade.contours import filled, loops, thinned
from auditor.degrade.drawings import boxed, deformed, form_of, objects_of, overlap, simplified, values_of, without


def blobs(seed: int, *, side: int = 96) -> np.ndarray:
    """A binary mask of random objects, some with holes, some that reach the edge."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.standard_normal((side, side)), 3)
    return (np.abs(smooth) > 0.06).astype(np.uint8) * 255


def cells(seed: int) -> np.ndarray:
    """Numbered objects that touch; number 2 has a second part, number 3 a hole."""
    mask = np.zeros((80, 80), np.uint16)
    mask[5:25, 5:25], mask[5:25, 25:45], mask[60:70, 60:70] = 1, 2, 2
    mask[35:60, 10:40] = 3
    mask[42:50, 20:30] = 0
    mask[0:12, 60:80] = 4 + seed
    return mask


def hole_values(mask: np.ndarray) -> dict[int, tuple[int, int]]:
    return {value: form_of(mask == value) for value in values_of(mask)}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "worse",
    [
        lambda m, o, s: deformed(m, o, 8, seed=s),
        lambda m, o, s: simplified(m, o, 20),
        lambda m, o, s: simplified(m, o, 80),
    ],
)
def test_every_object_keeps_its_parts_and_holes_and_no_two_grow_together(worse, seed: int) -> None:
    for mask, numbered in ((blobs(seed), False), (cells(seed), True)):
        before = mask.copy()
        changed, _ = worse(mask, objects_of(mask, numbered=numbered), seed)
        assert np.array_equal(mask, before)
        assert (changed != mask).any()
        assert hole_values(changed) == hole_values(mask)


@pytest.mark.parametrize("seed", range(6))
def test_boxes_keep_the_objects_apart_and_lie_around_them(seed: int) -> None:
    for mask, numbered in ((blobs(seed), False), (cells(seed), True)):
        changed, rows = boxed(mask, objects_of(mask, numbered=numbered))
        assert {v: f[0] for v, f in hole_values(changed).items()} == {v: f[0] for v, f in hole_values(mask).items()}
        assert (changed[mask > 0] == mask[mask > 0]).all()
        assert [row.corners for row in rows] == [row.drawn.corners for row in rows]


def test_a_lone_object_becomes_exactly_its_box_without_a_hole() -> None:
    mask = np.zeros((40, 40), np.uint8)
    yy, xx = np.mgrid[:40, :40]
    mask[(np.hypot(yy - 20, xx - 18) < 10) & (np.hypot(yy - 20, xx - 18) > 4)] = 1
    changed, _ = boxed(mask, objects_of(mask, numbered=False))
    rows, columns = np.nonzero(mask)
    wanted = np.zeros_like(mask)
    wanted[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = 1
    assert np.array_equal(changed, wanted)


def test_a_numbered_object_leaves_with_all_its_parts_and_the_others_keep_their_pixels() -> None:
    mask = cells(0)
    objects = objects_of(mask, numbered=True)
    changed, rows = without(mask, objects, {1})
    assert [row.drawn.value for row in rows] == [2]
    assert not (changed == 2).any()
    assert all(np.array_equal(changed == v, mask == v) for v in (1, 3, 4))


def test_the_radius_is_that_of_a_disk() -> None:
    mask = np.zeros((61, 61), np.uint8)
    yy, xx = np.mgrid[:61, :61]
    mask[np.hypot(yy - 30, xx - 30) <= 10] = 1
    seen = set()
    for seed in range(30):
        changed, rows = deformed(mask, objects_of(mask, numbered=False), 4, seed=seed)
        wanted = int(np.random.default_rng(seed).normal(0, 4))
        oracle = mask > 0
        disk = np.hypot(*np.mgrid[-abs(wanted) : abs(wanted) + 1, -abs(wanted) : abs(wanted) + 1]) <= abs(wanted)
        oracle = ndimage.binary_dilation(oracle, disk) if wanted > 0 else ndimage.binary_erosion(oracle, disk)
        assert np.array_equal(changed > 0, oracle if wanted else mask > 0)
        assert len(rows) == bool(wanted)
        seen.add(np.sign(wanted))
    assert seen == {-1, 0, 1}


@pytest.mark.parametrize("seed", range(8))
def test_all_corners_of_an_outline_give_the_same_pixels_again(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for inside in (blobs(seed) > 0, rng.random((30, 41)) < 0.5):
        found = loops(inside)
        assert np.array_equal(filled(found, inside.shape), inside)
        numbers, count = ndimage.label(inside)
        holes = sum(form_of(numbers == n)[1] for n in range(1, count + 1))
        assert len(found) == count + holes
        assert all(len(thinned(loop, 20)) >= 3 for loop in found)


def test_fewer_corners_are_further_from_the_truth() -> None:
    mask = blobs(3, side=200)
    objects = objects_of(mask, numbered=False)
    scores = [overlap(mask, simplified(mask, objects, step)[0]) for step in (1, 5, 20)]
    assert scores[0] == 1.0
    assert scores[0] > scores[1] > scores[2]


def test_pixels_that_nobody_annotated_are_no_object() -> None:
    assert values_of(np.array([[0, 1, 2, 3, 255]])) == [1, 2, 3]
    assert values_of(np.array([[0, 255]])) == [255]
    assert values_of(np.array([[0, 17, 255]])) == [17, 255]


def test_the_overlap_is_the_dice_of_the_pixels() -> None:
    a, b = np.array([[1, 1, 0, 0]]), np.array([[0, 2, 2, 0]])
    assert overlap(a, a) == 1.0
    assert overlap(a * 0, a * 0) == 1.0
    assert overlap(a, np.array([[0, 1, 1, 0]])) == 0.5
    assert overlap(a, b) == 0.0
