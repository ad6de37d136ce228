import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ed002 import BiasedRater


def panel(n=200, raters=4, classes=3, seed=0, *, error=0.1, hard=0.3, task=None):
    """Labels (records, raters) as codes; some records are hard for everybody."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    wrong = rng.random((n, raters)) < np.where(rng.random(n) < hard, 0.4, error)[:, None]
    return np.where(wrong, (truth[:, None] + rng.integers(1, classes, (n, raters))) % classes, truth[:, None]), rng


def dataset(said, **more):
    n, raters = said.shape
    rows = [
        pd.DataFrame({"record": [f"r{i:04d}" for i in range(n)], "rater": f"R{r}", "label": said[:, r].astype(str)})
        for r in range(raters)
    ]
    return make_dataset(n=n, annotations=pd.concat(rows, ignore_index=True), **more)


def subjects(verdict):
    return [f.subject for f in verdict.findings]


def test_equal_readers_are_silent():
    verdict = BiasedRater().run(dataset(panel()[0]))
    assert verdict.findings == ()
    assert "None of 4 raters judged" in verdict.summary


def test_a_reader_who_leans_to_a_class_is_named_with_both_shares():
    labels, rng = panel()
    labels[(rng.random(200) < 0.4), 1] = 2
    verdict = BiasedRater().run(dataset(labels))
    finding = next(f for f in verdict.findings if f.subject == "leaning R1")
    assert finding.evidence["class"] == "2"
    assert finding.evidence["own_fraction"] == pytest.approx((labels[:, 1] == 2).mean())
    assert finding.evidence["others_fraction"] == pytest.approx((labels[:, [0, 2, 3]] == 2).mean())


def test_two_readers_are_enough_to_see_a_leaning():
    labels, rng = panel(raters=2, classes=2, hard=0)
    labels[(rng.random(200) < 0.5), 1] = 1
    assert "leaning R1" in subjects(BiasedRater().run(dataset(labels)))


def test_an_unreliable_reader_is_named_with_the_most_frequent_mistake():
    labels, _ = panel(hard=0)
    zeros = np.flatnonzero(labels[:, 0] == 0)
    labels[zeros[: len(zeros) * 3 // 4], 3] = 1
    verdict = BiasedRater().run(dataset(labels))
    finding = next(f for f in verdict.findings if f.subject == "unreliable R3")
    assert "most often '0' is called '1'" in finding.message


def test_a_harsh_grader_is_named_in_grades():
    labels, _ = panel(classes=5, n=150, hard=0.2)
    grades = list("01234")
    labels[:, 2] = np.minimum(labels[:, 2] + 1, 4)
    verdict = BiasedRater().run(dataset(labels, labels=[str(i % 5) for i in range(150)], task="ordinal", classes=grades))
    assert "grades R2" in subjects(verdict)
    finding = next(f for f in verdict.findings if f.subject == "grades R2")
    assert "higher" in finding.message
    assert finding.score == pytest.approx(0.75, abs=0.3)


def test_a_reader_who_always_says_the_same_is_named_once():
    labels, _ = panel()
    labels[:, 0] = 1
    found = subjects(BiasedRater().run(dataset(labels)))
    assert "constant R0" in found
    assert "leaning R0" not in found


def test_a_reader_of_nothing_but_one_class_is_not_called_constant():
    labels = np.ones((60, 3), dtype=int)
    assert BiasedRater().run(dataset(labels)).findings == ()


def test_a_copied_reader_is_found_although_both_read_well():
    labels, rng = panel(n=300, raters=5)
    copied = rng.random(300) < 0.95
    labels[copied, 4] = labels[copied, 3]
    verdict = BiasedRater().run(dataset(labels))
    assert subjects(verdict) == ["copies R3 / R4"]
    assert verdict.findings[0].evidence["dissents"] >= 20


def test_beside_two_copies_that_lean_an_honest_reader_leans_nowhere():
    labels, rng = panel(n=400, raters=4, classes=3, hard=0.1)
    labels[rng.random(400) < 0.35, 0] = 2
    labels[:, 1] = labels[:, 0]  # and reads nothing on its own
    found = subjects(BiasedRater().run(dataset(labels)))
    assert "copies R0 / R1" in found
    assert "leaning R0" in found
    assert not {"leaning R2", "leaning R3", "unreliable R2", "unreliable R3", "leaning R1"} & set(found)


def test_in_a_crowd_readers_who_lean_either_way_are_all_named():
    labels, rng = panel(n=150, raters=12, classes=2, hard=0.1)
    labels[:, 0] = np.where(rng.random(150) < 0.8, 1, labels[:, 0])
    labels[:, 1] = np.where(rng.random(150) < 0.6, 1, labels[:, 1])
    labels[:, 2] = np.where(rng.random(150) < 0.6, 0, labels[:, 2])
    found = subjects(BiasedRater().run(dataset(labels)))
    assert {"leaning R0", "leaning R1", "leaning R2"} == {s for s in found if s.startswith("leaning")}


def test_of_three_readings_nobody_can_tell_a_copy_from_a_poor_reader_and_that_is_said():
    labels, _ = panel(n=300, raters=3, classes=3, hard=0.5)
    labels[:, 1] = labels[:, 0]
    (finding,) = [f for f in BiasedRater().run(dataset(labels)).findings if f.subject == "unreliable R2"]
    assert "whether the two others read on their own" in finding.message
    labels, rng = panel(n=300, raters=3, classes=3, hard=0.3)
    labels[rng.random(300) < 0.5, 2] = 1
    told = [f.message for f in BiasedRater().run(dataset(labels)).findings if f.subject == "unreliable R2"]
    assert told
    assert "on their own" not in told[0]


def test_two_poor_readers_of_two_classes_are_no_copies():
    """With two classes every dissent is the same answer: two poor readers often dissent together by accident."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 400)
    errors = np.array([0.05, 0.05, 0.05, 0.35, 0.35])
    labels = np.where(rng.random((400, 5)) < errors, 1 - truth[:, None], truth[:, None])
    assert not [s for s in subjects(BiasedRater().run(dataset(labels))) if s.startswith("copies")]


