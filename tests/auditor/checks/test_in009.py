import dataclasses

import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in009 import PixelLength
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def told(**facts: list[float]) -> Dataset:
    dataset = make_dataset(n=len(next(iter(facts.values()))))
    return dataclasses.replace(dataset, facts=pd.DataFrame(facts, index=dataset.records.index))


def test_more_bytes_than_declared_are_found() -> None:
    verdict = PixelLength().run(told(pixel_bytes=[200.0, 202.0, 300.0], pixel_bytes_expected=[200.0, 200.0, 300.0]))
    assert [(f.where.record, f.severity, f.evidence["bytes_too_many"]) for f in verdict.findings] == [
        ("r0001", Severity.WARNING, 2)
    ]


def test_exact_lengths_are_silent() -> None:
    assert PixelLength().run(told(pixel_bytes=[200.0], pixel_bytes_expected=[200.0])).findings == ()


def test_formats_that_declare_no_length_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="length of uncompressed pixels"):
        PixelLength().run(make_dataset(n=3))
