"""What holds for every feature, ours and a plug-in's."""

import numpy as np
import pytest
from foreign import installed

from auditor.feature import feature_columns, feature_version, features, measure_all

TOY = """
import numpy as np

COLUMNS = ("mean", "frames")
VERSION = 3

def measure(view):
    return np.array([view.gray.mean(), len(view.pixels.array)], np.float32)
"""


@pytest.fixture(scope="module", autouse=True)
def foreign(tmp_path_factory):
    """A package that brings a feature is installed."""
    with installed(tmp_path_factory.mktemp("foreign"), "[medaudit.features]\ntoy = toy_feature\n", TOY, module="toy_feature"):
        yield


def test_every_feature_says_its_columns_once_and_its_version():
    assert "toy" in features()
    for name, module in features().items():
        assert module.COLUMNS
        assert len(set(module.COLUMNS)) == len(module.COLUMNS), name
        assert isinstance(module.VERSION, int)
        assert f"{name}:{module.VERSION}" in feature_version(frozenset({name})).split(",")
        assert (f"{name}:{module.VERSION}" in feature_version().split(",")) == (not getattr(module, "ON_DEMAND", False))
    assert len(set(feature_columns())) == len(feature_columns())
    assert "toy.frames" in feature_columns()


def test_every_feature_measures_any_picture_and_leaves_it_as_it_was(view_of, odd):
    _, stored = odd
    view = view_of(stored)
    gray = view.gray.copy()
    for name, module in features().items():
        numbers = np.asarray(module.measure(view))
        assert numbers.shape == (len(module.COLUMNS),), name
        assert not np.isinf(numbers).any(), name
        again = np.asarray(module.measure(view_of(stored)))
        assert np.array_equal(numbers, again, equal_nan=True), name
    assert np.array_equal(view.gray, gray)
    assert np.array_equal(view.stored, stored)


def test_all_features_come_in_the_order_of_their_columns(view_of):
    view = view_of(np.arange(400, dtype=np.uint8).reshape(20, 20))
    numbers = measure_all(view)
    assert numbers.dtype == np.float32
    assert numbers.shape == (len(feature_columns()),)
    assert numbers[feature_columns().index("toy.frames")] == 1
