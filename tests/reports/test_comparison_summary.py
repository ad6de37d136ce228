"""The summary of a comparison in a terminal."""

import io
import re
from pathlib import Path

from comparisons import BLANK, finding, harmed, improved, no_change, scanned, two_scans
from rich.console import Console

from auditor.values.results import Severity
from reports.compare import compare_results
from reports.formats.rich import print_comparison, render_comparison


def printed(comparison, *, width=80, encoding="utf-8", **options):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    print_comparison(comparison, Console(file=stream, width=width, **options), outputs=[Path("medaudit-out/comparison.html")])
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def words(comparison, **options):
    return re.sub(r"\s+", " ", printed(comparison, **options))


def test_the_verdict_stands_last_with_its_one_number():
    text = words(improved())
    end = text[text.index("IMPROVED") :]
    assert end.startswith("IMPROVED Balanced accuracy 0.842 → 0.871; difference +0.029, 95 % interval +0.011 to +0.047")
    assert "Became worse: Brier score 0.114 → 0.135" in end
    assert "1 finding above a note introduced." in end
    assert text.index("medaudit-out/comparison.html") < text.index("IMPROVED")


def test_every_strategy_has_its_state_and_result():
    text = words(improved(), width=120)
    assert "✓ applied deduplicate 4 copies leave the collection." in text
    assert "· not applied mixup harmed: Balanced accuracy −0.034 (−0.053 to −0.015)" in text
    assert "○ not tried weak the dataset has no masks" in text


def test_self_graded_is_said_beside_the_arm_and_the_verdict():
    text = words(harmed(self_graded=True))
    assert "harmed, self-graded:" in text
    assert "SELF-GRADED The labels that this was measured on were chosen by a model" in text
    assert "elf-graded" not in words(harmed())


def test_without_networks_errors_and_warnings_are_counted():
    assert "NO CHANGE errors and warnings 0 → 0" in words(no_change())
    text = words(two_scans())
    assert "NEW FINDINGS errors and warnings 5 → 2" in text
    assert "4 fixed · 1 remaining · 2 introduced" in text
    assert "new warning IQ001 This image is blank." in text
    assert "Note: These may be two different datasets" in text


def test_many_introduced_findings_are_counted():
    many = [finding("IQ001", Severity.ERROR, f"Image {k} is blank.", f"r{k}") for k in range(9)]
    text = words(compare_results(scanned([]), scanned([*many, BLANK])))
    assert "and 5 more in the report" in text


def test_nothing_is_wider_than_the_terminal_and_no_name_moves_the_cursor(hostile_names):
    bad = [finding("IQ001", Severity.ERROR, name, name) for name in hostile_names]
    comparison = compare_results(scanned([]), scanned(bad), notes=hostile_names)
    for width in (60, 80, 120):
        assert max(len(line) for line in printed(comparison, width=width).splitlines()) <= width
    for character in "\x1b\x9b\u202e\r":
        assert character not in printed(comparison)


def test_a_terminal_without_unicode_gets_signs_it_can_show():
    text = printed(improved(), width=120, encoding="ascii")
    assert "+ applied" in text
    assert "0.842 > 0.871" in text
    assert "(-0.053 to -0.015)" in text


def test_the_rendered_text_is_plain():
    text = render_comparison(improved(), "c.txt")["c.txt"].decode()
    assert "\x1b" not in text
    assert not any(line.endswith(" ") for line in text.splitlines())
