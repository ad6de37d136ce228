import pytest
from builders import make_dataset

from auditor.evidence.kin.components import components
from auditor.evidence.kin.identity import MAX_PATIENTS, MIN_ACQUISITIONS, identity
from auditor.stages.link import link
from auditor.values.dataset import Dataset

UID = "1.2.840.99.1"


def distinct(dataset: Dataset, role: str) -> int:
    codes = identity(dataset, role)
    return len(set(codes[codes >= 0].tolist()))


def test_patient_ids_count_within_their_issuer_and_not_within_their_site() -> None:
    issued = make_dataset(patients=["north|1", "south|1", "north|1", "1"])
    assert distinct(issued, "patient") == 3
    assert distinct(make_dataset(patients=["1", "1", "2"], sites=["north", "south", "north"]), "patient") == 2


@pytest.mark.parametrize("count", [MAX_PATIENTS, MAX_PATIENTS + 1])
def test_a_study_uid_of_too_many_patients_or_sites_identifies_nothing(count: int) -> None:
    owners = [f"p{i // 2}" for i in range(2 * count)]
    expected = 1 if count <= MAX_PATIENTS else 0
    assert distinct(make_dataset(patients=owners, columns={"study": [UID] * len(owners)}), "study") == expected
    assert distinct(make_dataset(sites=owners, columns={"study": [UID] * len(owners)}), "study") == expected


def test_a_series_uid_of_too_many_studies_identifies_nothing() -> None:
    studies = [f"1.2.3.4.{i}" for i in range(10)]
    assert distinct(make_dataset(columns={"series": [UID] * 10, "study": studies}), "series") == 0
    assert distinct(make_dataset(columns={"series": [UID] * 10, "study": ["1.2.3.4.1"] * 10}), "series") == 1


def test_one_uid_for_everything_joins_a_large_dataset_no_more_than_none() -> None:
    large = link(make_dataset(columns={"study": [UID] * MIN_ACQUISITIONS}))
    assert components(large).nunique() == MIN_ACQUISITIONS
    small = link(make_dataset(columns={"study": [UID] * 300}))
    assert components(small).nunique() == 1


def test_a_bad_uid_leaves_the_good_ones() -> None:
    patients = [f"p{i // 2}" for i in range(12)]
    study = [UID] * 10 + ["1.2.3.4.5", "1.2.3.4.5"]
    assert distinct(make_dataset(patients=patients, columns={"study": study}), "study") == 1
