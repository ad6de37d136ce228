from __future__ import annotations

import numpy as np

from trainers.rewriting.sizes import Canvas, Sizes, chosen_canvas, common_size, enlarged, pixels_lost, placed, tells


def sizes(*sides: tuple[int, int], spacing: tuple[float, ...] = ()) -> Sizes:
    table = np.array(sides, np.float64)
    mm = np.array(spacing or [0.0] * len(sides))
    return Sizes(heights=table[:, 0], widths=table[:, 1], rows=mm, columns=mm)


def test_a_few_tiny_pictures_do_not_set_the_size_of_all() -> None:
    mixed = sizes(*[(140, 96)] * 2, *[(285, 402)] * 30)
    canvas = common_size(mixed, ["a"] * 32)
    assert canvas.height >= 285
    assert canvas.width >= 402
    assert enlarged(mixed, canvas).sum() == 2


def test_no_more_than_half_of_the_pixels_is_given_up_unless_the_user_names_a_size() -> None:
    mixed = sizes(*[(100, 100)] * 20, *[(400, 400)] * 20)
    canvas = common_size(mixed, ["a", "b"] * 20)
    assert canvas.height > 100
    assert 0.4 < pixels_lost(mixed, canvas) <= 0.5
    own = common_size(mixed, ["a", "b"] * 20, height=100, width=100)
    assert (own.height, own.width) == (100, 100)
    assert pixels_lost(mixed, own) > 0.8


def test_one_named_side_brings_the_other_in_proportion() -> None:
    assert common_size(sizes((100, 200), (50, 100)), ["a", "b"], height=40).width == 80


def test_proportions_are_kept_by_a_border_or_by_cut_edges() -> None:
    for fill, inner in (("pad", (50, 100)), ("crop", (100, 200))):
        canvas = Canvas(rule="resize", height=100, width=100, fill=fill)  # type: ignore[arg-type]
        one = placed(200, 400, canvas)
        assert (one.inner, one.outer) == (inner, (100, 100))


def test_edges_are_cut_where_proportions_tell_the_class_and_little_is_lost() -> None:
    classes = ["a", "b"] * 10
    assert common_size(sizes(*[(100, 100), (100, 110)] * 10), classes).fill == "crop"
    assert common_size(sizes(*[(100, 100), (100, 200)] * 10), classes).fill == "pad"
    assert common_size(sizes(*[(100, 100), (100, 110)] * 10), ["a", "a", "b", "b"] * 5).fill == "pad"


def test_sizes_that_tell_nothing_are_left() -> None:
    mixed = sizes(*[(100, 100), (50, 60)] * 10)
    assert chosen_canvas(mixed, ["a", "a", "b", "b"] * 5, set()) == Canvas()


def test_pictures_that_were_only_sampled_differently_get_one_spacing() -> None:
    mixed = sizes(*[(100, 100), (200, 200)] * 10, spacing=(2.0, 1.0) * 10)
    canvas = chosen_canvas(mixed, ["a", "b"] * 10, {"height", "width"})
    assert canvas.rule == "spacing"
    assert placed(100, 100, canvas, (2.0, 2.0)).outer == placed(200, 200, canvas, (1.0, 1.0)).outer


def test_fields_of_view_that_tell_the_class_are_not_left_by_a_common_spacing() -> None:
    mixed = sizes(*[(100, 100), (200, 200)] * 10, spacing=(1.0, 1.0) * 10)
    assert chosen_canvas(mixed, ["a", "b"] * 10, {"height", "width"}).rule == "resize"


def test_only_the_axis_that_tells_is_made_one_where_proportions_tell_nothing() -> None:
    sides = [(100, 90), (120, 108), (100, 120), (120, 144)] * 5
    canvas = chosen_canvas(sizes(*sides), ["a", "b", "a", "b"] * 5, {"height"})
    assert (canvas.height, canvas.width) == (100, 0)
    assert placed(120, 144, canvas).outer == (100, 120)


def test_a_number_tells_a_class_only_where_enough_of_both_sides_are_there() -> None:
    assert tells(np.arange(20.0), ["a"] * 10 + ["b"] * 10)
    assert not tells(np.arange(8.0), ["a"] * 4 + ["b"] * 4)
    assert tells(np.arange(20.0), ["a"] * 10 + ["b"] * 9 + [None])
