import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sz002 import Imbalance


def test_a_class_of_one_in_fifty_is_named() -> None:
    verdict = Imbalance().run(make_dataset(labels=["common"] * 98 + ["rare"] * 2))
    assert verdict.metrics["imbalance_ratio"] == 49
    assert verdict.metrics["classes_effective"] == pytest.approx(np.exp(-0.98 * np.log(0.98) - 0.02 * np.log(0.02)), abs=1e-3)
    assert len(verdict.findings) == 1


def test_equal_classes_are_worth_their_number() -> None:
    verdict = Imbalance().run(make_dataset(labels=["a", "b", "c"] * 20))
    assert verdict.findings == ()
    assert verdict.metrics["classes_effective"] == pytest.approx(3)


def test_no_classes_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="no classes"):
        Imbalance().run(make_dataset(n=20))
