import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.in001 import ADVICE, BROKEN, UNDECODED, Unreadable
from auditor.values.dataset import Problem
from auditor.values.results import Severity

KINDS = [
    "empty", "truncated", "malformed", "not-an-image", "too-large", "unsupported", "missing-codec", "timeout", "memory",
    "crashed", "refused", "over-limit",
]  # fmt: skip


def problem(kind: str, path: str) -> Problem:
    return Problem(kind=kind, path=path, reason=f"reason of {kind}.", record=path.partition(".")[0])


def test_every_kind_of_problem_is_judged_and_has_its_advice() -> None:
    assert sorted([*BROKEN, *UNDECODED]) == sorted(KINDS)
    assert sorted(ADVICE) == sorted(KINDS)


def test_each_bad_file_is_a_finding_and_the_counts_add_up() -> None:
    problems = [problem(kind, f"{i}.png") for i, kind in enumerate(KINDS)]
    dataset = make_dataset(records=[str(i) for i in range(20)], same_bytes=[str(i) for i in range(20)], problems=problems)
    verdict = Unreadable().run(dataset)
    assert len(verdict.findings) == len(KINDS)
    levels = {f.subject: f.severity for f in verdict.findings}
    assert {k for k, s in levels.items() if s is Severity.WARNING} == {"unsupported", "missing-codec", "memory", "over-limit"}
    assert verdict.metrics["files"] == 20
    assert verdict.metrics["files_unreadable"] == 8
    assert verdict.metrics["files_not_decoded"] == 4
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (16, 20)
    assert verdict.tables[0].length == len(KINDS)
    truncated = next(f for f in verdict.findings if f.subject == "truncated")
    assert truncated.message == "Cannot be read (truncated): reason of truncated. Copy or export it again: the end is missing"
    assert truncated.where.path == "1.png"


def test_formats_that_are_not_read_are_told_and_never_summed_up_as_readable() -> None:
    problems = [problem("unsupported", f"{i}.par") for i in range(3)]
    records = [str(i) for i in range(5)]
    verdict = Unreadable().run(make_dataset(records=records, same_bytes=records, problems=problems))
    assert verdict.summary == "3 of 8 files have a format or codec that is not read here; the others can be read"
    assert Unreadable().run(make_dataset(records=records, same_bytes=records)).summary == "All files can be read (5)"


def test_a_file_larger_than_the_limit_is_not_evaluated_and_the_option_is_named() -> None:
    problems = [problem("memory", "a.nii.gz"), problem("over-limit", "b.nii.gz")]
    verdict = Unreadable().run(make_dataset(n=2, same_bytes=["a", "b"], problems=problems))
    assert {f.severity for f in verdict.findings} == {Severity.WARNING}
    assert "[limits] memory-bytes" in verdict.findings[0].message
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (2, 4)
    assert "larger than the limit" in verdict.coverage.reason


def test_the_pip_command_stands_beside_a_missing_codec() -> None:
    dataset = make_dataset(n=1, problems=[problem("missing-codec", "a.dcm")])
    assert "pip install 'medaudit[codecs]'" in Unreadable().run(dataset).findings[0].message


def test_a_file_without_a_picture_by_right_is_no_finding() -> None:
    dataset = make_dataset(same_bytes=["a"], problems=[problem("no-pixels", "report.dcm")])
    verdict = Unreadable().run(dataset)
    assert verdict.findings == ()
    assert verdict.metrics["files_without_pixels"] == 1
    assert verdict.coverage is not None
    assert "1 files hold no picture" in verdict.coverage.reason


def test_readable_files_pass_and_missing_ones_are_not_counted_as_read() -> None:
    dataset = make_dataset(records=["a", "b"], same_bytes=["x", None], problems=[problem("missing", "b.png")])
    verdict = Unreadable().run(dataset)
    assert verdict.findings == ()
    assert verdict.metrics["files"] == 1


def test_a_broken_npz_is_one_file_however_many_records_it_holds() -> None:
    problems = [Problem(kind="truncated", path="x.npz", reason="cut", record=f"train:{i}") for i in range(500)]
    verdict = Unreadable().run(make_dataset(n=1, problems=problems))
    assert len(verdict.findings) == 1
    assert verdict.findings[0].where.record is None


def test_past_max_findings_one_finding_counts_the_rest_and_the_table_lists_all() -> None:
    problems = [problem("truncated", f"{i:04d}.png") for i in range(300)] + [problem("unsupported", "z.tif")]
    verdict = Unreadable(max_findings=10).run(make_dataset(n=1, problems=problems))
    assert len(verdict.findings) == 11
    assert verdict.findings[-1].message.startswith("291 more files cannot be read (290 truncated, 1 unsupported)")
    assert verdict.findings[-1].severity is Severity.ERROR
    assert verdict.tables[0].length == 301


def test_a_table_without_images_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no file was opened"):
        Unreadable().run(make_dataset(labels=["x", "y"]))
