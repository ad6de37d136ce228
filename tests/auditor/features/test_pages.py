"""Pages that show nothing: where they count, and where they are air by right."""

import numpy as np
import pytest

from auditor.features.pages import COLUMNS, blank_pages, holes, inner, measure
from auditor.values.image import Header, Pixels
from auditor.view import view_of


def stack(pages: int, *, dtype: str = "u2", side: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 200, (pages, side, side)).astype(dtype)


def numbers(pages: np.ndarray) -> dict[str, float]:
    view = view_of(Header(format="tiff", shape=pages.shape[1:], frames=len(pages)), Pixels(array=pages))
    return dict(zip(COLUMNS, measure(view).tolist(), strict=True))


def blanks(text: str) -> list[int]:
    """Numbers of the pages inside; `.` is a blank page, `x` one with content."""
    return (np.flatnonzero(inner(np.array([c == "." for c in text]))) + 1).tolist()


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "f4", "f8"])
def test_a_blank_page_inside_is_counted_at_every_depth(dtype: str) -> None:
    pages = stack(7, dtype=dtype)
    pages[2] = 9
    assert numbers(pages) == {"count": 7, "blank": 1, "inside": 1, "first": 3, "middle": 0, "drawn": 0}


def test_a_page_with_one_odd_pixel_is_not_blank() -> None:
    pages = np.zeros((3, 400, 400), np.uint8)
    pages[1, 399, 398] = 1
    assert blank_pages(pages).tolist() == [True, False, True]


def test_a_page_of_one_colour_and_one_without_numbers_are_blank() -> None:
    colours = np.random.default_rng(0).integers(0, 255, (3, 20, 20, 3)).astype(np.uint8)
    colours[1] = (255, 0, 9)
    assert blank_pages(colours).tolist() == [False, True, False]
    floats = stack(3, dtype="f4")
    floats[1] = np.nan
    assert blank_pages(floats).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        ("xxxx", []),
        ("..xxxx.", []),
        ("x.xx", [2]),
        (".xx..xx.", []),  # two volumes, each with air at its ends
        (".xx.xx.xx", []),  # three volumes that begin with air
        (".x.x..x.x.", [3, 5, 6, 8]),  # two volumes, each with a hole
        (".xxx.xx", [5]),
        ("....", []),
    ],
)
def test_air_at_the_ends_of_volumes_is_none_inside(pages: str, told: list[int]) -> None:
    assert blanks(pages) == told


def test_the_middle_page_and_drawings_are_said() -> None:
    pages = stack(5)
    pages[2:] = 0
    assert (numbers(pages)["inside"], numbers(pages)["middle"]) == (0, 1)
    labels = np.zeros((5, 40, 40), np.uint8)
    labels[[0, 4], 3:9, 3:9] = 2
    assert numbers(labels)["drawn"] == 1


def series(*volumes: str) -> list[tuple[int, int]]:
    """(slice, volume) of the pages that count, from 0; one text per volume, stored slice by slice as NIfTI is read."""
    grid = np.array([[c == "." for c in volume] for volume in volumes]).T
    places = np.argwhere(holes(grid.reshape(-1), len(volumes)).reshape(grid.shape))
    return [(int(at), int(volume)) for at, volume in places]


def test_volumes_of_a_series_have_their_own_air_and_a_lost_one_is_told() -> None:
    assert series(".xxxx.", "..xxx.", "xxxx..") == []
    assert series(".xxxx.", ".xx.x.", ".xxxx.") == [(3, 1)]
    assert series(".xx", "...", ".xx") == [(0, 1), (1, 1), (2, 1)]


def test_slices_of_a_volume_in_a_set_of_arrays_are_pages() -> None:
    volume = stack(28, side=28)
    volume[[0, 6]] = 0
    view = view_of(Header(format="npz", shape=volume.shape), Pixels(array=volume[None]))
    found = dict(zip(COLUMNS, measure(view).tolist(), strict=True))
    assert found == {"count": 28, "blank": 2, "inside": 1, "first": 7, "middle": 0, "drawn": 0}


def test_a_picture_of_eight_channels_is_one_page() -> None:
    picture = np.random.default_rng(0).integers(1, 200, (30, 30, 8)).astype("u1")
    picture[4] = 0
    view = view_of(Header(format="npz", shape=picture.shape), Pixels(array=picture[None]))
    assert measure(view)[:3].tolist() == [1, 0, 0]
