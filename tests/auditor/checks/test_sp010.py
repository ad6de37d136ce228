from dataclasses import replace

import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sp010 import KnownCollection
from auditor.values.dataset import Dataset, Known
from auditor.values.results import Severity


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


def test_look_alikes_are_candidates_beside_what_is_certain() -> None:
    dataset = searched("bytes", "looks", None, "looks")
    (known,) = dataset.known
    shared = pd.Series([80, 31, 2, 19], index=dataset.records.index)
    dataset = replace(dataset, known=(replace(known, shared=shared),))
    verdict = KnownCollection().run(dataset)
    certain, alike, *places = verdict.findings
    assert certain.message.startswith("1 record (1 in train) is in the collection public")
    assert alike.severity is Severity.WARNING
    assert alike.message.startswith(
        "2 records (1 in train, 1 in test) look like images of the collection public and may be copies"
    )
    assert "not verified on pixels" in alike.message
    assert [p.where.record for p in places] == ["r0000", "r0001", "r0003"]
    assert {p.severity for p in places} == {Severity.INFO}
    assert verdict.metrics["records_known"] == 1
    assert verdict.metrics["records_alike"] == 2
    (table,) = verdict.tables
    told = {c.name: list(c.values) for c in table.columns}["evidence"]
    assert told == ["same bytes", "31 spots in common, not verified on pixels", "19 spots in common, not verified on pixels"]


def test_nothing_alike_passes_and_says_what_was_compared() -> None:
    dataset = searched(None, None, None, None)
    (known,) = dataset.known
    dataset = replace(dataset, known=(replace(known, shared=pd.Series([0, 1, 2, 3], index=dataset.records.index)),))
    verdict = KnownCollection().run(dataset)
    assert verdict.findings == ()
    assert verdict.summary == "None of the 1,200 images of 1 known collection is here, by bytes, pixels or looks"


def test_without_a_collection_or_images_it_is_not_evaluated() -> None:
    with pytest.raises(SkipCheck, match="--known"):
        KnownCollection().run(make_dataset(same_pixels=["p"]))
    bare = make_dataset(n=1)
    known = Known(name="public", images=3, evidence=pd.Series([None], index=bare.records.index, dtype="string"))
    with pytest.raises(SkipCheck, match="nothing to compare"):
        KnownCollection().run(replace(bare, known=(known,)))
