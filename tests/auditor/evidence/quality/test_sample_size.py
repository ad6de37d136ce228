import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.evidence.quality.sample_size import count_cells, precision, subgroups, vendi_score, worth_of


def test_patients_count_once_per_class_and_split() -> None:
    dataset = make_dataset(
        labels=["a", "a", "b", "a"], patients=["1", "1", "1", "2"], splits=["train", "train", "test", "test"]
    )
    found = {(r["class"], r["split"]): (r["images"], r["patients"]) for r in count_cells(dataset).to_dict("records")}
    assert found == {("a", "train"): (2, 1), ("a", "test"): (1, 1), ("b", "train"): (0, 0), ("b", "test"): (1, 1)}


def test_the_vendi_score_counts_unlike_pictures() -> None:
    assert vendi_score(np.eye(8)) == pytest.approx(8)
    assert vendi_score(np.ones((50, 3))) == pytest.approx(1)


@pytest.mark.parametrize(("correlation", "expected"), [(0.0, 400.0), (1.0, 100.0), (0.5, 400 / (1 + 3 * 0.5))])
def test_images_of_one_patient_are_worth_what_the_design_effect_says(correlation: float, expected: float) -> None:
    rng = np.random.default_rng(0)
    own, shared = rng.normal(size=(400, 40)), np.repeat(rng.normal(size=(100, 40)), 4, axis=0)
    values = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    worth, found, size = worth_of(values, pd.Series([f"p{i // 4}" for i in range(400)]))
    assert size == 4
    assert found == pytest.approx(correlation, abs=0.04)
    assert worth == pytest.approx(expected, rel=0.1)


def test_the_interval_and_the_difference_agree_with_simulation() -> None:
    half, difference = precision(400, accuracy=0.9, disagreement=0.1)
    # Wilson's interval of 360 of 400 is 0.8668 to 0.9258 (Newcombe 1998, method 3).
    assert half == pytest.approx((0.9258 - 0.8668) / 2, abs=2e-4)
    rng = np.random.default_rng(1)
    better = rng.binomial(400, 0.05 + difference / 2, 4000)
    worse = rng.binomial(400, 0.05 - difference / 2, 4000)
    power = (np.abs(better - worse) / np.sqrt(better + worse) > 1.96).mean()
    assert power == pytest.approx(0.8, abs=0.04)


def test_a_value_that_only_records_without_a_patient_have_is_no_subgroup_of_nobody() -> None:
    values, patients = ["CT"] * 20 + ["MR"] * 20 + ["OT"] * 10, [*(f"p{i}" for i in range(40)), *[None] * 10]
    dataset = make_dataset(n=50, patients=patients, metadata={"dicom.Modality": values})
    assert {g.value: g.count for g in subgroups(dataset, max_values=20)} == {"CT": 20, "MR": 20}


def test_a_value_that_few_patients_have_is_not_written_out() -> None:
    values = ["common"] * 40 + ["telling"] * 2
    dataset = make_dataset(labels=["a", "b"] * 21, metadata={"dicom.Manufacturer": values})
    found = {(g.value, g.of_class): g.count for g in subgroups(dataset, max_values=20)}
    assert found[("common", "")] == 40
    assert found[("value 2", "")] == 2
    assert not any("telling" in value for value, _ in found)
