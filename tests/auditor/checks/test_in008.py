import dataclasses

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in008 import MissingSlices
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def stack(places: list[float] | None, numbers: list[float] | None = None) -> Dataset:
    n = len(places or numbers or [])
    dataset = make_dataset(n=n, columns={"series": ["1.2"] * n})
    facts = pd.DataFrame(index=dataset.records.index)
    if places is not None:
        facts["slice_position"], facts["cosines"] = places, "1.00 0.00 0.00 0.00 1.00 0.00"
    if numbers is not None:
        facts["instance_number"] = numbers
    return dataclasses.replace(dataset, facts=facts)


def kinds(dataset: Dataset) -> list[tuple[str, object]]:
    return [(f.subject, f.evidence["count"]) for f in MissingSlices().run(dataset).findings]


def test_missing_doubled_and_uneven_slices_are_told_apart() -> None:
    whole = np.arange(20) * 2.5
    assert kinds(stack(np.delete(whole, [7, 8]).tolist())) == [("missing", 2)]
    assert kinds(stack([*whole.tolist(), 5.0])) == [("doubled", 1)]
    assert kinds(stack([*whole[:10].tolist(), *(whole[10:] + 1.2).tolist()])) == [("uneven", 1)]


def test_a_whole_stack_in_any_order_is_silent() -> None:
    places = np.random.default_rng(0).permutation(np.arange(30) * 1.25 + 0.0004)
    assert kinds(stack(places.tolist())) == []


def test_several_phases_at_every_place_are_no_doubles() -> None:
    assert kinds(stack(np.repeat(np.arange(10) * 3.0, 4).tolist())) == []


def test_a_phase_that_lacks_a_slice_or_holds_it_twice_is_told() -> None:
    places = np.repeat(np.arange(10) * 3.0, 4)
    assert kinds(stack(np.delete(places, [13]).tolist())) == [("missing", 1)]
    assert kinds(stack([*places.tolist(), 6.0])) == [("doubled", 1)]


def test_places_that_hold_any_number_of_slices_follow_no_rule() -> None:
    places = np.repeat(np.arange(10) * 3.0, [1, 2, 3, 4, 1, 5, 2, 3, 4, 1])
    with pytest.raises(SkipCheck, match="no series"):
        MissingSlices().run(stack(places.tolist()))


def test_a_gap_in_instance_numbers_alone_is_information() -> None:
    verdict = MissingSlices().run(stack(None, [1, 2, 3, 4, 6, 7, 8, 9]))
    assert [(f.severity, f.subject) for f in verdict.findings] == [(Severity.INFO, "missing numbers")]


def test_images_without_series_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="form a series"):
        MissingSlices().run(make_dataset(n=9))