def test_with_predictions_the_table_has_the_quality_by_cleanlab():
    labels, rng = panel(n=120, hard=0)
    labels[:, 3] = rng.integers(0, 3, 120)
    sure = np.full((120, 3), 0.05)
    sure[np.arange(120), labels[:, 0]] = 0.9
    given = dataset(labels, labels=[str(i % 3) for i in range(120)], probabilities=sure)
    table = next(t for t in BiasedRater().run(given).tables if t.name == "raters")
    quality = next(c for c in table.columns if c.name == "quality").values
    assert quality[3] < 0.5 < min(quality[:3])


def test_without_shared_readings_it_is_skipped():
    with pytest.raises(SkipCheck, match="no readings"):
        BiasedRater().run(make_dataset(n=5))
    with pytest.raises(SkipCheck, match="too few"):
        BiasedRater().run(dataset(panel(n=10)[0]))


@pytest.mark.slow
def test_power_and_false_alarms_over_many_seeds():
    leaning, copied, alarms = [], [], []
    for seed in range(60):
        labels, rng = panel(n=150, seed=seed)
        lean = labels.copy()
        lean[(rng.random(150) < 0.35), 1] = 2
        leaning.append("leaning R1" in subjects(BiasedRater().run(dataset(lean))))
        copy = labels.copy()
        same = rng.random(150) < 0.97
        copy[same, 3] = copy[same, 2]
        copied.append("copies R2 / R3" in subjects(BiasedRater().run(dataset(copy))))
    for seed in range(150):
        alarms.append(bool(BiasedRater().run(dataset(panel(n=150, seed=1000 + seed, hard=0.3 * (seed % 2))[0])).findings))
    assert np.mean(leaning) > 0.9
    assert np.mean(copied) > 0.8
    assert np.mean(alarms) <= 0.07
