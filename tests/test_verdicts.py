"""The benchmark of verdicts calls a word wrong that does not fit what is true."""

from dataclasses import replace
from pathlib import Path

from comparisons import finding, improved, scanned

from auditor.values.corrections import Comparison
from auditor.values.results import Finding, Severity
from benchmarks.verdicts import Planted, judged
from reports.formats.json import render, render_comparison

RIGHT = {f"r{k:03d}": "pneumonia" for k in range(10, 30)}
"""What the labels that `improved()` rewrites should be."""


def wrong(folder: Path, comparison: Comparison, planted: Planted, findings: tuple[Finding, ...] = ()) -> tuple[str, ...]:
    files = {**render_comparison(comparison, "comparison.json"), **render(scanned(findings), "result-after.json")}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return judged(planted, folder).wrong


def test_a_gain_fits_where_labels_were_wrong_and_were_set_right(tmp_path: Path) -> None:
    planted = Planted(folder=tmp_path, options=[], truth=RIGHT, gain=True)
    assert wrong(tmp_path, improved(), planted) == ()


def test_words_that_do_not_fit_are_named(tmp_path: Path) -> None:
    clean = Planted(folder=tmp_path, options=[])
    found = wrong(tmp_path, improved(), clean)
    assert found[0] == "improved, and no label was wrong"
    assert found[1].endswith("labels were rewritten wrongly")
    arm = improved().arms[1]
    main = replace(arm.evaluation.metrics[0], difference=0.01)
    better = replace(arm, evaluation=replace(arm.evaluation, metrics=(main,)), proposal=None)
    harmed = replace(improved(), verdict="harmed", arms=(better,), applied=(), chosen=arm.strategy)
    assert "harmed, and the true labels show no loss" in wrong(tmp_path, harmed, clean)


def test_green_over_an_error_is_wrong_and_a_leak_must_be_mended(tmp_path: Path) -> None:
    leaking = Planted(folder=tmp_path, options=[], truth=RIGHT, leak=True, gain=True)
    left = finding("LK001", Severity.ERROR, "bit depth tells normal from the rest")
    found = wrong(tmp_path, improved(), leaking, (left,))
    assert found == ("the leak was not mended", "LK001 is not silent", "green over a leak or an error")
