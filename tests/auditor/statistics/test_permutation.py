import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from auditor.statistics.coding import CodedField, code_field
from auditor.statistics.exchange import _Exchanged, exchange_test, permutation_variance, permuted_statistics, tail_probability
from auditor.statistics.multiplicity import benjamini_hochberg, max_t
from auditor.statistics.permutation import between_patients, count_strata, two_level_test, within_patients
from auditor.statistics.targets import Targets


def binary(positive: np.ndarray) -> Targets:
    positive = positive.astype(bool)[:, None]
    return Targets(names=("c",), positive=positive, known=np.ones_like(positive))


def coded(values: object, patients: np.ndarray) -> CodedField:
    field = code_field(pd.Series(values, name="f"), patients)
    assert field is not None
    return field


def p_of(values: object, positive: np.ndarray, patients: np.ndarray, seed: int = 0) -> float:
    return float(two_level_test([coded(values, patients)], binary(positive), patients, seed=seed, draws=400).p[0])


def simulate(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    g = np.random.default_rng(seed)
    if kind == "constant per patient":
        patients = np.repeat(np.arange(50), 20)
        return g.normal(size=50)[patients], (g.random(50) < 0.5)[patients], patients
    if kind in ("unequal counts", "counts tell the label", "counts tell the property"):
        label, field = g.random(150) < 0.4, g.integers(0, 3, 150)
        many = {"unequal counts": np.full(150, False), "counts tell the label": label}.get(kind, field == 0)
        counts = np.where(many, g.geometric(0.06, 150), g.geometric(0.3 if kind != "unequal counts" else 0.12, 150))
        patients = np.repeat(np.arange(150), counts)
        return field[patients].astype(str), label[patients], patients
    if kind == "labels vary inside patients":
        patients = np.repeat(np.arange(120), g.integers(2, 12, size=120))
        label = g.normal(size=120)[patients] + g.normal(size=len(patients)) > 0.5
        return g.normal(size=120)[patients] + g.normal(size=len(patients)), label, patients
    if kind == "both drift from visit to visit":
        counts = g.integers(4, 15, size=120)
        steps = [np.concatenate([(np.arange(k) < g.integers(0, k + 1)) ^ (g.random() < 0.5) for k in counts]) for _ in (0, 1)]
        return np.where(steps[0], 16, 8), steps[1], np.repeat(np.arange(120), counts)
    assert kind == "left and right"
    patients = np.repeat(np.arange(100), 2)
    return np.where(g.random(200) < 0.5, 16, 8), np.tile([False, True], 100), patients


NULLS = [
    "constant per patient",
    "unequal counts",
    "counts tell the label",
    "counts tell the property",
    "labels vary inside patients",
    "both drift from visit to visit",
    "left and right",
]


@pytest.mark.parametrize("kind", NULLS)
def test_independent_properties_are_seldom_called(kind: str) -> None:
    assert sum(p_of(*simulate(kind, seed), seed=seed) <= 0.05 for seed in range(40)) <= 6


@pytest.mark.slow
@pytest.mark.parametrize("kind", NULLS)
def test_false_alarms_stay_at_five_percent(kind: str) -> None:
    # 600 repeats at 5 %: more than 47 happen in less than 1 % of the runs.
    assert sum(p_of(*simulate(kind, seed), seed=seed) <= 0.05 for seed in range(600)) <= 47


def test_permuted_rows_would_call_a_property_that_is_constant_per_patient() -> None:
    called = 0
    for seed in range(20):
        field, label, _ = simulate("constant per patient", seed)
        called += p_of(field, label, np.arange(1000), seed=seed) <= 0.05
    assert called >= 15


def test_left_and_right_are_found_though_every_patient_has_both() -> None:
    patients, label = np.repeat(np.arange(100), 2), np.tile([False, True], 100)
    result = two_level_test([coded(np.where(label, 16, 8), patients)], binary(label), patients, seed=0)
    assert result.between[0] == 1.0
    assert result.within[0] < 1e-5
    assert result.p[0] == result.within[0]  # the level that cannot tell costs no factor


def test_a_leak_is_found_when_the_number_of_images_tells_the_class_too() -> None:
    positive = np.repeat([True, False], [200, 40])
    patients = np.repeat(np.arange(240), np.where(positive, 1, 20))
    label = positive[patients]
    assert p_of(np.where(label, 16, 8), label, patients) < 1e-4


def test_the_level_of_patients_and_of_images_each_find_their_own() -> None:
    g = np.random.default_rng(5)
    patients = np.repeat(np.arange(100), 4)
    patient_label = g.random(100) < 0.5
    between = two_level_test(
        [coded(np.where(patient_label, 16, 8)[patients], patients)], binary(patient_label[patients]), patients, seed=0
    )
    assert between.between[0] < 1e-4
    assert between.within[0] == 1.0


def test_p_values_of_null_fields_are_uniform() -> None:
    g = np.random.default_rng(7)
    label = g.random(300) < 0.3
    patients = np.arange(300)
    fields = [coded(g.normal(size=300), patients) for _ in range(600)]
    p = two_level_test(fields, binary(label), patients, seed=0, draws=300).p
    assert kstest(p[p < 0.9], "uniform", args=(0, 0.9)).pvalue > 0.001
    assert (p <= 0.01).mean() < 0.02


def test_sequential_stopping_spares_null_fields() -> None:
    g = np.random.default_rng(8)
    patients = np.arange(400)
    fields = [coded(g.normal(size=400), patients) for _ in range(50)]
    used = two_level_test(fields, binary(g.random(400) < 0.5), patients, seed=0, draws=2000).draws
    assert np.median(used) < 100


def test_the_largest_class_is_taken_inside_the_permutation() -> None:
    patients = np.arange(500)
    called = 0
    for seed in range(40):
        g = np.random.default_rng(seed)
        label = g.integers(0, 10, 500)
        positive = label[:, None] == np.arange(10)
        targets = Targets(names=tuple("abcdefghij"), positive=positive, known=np.ones_like(positive))
        called += two_level_test([coded(g.normal(size=500), patients)], targets, patients, seed=seed, draws=200).p[0] <= 0.05
    assert called <= 6


def test_the_tail_beyond_the_last_permutation_errs_on_the_careful_side() -> None:
    g = np.random.default_rng(0)
    for observed, truth in ((3.5, 2.3e-4), (4.5, 3.4e-6), (6.0, 1e-9)):
        found = np.array([tail_probability(g.normal(size=2000), observed) for _ in range(100)])
        assert np.median(found) >= truth
        assert (found >= truth / 3).mean() >= 0.95
    assert np.median([tail_probability(g.normal(size=2000), 6.0) for _ in range(50)]) < 2e-4
    assert np.median([tail_probability(g.normal(size=2000), 9.0) for _ in range(50)]) < 5e-6


def test_the_tail_agrees_with_many_more_permutations() -> None:
    g = np.random.default_rng(1)
    label = g.random(400) < 0.5
    patients = np.arange(400)
    exchange = between_patients([coded(g.normal(size=400) + 0.28 * label, patients)], binary(label), patients)
    observed, drawn = permuted_statistics(exchange, draws=20_000, seed=1)
    many = (1 + (drawn[:, 0] >= observed[0]).sum()) / 20_001
    few, _ = exchange_test(exchange, draws=2000, seed=2)
    assert many < 0.05
    assert few[0] == pytest.approx(many, rel=1.0)


def test_ten_thousand_noise_columns_leave_one_planted_column() -> None:
    g = np.random.default_rng(2)
    label = g.random(400) < 0.5
    patients = np.arange(400)
    values = g.normal(size=(2000, 400))
    values[77] += 1.466 * label  # AUC .85
    p = two_level_test([coded(v, patients) for v in values], binary(label), patients, seed=0).p
    assert np.flatnonzero(benjamini_hochberg(p) <= 0.05).tolist() == [77]


def test_max_t_agrees_on_the_planted_column() -> None:
    g = np.random.default_rng(3)
    label = g.random(300) < 0.5
    patients = np.arange(300)
    values = g.normal(size=(40, 300))
    values[5] += 1.0 * label
    exchange = between_patients([coded(v, patients) for v in values], binary(label), patients)
    observed, drawn = permuted_statistics(exchange, draws=500, seed=0)
    assert np.flatnonzero(max_t(observed, drawn) <= 0.05).tolist() == [5]


def test_the_variance_of_the_exchange_is_that_of_its_permutations() -> None:
    g = np.random.default_rng(4)
    patients = np.repeat(np.arange(60), g.integers(1, 5, 60))
    label = g.random(len(patients)) < 0.4
    field = coded(g.integers(0, 3, len(patients)).astype(str), patients)
    for build in (between_patients, within_patients):
        exchange = build([field], binary(label), patients)
        sums = []
        for _ in range(4000):
            order = np.lexsort((g.random(len(exchange.strata)), exchange.strata))
            home = np.argsort(exchange.strata, kind="stable")
            effect = np.empty_like(exchange.effect)
            effect[home] = exchange.effect[order]
            sums.append(exchange.share @ effect[:, 0])
        assert permutation_variance(exchange.share, exchange)[:, 0] == pytest.approx(np.var(sums, axis=0), rel=0.1)


def test_strata_hold_at_least_twenty_patients_and_keep_common_counts_apart() -> None:
    images = np.repeat([1, 2, 3, 7, 40], [100, 50, 10, 5, 6])
    strata = count_strata(images)
    assert strata[0] != strata[100]
    assert np.bincount(strata).min() >= 20
    assert len(set(strata[150:])) == 1


def test_the_same_seed_gives_the_same_p() -> None:
    field, label, patients = simulate("labels vary inside patients", 0)
    assert p_of(field, label, patients, seed=3) == p_of(field, label, patients, seed=3)


def test_every_order_of_a_stratum_is_as_likely_as_any_other() -> None:
    generator = np.random.default_rng(0)
    strata = np.repeat([0, 1, 2, 3, 4], [3, 40, 1, 3, 2])
    exchanged = _Exchanged.of(strata)
    drawn = np.stack([exchanged.draw(generator) for _ in range(6000)])
    assert (np.sort(drawn, axis=1) == np.arange(len(strata))).all()
    assert (strata[drawn] == strata).all(), "units are exchanged inside their stratum alone"
    both = np.unique(drawn[:, :3] @ [9, 3, 1] * 100 + (drawn[:, 44:47] - 44) @ [9, 3, 1], return_counts=True)[1]
    assert len(both) == 36, "strata of one size are exchanged apart from each other"
    assert (np.abs(both - 6000 / 36) < 5 * np.sqrt(6000 / 36)).all()
    places = np.stack([np.bincount(drawn[:, 3 + i] - 3, minlength=40) for i in range(40)])
    assert (np.abs(places - 150) < 6 * np.sqrt(150)).all()
    assert np.abs(np.corrcoef(drawn[:, 3], drawn[:, 4])[0, 1] + 1 / 39) < 0.06
