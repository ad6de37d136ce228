"""points: marks are learnt, moved, found again and graded."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from builders import make_dataset

from auditor.values.dataset import Dataset
from trainers.engine.augment import STRENGTHS, draw_warp
from trainers.engine.examples import examples_of
from trainers.engine.loop import train
from trainers.engine.predict import predict
from trainers.grading.evaluate import score
from trainers.kinds import kind_of, task_named, task_of
from trainers.tasks.points import NOWHERE, Points, maps_of, marks_in
from trainers.values.pictures import Pictures
from trainers.values.recipe import Recipe

SIDE = 32


def marked(n: int, *, seed: int = 0, file_side: int = SIDE, boxes: bool = False) -> tuple[Dataset, Pictures]:
    """Dots on noise, in files of another size than the pictures; every tenth record has none."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(SIDE)] * 2, indexing="ij"), -1)
    array, rows = rng.normal(60, 15, (n, 1, SIDE, SIDE)), []
    for i in range(n):
        places: list[np.ndarray] = []
        while len(places) < (0 if i % 10 == 9 else rng.integers(1, 6)):
            place = rng.uniform(3, SIDE - 4, 2)
            if all(np.hypot(*(place - other)) > 6 for other in places):
                places.append(place)
        for place in places:
            array[i, 0] += 130 * np.exp(-((grid - place) ** 2).sum(-1) / (2 * 1.3**2))
        scale = file_side / SIDE
        rows += [(f"r{i:04d}", *((place + 0.5) * scale - 0.5)) for place in places] or [(f"r{i:04d}", np.nan, np.nan)]
    frame = pd.DataFrame(rows, columns=["record", "y", "x"]).assign(rater="ann", label="")
    sides = {"container.height": [file_side] * n, "container.width": [file_side] * n}
    dataset = make_dataset(n=n, metadata=sides, **({"boxes": boxed(frame)} if boxes else {}))
    dataset = dataset if boxes else type(dataset)(**{**vars(dataset), "points": frame})
    pictures = Pictures(array=np.clip(array, 0, 255).astype(np.uint8), readable=np.ones(n, np.bool_))
    return dataset, pictures


def boxed(frame: pd.DataFrame) -> pd.DataFrame:
    there = frame.dropna()
    return there.assign(x0=there["x"] - 2, x1=there["x"] + 2, y0=there["y"] - 3, y1=there["y"] + 3, path="", line=0, label="c")


def task() -> Points:
    found = task_named("points", shape=(SIDE, SIDE))
    assert isinstance(found, Points)
    return found


def test_records_with_marks_or_boxes_and_nothing_else_set_the_task() -> None:
    dataset, pictures = marked(20)
    assert kind_of(dataset) is Points
    assert task_of(dataset, pictures).outputs == 4
    assert kind_of(marked(20, boxes=True)[0]) is Points
    assert kind_of(make_dataset(labels=["a", "b"])) is not Points
    assert kind_of(make_dataset(n=3)) is None


def test_marks_are_scaled_to_the_pictures_and_nobody_looked_is_not_nothing_there() -> None:
    dataset, _ = marked(20, file_side=96)
    same, _ = marked(20)
    dataset = type(dataset)(**{**vars(dataset), "points": dataset.points[dataset.points["record"] != "r0003"]})
    targets = task().targets(dataset)
    np.testing.assert_allclose(targets[0][np.isfinite(targets[0])], task().targets(same)[0][np.isfinite(targets[0])], atol=1e-4)
    assert task().known(targets).tolist() == [i != 3 for i in range(20)]
    assert np.isinf(targets[9]).all(), "somebody looked and saw nothing"
    assert 3 not in examples_of(dataset, np.ones(20, bool), task()).rows


def test_of_two_raters_the_marks_of_one_are_learnt() -> None:
    dataset, _ = marked(10)
    other = dataset.points[dataset.points["record"] < "r0004"].assign(rater="bob")
    both = type(dataset)(**{**vars(dataset), "points": pd.concat([dataset.points, other], ignore_index=True)})
    np.testing.assert_array_equal(task().targets(both), task().targets(dataset))


