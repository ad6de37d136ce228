"""The comparing half of `benchmarks/same_results.py`: what counts as a difference, and what does not."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.same_results import TARGETS, compare, compared, steady, unread


def kept(folder: Path, **documents: Any) -> Path:
    """A folder as a run of one target writes it."""
    (folder / "skimage").mkdir(parents=True)
    documents.setdefault("answers", [{"command": "scan x", "exit_code": 0, "printed": []}])
    for name, document in documents.items():
        (folder / "skimage" / f"{name}.json").write_text(json.dumps(document))
    return folder


def places(before: Path, after: Path) -> list[str]:
    """Where two such folders differ."""
    return [place for place, _, _ in compared(before / "skimage", after / "skimage")]


def test_what_changes_from_run_to_run_is_left_out_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text('{"tool_version": "1", "records": 3, "outcomes": [{"run": 1}], "run": {"seconds": 2}}')
    assert json.loads(steady(path)) == {"records": 3, "outcomes": [{"run": 1}]}


def test_equal_runs_are_equal_whatever_they_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sides = [kept(tmp_path / name, result={"records": 3}) for name in ("a", "b")]
    (sides[0] / "cost.json").write_text('{"asked": "", "targets": {"skimage": [{"cpu_seconds": 9.0}]}}')
    assert compare(*sides, []) == 0
    assert "equal" in capsys.readouterr().out


def test_a_difference_is_named_by_its_place_with_both_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = kept(tmp_path / "a", result={"records": 3, "findings": [{"code": "LK001", "score": 0.5}]})
    b = kept(tmp_path / "b", result={"records": 3, "findings": [{"code": "LK001", "score": 0.75}]})
    assert compare(a, b, []) == 1
    out = capsys.readouterr().out
    assert "result.json.findings.LK001.score" in out
    assert "before 0.5" in out
    assert "after  0.75" in out


def test_an_outcome_more_does_not_shift_the_others(tmp_path: Path) -> None:
    a = kept(tmp_path / "a", result={"outcomes": [{"code": "A", "x": 1}, {"code": "C", "x": 1}]})
    b = kept(tmp_path / "b", result={"outcomes": [{"code": "A", "x": 1}, {"code": "B", "x": 1}, {"code": "C", "x": 2}]})
    assert places(a, b) == ["result.json.outcomes.C.x", "result.json.outcomes.B"]


def test_an_integer_that_became_a_float_and_another_order_of_keys_are_differences(tmp_path: Path) -> None:
    a = kept(tmp_path / "a", result={"n": 1, "m": 2}, other={"n": 1, "m": 2})
    b = kept(tmp_path / "b", result={"n": 1.0, "m": 2}, other={"m": 2, "n": 1})
    assert places(a, b) == ["other.json (the same values in other bytes)", "result.json.n"]


def test_long_tables_are_compared_cell_by_cell(tmp_path: Path) -> None:
    sides = [kept(tmp_path / name) for name in ("a", "b")]
    for side, values in zip(sides, ([0.5, None], [0.5, 1.5]), strict=True):
        pd.DataFrame({"score": values}).to_parquet(side / "skimage" / "result.LN002.parquet")
    assert places(*sides) == ["result.LN002.parquet.score[1]"]


def test_a_file_or_a_target_on_one_side_only_is_a_difference(tmp_path: Path) -> None:
    a, b = kept(tmp_path / "a", result={}), kept(tmp_path / "b")
    assert places(a, b) == ["result.json"]
    (tmp_path / "empty").mkdir()
    assert compare(a, tmp_path / "empty", []) == 1


def test_nothing_to_compare_and_a_command_that_was_stopped_are_no_success(tmp_path: Path) -> None:
    sides = [kept(tmp_path / name, answers=[{"command": "", "exit_code": None, "printed": []}]) for name in ("a", "b")]
    for side in sides:
        (side / "skimage/answers.json").write_text(json.dumps([{"exit_code": None}], indent=1))
    assert compare(*sides, []) == 1
    assert compare(*sides, ["no-such-target"]) == 1


def test_a_data_set_without_a_target_is_told(tmp_path: Path) -> None:
    for target in TARGETS.values():
        (tmp_path / target.needs).mkdir(parents=True, exist_ok=True)
    assert unread(tmp_path) == []
    (tmp_path / "images/new_set").mkdir()
    assert unread(tmp_path) == ["images/new_set: no target reads it"]
