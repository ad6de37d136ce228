import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ln008 import GatheredNoise


def built(*, bad_noise, n=1200, seed=0, base=0.03, clustered=False, **more):
    """Five sites; the labels of the last go wrong with `bad_noise`. Class shares differ between sites."""
    rng = np.random.default_rng(seed)
    site = rng.integers(0, 5, n)
    truth = (rng.random(n) < 0.2 + 0.15 * site).astype(np.int64)
    rate = np.where(site == 4, bad_noise, base)
    if clustered:
        patient = np.arange(n) // 20
        site = site[patient * 20]
        wrong = (rng.random(n // 20 + 1) < base)[patient]
    else:
        patient, wrong = np.arange(n), rng.random(n) < rate
    given = np.where(wrong, 1 - truth, truth)
    p = np.full((n, 2), 0.05)
    p[np.arange(n), truth] = 0.95
    dataset = make_dataset(
        labels=["no", "yes"] * 0 + [["no", "yes"][v] for v in given],
        sites=[f"s{v}" for v in site],
        patients=[f"p{v}" for v in patient],
        probabilities=p,
        **more,
    )
    return dataset, site, wrong


def test_the_site_whose_labels_go_wrong_is_named():
    dataset, site, wrong = built(bad_noise=0.25)
    verdict = GatheredNoise().run(dataset)
    (finding,) = verdict.findings
    assert (finding.where.field, finding.subject) == ("site", "s4")
    assert finding.evidence["disagreement_fraction"] == pytest.approx(wrong[site == 4].mean())
    columns = {c.name: list(c.values) for c in verdict.tables[0].columns}
    assert len(columns["group"]) == 5
    assert columns["reported"] == [True] + [False] * 4


def test_even_noise_names_no_site_although_class_shares_differ():
    assert GatheredNoise().run(built(bad_noise=0.03)[0]).findings == ()


def test_whole_patients_that_go_wrong_are_no_site():
    alarms = [bool(GatheredNoise().run(built(bad_noise=0, base=0.15, clustered=True, seed=s)[0]).findings) for s in range(10)]
    assert sum(alarms) <= 1


def test_a_reader_a_period_and_a_column_of_the_table_are_groups_too():
    n = 1200
    rng = np.random.default_rng(1)
    source = np.array(["biopsy", "report"])[rng.integers(0, 2, n)]
    months = pd.date_range("2010-01-01", periods=n, freq="D").strftime("%Y-%m-%d").tolist()
    dataset, _, _ = built(bad_noise=0.03, metadata={"table.dx_type": source.tolist()}, columns={"time": months})
    flipped = (source == "report") & (rng.random(n) < 0.2)
    flipped[-150:] |= rng.random(150) < 0.6
    values = dataset.labels.values.to_numpy(dtype=object).copy()
    values[flipped] = np.where(values[flipped] == "no", "yes", "no")
    readings = pd.DataFrame({"record": dataset.records.index, "rater": ["a", "b"] * (n // 2), "label": values})
    dataset = make_dataset(
        labels=values.tolist(), probabilities=dataset.predictions.probabilities, annotations=readings,
        metadata={"table.dx_type": source.tolist()}, columns={"time": months},
    )  # fmt: skip
    verdict = GatheredNoise().run(dataset)
    assert {(f.where.field, f.subject[:6]) for f in verdict.findings} >= {("table.dx_type", "report"), ("time", "part 8")}
    groups = {str(g).split()[0] for g in verdict.tables[0].columns[0].values}
    assert groups == {"table.dx_type", "time", "rater"}


def test_without_any_grouping_or_with_small_ones_it_is_skipped():
    p = np.tile([[0.9, 0.1], [0.1, 0.9]], (50, 1))
    with pytest.raises(SkipCheck, match="to group by"):
        GatheredNoise().run(make_dataset(labels=["a", "b"] * 50, probabilities=p))
    with pytest.raises(SkipCheck, match="has 20 records"):
        GatheredNoise().run(make_dataset(labels=["a", "b"] * 50, probabilities=p, sites=[f"s{i % 20}" for i in range(100)]))


@pytest.mark.slow
def test_power_and_false_alarms_over_many_seeds():
    found = [bool(GatheredNoise().run(built(bad_noise=0.2, seed=s)[0]).findings) for s in range(100)]
    alarms = [bool(GatheredNoise().run(built(bad_noise=0.03, seed=s)[0]).findings) for s in range(200)]
    grouped = [bool(GatheredNoise().run(built(bad_noise=0, base=0.15, clustered=True, seed=s)[0]).findings) for s in range(200)]
    assert np.mean(found) >= 0.95
    assert np.mean(alarms) <= 0.05
    assert np.mean(grouped) <= 0.05
