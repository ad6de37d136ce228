"""Predicted boxes and points beside annotated ones: reading, pairing, and what LN006 says."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset
from PIL import Image

from auditor.checks.ln006 import SuspectBoxes
from auditor.evidence.objects.object_match import match_objects, similarity
from auditor.evidence.objects.object_tables import read_objects
from auditor.evidence.predicted.kind import kind_of
from auditor.plan import plan_for
from auditor.scan import scan
from auditor.values.errors import ConfigError, DatasetError
from auditor.values.image import Limits
from auditor.values.predicted_objects import PredictedObjects
from auditor.values.results import Severity

CLASSES = ("a", "b", "c")


def frame_of(rows, *extra):
    frame = pd.DataFrame(rows, columns=["record", "label", "x0", "y0", "x1", "y1", *extra])
    return frame.astype(dict.fromkeys(("x0", "y0", "x1", "y1"), "float64"))


def collection(seed, *, images=40, drop=0.0, swap=0.0, move=0.0, confuse=0.05, skill=1.5, jitter=0.06):
    """About 8 objects and 8 other spots per image; honest scores from normal deviates 2 × `skill` apart, below .05 left out."""
    rng = np.random.default_rng(seed)
    cells = np.array([(x, y) for x in range(6) for y in range(6)]) * 80.0
    annotated, predicted = [], []
    for image in range(images):
        objects, spots = min(int(rng.poisson(8)), 18), min(int(rng.poisson(8)), 18)
        count = objects + spots
        size = rng.uniform(25, 55, (count, 2))
        low = cells[rng.permutation(36)[:count]] + rng.uniform(0, 20, (count, 2))
        box, real = np.hstack([low, low + size]), np.arange(count) < objects
        score = 1 / (1 + np.exp(-2 * skill * rng.normal(np.where(real, skill, -skill))))
        label = rng.integers(0, 3, count)
        wrong = rng.random(count) < confuse * (2.2 - 2 * score)
        told = np.where(wrong, (label + rng.integers(1, 3, count)) % 3, label)
        seen = box + rng.standard_t(5, box.shape) * jitter * np.hstack([size, size])
        for k in range(count):
            if score[k] > 0.05:
                predicted.append((f"i{image}", CLASSES[told[k]], *seen[k], score[k], bool(real[k])))
            dropped, swapped, moved = rng.random(3) < (drop, swap, move)
            if real[k] and not dropped:
                at = box[k] + (0.5 * np.tile(size[k], 2) if moved else 0)
                annotated.append((f"i{image}", CLASSES[(label[k] + swapped) % 3], *at, bool(swapped), bool(moved)))
    drawn = frame_of(annotated, "swapped", "moved").assign(path="a.xml")
    return drawn.assign(line=np.arange(1, len(drawn) + 1)), frame_of(predicted, "score", "real")


def verdict_of(drawn, seen, *, shape="boxes", out_of_fold=True, **options):
    found = PredictedObjects(shape=shape, objects=seen, origin="p.csv", out_of_fold=out_of_fold)
    names = sorted({*drawn["record"], *seen["record"]})
    dataset = make_dataset(records=names, boxes=drawn if shape == "boxes" else None)
    dataset = replace(dataset, predicted_objects=found, **({"points": drawn} if shape == "points" else {}))
    return SuspectBoxes(**options).run(dataset)


def rows_of(verdict):
    tables = [t for t in verdict.tables if t.name == "beside_predictions"]
    return pd.DataFrame({c.name: list(c.values) for c in tables[0].columns}) if tables else pd.DataFrame({"kind": []})


def findings_of(verdict, kind):
    return [f for f in verdict.findings if f.evidence["kind"] == kind]


def test_boxes_share_their_intersection_over_union_and_points_their_nearness():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], float)
    assert similarity(boxes[:1], boxes, 10) == pytest.approx(np.array([[1, 50 / 150, 0]]))
    assert similarity(np.zeros((1, 2)), np.array([[3.0, 4.0], [0, 20], [0, 10]]), 10) == pytest.approx(
        np.array([[0.75, 0, 0.5]])
    )


def test_pairs_are_the_closest_and_leftovers_are_told_on_both_sides():
    annotated = np.array([[0, 0, 10, 10], [100, 0, 110, 10], [200, 0, 210, 10], [0, 0, 10, 10]], float)
    predicted = np.array(
        [
            [0, 0, 10, 9], [0, 0, 10, 10], [50, 0, 60, 10], [50, 0, 60, 9], [105, 0, 115, 10], [0, 0, 10, 10],
        ], float
    )  # fmt: skip
    score = np.array([0.9, 0.8, 0.7, 0.95, 0.6, 0.4])
    match = match_objects(np.array([0, 0, 0, 1]), annotated, np.array([0, 0, 0, 0, 0, 2]), predicted, score, reach=10)
    # of two predictions of one object the surest stays; a third of the second object is shared; the last is in another image
    assert match.partner.tolist() == [0, 4, -1, -1]
    assert match.shared == pytest.approx([0.9, 1 / 3, 0, 0])
    assert match.support == pytest.approx([0.9, 0.6, 0, 0])
    assert np.flatnonzero(match.elsewhere).tolist() == [3, 5]


def test_a_touching_prediction_with_a_low_score_is_no_support_and_no_overlooked_object():
    drawn, seen = collection(3)
    drawn = pd.concat([drawn, frame_of([("i0", "a", 600, 0, 640, 40)]).assign(path="a.xml", line=9999)], ignore_index=True)
    seen = pd.concat([seen, frame_of([("i0", "a", 600, 0, 640, 20, 0.1)], "score")], ignore_index=True)
    rows = rows_of(verdict_of(drawn, seen))
    (row,) = rows[rows["line"] == 9999].to_dict("records")
    assert (row["kind"], row["shared"]) == ("not predicted", 0.5)
    assert row["confidence"] == pytest.approx(0.9, abs=0.01)


def test_dropped_boxes_are_listed_as_overlooked_and_most_of_the_list_is_right():
    drawn, seen = collection(1, drop=0.3)
    verdict = verdict_of(drawn, seen)
    rows = rows_of(verdict)
    rows = rows[rows["kind"] == "overlooked"]
    real = seen.set_index(["record", "x0"])["real"]
    right = [bool(real[(r, x)]) for r, x in zip(rows["record"], rows["x0"], strict=True)]
    assert len(rows) == verdict.metrics["overlooked_objects"] > 50
    assert np.mean(right) >= 0.75
    assert rows["confidence"].is_monotonic_decreasing
    assert len(verdict.findings) == 50


def test_swapped_classes_are_found():
    drawn, seen = collection(2, swap=0.1, images=80)
    found = findings_of(verdict_of(drawn, seen, max_findings=1000), "another class")
    lines = drawn.set_index("line")["swapped"]
    right = [bool(lines[f.where.line]) for f in found]
    assert np.mean(right) >= 0.8
    assert sum(right) >= 0.6 * drawn["swapped"].sum()


def test_boxes_that_were_moved_by_half_their_size_are_badly_placed():
    drawn, seen = collection(4, move=0.05, jitter=0.03)
    found = findings_of(verdict_of(drawn, seen), "badly placed")
    lines = drawn.set_index("line")["moved"]
    assert len(found) >= 4
    assert all(lines[f.where.line] for f in found)


def test_complete_annotations_have_no_findings():
    for seed in range(3):
        assert verdict_of(*collection(100 + seed)).findings == ()


@pytest.mark.slow
@pytest.mark.parametrize("images", [30, 100])
@pytest.mark.parametrize(
    "how", [{}, {"skill": 1.0}, {"confuse": 0.15}, {"jitter": 0.1}], ids=["usual", "weak", "confuses", "coarse"]
)
def test_at_most_six_of_a_hundred_complete_collections_have_findings(images, how):
    called = [bool(verdict_of(*collection(2000 + seed, images=images, **how)).findings) for seed in range(100)]
    assert np.mean(called) <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize(("drop", "least"), [(0.1, 0.7), (0.3, 0.95), (0.5, 0.95)])
def test_dropped_boxes_are_noticed(drop, least):
    verdicts = [verdict_of(*collection(3000 + seed, drop=drop)) for seed in range(20)]
    assert np.mean([v.metrics["overlooked_objects"] > 0 for v in verdicts]) >= least


def test_sure_overlooked_boxes_are_those_that_cleanlab_finds():
    rank = pytest.importorskip("cleanlab.object_detection.rank")
    drawn, seen = collection(5, drop=0.2, confuse=0.0, images=30)
    corners = ["x0", "y0", "x1", "y1"]
    labels, predictions, places = [], [], []
    for name in [f"i{k}" for k in range(30)]:
        own, told = drawn[drawn["record"] == name], seen[seen["record"] == name]
        labels.append({"bboxes": own[corners].to_numpy(), "labels": np.array([CLASSES.index(c) for c in own["label"]])})
        each = [told[told["label"] == c] for c in CLASSES]
        predictions.append(np.array([part[[*corners, "score"]].to_numpy() for part in each], dtype=object))
        places += [(name, x) for part in each for x in part["x0"]]
    theirs = rank.compute_overlooked_box_scores(labels=labels, predictions=predictions, high_probability_threshold=0.8)
    candidates = {place for place, score in zip(places, np.concatenate(theirs), strict=True) if np.isfinite(score)}
    rows = rows_of(verdict_of(drawn, seen))
    listed = rows[rows["kind"] == "overlooked"]
    scores = seen.set_index(["record", "x0"])["score"]
    ours = {(r, x) for r, x in zip(listed["record"], listed["x0"], strict=True) if scores[(r, x)] >= 0.8}
    assert len(ours) > 30
    assert ours == candidates


def test_predictions_in_sample_are_told_and_their_findings_are_info():
    drawn, seen = collection(1, drop=0.3)
    verdict = verdict_of(drawn, seen, out_of_fold=False)
    assert {f.severity for f in verdict.findings} == {Severity.INFO}
    assert "learnt from these annotations" in verdict.summary


def points_of(frame, *extra):
    middle = {"x": (frame["x0"] + frame["x1"]) / 2, "y": (frame["y0"] + frame["y1"]) / 2}
    return frame[["record", "label", *extra]].assign(**middle)


def test_points_are_judged_by_distance_and_two_readers_marks_of_one_object_count_once():
    drawn, seen = collection(6, drop=0.3, swap=0.1, images=60)
    points, told = points_of(drawn).assign(rater="A"), points_of(seen, "score")
    both = pd.concat([points, points.assign(rater="B", x=points["x"] + 3)], ignore_index=True)
    verdict = verdict_of(both, told, shape="points", max_findings=1000)
    alone = verdict_of(points, told, shape="points", max_findings=1000)
    assert alone.metrics["overlooked_objects"] == verdict.metrics["overlooked_objects"] > 50
    assert verdict.metrics["swapped_labels"] > 20
    assert verdict.metrics["badly_placed_boxes"] == 0


def test_points_outside_the_image_and_marks_on_one_spot_are_findings():
    rows = [
        ("r0000", "A", "x", 5, 5), ("r0000", "A", "x", 5.5, 5), ("r0000", "B", "x", 5, 5), ("r0000", "A", "y", 104, 5),
        ("r0001", "A", "x", 50, 20), ("r0001", "A", "y", 50, 20.5), ("r0001", "A", "x", 100.5, 20),
        ("r0001", "A", "", None, None),
    ]  # fmt: skip
    points = pd.DataFrame(rows, columns=["record", "rater", "label", "x", "y"]).astype({"x": float, "y": float})
    size = {"container.width": [100.0, 100.0], "container.height": [50.0, 50.0]}
    verdict = SuspectBoxes().run(replace(make_dataset(n=2, metadata=size), points=points))
    told = [(f.evidence["kind"], f.where.record, f.evidence["label"]) for f in verdict.findings]
    assert told == [("outside", "r0000", "y"), ("doubled", "r0000", "x"), ("two classes", "r0001", "x")]
    assert len({f.subject for f in verdict.findings}) == 3
    assert verdict.metrics["points"] == 7
    unsized = SuspectBoxes().run(replace(make_dataset(n=2), points=points))
    assert unsized.coverage.evaluated == 0
    assert "not known" in unsized.coverage.reason


def write(tmp_path, text, name="boxes.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def dataset_with_boxes():
    boxes = frame_of([("r0000", "a", 5, 5, 15, 15)]).assign(path="a.xml", line=1)
    return make_dataset(n=2, paths=["x/one.png", "x/two.png"], boxes=boxes)


@pytest.mark.parametrize("name", ["r0001", "x/two.png", "two.png", "two"])
def test_images_are_named_by_id_path_or_file_name(tmp_path, name):
    path = write(tmp_path, f"Image\tLabel\txmin\tymin\txmax\tymax\tScore\n{name}\ta\t1\t2\t3\t4\t0.5\n", "boxes.tsv")
    assert kind_of(Limits(), path) == "objects"
    found = read_objects(dataset_with_boxes(), [path], in_sample=True, workers=0).predicted_objects
    assert found.shape == "boxes"
    assert not found.out_of_fold
    assert found.objects.to_dict("records") == [
        {"record": "r0001", "label": "a", "x0": 1.0, "y0": 2.0, "x1": 3.0, "y1": 4.0, "score": 0.5}
    ]


def test_parquet_and_points_are_read(tmp_path):
    path = tmp_path / "points.parquet"
    pd.DataFrame({"record": ["r0000"], "x": [3.0], "y": [4.0], "score": [0.5]}).to_parquet(path)
    points = pd.DataFrame({"record": ["r0000"], "rater": "A", "label": "a", "x": 3.0, "y": 4.0})
    found = read_objects(replace(make_dataset(n=2), points=points), [path], in_sample=False, workers=0).predicted_objects
    assert (found.shape, len(found.objects), found.objects["label"].tolist()) == ("points", 1, [""])


def test_class_probabilities_are_not_taken_for_boxes(tmp_path):
    assert kind_of(Limits(), write(tmp_path, "record,x,y\nr0000,0.5,0.5\n")) == "classes"
    assert kind_of(Limits(), write(tmp_path, "record,score,benign\nr0000,0.5,0.5\n")) == "classes"
    assert kind_of(Limits(), write(tmp_path, "")) == "classes"
    assert kind_of(Limits(), tmp_path / "absent.csv") == "classes"
    assert kind_of(Limits(), tmp_path) == "masks"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("nobody,a,1,2,3,4,0.5", "name no image"),
        ("r0000,a,1,2,3,4,50", "0 to 1"),
        ("r0000,a,1,2,x,4,0.5", "is no number"),
        ("r0000,a,30,2,3,4,0.5", "no area"),
        ("r0000,a,.1,.2,.3,.4,0.5", "give pixels"),
        ("r0000,z,1,2,3,4,0.5", "none of its labels"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path, row, message):
    path = write(tmp_path, f"record,label,x0,y0,x1,y1,score\n{row}\n")
    with pytest.raises(DatasetError, match=message):
        read_objects(dataset_with_boxes(), [path], in_sample=False, workers=0)


def test_predicted_boxes_need_boxes_and_one_table(tmp_path):
    path = write(tmp_path, "record,label,x0,y0,x1,y1,score\nr0000,a,1,2,3,4,0.5\n")
    with pytest.raises(ConfigError, match="no boxes"):
        read_objects(make_dataset(n=2), [path], in_sample=False, workers=0)
    with pytest.raises(ConfigError, match="one table"):
        read_objects(dataset_with_boxes(), [path, path], in_sample=False, workers=0)


def test_a_scan_takes_a_table_of_boxes(tmp_path):
    root = tmp_path / "voc"
    (root / "JPEGImages").mkdir(parents=True)
    (root / "Annotations").mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for k in range(12):
        Image.fromarray(rng.integers(0, 255, (96, 96, 3), dtype=np.uint8)).save(root / "JPEGImages" / f"p{k}.jpg")
        boxes = [(x, y, x + 30, y + 30) for x in (2, 50) for y in (2, 50)]
        rows += [(f"p{k}.jpg", "cell", *box, 0.99) for box in boxes]
        objects = "".join(
            f"<object><name>cell</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
            for a, b, c, d in boxes[:2]
        )
        size = "<size><width>96</width><height>96</height><depth>3</depth></size>"
        (root / "Annotations" / f"p{k}.xml").write_text(
            f"<annotation><filename>p{k}.jpg</filename>{size}{objects}</annotation>", encoding="utf-8"
        )
    path = tmp_path / "boxes.csv"
    pd.DataFrame(rows, columns=["image", "label", "x0", "y0", "x1", "y1", "score"]).to_csv(path, index=False)
    plan = plan_for(root, predictions=[path], select=["LN006"], cache=False, workers=0)
    (outcome,) = [o for o in scan(root, plan).outcomes if o.code == "LN006"]
    assert outcome.verdict.metrics["overlooked_objects"] == 24
    assert {f.where.record for f in outcome.verdict.findings} == {f"JPEGImages/p{k}.jpg" for k in range(12)}
