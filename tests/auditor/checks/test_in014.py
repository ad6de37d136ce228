import dataclasses

import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in014 import UnusedLabelFile
from auditor.values.dataset import Dataset, Problem
from auditor.values.results import Severity


def holding(*problems: Problem, tables: int = 1) -> Dataset:
    dataset = make_dataset(n=4)
    summary = dataclasses.replace(dataset.summary, counts={**dataset.summary.counts, "tables": tables})
    return dataclasses.replace(dataset, summary=summary, problems=problems)


def test_an_unused_table_is_a_warning_and_a_further_one_an_information() -> None:
    verdict = UnusedLabelFile().run(
        holding(
            Problem(kind="table-aside", path="b.csv", reason="another table was read"),
            Problem(kind="unused-table", path="a.csv", reason="it cannot be read"),
        )
    )
    assert [(f.where.path, f.severity) for f in verdict.findings] == [("a.csv", Severity.WARNING), ("b.csv", Severity.INFO)]
    assert "it cannot be read" in verdict.findings[0].message


def test_a_table_that_was_read_is_silent() -> None:
    assert UnusedLabelFile().run(holding()).findings == ()


def test_without_any_table_there_is_nothing_to_look_at() -> None:
    with pytest.raises(SkipCheck, match="no table"):
        UnusedLabelFile().run(holding(tables=0))
