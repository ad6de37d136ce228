import dataclasses

import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in010 import BitsDeclared
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def told(**facts: list[float]) -> Dataset:
    dataset = make_dataset(n=len(next(iter(facts.values()))))
    return dataclasses.replace(dataset, facts=pd.DataFrame(facts, index=dataset.records.index))


def test_more_bits_stored_than_allocated_is_an_error_and_a_shifted_high_bit_a_warning() -> None:
    verdict = BitsDeclared().run(
        told(bits_allocated=[16.0, 8.0, 16.0], bits_stored=[12.0, 12.0, 12.0], high_bit=[11.0, 11.0, 15.0])
    )
    assert [(f.where.record, f.severity) for f in verdict.findings] == [
        ("r0001", Severity.ERROR),
        ("r0002", Severity.WARNING),
    ]


def test_bits_that_fit_are_silent() -> None:
    assert BitsDeclared().run(told(bits_allocated=[16.0, 8.0], bits_stored=[12.0, 8.0], high_bit=[11.0, 7.0])).findings == ()


def test_other_formats_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="DICOM and NIfTI only"):
        BitsDeclared().run(make_dataset(n=3))
