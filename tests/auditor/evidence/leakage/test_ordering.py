import numpy as np
import pandas as pd
import pytest

from auditor.evidence.leakage.ordering import days_of, name_order


def test_dates_in_their_common_forms_are_days_and_others_are_missing() -> None:
    dates = pd.Series(["1970-01-02", "19700103", "1970-01-02T13:00:00", "1971", "03/04/2001", "20011301", None, "12345678901"])
    found = days_of(dates).tolist()
    assert found[:4] == [1.0, 2.0, 1.0, 365.0]
    assert np.isnan(found[4:]).all()


def test_files_are_ordered_by_the_numbers_in_their_names() -> None:
    paths = pd.Series(["b/malignant (12).png", "a/benign (7).png", "a/benign (100).png", None, "a/benign (8).png"])
    assert name_order(paths).tolist()[:3] == [2.0, 0.0, 3.0]
    assert np.isnan(name_order(paths).iloc[3])


@pytest.mark.parametrize(
    "names",
    [
        [f"{c}/{c} ({i}).png" for c in ("x", "y") for i in range(50)],
        [f"name{'abc'[i % 3]}.png" for i in range(60)],
        [f"{i}.png" if i % 2 else f"{i}_{i}.png" for i in range(60)],
    ],
    ids=["starts anew in every folder", "no numbers", "two makes of names"],
)
def test_numbers_that_are_no_order_are_none(names: list[str]) -> None:
    assert name_order(pd.Series(names)) is None


def test_patient_and_image_number_order_together() -> None:
    paths = pd.Series(["00000002_000.png", "00000001_010.png", "00000001_009.png"])
    assert name_order(paths).tolist() == [2.0, 1.0, 0.0]
