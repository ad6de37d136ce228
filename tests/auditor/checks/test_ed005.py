import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ed005 import DisputedRecords
from auditor.values.results import Severity


def run(said, **options):
    rows = [(name, f"R{i}", label) for name, labels in said.items() for i, label in enumerate(labels)]
    return DisputedRecords(**options).run(make_dataset(n=1, annotations=rows))


def test_disputed_records_are_info_and_the_most_disputed_comes_first():
    verdict = run({"x": "aaa", "y": "aab", "z": "abc"}, min_pair_fraction=0.9)
    assert [f.where.record for f in verdict.findings] == ["z", "y"]
    assert {f.severity for f in verdict.findings} == {Severity.INFO}
    table = {c.name: list(c.values) for c in verdict.tables[0].columns}
    assert table["record"] == ["z", "y", "x"]
    assert table["disputed"] == [True, True, False]


def test_one_pair_of_classes_behind_the_disputes_puts_the_definition_in_question():
    verdict = run({f"{i}": "aab" if i < 8 else "ccc" for i in range(20)} | {"odd": "acc"})
    assert verdict.findings[0].subject == "a / b"
    assert verdict.findings[0].score == pytest.approx(8 / 9)
    assert "definition" in verdict.findings[0].message


def test_with_two_classes_there_is_only_one_pair_and_nothing_to_say_about_it():
    assert all(f.where.record for f in run({str(i): "ab" if i % 2 else "aa" for i in range(10)}).findings)


def test_agreeing_readers_have_no_disputes():
    verdict = run({str(i): "aaa" if i % 2 else "bbb" for i in range(10)})
    assert verdict.findings == ()
    assert verdict.metrics["disputed_records"] == 0


def test_the_list_is_cut_and_said():
    verdict = run({str(i): "ab" for i in range(30)}, max_findings=5)
    assert len(verdict.findings) == 5
    assert "25 more are in the table" in verdict.summary


def test_without_readings_it_is_skipped():
    with pytest.raises(SkipCheck, match="no readings"):
        DisputedRecords().run(make_dataset(n=5))
