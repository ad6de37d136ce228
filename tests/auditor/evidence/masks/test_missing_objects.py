"""Objects that seem to be missing: found where the model's own mistakes do not explain them, silent where they do."""

import numpy as np
import pandas as pd
import pytest

from auditor.evidence.masks.missing_objects import MissingObjects, judge_missing


def collection(
    seed: int, *, dropped: float, n: int = 100, skill: float = 1.5, spots: float = 1.0, sharp: float = 1.0
) -> pd.DataFrame:
    """Conflicts of a model that scores real objects and `spots` times as many others by normal deviates `skill` apart."""
    rng = np.random.default_rng(seed)
    rows = []
    for record in range(n):
        objects, others = rng.poisson(8), rng.poisson(8 * spots)
        strength = np.concatenate([rng.normal(skill, 1, objects), rng.normal(-skill, 1, others)])
        logit = 2 * skill * strength - np.log(spots) + rng.normal(0, 0.5)
        p = 1 / (1 + np.exp(-logit * sharp))
        real = np.arange(objects + others) < objects
        drawn = real & (rng.random(len(p)) >= dropped)
        rows += [(f"r{record}", True, v, t) for v, t in zip(p[(p >= 0.5) & ~drawn], real[(p >= 0.5) & ~drawn], strict=True)]
        rows += [(f"r{record}", False, 1 - v, False) for v in p[(p < 0.5) & drawn]]
    return pd.DataFrame(rows, columns=["record", "missing", "confidence", "real"])


def judged(conflicts: pd.DataFrame) -> MissingObjects:
    return judge_missing(conflicts, max_false=0.15, max_p=0.01)


@pytest.mark.parametrize("dropped", [0.1, 0.3, 0.5])
def test_dropped_objects_are_listed_and_most_of_the_list_is_real(dropped: float) -> None:
    conflicts = collection(0, dropped=dropped, skill=2.0)
    found = judged(conflicts)
    assert found.cut is not None
    assert conflicts["real"].iloc[found.listed].mean() >= 0.8
    assert conflicts["real"].iloc[found.listed].sum() >= 0.9 * conflicts["real"].sum()
    assert (np.diff(conflicts["confidence"].iloc[found.listed]) <= 0).all()


@pytest.mark.parametrize("sharp", [1.0, 3.0])
def test_complete_masks_are_silent(sharp: float) -> None:
    assert [judged(collection(seed, dropped=0, sharp=sharp)).cut for seed in range(12)] == [None] * 12


def test_one_bad_record_is_no_collection_that_misses_objects() -> None:
    conflicts = pd.DataFrame({"record": ["a"] * 60, "missing": [True] * 60, "confidence": [0.99] * 60})
    found = judged(conflicts)
    assert found.cut is None
    assert found.p_value > 0.3


def test_no_conflict_is_no_evidence() -> None:
    found = judged(pd.DataFrame({"record": [], "missing": [], "confidence": []}).astype({"missing": bool}))
    assert (found.cut, found.p_value, found.invented) == (None, 1.0, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("skill", "spots", "sharp"), [(1.0, 1.0, 1.0), (1.5, 0.5, 1.0), (1.5, 1.0, 3.0), (2.0, 3.0, 1.0)])
def test_false_alarms_are_rare_whatever_the_model(skill: float, spots: float, sharp: float) -> None:
    runs = [judged(collection(s, dropped=0, skill=skill, spots=spots, sharp=sharp)).cut is not None for s in range(100)]
    assert np.mean(runs) <= 0.05
