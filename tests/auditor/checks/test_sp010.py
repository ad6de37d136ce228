from dataclasses import replace

import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sp010 import KnownCollection
from auditor.dataset import Dataset, Known
from auditor.types import Severity


def searched(*evidence: str | None) -> Dataset:
    dataset = make_dataset(
        splits=["train", "train", "test", "test"], same_pixels=["p", "q", "r", "s"], constant=[False, False, False, True]
    )
    found = pd.Series(list(evidence), index=dataset.records.index, dtype="string")
    return replace(dataset, known=(Known(name="public", images=1200, evidence=found),))


def test_images_of_a_known_collection_are_counted_by_split() -> None:
    verdict = KnownCollection().run(searched("bytes", None, "pixels", None))
    summary, *places = verdict.findings
    assert summary.severity is Severity.WARNING
    assert summary.message.startswith("2 records (1 in train, 1 in test) are in the collection public, which has 1,200 images")
    assert summary.score == 0.5
    assert [(p.severity, p.where.record) for p in places] == [(Severity.INFO, "r0000"), (Severity.INFO, "r0002")]
    (table,) = verdict.tables
    assert {c.name: list(c.values) for c in table.columns}["evidence"] == ["same bytes", "same pixels"]
    assert verdict.coverage is not None
    assert verdict.coverage.evaluated == 3


def test_a_collection_that_is_not_here_passes_with_numbers() -> None:
    verdict = KnownCollection().run(searched(None, None, None, None))
    assert verdict.findings == ()
    assert verdict.summary == "None of the 1,200 images of 1 known collection is here, by bytes or pixels"


def test_without_a_collection_or_images_it_is_not_evaluated() -> None:
    with pytest.raises(SkipCheck, match="--known"):
        KnownCollection().run(make_dataset(same_pixels=["p"]))
    bare = make_dataset(n=1)
    known = Known(name="public", images=3, evidence=pd.Series([None], index=bare.records.index, dtype="string"))
    with pytest.raises(SkipCheck, match="nothing to compare"):
        KnownCollection().run(replace(bare, known=(known,)))
