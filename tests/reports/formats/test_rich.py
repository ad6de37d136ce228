"""The summary in a terminal."""

import io
import re
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from auditor.values.results import DatasetSummary, Gate, Outcome
from reports.formats.rich import print_result, render


def printed(result, *, width=80, encoding="utf-8", whole=True, **options):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=stream, width=width, **options)
    print_result(result, console, outputs=[Path("medaudit-out/report.html")], whole=whole)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def named(result, name):
    return replace(result, dataset=replace(result.dataset, name=name))


def test_the_verdict_stands_last_with_its_exit_code_and_reason(hostile_result):
    lines = printed(hostile_result).splitlines()
    assert "INCOMPLETE  exit code 3 · fail-on error" in lines[-5:]
    assert any(line.startswith("LK002 crashed") for line in lines[-4:])
    assert "  medaudit-out/report.html" in lines


def test_nothing_is_wider_than_the_terminal(hostile_result):
    for width in (60, 80, 120):
        assert max(len(line) for line in printed(hostile_result, width=width).splitlines()) <= width


def test_each_status_has_a_word_and_a_sign(hostile_result):
    text = printed(hostile_result)
    for words in ("✗ failed", "! crashed", "○ not run", "◐ partly", "✓ passed"):
        assert words in text
    assert "4 failed · 1 crashed · 2 not evaluated · 3 passed" in text


def test_many_findings_of_one_check_are_counted(hostile_result):
    text = printed(hostile_result)
    assert "16 errors, 157 warnings, 1 waived" in text
    assert "and 152 more of LN002 in the report" in text


def test_what_was_not_evaluated_has_its_reason(hostile_result):
    text = re.sub(r"\s+", " ", printed(hostile_result))
    assert "! crashed LK002 combined-metadata-leakage: ValueError in the model of 14" in text
    assert "no table with more than one rater" in text
    assert "6 of 5,856 records not seen: 6 files could not be" in text


def test_checks_that_lack_the_same_thing_share_a_line(hostile_result):
    lacking = [
        Outcome(code=code, name=f"check-{code}", title="", status="skipped", reason="there is no label")
        for code in ("LK001", "LK004", "LK008")
    ]
    other = Outcome(code="LN001", name="noise", title="", status="skipped", reason="there is no label")
    text = re.sub(r"\s+", " ", printed(replace(hostile_result, outcomes=(*lacking, other)), width=120))
    assert "LK001 check-LK001: there is no label (nor LK004, LK008)" in text
    assert "LN001 noise: there is no label" in text
    assert "4 not evaluated" in text


def test_one_file_is_a_file(hostile_result):
    counts = {"files": 1, "images": 2, "rows_used": 1, "other": 1}
    text = printed(replace(hostile_result, dataset=replace(hostile_result.dataset, counts=counts)))
    assert "1 file · 2 images · 1 row used · 1 other" in text


def test_names_cannot_move_the_cursor_or_change_the_markup(hostile_result):
    text = printed(hostile_result, width=300)
    for character in "\x1b\x9b\u202e\r":
        assert character not in text
    assert "two\\nlines.png" in text
    assert "[bold red]markup[/] {{ 7*7 }}" in printed(named(hostile_result, "[bold red]markup[/] {{ 7*7 }}"))
    assert "a\\x1b]0;b :smile: https://x.example" in printed(named(hostile_result, "a\x1b]0;b :smile: https://x.example"))


def test_there_is_no_colour_where_it_is_not_wanted(hostile_result, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in printed(hostile_result, force_terminal=True)
    assert "\x1b[" not in printed(hostile_result, force_terminal=False)
    monkeypatch.setenv("NO_COLOR", "1")
    colours = re.findall(r"\x1b\[([0-9;]*)m", printed(hostile_result, force_terminal=True))
    assert not any(3 <= int(part) // 10 <= 4 for codes in colours for part in codes.split(";") if part)


def test_a_terminal_without_unicode_gets_signs_it_can_show(hostile_result):
    text = printed(hostile_result, encoding="ascii")
    assert "x failed" in text
    assert "+ passed" in text
    assert "INCOMPLETE" in text


def test_the_rendered_text_is_plain(hostile_result):
    files = render(hostile_result, "summary.txt")
    text = files["summary.txt"].decode()
    assert list(files) == ["summary.txt"]
    assert "\x1b" not in text
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_a_scan_of_nothing_much_is_said_calmly(small_result):
    empty = replace(
        small_result,
        records=1,
        dataset=DatasetSummary(name="x", layout="folders", task="", classes=(), counts={}, guesses=()),
        outcomes=(),
        gate=Gate(verdict="passed", exit_code=0, fail_on="error"),
    )
    text = printed(empty)
    assert "1 record · no classes · layout folders" in text
    assert "no findings" in text
    assert text.splitlines()[-2] == "PASSED  exit code 0 · fail-on error"


def test_by_default_what_matters_stands_on_one_screen(hostile_result):
    lines = printed(hostile_result, whole=False).splitlines()
    assert len(lines) < len(printed(hostile_result).splitlines()) / 2
    text = "\n".join(lines)
    assert "3 passed · 2 not evaluated · --verbose or the report lists them" in text
    assert "✓ passed" not in text
    assert "! crashed  LK002" in text  # a crash is never folded away
    assert "INCOMPLETE  exit code 3 · fail-on error" in lines[-5:]


def test_each_check_is_told_once_the_gravest_first_with_the_command_beside_it(hostile_result):
    lines = printed(hostile_result, whole=False).splitlines()
    severities = [line.split()[0] for line in lines if line.startswith(("  error", "  warning"))]
    assert severities == sorted(severities)
    assert 1 < len(severities) <= 6
    text = "\n".join(lines)
    assert text.index("Do these first") < text.index("medaudit ", text.index("Do these first")) < text.index("Checks")
