"""Small datasets of every kind of task, a case of strategies on each, and a kind that a foreign package brings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from builders import make_dataset
from foreign import installed

from auditor.values.dataset import Dataset
from auditor.values.results import DatasetSummary, Gate, ScanResult
from trainers.engine.bench import Bench
from trainers.kinds import kinds
from trainers.strategy import Case
from trainers.values.pictures import Pictures
from trainers.values.recipe import Recipe
from trainers.values.trust import Trust

N, SIDE = 48, 16
SHORT = Recipe(epochs=1, batch=16, rate=5e-3, width=4)
SIDES = {"container.height": [SIDE] * N, "container.width": [SIDE] * N}


COUNTS = """
from collections.abc import Sequence
from typing import ClassVar
import numpy as np
from trainers.tasks.continuous import Continuous


class Counts(Continuous):
    '''Targets are how many objects there are, of those that a rater called `counted`.'''

    kind: ClassVar[str] = "counts"
    words: ClassVar[str] = "how many objects each picture shows"
    rank: ClassVar[int] = 1

    @classmethod
    def claims(cls, dataset):
        return len(dataset.points) > 0 and bool((dataset.points["label"] == "counted").all())

    @classmethod
    def set_by(cls, dataset, pictures, rows=None):
        return cls(classes=(), channels=pictures.channels, shape=pictures.shape)

    @classmethod
    def labelled(cls, dataset):
        return np.asarray(dataset.records.index.isin(dataset.points["record"]))

    @property
    def columns(self):
        return ("objects",)

    def targets(self, dataset, corrections: Sequence = ()):
        found = dataset.points.groupby("record").size().reindex(dataset.records.index)
        return found.to_numpy(np.float32)[:, None]

    def truth(self, dataset, pictures, rows):
        return self.targets(dataset)[rows, 0].astype(np.float64)
"""
"""A kind of task as somebody else's package brings it: a number per picture that is no label."""


@contextmanager
def counts_installed(folder: Path) -> Iterator[None]:
    """A package that brings the kind `counts` is installed."""
    with installed(folder, "[medaudit.tasks]\ncounts = counting_task:Counts\n", COUNTS, module="counting_task"):
        yield


def dataset_of(kind: str, truth: np.ndarray) -> Dataset:
    """48 records of 24 patients, of the kind of task."""
    patients = [f"P{i // 2}" for i in range(N)]
    labels: Mapping[str, Any] = {
        "single": {"labels": ["ab"[t] for t in truth]},
        "ordinal": {"labels": [str(t) for t in truth], "task": "ordinal", "classes": ["0", "1"]},
        "continuous": {"labels": [float(t) + i / 100 for i, t in enumerate(truth)], "task": "continuous"},
        "multi": {"states": {"x": truth.tolist(), "y": (1 - truth).tolist()}},
        "segmentation": {},
        "points": {},
        "counts": {},
    }
    found = make_dataset(n=N, patients=patients, metadata=SIDES, same_pixels=[f"p{i}" for i in range(N)], **labels[kind])
    if kind == "segmentation":
        found = replace(found, records=found.records.assign(mask=[f"m{i}.png" for i in range(N)]))
    if kind == "points":
        places = {"record": found.records.index.astype(str), "x": 4.0 + 8 * truth, "y": np.full(N, 8.0)}
        found = replace(found, points=pd.DataFrame(places).assign(rater="ann", label=""))
    if kind == "counts":
        marks = np.repeat(found.records.index.astype(str), 1 + truth)
        found = replace(found, points=pd.DataFrame({"record": marks, "x": 1.0, "y": 2.0}).assign(rater="ann", label="counted"))
    return found


def case_of(kind: str, work: Path, *, recipe: Recipe = SHORT) -> Case:
    """A bright half tells the class; nothing is on disk."""
    rng = np.random.default_rng(3)
    truth = np.arange(N) // 2 % 2
    array = rng.normal(80, 25, (N, 1, SIDE, SIDE))
    for i, t in enumerate(truth):
        array[i, 0, :, 8 * t : 8 * t + 8] += 90
    dataset = dataset_of(kind, truth)
    part = np.arange(N) // 2 % 6
    trust = Trust(
        trusted=part == 0, validation=part == 1, evaluation=part == 2, training=(part == 0) | (part > 2), origin="",
        self_graded=False,
    )  # fmt: skip
    (work / "data").mkdir(parents=True)
    (work / "data" / "readme.txt").write_text("no image")
    dataset = replace(dataset, root=work / "data")
    dense = kinds()[kind].dense
    bench = Bench(
        dataset, trust, work=work, workers=0, device="cpu", recipe=replace(recipe, network="unet" if dense else "small-cnn")
    )
    masks = (array[:, 0] > 130).astype(np.uint8)
    drawn = {"masks": masks, "masked": np.ones(N, bool), "mask_values": (0, 1)} if kind == "segmentation" else {}
    vars(bench)["pictures"] = Pictures(array=np.clip(array, 0, 255).astype(np.uint8), readable=np.ones(N, bool), **drawn)
    summary = DatasetSummary(name="x", layout="table", task=dataset.labels.task, classes=(), counts={}, guesses=())
    result = ScanResult(
        schema_version=1,
        tool_version="0",
        records=N,
        dataset=summary,
        outcomes=(),
        gate=Gate(verdict="passed", exit_code=0, fail_on="error"),
    )
    return Case(dataset=dataset, result=result, trust=trust, bench=bench, work=work)
