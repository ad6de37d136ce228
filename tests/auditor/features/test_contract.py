"""What holds for every feature, ours and a plug-in's."""

import sys

import numpy as np
import pytest

from auditor import feature
from auditor.feature import feature_columns, feature_version, features, measure_all

TOY = """
import numpy as np

COLUMNS = ("mean", "frames")
VERSION = 3

def measure(view):
    return np.array([view.gray.mean(), len(view.pixels.array)], np.float32)
"""
CACHES = (feature.features, feature.chosen_features, feature.feature_columns, feature.feature_version)


@pytest.fixture(scope="module", autouse=True)
def foreign(tmp_path_factory):
    """A package that brings a feature is installed, as pip would."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "toy_feature.py").write_text(TOY)
    facts = folder / "toy_feature-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-feature\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[medaudit.features]\ntoy = toy_feature\n")
    sys.path.insert(0, str(folder))
    for one in CACHES:
        one.cache_clear()
    yield
    sys.path.remove(str(folder))
    sys.modules.pop("toy_feature", None)
    for one in CACHES:
        one.cache_clear()


def test_every_feature_says_its_columns_once_and_its_version():
    assert "toy" in features()
    for name, module in features().items():
        assert module.COLUMNS
        assert len(set(module.COLUMNS)) == len(module.COLUMNS), name
        assert isinstance(module.VERSION, int)
        assert f"{name}:{module.VERSION}" in feature_version().split(",")
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
