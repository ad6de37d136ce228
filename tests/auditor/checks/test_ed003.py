import pytest
from builders import make_dataset, record_ids

from auditor.check import SkipCheck
from auditor.checks.ed003 import SingleReaderTestSet
from auditor.values.results import Severity


def dataset(times, split="test", *, train=20):
    """`train` records read by two, and one record per entry of `times` in `split`, read so often."""
    ids = record_ids(train + len(times))
    rows = [(name, reader, "x") for name in ids[:train] for reader in "ab"]
    rows += [(name, "abcdef"[r], "x") for name, n in zip(ids[train:], times, strict=True) for r in range(n)]
    return make_dataset(n=len(ids), splits=["train"] * train + [split] * len(times), annotations=rows)


def test_a_test_set_of_one_reader_is_a_warning_with_counts():
    (finding,) = SingleReaderTestSet().run(dataset([1] * 8 + [2] * 2)).findings
    assert finding.severity is Severity.WARNING
    assert (finding.evidence["records"], finding.evidence["single_readings"]) == (10, 8)


def test_several_readers_pass_and_one_odd_record_is_tolerated():
    verdict = SingleReaderTestSet().run(dataset([2] * 39 + [1]))
    assert verdict.findings == ()
    assert verdict.metrics["test_records_read_once"] == 1


def test_two_readings_by_one_reader_are_one_reader():
    rows = [("r0000", "a", "x"), ("r0000", "a", "y"), ("r0001", "a", "x"), ("r0001", "b", "x")]
    verdict = SingleReaderTestSet().run(make_dataset(n=2, splits=["test", "test"], annotations=rows))
    assert verdict.metrics["test_records_read_once"] == 1


def test_single_readings_elsewhere_than_in_the_test_set_are_fine():
    assert SingleReaderTestSet().run(dataset([2] * 5, train=3)).findings == ()


def test_records_without_readings_are_not_counted_as_evaluated():
    verdict = SingleReaderTestSet().run(dataset([2, 2, 0, 0]))
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (2, 4)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: make_dataset(n=4, splits=["test"] * 4), "no readings"),
        (lambda: make_dataset(n=2, annotations=[("r0000", "a", "x")]), "no splits"),
        (lambda: dataset([1], "train"), "called a test set"),
        (lambda: dataset([0, 0]), "no record of the test set"),
    ],
)
def test_what_cannot_be_judged_is_skipped(build, words):
    with pytest.raises(SkipCheck, match=words):
        SingleReaderTestSet().run(build())
