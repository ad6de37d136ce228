"""Annotations of GitHub Actions: no text of the data begins a command, every check is told, never greener than the gate."""

import re
from dataclasses import replace

import pytest

from auditor.values.results import Finding, Gate, Location, Severity
from reports.formats import github

COMMAND = re.compile(r"::(error|warning|notice) (?:[a-z]+=[^:,\n]*,?)+::.+")


def lines_of(result):
    (content,) = github.render(result, "-").values()
    return content.decode().splitlines()


def with_findings(result, findings, **gate):
    first = result.outcomes[0]
    changed = replace(first, verdict=replace(first.verdict, findings=tuple(findings)))
    return replace(result, outcomes=(changed, *result.outcomes[1:]), gate=replace(result.gate, **gate))


def test_every_line_is_one_command(hostile_result):
    assert all(COMMAND.fullmatch(line) for line in lines_of(hostile_result))


def test_hostile_texts_are_escaped_as_the_toolkit_escapes_them(small_result):
    where = Location(path="a,b:c%\n::error::x.png", line=7)
    finding = Finding(code="IN001", severity=Severity.ERROR, message="100 %\n::set-env::", where=where)
    line = lines_of(with_findings(small_result, [finding]))[0]
    assert line.startswith(
        "::error file=a%2Cb%3Ac%25\\n%3A%3Aerror%3A%3Ax.png,line=7,title=medaudit IN001::100 %25\\n::set-env::"
    )


def test_nine_of_a_level_are_told_one_of_every_check_first_and_the_rest_counted(small_result):
    many = [Finding(code="IQ003", severity=Severity.WARNING, message=f"m{n}", subject=str(n)) for n in range(30)]
    one = Finding(code="SP004", severity=Severity.WARNING, message="the other")
    waived = replace(one, subject="w", waived="seen", message="waived one")
    warnings = [x for x in lines_of(with_findings(small_result, [*many, one, waived])) if x.startswith("::warning")]
    assert len(warnings) == 10
    assert any("the other" in line for line in warnings[:2])
    assert "and 22 more" in warnings[-1]
    assert not any("waived one" in line for line in warnings)


@pytest.mark.parametrize(
    ("verdict", "code", "level"),
    [("failed", 1, "error"), ("passed", 0, "notice"), ("incomplete", 3, "error"), ("not enough seen", 0, "warning")],
)
def test_the_last_line_is_the_verdict(small_result, verdict, code, level):
    gate = Gate(verdict=verdict, exit_code=code, fail_on="error")
    last = lines_of(replace(small_result, outcomes=(), gate=gate))[-1]
    assert last.startswith(f"::{level} ")
    assert verdict.upper() in last
