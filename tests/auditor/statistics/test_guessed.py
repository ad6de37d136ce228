from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.statistics.guessed import groups_in_names, groups_of_equals, groups_of_neighbours, patients_of
from auditor.values.dataset import Dataset
from auditor.values.fields import describe

N = 600


def paths(names: Sequence[str]) -> pd.Series:
    return pd.Series(list(names), dtype="string")


def people(seed: int, count: int = 40) -> np.ndarray:
    g = np.random.default_rng(seed)
    return np.repeat(np.arange(count), g.integers(1, 31, count))


def table(patient: np.ndarray, seed: int, *, shuffled: bool = False, **columns: np.ndarray) -> Dataset:
    g = np.random.default_rng(seed)
    order = g.permutation(len(patient)) if shuffled else np.arange(len(patient))
    sick = (g.random(int(patient.max()) + 1) < 0.5)[patient]
    metadata = {f"table.{name}": values[order].tolist() for name, values in columns.items()}
    kinds = {name: describe(name) for name in metadata}
    return make_dataset(labels=[str(v) for v in sick[order]], metadata=metadata, kinds=kinds, paths=[None] * len(patient))


def together(found: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Share of pairs of one patient that are in one group, and of pairs in one group that are one patient's."""
    same, guessed = truth[:, None] == truth[None, :], found[:, None] == found[None, :]
    return float((same & guessed).sum() / same.sum()), float((same & guessed).sum() / guessed.sum())


@pytest.mark.parametrize("form", ["{p:03d}_{k}", "IM-{p:04d}-{k:04d}", "P{p} {k}", "case{p}.img{k}".replace(".", "-")])
def test_numbers_that_begin_anew_tell_the_groups(form: str) -> None:
    truth = np.repeat(np.arange(50), 4)
    found = groups_in_names(paths([f"{'ab'[p % 2]}/{form.format(p=p, k=i % 4)}.png" for i, p in enumerate(truth)]), classes=2)
    assert found is not None
    assert together(found, truth) == (1.0, 1.0)


@pytest.mark.parametrize("form", ["{i:05d}", "scan2_{i}", "img ({i})", "{r:08x}", "2017_{i:03d}"])
def test_running_numbers_and_names_at_random_tell_none(form: str) -> None:
    g = np.random.default_rng(0)
    names = [f"{'ab'[i % 2]}/{form.format(i=i, r=int(g.integers(1 << 31)))}.png" for i in range(200)]
    assert groups_in_names(paths(names), classes=2) is None


def test_folders_of_patients_are_groups_and_folders_of_classes_are_not() -> None:
    deep = [f"{'ab'[i % 2]}/case{i // 5}/{i}.png" for i in range(200)]
    assert groups_in_names(paths(deep), classes=2) is not None
    assert groups_in_names(paths([f"{['train', 'test'][i % 2]}/c{i % 10}/{i}.png" for i in range(200)]), classes=10) is None


def test_neighbours_that_share_age_and_sex_are_one_patient() -> None:
    patient = people(0)
    g = np.random.default_rng(1)
    age, sex = g.integers(20, 90, 40)[patient], g.integers(0, 2, 40)[patient]
    found = patients_of(table(patient, 2, age=age, sex=sex, noise=g.normal(size=len(patient))))
    assert (found.guessed, found.usable) == ("neighbours", False)
    joined, pure = together(found.index, patient)
    assert joined > 0.95
    assert pure > 0.9


def test_a_number_that_only_resembles_its_neighbours_makes_blocks() -> None:
    patient = people(3)
    g = np.random.default_rng(4)
    found = patients_of(table(patient, 5, density=g.normal(size=40)[patient] + 0.5 * g.normal(size=len(patient))))
    assert found.guessed == "neighbours"
    assert np.bincount(found.index).max() <= 30


def test_equal_rows_are_found_wherever_they_lie() -> None:
    patient = people(6)
    g = np.random.default_rng(7)
    columns = {
        "age": g.normal(size=40).round(2)[patient],
        "bmi": g.integers(15, 40, 40)[patient],
        "sex": g.integers(0, 2, 40)[patient],
        "noise": g.integers(0, 5, len(patient)),
    }
    order = np.random.default_rng(8).permutation(len(patient))
    dataset = table(patient, 8, shuffled=True, **columns)
    found = patients_of(dataset)
    assert found.guessed == "equal rows"
    assert together(found.index, patient[order]) == (1.0, 1.0)


def test_columns_that_follow_from_each_other_tell_persons_though_none_does_alone() -> None:
    patient = people(9, 50)
    g = np.random.default_rng(10)
    own = {
        name: g.integers(0, kinds, 50)[patient]
        for name, kinds in {"sex": 2, "stage": 4, "arm": 3, "city": 5, "symptoms": 6}.items()
    }
    order = np.random.default_rng(11).permutation(len(patient))
    found = patients_of(table(patient, 11, shuffled=True, **own, noise=g.integers(0, 5, len(patient))))
    assert found.guessed == "equal rows"
    joined, pure = together(found.index, patient[order])
    assert joined > 0.99
    assert pure > 0.5  # two persons may agree in all that is known


@pytest.mark.parametrize("seed", range(4))
def test_findings_that_go_together_are_no_persons(seed: int) -> None:
    """Rows know nothing of each other, columns do: severity stands behind all of them."""
    g = np.random.default_rng(seed)
    severity = g.normal(size=N)
    columns = {f"sign {i}": np.digitize(severity + g.normal(size=N), [-1, 0, 1]) for i in range(6)}
    assert patients_of(table(np.arange(N), seed, **columns)).independent


@pytest.mark.parametrize("seed", range(8))
def test_rows_that_know_nothing_of_each_other_are_not_grouped(seed: int) -> None:
    g = np.random.default_rng(seed)
    columns = {"age": g.integers(20, 90, N), "sex": g.integers(0, 2, N), "kvp": g.normal(size=N), "few": g.integers(0, 12, N)}
    assert patients_of(table(np.arange(N), seed, **columns)).independent


def test_a_batch_a_trend_and_a_site_are_no_patients() -> None:
    g = np.random.default_rng(0)
    batch, trend = np.arange(N) // 200, np.arange(N) + g.normal(size=N)
    assert patients_of(table(np.arange(N), 0, kernel=batch, thickness=trend)).independent
    assert patients_of(table(np.arange(N), 0, hospital=np.arange(N) // 20)).independent


def test_ids_that_tell_are_never_guessed_over() -> None:
    dataset = make_dataset(labels=["a", "b"] * 20, patients=[f"p{i // 2}" for i in range(40)], metadata={"table.age": [1] * 40})
    assert patients_of(dataset).usable
    assert groups_of_equals([np.arange(40) // 2], np.zeros(40, np.int64)) is None
    assert groups_of_neighbours([], np.zeros(40, np.int64), np.arange(40)) is None