def test_centres_of_boxes_are_marks() -> None:
    points, boxes = task().targets(marked(10)[0]), task().targets(marked(10, boxes=True)[0])
    np.testing.assert_allclose(boxes[:9], points[:9], atol=1e-4)
    assert not task().known(boxes)[9], "without a box nobody can tell whether somebody looked"


def test_maps_of_marks_are_read_back_as_the_same_marks() -> None:
    targets = task().targets(marked(30)[0])
    way, apart, near = maps_of(torch.from_numpy(targets), (SIDE, SIDE))
    maps = torch.cat([way, apart[:, None], near[:, None]], 1).numpy()
    found = task().read(maps)
    truth = np.where(np.isinf(targets), NOWHERE, targets)
    values = {s.metric: s.value for s in score(truth, [found], patients=np.arange(30), task=task(), resamples=20)}
    assert values == {"detection_f1": 1.0, "detection_recall": 1.0, "detection_precision": 1.0}
    assert len(marks_in(np.zeros((4, SIDE, SIDE)))) == 0


def test_marks_move_with_their_pictures() -> None:
    dataset, pictures = marked(12, seed=3)
    targets = torch.from_numpy(task().targets(dataset))
    warp = draw_warp(12, (SIDE, SIDE), STRENGTHS["strong"], torch.Generator().manual_seed(0), device=torch.device("cpu"))  # type: ignore[arg-type]
    images = warp.images(torch.from_numpy(pictures.array.astype(np.float32)))
    moved = task().moved(targets, warp)
    assert torch.isinf(moved).equal(torch.isinf(targets))
    inside = torch.isfinite(moved).all(-1) & (moved > 2).all(-1) & (moved < SIDE - 3).all(-1)
    bright = [images[i, 0][tuple(moved[i, j].round().long())] for i, j in inside.nonzero().tolist()]
    assert min(bright) > 100, "a dot is where its mark is"


def test_a_mark_is_found_once_and_only_near_it() -> None:
    truth = np.full((3, 2, 2), NOWHERE)
    truth[0, 0], truth[1, 0] = (10, 10), (5, 5)
    truth[2] = np.nan
    said = np.full((3, 2, 3), NOWHERE)
    said[0, 0], said[0, 1], said[1, 0] = (10.5, 10, 1), (9.5, 10, 1), (25, 25, 1)
    found = {s.metric: s.value for s in score(truth, [said], patients=np.arange(3), task=task(), resamples=20)}
    assert found["detection_precision"] == pytest.approx(1 / 3)
    assert found["detection_recall"] == pytest.approx(1 / 2)


@pytest.mark.slow
def test_trained_on_dots_it_finds_nine_of_ten_in_pictures_it_has_not_seen() -> None:
    dataset, pictures = marked(160, file_side=64)
    rows = np.arange(160)
    what = task_of(dataset, pictures)
    recipe = Recipe(network="unet", width=16, epochs=25, batch=16, rate=4e-3, augmentation="standard", flips=(0, 1))
    examples = examples_of(dataset, rows[:120], what)
    network = train(pictures, examples, what, recipe, seed=0, device="cpu")
    said = predict(network, pictures, rows[120:], device="cpu")
    truth = what.truth(dataset, pictures, rows >= 120)
    found: dict[str, Any] = {s.metric: s.value for s in score(truth, [said], patients=rows[120:], task=what, resamples=20)}
    assert found["detection_recall"] >= 0.9
    assert found["detection_precision"] >= 0.8
    objects = what.objects(said, dataset, rows[120:])
    assert objects[["x", "y"]].to_numpy().max() > SIDE, "in pixels of the file"
    assert set(objects["record"]) <= set(dataset.records.index[120:])
    assert objects["score"].between(0.4, 1).all()
