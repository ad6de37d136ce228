"""Leaks too small for an AUC over everything, through LK001."""

import numpy as np
import pytest
from builders import make_dataset

from auditor.checks.lk001 import MetadataLeakage
from auditor.values.dataset import Dataset
from auditor.values.results import Finding, Severity


def told(dataset: Dataset) -> list[Finding]:
    return [f for f in MetadataLeakage(draws=500).run(dataset).findings if f.severity is not Severity.INFO]


def two_percent(seed: int, *, leak: bool, share: float = 0.5, patients: bool = True) -> Dataset:
    """2,000 records, one per patient or two; a rare value stands in 2 % of the positives, or anywhere."""
    rng = np.random.default_rng(seed)
    n = 2000
    person = np.arange(n) // 2 if patients else np.arange(n)
    label = (rng.random(n // 2 + 1) < share)[np.arange(n) // 2] if patients else rng.random(n) < share
    value = np.array(["plain", "other"])[rng.integers(2, size=n)].astype(object)
    pool = np.flatnonzero(label) if leak else np.arange(n)
    value[rng.choice(pool, int(0.02 * label.sum()), replace=False)] = "rare"
    return make_dataset(
        labels=np.where(label, "ill", "well").tolist(),
        patients=[f"p{i}" for i in person] if patients else None,
        metadata={"container.software": value.tolist(), "container.noise": rng.integers(9, size=n).astype(float).tolist()},
    )


def one_site(seed: int, *, leak: bool) -> Dataset:
    """Six sites of 200 records; in one of them the software tells the class."""
    rng = np.random.default_rng(seed)
    n = 1200
    site, label = np.arange(n) % 6, rng.random(n) < 0.5
    software = rng.integers(2, size=n)
    if leak:
        software[site == 2] = label[site == 2]
    return make_dataset(
        labels=np.where(label, "ill", "well").tolist(),
        patients=[f"p{i // 12}-{i % 6}" for i in range(n)],
        sites=[f"hospital {s}" for s in site],
        metadata={"dicom.SoftwareVersions": [f"v{s}" for s in software], "dicom.KVP": rng.normal(size=n).tolist()},
    )


@pytest.mark.parametrize("patients", [True, False])
def test_a_value_that_only_the_ill_have_is_told_though_its_auc_is_near_one_half(patients: bool) -> None:
    (finding,) = told(two_percent(1, leak=True, patients=patients))
    assert finding.where.field == "container.software"
    assert finding.severity is Severity.WARNING
    assert finding.evidence["class"] in ("ill", "not well")
    assert "every one of them" in finding.message
    assert ("rows assumed independent" in finding.message) is not patients


def test_a_rare_value_anywhere_is_silent() -> None:
    assert told(two_percent(1, leak=False)) == []


def test_a_value_of_the_majority_is_never_pure() -> None:
    assert told(two_percent(1, leak=True, share=0.9)) == []


def test_a_field_that_tells_in_one_site_only_is_told_with_the_site() -> None:
    (finding,) = told(one_site(1, leak=True))
    assert finding.where.field == "dicom.SoftwareVersions"
    assert finding.evidence["site"] == 3
    assert "inside one site" in finding.message
    assert "hospital" not in finding.message


def test_no_leak_in_any_site_is_silent() -> None:
    assert told(one_site(1, leak=False)) == []


@pytest.mark.slow
def test_corners_are_found_in_95_percent_of_200_and_false_in_at_most_5() -> None:
    for build in (two_percent, one_site):
        assert sum(bool(told(build(seed, leak=True))) for seed in range(200)) >= 190
        assert sum(bool(told(build(seed, leak=False))) for seed in range(200)) <= 10
