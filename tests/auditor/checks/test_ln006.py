import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ln006 import SuspectBoxes
from auditor.evidence.objects.boxes import areas, overlapping_pairs

BCCD = Path(__file__).parents[3] / "../shared/data/images/bccd"


def boxes_of(*rows):
    """Rows (record, label, x0, y0, x1, y1)."""
    frame = pd.DataFrame(rows, columns=["record", "label", "x0", "y0", "x1", "y1"])
    frame[["x0", "y0", "x1", "y1"]] = frame[["x0", "y0", "x1", "y1"]].astype(float)
    return frame.assign(path="a.xml", line=range(10, 10 + len(frame)))


def dataset_of(*rows, sized=True):
    size = {"container.width": [100.0] * 3, "container.height": [50.0] * 3} if sized else {}
    return make_dataset(n=3, boxes=boxes_of(*rows), metadata=size)


def kinds(dataset, **options):
    return [(f.evidence["kind"], f.where.line) for f in SuspectBoxes(**options).run(dataset).findings]


def test_a_box_without_width_or_with_swapped_corners_has_no_area():
    dataset = dataset_of(("r0000", "x", 5, 5, 5, 9), ("r0000", "x", 20, 20, 10, 10), ("r0000", "x", 1, 1, 2, 2))
    assert kinds(dataset) == [("no area", 10), ("no area", 11)]


def test_a_box_beyond_the_border_is_found_on_every_side_and_one_pixel_is_forgiven():
    dataset = dataset_of(
        ("r0000", "x", 90, 10, 104, 20), ("r0001", "x", -3, 10, 20, 20), ("r0002", "x", 10, 10, 20, 58),
        ("r0002", "x", 60, -9, 70, 20), ("r0002", "x", 30, 10, 101, 20), ("r0001", "x", 50, 0, 100, 50),
    )  # fmt: skip
    assert kinds(dataset) == [("outside", 10), ("outside", 11), ("outside", 12), ("outside", 13)]
    assert kinds(dataset, max_outside_pixels=100) == []


def test_the_border_is_not_judged_where_the_size_is_not_known():
    verdict = SuspectBoxes().run(dataset_of(("r0000", "x", 90, 10, 1040, 20), sized=False))
    assert verdict.findings == ()
    assert verdict.coverage is not None
    assert (verdict.coverage.evaluated, verdict.coverage.total) == (0, 1)
    assert "not known" in verdict.coverage.reason


def test_doubled_and_contradictory_boxes_are_told_apart_and_boxes_of_two_images_are_no_pair():
    dataset = dataset_of(
        ("r0000", "x", 0, 0, 20, 20), ("r0000", "x", 1, 0, 20, 20), ("r0000", "y", 50, 20, 70, 40),
        ("r0000", "x", 50, 20, 70, 41), ("r0001", "x", 0, 0, 20, 20), ("r0000", "x", 10, 10, 30, 30),
    )  # fmt: skip
    assert kinds(dataset) == [("doubled", 10), ("two classes", 12)]
    table = SuspectBoxes().run(dataset).tables[0]
    columns = {c.name: list(c.values) for c in table.columns}
    assert columns["iou"] == [0.95, pytest.approx(20 / 21, abs=1e-4)]
    assert columns["other_line"] == [11, 13]


def test_pairs_are_those_of_the_plain_formula():
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 30, (300, 2))
    corners = np.hstack([low, low + rng.uniform(5, 30, (300, 2))])
    images = rng.integers(0, 4, 300)
    expected = set()
    for i in range(300):
        for j in range(i + 1, 300):
            sides = np.minimum(corners[i, 2:], corners[j, 2:]) - np.maximum(corners[i, :2], corners[j, :2])
            if images[i] == images[j] and (sides > 0).all():
                common = sides.prod()
                union = (corners[[i, j], 2:] - corners[[i, j], :2]).prod(axis=1).sum() - common
                if common / union >= 0.5:
                    expected.add((i, j))
    found = overlapping_pairs(images, corners, min_iou=0.5)
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == expected
    assert len(expected) > 10
    assert found.value.min() >= 0.5
    assert found.left == 0


def test_no_boxes_are_skipped():
    with pytest.raises(SkipCheck, match="no boxes"):
        SuspectBoxes().run(make_dataset(n=3))


@pytest.mark.skipif(not BCCD.exists(), reason="the blood smears are not on this machine")
def test_the_known_flaws_of_the_blood_smears_are_found():
    from auditor.layout import Options, open_dataset

    verdict = SuspectBoxes().run(open_dataset(BCCD / "BCCD", Options()))
    truth = {name: pd.read_csv(BCCD / "truth" / f"{name}.csv") for name in ("invalid_boxes", "duplicate_boxes_iou80")}
    columns = {c.name: list(c.values) for c in verdict.tables[0].columns}
    found = pd.DataFrame(columns)
    stems = found["record"].str.extract(r"(BloodImage_\d+)")[0]
    assert sorted(stems[found["kind"] == "no area"]) == sorted(truth["invalid_boxes"]["id"])
    pairs = found["kind"].isin(["doubled", "two classes"])
    assert sorted(stems[pairs]) == sorted(truth["duplicate_boxes_iou80"]["id"])


def test_numbers_too_large_to_be_multiplied_end_in_no_warning_and_reach_outside() -> None:
    corners = np.array([[1e300, 1.0, 1.7e308, 1.7e308], [-1.7e308, -1.7e308, 1.7e308, 1.7e308], [1.0, 1.0, 9.0, 9.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert areas(corners).tolist() == [np.inf, np.inf, 64.0]
        assert not len(overlapping_pairs(np.zeros(6, np.int64), np.tile(corners[:2], (3, 1)), min_iou=0.8).first)
