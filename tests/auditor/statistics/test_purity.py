import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom

from auditor.statistics.coding import code_field
from auditor.statistics.purity import PureValue, pure_values
from auditor.statistics.targets import Targets


def pure(values: object, positive: np.ndarray, patients: np.ndarray) -> tuple[PureValue, ...]:
    field = code_field(pd.Series(values, name="f"), patients)
    assert field is not None
    positive = positive.astype(bool)[:, None]
    targets = Targets(names=("c",), positive=positive, known=np.ones_like(positive))
    return pure_values(field, targets, patients, int(patients.max()) + 1)


def test_a_value_that_one_class_alone_has_is_pure() -> None:
    label = np.arange(200) < 40
    (found,) = pure(np.where(np.arange(200) < 12, "16", "8"), label, np.arange(200))
    assert (found.patients, found.records, found.lift) == (12, 12, 5.0)
    assert found.p == pytest.approx(2 * hypergeom.sf(11, 200, 40, 12))


def test_many_images_of_few_patients_prove_nothing() -> None:
    patients = np.repeat(np.arange(50), 20)
    label = (np.arange(50) < 15)[patients]
    assert pure(np.where(patients < 1, "16", "8"), label, patients) == ()


def test_the_majority_is_never_pure() -> None:
    label = np.arange(200) < 190
    assert pure(np.where(np.arange(200) < 100, "16", "8"), label, np.arange(200)) == ()


@pytest.mark.parametrize("share", [0.05, 0.01])
def test_imbalance_alone_never_looks_pure(share: float) -> None:
    g = np.random.default_rng(0)
    alarms = sum(bool(pure(g.integers(0, 15, 1000).astype(str), g.random(1000) < share, np.arange(1000))) for _ in range(100))
    assert alarms <= 5
