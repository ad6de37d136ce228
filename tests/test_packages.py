"""An audit of packages that could ask nobody is not run, and never clean."""

from __future__ import annotations

import pytest

from benchmarks.packages import judged, main

GOOD = {"name": "a", "version": "1", "vulns": []}
WEAK = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.1"]}]}
UNASKED = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "why", "word", "here", "in_ci"),
    [
        ([GOOD, GOOD, UNASKED], "", "no known weakness in 2 of 3", 0, 0),
        ([UNASKED, UNASKED, GOOD], "", "NOT RUN: only 1 of 3", 0, 1),
        ([], "TimeoutExpired", "NOT RUN: TimeoutExpired", 0, 1),
        ([WEAK, UNASKED, UNASKED, UNASKED], "", "1 known weaknesses", 1, 1),
    ],
)  # fmt: skip
def test_what_is_said_and_with_which_exit_code(packages: list[dict], why: str, word: str, here: int, in_ci: int) -> None:
    for strict, code in ((False, here), (True, in_ci)):
        lines, found = judged(packages, why, strict=strict)
        assert word in lines[-1]
        assert found == code
    if WEAK in packages:
        assert "PYSEC-2026-1 (mended in 2.1)" in lines[0]


def test_a_tool_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert main("/nowhere/pip-audit", "/nowhere") == 0
    assert "NOT RUN: FileNotFoundError" in capsys.readouterr().out
