import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ln003 import ConfusedClasses


def built(*, swaps, n=2000, classes=5, seed=0, **more):
    """`swaps`: share of class 0 that is labelled 1; 4 % of all go wrong evenly."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    given = np.where(rng.random(n) < 0.04, (truth + rng.integers(1, classes, n)) % classes, truth)
    given = np.where((truth == 0) & (rng.random(n) < swaps), 1, given)
    logits = rng.normal(size=(n, classes))
    logits[np.arange(n), truth] += 4 + 3 * rng.exponential(1, n)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    return make_dataset(labels=[f"c{v}" for v in given], probabilities=0.95 * p + 0.01, **more), truth, given


def test_a_pair_that_is_mixed_up_is_named_with_its_direction():
    dataset, truth, given = built(swaps=0.25)
    verdict = ConfusedClasses().run(dataset)
    (finding,) = verdict.findings
    assert (finding.evidence["given"], finding.evidence["looks_like"]) == ("c1", "c0")
    assert finding.evidence["labels"] == pytest.approx(np.sum((truth == 0) & (given == 1)), rel=0.2)
    columns = {c.name: list(c.values) for c in verdict.tables[0].columns}
    assert sum(columns["labels"]) == verdict.metrics["flagged_labels"]


def test_even_noise_names_no_pair():
    assert ConfusedClasses().run(built(swaps=0.0)[0]).findings == ()


def test_readers_who_contradict_each_other_are_counted_beside_it():
    dataset, _, _ = built(swaps=0.25, readings={"a": ["c0"] * 2000, "b": ["c1"] * 30 + ["c0"] * 1970})
    (finding,) = ConfusedClasses().run(dataset).findings
    assert finding.evidence["records_readers_contradict"] == 30


def test_clean_labels_pass():
    rng = np.random.default_rng(0)
    code = rng.integers(0, 3, 300)
    p = np.full((300, 3), 0.01)
    p[np.arange(300), code] = 0.98
    assert ConfusedClasses().run(make_dataset(labels=[f"c{v}" for v in code], probabilities=p)).findings == ()


def test_two_classes_have_no_pair_to_compare_with():
    with pytest.raises(SkipCheck, match="three or more"):
        ConfusedClasses().run(make_dataset(labels=["a", "b"] * 20, probabilities=np.full((40, 2), 0.5)))


@pytest.mark.slow
def test_false_alarms_over_many_seeds():
    assert np.mean([bool(ConfusedClasses().run(built(swaps=0.0, seed=s)[0]).findings) for s in range(100)]) <= 0.05
