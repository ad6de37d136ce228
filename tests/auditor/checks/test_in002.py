import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in002 import MissingOrUnlisted
from auditor.values.dataset import Problem
from auditor.values.results import Severity


def test_missing_and_escaping_rows_are_errors_and_unlisted_files_warnings() -> None:
    problems = [
        Problem(kind="unlisted", path="extra.png", reason="no row names it"),
        Problem(kind="missing", path="b.png", reason="no such file", record="b", line=3),
        Problem(kind="outside-root", path="../x.png", reason="outside", line=4),
        Problem(kind="truncated", path="c.png", reason="cut"),
    ]
    dataset = make_dataset(records=["a", "b"], columns={"line": [2, 3]}, problems=problems)
    verdict = MissingOrUnlisted().run(dataset)
    assert [(f.subject, f.severity, f.where.line) for f in verdict.findings] == [
        ("missing", Severity.ERROR, 3),
        ("outside-root", Severity.ERROR, 4),
        ("unlisted", Severity.WARNING, None),
    ]
    assert verdict.metrics["rows_listed"] == 3
    assert verdict.metrics["files_missing_fraction"] == pytest.approx(1 / 3)
    assert (
        verdict.summary == "Table and files differ: 1 listed but missing, 1 listed outside the folder, 1 on disk but not listed"
    )
    assert list(verdict.tables[0].columns[0].values) == ["b.png", "../x.png", "extra.png"]


def test_a_table_that_fits_its_files_passes() -> None:
    verdict = MissingOrUnlisted().run(make_dataset(n=3, columns={"line": [2, 3, 4]}))
    assert verdict.findings == ()
    assert verdict.summary == "All 3 listed images have their file"


def test_class_folders_list_nothing() -> None:
    with pytest.raises(SkipCheck, match="no label table"):
        MissingOrUnlisted().run(make_dataset(labels=["x", "y"], origin="class folder"))


def test_a_table_without_paths_lists_no_file() -> None:
    with pytest.raises(SkipCheck, match="no label table that names image files"):
        MissingOrUnlisted().run(make_dataset(n=2, paths=[None, None], columns={"line": [2, 3]}))


def test_past_max_findings_one_finding_per_kind_counts_the_rest() -> None:
    problems = [Problem(kind="missing", path=f"{i:03d}.png", reason="no such file", line=i + 2) for i in range(50)]
    problems += [Problem(kind="unlisted", path=f"u{i:03d}.png", reason="not listed") for i in range(7)]
    verdict = MissingOrUnlisted(max_findings=20).run(make_dataset(n=1, columns={"line": [1]}, problems=problems))
    assert [f.message.partition(":")[0] for f in verdict.findings[20:]] == [
        "30 more listed but missing",
        "7 more on disk but not listed",
    ]
    assert verdict.tables[0].length == 57


def test_a_path_that_several_rows_name_is_one_finding() -> None:
    problems = [Problem(kind="outside-root", path="../x.png", reason="outside", line=line) for line in (9, 4, 5)]
    verdict = MissingOrUnlisted().run(make_dataset(n=1, problems=problems))
    assert [(f.where.line, f.message.endswith("(3 rows name it)")) for f in verdict.findings] == [(4, True)]
    assert verdict.metrics["files_outside_root"] == 3
