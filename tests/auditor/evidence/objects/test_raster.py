"""Polygons as pixels: the middles that a slow restatement finds inside, their area, and where they cross themselves."""

import numpy as np
import pytest

from auditor.containers import outline
from auditor.containers.run_lengths import counts_of_array
from auditor.evidence.objects.drawing import draw
from auditor.evidence.objects.raster import MOST_CROSSINGS, area_of, drawn
from auditor.values.drawings import Sheet
from auditor.values.image import Limits

HEIGHT, WIDTH = 60, 80


def whole(found):
    picture = np.zeros((HEIGHT, WIDTH), bool)
    picture[found.top : found.top + found.mask.shape[0], found.left : found.left + found.mask.shape[1]] = found.mask
    return picture


def turns_around(ring, x, y):
    """How often a polygon goes around a point: the sum of the angles under which its edges are seen."""
    angle = np.arctan2(ring[:, 1] - y, ring[:, 0] - x)
    steps = (np.roll(angle, -1) - angle + np.pi) % (2 * np.pi) - np.pi
    return round(float(steps.sum()) / (2 * np.pi))


def star(rng, corners):
    angle = np.sort(rng.random(corners)) * 2 * np.pi
    reach = rng.uniform(8, 30) * (0.5 + 0.5 * rng.random(corners))
    return np.c_[rng.uniform(-5, WIDTH + 5) + reach * np.cos(angle), rng.uniform(-5, HEIGHT + 5) + reach * np.sin(angle)]


@pytest.mark.parametrize("seed", range(6))
def test_just_the_pixels_are_drawn_around_whose_middle_a_polygon_goes(seed):
    rng = np.random.default_rng(seed)
    ring = star(rng, 9) if seed % 2 else rng.uniform(-10, 70, (7, 2))  # the latter cross themselves
    slow = np.array([[turns_around(ring, x + 0.5, y + 0.5) for x in range(WIDTH)] for y in range(HEIGHT)])
    found = drawn((ring,), HEIGHT, WIDTH)
    assert np.array_equal(whole(found), slow != 0)
    assert found.crossed == min((slow > 0).sum(), (slow < 0).sum()) + (np.abs(slow) > 1).sum()


def test_the_area_by_corners_is_that_of_the_pixels_of_a_large_polygon():
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    ring = np.c_[40 + 25 * np.cos(angle), 30 + 25 * np.sin(angle)]
    assert area_of(ring) == pytest.approx(np.pi * 625, rel=1e-3)
    assert drawn((ring,), HEIGHT, WIDTH).mask.sum() == pytest.approx(np.pi * 625, rel=0.01)


def test_a_bow_and_an_outline_that_is_gone_around_twice_cross_themselves():
    bow = np.array([[10, 10], [50, 50], [50, 10], [10, 50.0]])
    box = np.array([[10, 10], [50, 10], [50, 50], [10, 50.0]])
    assert drawn((bow,), HEIGHT, WIDTH).crossed / drawn((bow,), HEIGHT, WIDTH).mask.sum() > 0.4
    assert drawn((np.vstack([box, box]),), HEIGHT, WIDTH).crossed == 1600
    assert drawn((box, box + 3), HEIGHT, WIDTH).crossed == 0  # two parts of one object may overlap


def test_what_leaps_up_and_down_is_not_drawn():
    rows = 3000
    corners = 2 * (MOST_CROSSINGS // rows + 1)
    ring = np.c_[np.arange(corners) % 7, np.tile([0.0, rows], corners // 2)]
    assert drawn((ring,), rows, 10) == "too large to be drawn"


def test_run_lengths_are_cut_at_the_border_and_those_of_another_picture_are_told():
    part = np.ones((10, 12), bool)
    runs = outline.Runs(left=-4, top=55, height=10, width=12, counts=counts_of_array(part), whole=False)
    found = drawn(runs, HEIGHT, WIDTH)
    assert (found.mask.shape, found.top, found.left, found.area) == ((5, 8), 55, 0, 120.0)
    assert found.extent == (-4, 55, 8, 65)
    other = outline.Runs(left=0, top=0, height=10, width=12, counts=counts_of_array(part))
    assert "which this one is not" in drawn(other, HEIGHT, WIDTH)
    far = outline.Runs(left=500, top=500, height=10, width=12, counts=counts_of_array(part), whole=False)
    assert drawn(far, HEIGHT, WIDTH).mask.sum() == 0


@pytest.mark.parametrize(
    ("rings", "why"),
    [
        ([], outline.FEW), ([[1, 2, 3, 4]], outline.FEW), ([[1, 2, 3, 4, 5, 6, 7]], "corners that are no pairs"),
        ([[1, 2, "x", 4, 5, 6]], outline.NO_NUMBERS), ([[1, 2, None, 4, 5, 6]], outline.NO_NUMBERS),
        ([[1, 2, 1e300, 4, 5, 6]], outline.NO_NUMBERS), ([[1, 2, 10**400, 4, 5, 6]], outline.NO_NUMBERS),
        ([[1.0] * (2 * outline.MOST_CORNERS + 2)], outline.MANY), ([{"x": 1}], outline.NO_NUMBERS),
    ],

)  # fmt: skip
def test_what_is_no_polygon_is_packed_as_the_reason(rings, why):
    assert outline.unpacked(outline.polygons(rings)) == why


def test_of_one_picture_the_objects_their_pairs_and_the_whole_are_told():
    box = [[10, 10, 30, 10, 30, 30, 10, 30]]
    near = [[11, 10, 31, 10, 31, 30, 11, 30]]
    corner = [[10, 10, 30, 10, 10, 30]]
    other = [[10.4, 30, 30, 30, 30, 10.4]]  # the same extent as `corner`, and the other half of it
    objects = [(value, outline.polygons(rings)) for value, rings in [(1, box), (2, near), (1, corner), (1, other)]]
    (sketch,) = draw(Limits(), [Sheet(height=HEIGHT, width=WIDTH, objects=objects)])
    iou = {(int(a), int(b)): value for a, b, value in sketch.pairs}
    assert iou[0, 1] == pytest.approx(19 / 21)
    assert iou[2, 3] == 0
    assert sketch.facts[0].tolist() == [4, 400, 400, 0, 0, 10, 10, 30, 30]
    assert sketch.numbers is not None
    assert sketch.lines


def test_a_picture_without_a_size_or_with_too_large_a_one_is_not_drawn_and_says_so():
    objects = [(1, outline.polygons([[1, 1, 5, 1, 5, 5]])), (1, outline.unread("run lengths that are none"))]
    sheets = [Sheet(height=0, width=0, objects=objects), Sheet(height=1 << 20, width=1 << 20, objects=objects)]
    unsized, large = draw(Limits(), sheets)
    assert unsized.problems == ("not drawn: the size of its picture is not known", "run lengths that are none")
    assert large.problems[0].startswith("not drawn: the picture has more than")
    assert unsized.numbers is None
