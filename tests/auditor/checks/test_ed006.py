import numpy as np
import pytest
from builders import make_dataset, record_ids

from auditor.check import SkipCheck
from auditor.checks.ed006 import LabelAgainstConsensus
from auditor.values.labels import State
from auditor.values.results import Severity


def dataset(released, said, **more):
    rows = [
        (name, f"R{i}", label)
        for name, labels in zip(record_ids(len(said)), said, strict=True)
        for i, label in enumerate(labels)
    ]
    return make_dataset(labels=released, annotations=rows, **more)


def test_a_label_against_unanimous_readers_is_an_error():
    verdict = LabelAgainstConsensus().run(dataset(list("aab"), ["aaa", "bbb", "bbb"]))
    (finding,) = verdict.findings
    assert finding.severity is Severity.ERROR
    assert finding.where.record == "r0001"
    assert (finding.evidence["released"], finding.evidence["consensus"]) == ("a", "b")
    assert verdict.metrics["against_unanimous"] == 1


def test_a_label_against_a_sure_majority_is_only_a_warning():
    said = ["aaaaaaaaab"] + ["a" * 10, "b" * 10] * 20
    verdict = LabelAgainstConsensus(min_confidence=0.8).run(dataset(["b"] + ["a", "b"] * 20, said))
    assert [(f.where.record, f.severity) for f in verdict.findings] == [("r0000", Severity.WARNING)]


def test_a_label_against_a_close_vote_is_no_finding():
    verdict = LabelAgainstConsensus().run(dataset(["b", "a", "b"], ["aab", "aaa", "bbb"]))
    assert verdict.findings == ()
    assert verdict.metrics["different_fraction"] == pytest.approx(1 / 3)


def test_one_reading_convicts_nobody():
    verdict = LabelAgainstConsensus().run(dataset(["a", "a"], ["b", "aa"]))
    assert verdict.findings == ()
    assert verdict.coverage is not None
    assert verdict.coverage.evaluated == 1


def test_neighbouring_grades_can_be_declared_the_same():
    given = dataset(["1", "1", "3"], [["2", "2"], ["3", "3"], ["3", "3"]], task="ordinal", classes=["1", "2", "3"])
    assert len(LabelAgainstConsensus().run(given).findings) == 2
    assert [f.where.record for f in LabelAgainstConsensus(max_grades=1).run(given).findings] == ["r0001"]


def test_findings_of_many_are_compared_one_by_one():
    rows = [("r0000", "R0", "mass"), ("r0000", "R1", "mass|edema"), ("r0001", "R0", "edema"), ("r0001", "R1", "edema")]
    states = {"mass": [State.NEGATIVE, State.NEGATIVE], "edema": [State.NOT_MENTIONED, State.POSITIVE]}
    verdict = LabelAgainstConsensus().run(make_dataset(states=states, annotations=rows))
    (finding,) = verdict.findings
    assert finding.where.record == "r0000"
    assert finding.severity is Severity.ERROR
    assert finding.evidence["released"] == "no mass"
    assert finding.evidence["consensus"] == "mass"


def test_the_list_is_cut_and_said():
    verdict = LabelAgainstConsensus(max_findings=2).run(dataset(["a"] * 5 + ["b"], ["bb"] * 6))
    assert len(verdict.findings) == 2
    assert "3 more such records" in verdict.findings[0].message
    assert verdict.tables[0].length == 5


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: make_dataset(labels=["a", "b"]), "no readings"),
        (lambda: dataset(None, ["aa", "bb"], n=2), "no released label"),
        (lambda: dataset(["x", "y"], ["aa", "bb"]), "different names"),
    ],
)
def test_what_cannot_be_compared_is_skipped(build, words):
    with pytest.raises(SkipCheck, match=words):
        LabelAgainstConsensus().run(build())


@pytest.mark.slow
def test_planted_errors_are_found_and_good_labels_left_alone():
    found, alarms = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 3, 200)
        said = np.where(rng.random((200, 4)) < 0.05, (truth[:, None] + 1) % 3, truth[:, None])
        released = truth.copy()
        flipped = rng.choice(200, 10, replace=False)
        released[flipped] = (released[flipped] + 1) % 3
        given = dataset(released.astype(str).tolist(), [row.astype(str).tolist() for row in said])
        errors = {f.where.record for f in LabelAgainstConsensus().run(given).findings if f.severity is Severity.ERROR}
        planted = {f"r{i:04d}" for i in flipped}
        found.append(len(errors & planted) / 10)
        alarms.append(len(errors - planted))
    assert np.mean(found) > 0.7  # all four readers are right in .95⁴ = .81 of them
    assert np.mean(alarms) < 0.1
