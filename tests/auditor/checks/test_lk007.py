import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.lk007 import SiteLeakage
from auditor.values.dataset import Dataset, Design
from auditor.values.results import Severity, Verdict


def table(verdict: Verdict, name: str) -> dict[str, list[object]]:
    (found,) = [t for t in verdict.tables if t.name == name]
    return {c.name: list(c.values) for c in found.columns}


def pooled(
    seed: int, *, prevalence: tuple[float, ...] = (0.05, 0.2, 0.5, 0.9), patients: int = 300, skill: float = 0.0
) -> Dataset:
    """Patients at sites of given prevalence; predictions follow the site, and with `skill` the disease."""
    g = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), g.integers(1, 4, patients))
    site = g.integers(0, len(prevalence), patients)
    sick = (g.random(patients) < np.array(prevalence)[site]).astype(float)
    score = 1.5 * np.array(prevalence)[site][patient] + skill * sick[patient] + g.normal(0, 0.3, len(patient))
    p = 1 / (1 + np.exp(-score))
    return make_dataset(
        labels=np.where(sick[patient] > 0, "sick", "well").tolist(),
        patients=[f"p{i}" for i in patient],
        sites=[f"General Hospital {s}" for s in site[patient]],
        probabilities=np.column_stack([p, 1 - p]),
    )


def test_the_site_is_told_and_predictions_that_follow_it_fall_to_chance_within_sites() -> None:
    verdict = SiteLeakage().run(pooled(1))
    (finding,) = verdict.findings
    assert finding.severity is Severity.WARNING
    assert finding.where.field == "record.site"
    assert finding.score is not None
    assert finding.score > 0.75
    all_sites, within = verdict.metrics["all_sites_auc"], verdict.metrics["within_sites_auc"]
    assert isinstance(all_sites, float)
    assert isinstance(within, float)
    assert all_sites > 0.75
    assert within == pytest.approx(0.5, abs=0.08)
    assert table(verdict, "within")["site"][0] == "all sites"


def test_predictions_that_see_the_disease_hold_within_sites() -> None:
    within = SiteLeakage().run(pooled(2, skill=1.5)).metrics["within_sites_auc"]
    assert isinstance(within, float)
    assert within > 0.9


def test_the_split_keeps_sites_whole_and_gives_every_fold_both_sides() -> None:
    verdict = SiteLeakage(parts=2).run(pooled(3))
    split = table(verdict, "split")
    assert len(set(split["site"])) == len(split["site"]) == 4
    assert set(split["fold"]) == {1, 2}
    fractions = split["fold_class_fraction"]
    assert all(isinstance(f, float) and 0.2 < f < 0.7 for f in fractions)


def test_where_every_site_has_one_class_it_says_that_no_split_avoids_it() -> None:
    verdict = SiteLeakage().run(pooled(4, prevalence=(0.0, 1.0)))
    assert all(t.name != "split" for t in verdict.tables)
    assert "collect the missing combinations" in verdict.findings[0].message


def test_names_of_sites_are_not_shown() -> None:
    assert "General" not in repr(SiteLeakage().run(pooled(5)))


def test_columns_about_machines_are_found_in_headers_and_in_the_table() -> None:
    g = np.random.default_rng(6)
    sick = g.integers(0, 2, 300)
    dataset = make_dataset(
        labels=[f"c{s}" for s in sick],
        metadata={
            "dicom.ManufacturerModelName": np.where(sick ^ (g.random(300) < 0.1), "A", "B").tolist(),
            "table.scanner_type": np.where(sick ^ (g.random(300) < 0.1), "x", "y").tolist(),
            "table.age": g.integers(20, 80, 300).tolist(),
        },
    )
    verdict = SiteLeakage().run(dataset)
    assert {f.where.field for f in verdict.findings} == {"dicom.ManufacturerModelName", "table.scanner_type"}
    assert all("rows assumed independent" in f.message for f in verdict.findings)


def test_a_declared_stratum_that_explains_the_site_silences_it() -> None:
    dataset = pooled(7)
    silent = make_dataset(
        labels=dataset.labels.values.tolist(),
        patients=dataset.records["patient"].tolist(),
        sites=dataset.records["site"].tolist(),
        metadata={"table.programme": dataset.records["site"].tolist()},
        design=Design(strata=("programme",)),
    )
    assert SiteLeakage().run(silent).findings == ()


def test_it_skips_where_nothing_says_where() -> None:
    with pytest.raises(SkipCheck, match="--site"):
        SiteLeakage().run(make_dataset(labels=["a", "b"] * 30))


def test_the_published_counts_of_three_hospitals_give_the_published_auc() -> None:
    """Zech 2018, table 1: pneumonia in 34.2 % of 42,396, 1.2 % of 112,120 and 1.0 % of 3,807 radiographs; at a tenth."""
    records, shares = (4240, 11212, 381), (0.342, 0.012, 0.010)
    sites = [name for name, n in zip("mni", records, strict=True) for _ in range(n)]
    sick = [i < round(n * share) for n, share in zip(records, shares, strict=True) for i in range(n)]
    verdict = SiteLeakage(draws=200).run(make_dataset(labels=["pneumonia" if s else "other" for s in sick], sites=sites))
    assert verdict.findings[0].score == pytest.approx(0.857, abs=0.003)


def alarms(seeds: range) -> int:
    return sum(bool(SiteLeakage(draws=400).run(pooled(seed, prevalence=(0.3,) * 6, patients=120)).findings) for seed in seeds)


def test_sites_of_equal_prevalence_are_silent() -> None:
    assert alarms(range(8)) <= 1


@pytest.mark.slow
def test_at_most_five_percent_of_null_datasets_alarm() -> None:
    assert alarms(range(200)) <= 16


@pytest.mark.slow
def test_sites_of_unequal_prevalence_are_found() -> None:
    found = [SiteLeakage(draws=400).run(pooled(seed, prevalence=(0.1, 0.3, 0.6), patients=200)) for seed in range(60)]
    assert sum(bool(v.findings) for v in found) >= 57
