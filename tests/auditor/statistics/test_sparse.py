"""Small matrices are arrays, large ones sparse, and nobody can tell by the answers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from auditor.statistics import sparse
from auditor.statistics.coding import CodedField
from auditor.statistics.exchange import permutation_variance
from auditor.statistics.permutation import TestResult as Answer
from auditor.statistics.permutation import between_patients, two_level_test, within_patients
from auditor.statistics.targets import Targets

SEEDS = range(5)


def asked(seed: int) -> tuple[list[CodedField], Targets, np.ndarray]:
    """Three fields of 300 records of 120 patients, of which the first follows the label."""
    rng = np.random.default_rng(seed)
    clusters = np.unique(rng.integers(0, 120, 300), return_inverse=True)[1]
    positive = rng.random((300, 2)) < 0.4
    told = np.where(rng.random(300) < 0.3, positive[:, 0], rng.random(300) < 0.5)
    codes = [told.astype(np.int64), rng.integers(0, 6, 300), rng.integers(0, 4, 300)]
    fields = [
        CodedField(name=f"f{i}", codes=own, values=tuple(map(str, range(own.max() + 1))), ordered=i == 1, missing=-1)
        for i, own in enumerate(codes)
    ]
    return fields, Targets(names=("a", "b"), positive=positive, known=np.ones_like(positive)), clusters


def answer(seed: int) -> Answer:
    fields, targets, clusters = asked(seed)
    return two_level_test(fields, targets, clusters, seed=seed, draws=400)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_exchange_of_patients_and_labels_gives_the_same_either_way(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    small = answer(seed)
    monkeypatch.setattr(sparse, "FEW_CELLS", 0)
    large = answer(seed)
    for own, other in ((small.p, large.p), (small.between, large.between), (small.within, large.within)):
        np.testing.assert_allclose(own, other, rtol=1e-4)
    np.testing.assert_array_equal(small.draws, large.draws)
    assert small.p.min() < 1


@pytest.mark.parametrize("level", [between_patients, within_patients])
def test_the_variance_of_an_exchange_is_the_same_either_way(level, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    small = level(*asked(1))
    monkeypatch.setattr(sparse, "FEW_CELLS", 0)
    large = level(*asked(1))
    assert isinstance(small.share, np.ndarray)
    assert not isinstance(large.share, np.ndarray)
    np.testing.assert_allclose(permutation_variance(small.share, small), permutation_variance(large.share, large), atol=1e-12)
    np.testing.assert_array_equal(small.share, large.share.toarray())


def test_groups_are_added_up_in_the_order_of_their_numbers() -> None:
    cells = np.array([[1.0, 2.0, 4.0, 8.0], [16.0, 32.0, 64.0, 128.0]])
    assert sparse.sums_of_groups(cells, np.array([5, 0, 5, 2])).tolist() == [[2.0, 8.0, 5.0], [32.0, 128.0, 80.0]]


def test_values_at_one_place_are_added_up() -> None:
    ones, places = np.ones(3, np.float32), np.array([1, 1, 0])
    assert sparse.small_or_sparse(ones, places, places, (2, 2)).tolist() == [[1.0, 0.0], [0.0, 2.0]]


def test_a_small_question_imports_no_scipy() -> None:
    code = (
        "import sys, numpy as np\nfrom auditor.statistics.sparse import small_or_sparse\n"
        "import auditor.statistics.permutation\n"
        "small_or_sparse(np.ones(1), np.zeros(1, int), np.zeros(1, int), (2, 2))\nassert 'scipy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
