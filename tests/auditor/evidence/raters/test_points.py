import numpy as np
import pytest

from auditor.checks.ed001 import ExpertDisagreement
from auditor.evidence.raters.boxes import point_pairs
from auditor.layout import Options, open_dataset


def table(path, rows, head="image,rater,x,y"):
    path.write_text("\n".join([head, *rows]) + "\n")
    return open_dataset(path, Options())


def marks(*, scatter=3.0, n=30, missed=0.0, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        centre = rng.uniform(50, 400, (2, 2))
        for rater in ("A", "B", "C"):
            for spot in centre:
                x, y = spot + rng.normal(0, scatter, 2)
                rows.append(f"case{i:03d},{rater}," + ("," if rng.random() < missed else f"{x:.1f},{y:.1f}"))
    return rows


def test_points_are_carried_apart_from_boxes(tmp_path):
    dataset = table(tmp_path / "marks.csv", marks())
    assert len(dataset.points) == 180
    assert dataset.boxes.empty
    assert "table.x" not in dataset.metadata.columns
    assert set(dataset.points["rater"]) == {"A", "B", "C"}


def test_matched_f1_of_close_points_is_one_and_falls_with_missed_ones(tmp_path):
    close = ExpertDisagreement().run(table(tmp_path / "close.csv", marks()))
    missed = ExpertDisagreement().run(table(tmp_path / "missed.csv", marks(missed=0.4)))
    assert close.metrics["point_f1"] == pytest.approx(1.0, abs=0.03)
    assert missed.metrics["point_f1"] == pytest.approx(0.6, abs=0.1)
    assert [t.name for t in close.tables] == ["points"]
    assert {c.kind for c in close.charts} == {"matrix"}


def test_a_row_without_numbers_says_that_the_rater_marked_nothing(tmp_path):
    rows = ["a,A,10,10", "a,B,,", "b,A,20,20", "b,B,21,20", "c,A,5,5", "c,B,5,6"]
    (pair,) = point_pairs(table(tmp_path / "m.csv", rows), radius=15)
    assert (pair.records, pair.boxes) == (3, 5)
    assert pair.f1.value == pytest.approx(2 * 2 / 5)


def test_points_of_another_class_do_not_match_and_answers_are_judged_too(tmp_path):
    rows = [f"c{i},{r},{10 + i},{20 + i},{'mass' if r == 'A' or i % 2 else 'nodule'}" for i in range(20) for r in "AB"]
    dataset = table(tmp_path / "m.csv", rows, "image,rater,x,y,finding")
    verdict = ExpertDisagreement().run(dataset)
    assert verdict.metrics["point_f1"] == pytest.approx(0.5)
    assert "krippendorff_alpha" in verdict.metrics


def test_x_and_y_without_a_rater_are_no_points(tmp_path):
    dataset = table(tmp_path / "m.csv", [f"c{i},{i * 3.5},{i * 2.5},{'ab'[i % 2]}" for i in range(30)], "id,x,y,label")
    assert dataset.points.empty
