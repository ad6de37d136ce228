import itertools

import numpy as np
import pytest
from builders import make_dataset
from scipy.stats import fisher_exact
from statsmodels.stats.proportion import proportion_confint

from auditor.statistics.coding import code_field
from auditor.statistics.hidden import MOST_PER_PATIENT
from auditor.statistics.question import ask
from auditor.statistics.unnamed import (
    IMAGES_PER_PATIENT,
    effective_patients,
    exact_p,
    images_per_patient,
    lower_end,
)


def test_the_lower_end_is_newcombes_from_statsmodels_wilson_intervals() -> None:
    for (x, m), (y, n) in itertools.product([(6, 6), (5, 6), (20, 30)], [(6, 6), (11, 12), (40, 41)]):
        low_x, low_y = (proportion_confint(k, of, alpha=0.10, method="wilson")[0] for k, of in ((x, m), (y, n)))
        expected = (x / m + y / n) / 2 - np.hypot(x / m - low_x, y / n - low_y) / 2
        assert lower_end(x / m, m, y / n, n) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("first", "second", "called"), [(60, 60, True), (50, 50, True), (40, 40, False), (6, 6, False),
                                                         (30, 200, True), (20, 1000, False), (40, 80, True)])  # fmt: skip
def test_so_many_images_parted_without_exception_are_enough(first: int, second: int, called: bool) -> None:
    assert (lower_end(1.0, first / 10, 1.0, second / 10) >= 0.75) is called


def test_guessed_groups_count_by_their_sizes() -> None:
    assert effective_patients(np.arange(60), guessed="") == 6
    assert effective_patients(np.repeat(np.arange(30), 2), guessed="names") == pytest.approx(30)
    one_large = np.concatenate([np.zeros(51, np.int64), np.arange(1, 10)])
    assert effective_patients(one_large, guessed="names") == pytest.approx(60**2 / (51**2 + 9))
    assert effective_patients(np.repeat(np.arange(30), 2), guessed="equal rows") == 6
    assert effective_patients(np.repeat(np.arange(3), 20), guessed="equal rows") == pytest.approx(3)


def test_what_is_at_the_edge_is_seldom_called_three_quarters() -> None:
    """Eight patients on either side: at the edge (AUC .75) an alarm in about one of twelve, where nothing is told never."""
    g = np.random.default_rng(0)
    wrong = {}
    for s, t in ((0.75, 0.75), (0.9, 0.6), (0.5, 0.5), (0.2, 0.8)):
        x, y = g.binomial(8, s, 4000) / 8, g.binomial(8, t, 4000) / 8
        wrong[s, t] = np.mean([lower_end(a, 8, b, 8) >= 0.75 for a, b in zip(x, y, strict=True)])
    assert wrong[0.75, 0.75] < 0.08
    assert wrong[0.9, 0.6] < 0.10
    assert wrong[0.5, 0.5] < 0.001
    assert wrong[0.2, 0.8] < 0.001


def test_the_p_value_is_fishers() -> None:
    table = [[6, 0], [1, 5]]
    assert exact_p(1.0, 6, 5 / 6, 6) == pytest.approx(2 * fisher_exact(table, alternative="greater")[1])
    assert exact_p(1.0, 0.9, 1.0, 20) == 1.0


def shown(seed: int, group: np.ndarray, *, follows: bool = False) -> float:
    """Images per patient that two ways of writing show, each constant inside a group; `follows`: the second from the first."""
    g = np.random.default_rng(seed)
    count = int(group.max()) + 1
    depth = g.integers(0, 2, count)
    other = depth * 2 if follows else g.integers(0, 3, count)
    dataset = make_dataset(
        labels=["a" if k % 2 else "b" for k in group],
        metadata={"container.bit_depth": depth[group].tolist(), "container.jpeg_quality": other[group].tolist()},
    )
    question = ask(dataset, wanted=lambda _: True, cases=2, holders=1)
    fields = [code_field(dataset.metadata[name], np.arange(dataset.size)) for name in dataset.metadata.columns]
    return images_per_patient([field for field in fields if field is not None], question)


def test_fields_that_hang_together_inside_a_class_show_how_many_images_a_patient_has() -> None:
    rows, patients = np.arange(400), np.repeat(np.arange(24), 20)
    assert max(shown(seed, rows) for seed in range(20)) == IMAGES_PER_PATIENT
    assert np.median([shown(seed, patients) for seed in range(30)]) == pytest.approx(20, rel=0.4)
    assert shown(0, np.repeat(np.arange(8), 60)) == MOST_PER_PATIENT
    assert shown(0, patients, follows=True) == IMAGES_PER_PATIENT
