import numpy as np
import pandas as pd
import pytest

from auditor.evidence.leakage.ordering import hours_of


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2017-03-05 14:22", 14 + 22 / 60),
        ("5.3.2017 2:22 PM", 14 + 22 / 60),
        ("03/05/2017 12:05 AM", 5 / 60),
        ("2017-03-05T14:22:30+01:00", 14 + 22.5 / 60),
        ("20170305142230", 14 + 22.5 / 60),
        ("142230.500", 14 + 22.5 / 60 + 0.5 / 3600),
        ("07:30", 7.5),
    ],
)
def test_a_time_of_day_is_read_in_any_form(text: str, hour: float) -> None:
    found = hours_of(pd.Series([text, "2017-03-05 01:00", None], dtype="string"))
    assert found is not None
    assert found.tolist()[:2] == pytest.approx([hour, 1.0], abs=1e-6)
    assert np.isnan(found.iloc[2])


@pytest.mark.parametrize("text", ["2017-03-05", "20170305", "2017", "2017-03-05 00:00", "follow-up", "1234567"])
def test_dates_alone_and_one_hour_for_all_tell_no_time(text: str) -> None:
    assert hours_of(pd.Series([text, text, None], dtype="string")) is None
