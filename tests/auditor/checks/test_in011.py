import dataclasses

import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in011 import PixelOverflow
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def overflowing(shares: list[float]) -> Dataset:
    dataset = make_dataset(features={"quality.overflow_fraction": shares})
    return dataclasses.replace(dataset, facts=pd.DataFrame({"bits_stored": 12.0}, index=dataset.records.index))


def test_values_beyond_the_stored_bits_are_an_error() -> None:
    verdict = PixelOverflow().run(overflowing([0.0, 0.25, 0.0]))
    assert [(f.where.record, f.severity, f.evidence["fraction"]) for f in verdict.findings] == [("r0001", Severity.ERROR, 0.25)]


def test_pixels_within_their_bits_are_silent() -> None:
    assert PixelOverflow().run(overflowing([0.0] * 3)).findings == ()


def test_other_formats_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="no DICOM pixels"):
        PixelOverflow().run(make_dataset(n=3))
