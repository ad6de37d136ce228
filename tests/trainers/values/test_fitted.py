import numpy as np
import pytest

from trainers.values.fitted import fitted, into_frame, out_of_frame, part


@pytest.mark.parametrize(
    ("size", "frame", "inner", "first"),
    [
        ((480, 640), (48, 64), (48, 64), (0, 0)),
        ((480, 640), (64, 64), (48, 64), (8, 0)),
        ((640, 480), (48, 64), (48, 36), (0, 14)),
        ((2000, 1), (64, 64), (64, 1), (0, 31)),
        ((10, 12), (64, 64), (53, 64), (5, 0)),
    ],
)
def test_a_picture_is_as_large_as_fits_and_in_the_middle(
    size: tuple[int, int], frame: tuple[int, int], inner: tuple[int, int], first: tuple[int, int]
) -> None:
    assert fitted(size, frame) == (inner, first)
    rows, columns = part(size, frame)
    assert (rows.stop - rows.start, columns.stop - columns.start) == inner


def test_positions_go_into_the_frame_and_back_and_the_corners_are_those_of_the_part() -> None:
    draw = np.random.default_rng(0)
    sizes = draw.integers(5, 900, (200, 2)).astype(np.float64)
    places = draw.uniform(0, 1, (200, 2)) * (sizes - 1)
    there = into_frame(places, sizes, (96, 128))
    np.testing.assert_allclose(out_of_frame(there, sizes, (96, 128)), places, atol=1e-9)
    for size, corner in zip(sizes[:20], into_frame(np.full((200, 2), -0.5), sizes, (96, 128))[:20], strict=True):
        rows, columns = part([int(side) for side in size], (96, 128))
        np.testing.assert_allclose(corner, (rows.start - 0.5, columns.start - 0.5), atol=1e-9)
