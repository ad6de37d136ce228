from pathlib import Path

import numpy as np
import pytest

from trainers.decoding.model_input import with_channels
from trainers.values.pictures import Pictures


@pytest.mark.parametrize("mapped", [False, True])
def test_a_grey_network_sees_the_mean_of_the_channels(mapped: bool, tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 65536, (5, 3, 4, 6)).astype(np.uint16)
    np.save(tmp_path / "array.npy", array)
    held = np.load(tmp_path / "array.npy", mmap_mode="r" if mapped else None)
    grey = with_channels(Pictures(array=held, readable=np.ones(5, bool)), 1)
    assert grey.array.dtype == np.uint16
    assert "sees the mean" in grey.told[0]
    np.testing.assert_array_equal(grey.array[:, 0], np.rint(array.astype(np.float64).mean(1)))


def test_a_colour_network_sees_grey_ones_as_three_equal_channels_and_both_are_told() -> None:
    pictures = Pictures(array=np.arange(8, dtype=np.uint8).reshape(2, 1, 2, 2), readable=np.ones(2, bool))
    coloured = with_channels(pictures, 3)
    assert coloured.array.shape == (2, 3, 2, 2)
    assert (coloured.array == pictures.array).all()
    assert with_channels(pictures, 1) is pictures
    assert not pictures.told
    assert "shown as 3 equal ones" in coloured.told[0]
