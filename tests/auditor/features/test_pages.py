"""Pages that show nothing: where they count, and where they are air by right."""

import numpy as np
import pytest

from auditor.features.pages import COLUMNS, blank_pages, inner, measure
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
