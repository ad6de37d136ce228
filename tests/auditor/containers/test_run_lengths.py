"""Run lengths, held against what pycocotools writes: texts it made (2.0.11), and the library itself where it is installed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.containers.run_lengths import columns_of, counts_of_array, counts_of_numbers, counts_of_text, mask_of

WIDE = "Z[2m0;" + "0" * 462 + "V2"


def picture(height, width, kind):
    mask = np.zeros((height, width), bool)
    if kind == "box":
        mask[height // 4 : height - 1, width // 5 : width - 2] = True
    elif kind == "noise":
        mask = np.add.outer(np.arange(height) * 7, np.arange(width) * 5) % 11 < 4
    elif kind == "full":
        mask[:] = True
    return mask


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        (picture(7, 9, "box"), "852000000000="),
        (picture(5, 5, "noise"), "011020O00010N020O"),
        (picture(4, 6, "empty"), "h0"),
        (picture(6, 3, "full"), "0b0"),
        (
            picture(13, 17, "noise"),
            "01101000000000O01000000000O020N01000000000O01000000000O020N01000000000O01000000000O11OO01000000000O011OO1000000000"
            "O01000000000O020N01000000000O01000000000O00",
        ),
    ],
    ids=["box", "noise", "empty", "full", "large noise"],
)
def test_texts_of_pycocotools_are_read_as_it_meant_them(mask, text):
    counts = counts_of_text(text)
    assert counts is not None
    found = mask_of(counts, *mask.shape)
    assert found is not None
    assert np.array_equal(found, mask)
    assert np.array_equal(counts_of_array(mask), counts)


def test_pycocotools_reads_our_counts_and_we_its_texts():
    theirs = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(0)
    for _ in range(300):
        height, width = (int(side) for side in rng.integers(1, 60, 2))
        mask = rng.random((height, width)) < rng.choice([0, 0.05, 0.5, 0.95, 1])
        text = theirs.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
        assert np.array_equal(mask_of(counts_of_text(text), height, width), mask)
        said = {"size": [height, width], "counts": counts_of_array(mask).tolist()}
        assert np.array_equal(theirs.decode(theirs.frPyObjects(said, height, width)), mask)


@given(st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_columns_alone_are_the_same_object(height, width, rng):
    mask = np.array([[rng.random() < 0.3 for _ in range(width)] for _ in range(height)])
    counts = counts_of_array(mask)
    left, part = columns_of(counts, height, width)
    whole = np.zeros_like(mask)
    whole[:, left : left + part.shape[1]] = part
    assert np.array_equal(whole, mask)
    assert np.array_equal(mask_of(counts, height, width), mask)


def test_rows_are_gone_along_where_cvat_does():
    assert mask_of(counts_of_numbers([1, 2, 3]), 2, 3, by_rows=True).tolist() == [[False, True, True], [False] * 3]


@pytest.mark.parametrize("text", ["é", "0 1", "o" * 40, "ooooooooo1", "N", "1" + "o"])
def test_a_text_that_is_none_is_refused(text):
    assert counts_of_text(text) is None


@pytest.mark.parametrize("numbers", [[1, -1], [1.5], ["2"], [True], [1 << 40], [None]])
def test_numbers_that_are_no_counts_are_refused(numbers):
    assert counts_of_numbers(numbers) is None


@pytest.mark.parametrize("size", [(4, 5), (0, 5), (1 << 20, 1 << 20)])
def test_counts_that_are_of_another_picture_unfold_to_nothing(size):
    counts = counts_of_numbers([10, 6])
    assert mask_of(counts, *size) is None
    assert columns_of(counts, *size) is None


def test_no_picture_is_unfolded_that_is_larger_than_any():
    counts = counts_of_numbers([(1 << 32) - 1] * 256 + [256])
    assert columns_of(counts, 1 << 20, 1 << 20) is None
