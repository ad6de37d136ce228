import numpy as np
import pytest
from builders import make_dataset, record_ids

from auditor.check import SkipCheck
from auditor.checks.ed007 import ConfoundedRaters


def dataset(n=240, seed=0, *, bias=0.0, by="site", patients=False, each=2, raters=6):
    """Every record is read by `each` raters, drawn at random, but with chance `bias` from those who belong to its site."""
    rng = np.random.default_rng(seed)
    group = np.repeat(rng.integers(0, 2, n // 4), 4) if patients else rng.integers(0, 2, n)
    other = rng.integers(0, 2, n)
    rows = []
    for i, name in enumerate(record_ids(n)):
        own = np.arange(raters)[np.arange(raters) % 2 == group[i]] if rng.random() < bias else np.arange(raters)
        rows += [(name, f"R{r}", "ab"[other[i]]) for r in rng.choice(own, each, replace=False)]
    named = {"site": rng.integers(0, 2, n), "class": other, "split": rng.integers(0, 2, n)} | {by: group}
    return make_dataset(
        labels=["ab"[k] for k in named["class"]],
        sites=[("north", "south")[k] for k in named["site"]],
        splits=[("train", "test")[k] for k in named["split"]],
        patients=[f"P{i // 4}" for i in range(n)] if patients else None,
        annotations=rows,
    )


def subjects(verdict):
    return [f.subject for f in verdict.findings]


@pytest.mark.parametrize("by", ["site", "class", "split"])
def test_readers_who_belong_to_a_value_are_found(by):
    verdict = ConfoundedRaters().run(dataset(bias=0.8, by=by))
    assert subjects(verdict) == [by]
    assert f"of {by}" in verdict.findings[0].message
    assert verdict.metrics[f"{by}_cramer_v"] > 0.5


def test_records_dealt_at_random_are_silent():
    verdict = ConfoundedRaters().run(dataset())
    assert verdict.findings == ()
    assert verdict.metrics["site_cramer_v"] < 0.15


def test_where_everybody_reads_everything_nothing_is_confounded():
    verdict = ConfoundedRaters().run(dataset(each=6))
    assert verdict.metrics["site_cramer_v"] == 0


def test_each_value_with_its_own_readers_is_one():
    assert ConfoundedRaters().run(dataset(bias=1.0, each=1)).metrics["site_cramer_v"] > 0.95


def test_what_cannot_be_told_is_skipped():
    with pytest.raises(SkipCheck, match="no readings"):
        ConfoundedRaters().run(make_dataset(labels=["a", "b"]))
    with pytest.raises(SkipCheck, match="one rater"):
        ConfoundedRaters().run(make_dataset(labels=["a", "b"], annotations=[("r0000", "x", "a"), ("r0001", "x", "b")]))
    with pytest.raises(SkipCheck, match="neither"):
        ConfoundedRaters().run(make_dataset(n=2, annotations=[("r0000", "x", "a"), ("r0001", "y", "b")]))


@pytest.mark.slow
def test_false_alarms_over_many_seeds_also_with_patients():
    """Without the effect gate, to see the test itself."""
    check = ConfoundedRaters(max_cramer_v=0.0)
    for patients in (False, True):
        alarms = [bool(check.run(dataset(120, seed, patients=patients)).findings) for seed in range(120)]
        assert np.mean(alarms) <= 0.09
    assert np.mean([bool(ConfoundedRaters().run(dataset(160, s, bias=0.7)).findings) for s in range(30)]) > 0.9
