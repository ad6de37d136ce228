"""One contract for every report format, ours and one of an installed package."""

import inspect

import pytest
from comparisons import improved
from foreign import installed

from reports import format as report_format
from reports.format import formats, parse_output, write_comparison, write_outputs

FOREIGN = '''
"""Counts."""
SUFFIXES = (".counts",)

def render(result, name):
    """How many findings of each code."""
    codes = sorted({f.code for f in result.findings})
    lines = [f"{code} {sum(f.code == code for f in result.findings)}" for code in codes]
    return {name: ("\\n".join(lines) + "\\n").encode()}
'''
OURS = sorted(formats())


@pytest.fixture(params=[*OURS, "counts"])
def kind(request, tmp_path):
    """The name of a format; a package is installed that brings `counts`."""
    with installed(tmp_path, "[medaudit.reports]\ncounts = counting_reports\n", FOREIGN, module="counting_reports"):
        yield request.param


def test_a_format_is_documented_and_has_suffixes_with_dots(kind):
    module = formats()[kind]
    assert inspect.getdoc(module)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in module.SUFFIXES)


def test_a_format_is_chosen_by_its_name_and_by_its_suffix(kind):
    assert parse_output(f"{kind}:out.anything")[0] == kind
    for suffix in formats()[kind].SUFFIXES:
        assert parse_output(f"out{suffix}")[0] == kind


def test_a_format_renders_bytes_under_the_given_name_and_twice_the_same(kind, small_result, hostile_result):
    for result in (small_result, hostile_result):
        once = formats()[kind].render(result, "given.name")
        assert next(iter(once)) == "given.name"
        assert all(isinstance(content, bytes) and "/" not in name for name, content in once.items())
        assert once == formats()[kind].render(result, "given.name")


def test_a_format_tells_every_code_that_failed(kind, small_result):
    content = b"".join(formats()[kind].render(small_result, "given.name").values()).decode()
    for outcome in small_result.outcomes:
        if outcome.status == "failed":
            assert outcome.code in content


def test_a_format_writes_whole_files(kind, hostile_result, tmp_path):
    written = write_outputs(hostile_result, [(kind, tmp_path / "new" / "file")])
    assert all(path.stat().st_size for path in written)


def test_a_comparison_is_shown_or_refused_in_one_line(kind, tmp_path):
    if hasattr(formats()[kind], "render_comparison"):
        assert write_comparison(improved(), [(kind, tmp_path / "file")])
        return
    with pytest.raises(report_format.ConfigError, match=f"{kind} shows no comparison"):
        write_comparison(improved(), [(kind, tmp_path / "file")])
