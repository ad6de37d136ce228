import numpy as np
import pytest
from builders import make_dataset

from auditor.evidence.raters.boxes import box_pairs, box_table
from auditor.layout import Options, open_dataset
from auditor.placement.records import box_frame


def drawn(rows):
    """rows (record, rater, label, x0, y0, x1, y1)."""
    frame = box_frame(
        {
            "record": [r[0] for r in rows], "label": [r[2] for r in rows],
            **{name: [float(r[k]) for r in rows] for k, name in enumerate(("x0", "y0", "x1", "y1"), 3)},
            "path": [""] * len(rows), "line": [0] * len(rows),
        }
    )  # fmt: skip
    frame["rater"] = [r[1] for r in rows]
    return frame


def test_boxes_of_one_class_are_matched_record_by_record():
    rows = [
        ("r0000", "a", "mass", 0, 0, 10, 10), ("r0000", "b", "mass", 1, 0, 10, 10), ("r0000", "b", "nodule", 50, 50, 60, 60),
        ("r0001", "a", "mass", 0, 0, 10, 10), ("r0001", "b", "nodule", 0, 0, 10, 10),
    ]  # fmt: skip
    (pair,) = box_pairs(make_dataset(n=2, annotations=[(r[0], r[1], r[2]) for r in rows], boxes=drawn(rows)))
    assert (pair.records, pair.boxes) == (2, 5)
    assert pair.f1.value == pytest.approx(2 * 1 / 5)


def test_a_reader_who_drew_nothing_missed_the_box():
    rows = [("r0000", "a", "mass", 0, 0, 10, 10), ("r0001", "a", "mass", 0, 0, 9, 9), ("r0001", "b", "mass", 0, 0, 9, 9)]
    readings = [("r0000", "a", "mass"), ("r0000", "b", "none"), ("r0001", "a", "mass"), ("r0001", "b", "mass")]
    (pair,) = box_pairs(make_dataset(n=2, annotations=readings, boxes=drawn(rows)))
    assert pair.f1.value == pytest.approx(2 * 1 / 3)


def test_the_interval_holds_the_value_and_the_table_has_both_directions():
    rng = np.random.default_rng(0)
    rows = []
    for i in range(40):
        rows.append((f"r{i:04d}", "a", "mass", 0, 0, 10, 10))
        rows.append((f"r{i:04d}", "b", "mass", *((0, 0, 10, 10) if rng.random() < 0.7 else (20, 20, 30, 30))))
    pairs = box_pairs(make_dataset(n=40, annotations=[(r[0], r[1], r[2]) for r in rows], boxes=drawn(rows)))
    assert pairs[0].f1.low < pairs[0].f1.value < pairs[0].f1.high
    table = box_table(pairs)
    assert [list(c.values) for c in table.columns[:2]] == [["a", "b"], ["b", "a"]]


def test_boxes_without_a_rater_are_compared_with_nobody():
    assert box_pairs(make_dataset(n=2)) == ()


def test_a_table_of_boxes_by_several_raters_keeps_who_drew_them(tmp_path):
    """The header of VinDr-CXR: several rows per image and radiologist; `No finding` has no box."""
    lines = ["image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max"]
    for i in range(6):
        for reader in ("R8", "R9"):
            lines.append(f"im{i},Nodule,1,{reader},10,10,{30 + i},30" if i % 2 else f"im{i},No finding,14,{reader},,,,")
    (tmp_path / "train.csv").write_text("\n".join(lines) + "\n", "utf-8")
    dataset = open_dataset(tmp_path / "train.csv", Options())
    assert sorted(set(dataset.boxes["rater"])) == ["R8", "R9"]
    (pair,) = box_pairs(dataset)
    assert (pair.records, pair.boxes, pair.f1.value) == (6, 6, 1.0)
