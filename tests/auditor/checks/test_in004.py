import dataclasses

import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in004 import ChecksumMismatch
from auditor.evidence.quality.checksums import CHECKSUM_COLUMNS
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def declared(*states: str) -> Dataset:
    rows = [(f"f{i}.csv", "sha256", state, "croissant.json") for i, state in enumerate(states)]
    return dataclasses.replace(make_dataset(n=2), checksums=pd.DataFrame(rows, columns=list(CHECKSUM_COLUMNS)))


def test_changed_and_missing_files_are_errors() -> None:
    verdict = ChecksumMismatch().run(declared("same", "differs", "missing", "malformed", "remote"))
    assert [(f.where.path, f.severity) for f in verdict.findings] == [
        ("f1.csv", Severity.ERROR),
        ("f2.csv", Severity.ERROR),
        ("f3.csv", Severity.WARNING),
    ]
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (4, 5)


def test_files_as_described_are_silent() -> None:
    assert ChecksumMismatch().run(declared("same", "same")).findings == ()


def test_without_a_description_it_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no Croissant file"):
        ChecksumMismatch().run(make_dataset(n=2))
