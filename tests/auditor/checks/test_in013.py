import dataclasses

import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in013 import DoubledInstance
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def named(instances: list[str | None], pixels: list[str]) -> Dataset:
    dataset = make_dataset(same_pixels=pixels)
    marks = dataset.fingerprints.assign(instance=pd.Series(instances, index=dataset.records.index, dtype="string"))
    return dataclasses.replace(dataset, fingerprints=marks)


def test_one_uid_for_two_pictures_is_an_error_and_for_copies_a_warning() -> None:
    verdict = DoubledInstance().run(named(["1.1", "1.1", "1.2", "1.2", "1.3", None], ["a", "b", "c", "c", "d", "e"]))
    assert [(f.where.record, f.subject, f.severity) for f in verdict.findings] == [
        ("r0000", "different images", Severity.ERROR),
        ("r0002", "copies", Severity.WARNING),
    ]


def test_distinct_uids_are_silent() -> None:
    assert DoubledInstance().run(named(["1.1", "1.2", "1.3"], ["a", "b", "b"])).findings == ()


def test_other_formats_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="SOP Instance UID"):
        DoubledInstance().run(make_dataset(n=3))
