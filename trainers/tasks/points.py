"""points: where objects are, one mark each; learnt as a dense regression (Debeir & Decaestecker 2019).

For every pixel a network says the way to the nearest mark (x, y), how far that mark is from its own nearest neighbour (d), and
whether a mark is near (p). Read backwards, every pixel votes for the place it points to; places with many votes are marks, and
of two that are nearer to each other than d allows only the stronger stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.values.corrections import Correction
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError
from trainers.metrics.panel import Metric, Panel, patient_sums, ratio
from trainers.values.fitted import into_frame, out_of_frame
from trainers.values.pictures import Floats, Pictures, Rows
from trainers.values.task import Array, Bools, Doubles, LearningTask, Movement

if TYPE_CHECKING:
    from torch import Tensor, nn

REACH = 0.06
"""A mark is near within this share of the longer side (two pixels at least): so far pixels point to it, and so far from the
truth a mark may lie and still be that mark."""
LEAST_SCORE = 0.4
"""Of the votes that a mark can get, so many make one."""
SMOOTHING = 1.0
"""Votes are blurred by so many pixels: they do not all meet in one."""
NOWHERE = -1e6
"""Coordinate of the rows that fill up a list of marks."""
METRICS = (
    Metric(name="detection_f1", title="F1 of detection"),
    Metric(name="detection_recall", title="Marks found"),
    Metric(name="detection_precision", title="Findings that are marks"),
)


def point_loss() -> nn.Module:
    """Cross-entropy of p, and smooth L1 of the way and of d where a mark is near.

    Targets are marks (b, n, 2) in pixels, rows of infinity fill up; they are drawn as maps here, so that a deformation moves
    numbers and not pictures of them.
    """
    from torch.nn import functional

    from trainers.losses import Loss, weighted_mean

    class PointLoss(Loss):
        def forward(self, logits: Tensor, targets: Tensor, weights: Tensor, index: Tensor) -> Tensor:  # noqa: ARG002
            way, apart, near = maps_of(targets, logits.shape[2:])
            entropy = functional.binary_cross_entropy_with_logits(logits[:, 3], near, reduction="none").mean((1, 2))
            wrong = functional.smooth_l1_loss(logits[:, :2], way, reduction="none").sum(1)
            wrong = wrong + functional.smooth_l1_loss(logits[:, 2], apart, reduction="none")
            there = near.sum((1, 2))
            return weighted_mean(entropy + (wrong * near).sum((1, 2)) / there.clamp(min=1), weights)

    return PointLoss()


class Points(LearningTask):
    """Targets are marks (m, n, 2), row and column in pixels of the picture, infinity fills up, all NaN = nobody looked.

    Predictions are the four maps (m, 4, height, width): way down and right in units of the reach, d as a share of the longer
    side, p as a probability.
    """

    kind: ClassVar[str] = "points"
    words: ClassVar[str] = "where objects are: a mark for each"
    rank: ClassVar[int] = 2
    dense: ClassVar[bool] = True
    told_as: ClassVar[Literal["columns", "objects", "masks"]] = "objects"
    probabilistic: ClassVar[bool] = False
    truth_type: ClassVar[type[np.generic]] = np.float64

    @classmethod
    def claims(cls, dataset: Dataset) -> bool:
        """There are marks or boxes, and neither labels nor masks."""
        return dataset.labels.task == "none" and not dataset.has("mask") and bool(cls.labelled(dataset).any())

    @classmethod
    def set_by(cls, dataset: Dataset, pictures: Pictures, rows: Rows | None = None) -> Self:  # noqa: ARG003
        """All marks are of one kind of object."""
        if len(pictures.shape) != 2:
            raise DatasetError("marks are learnt in pictures, and these are volumes")
        return cls(classes=(), channels=pictures.channels, shape=pictures.shape)

    @classmethod
    def labelled(cls, dataset: Dataset) -> Bools:
        """Somebody looked for objects, and the size of the picture is known."""
        looked = dataset.records.index.isin(marks_of(dataset)["record"])
        return np.asarray(looked & np.isfinite(sizes_of(dataset)).all(axis=1))

    @property
    def outputs(self) -> int:
        """x, y, d, p."""
        return 4

    @property
    def losses(self) -> Mapping[str, Callable[..., nn.Module]]:
        """The regression."""
        return {"points": point_loss}

    def targets(self, dataset: Dataset, corrections: Sequence[Correction] = ()) -> Floats:  # noqa: ARG002
        """The marks, in the pixels of the pictures that are learnt from."""
        marks = marks_of(dataset)
        marks = marks[marks["record"].isin(dataset.records.index[self.labelled(dataset)])]
        where = dataset.records.index.get_indexer(pd.Index(marks["record"]))
        places = into_frame(marks[["y", "x"]].to_numpy(np.float64), sizes_of(dataset)[where], self.shape)
        there = np.isfinite(places).all(axis=1)
        number = marks[there].groupby("record").cumcount().to_numpy()
        found = np.full((dataset.size, int(number.max(initial=0)) + 1, 2), np.nan, np.float32)
        found[where] = np.inf
        found[where[there], number] = places[there]
        return found

    def truth(self, dataset: Dataset, pictures: Pictures, rows: Bools) -> Array:  # noqa: ARG002
        """Marks (records, n, 2), `NOWHERE` fills up, NaN = nobody looked."""
        marks = self.targets(dataset)[rows]
        return np.where(np.isinf(marks), NOWHERE, marks)

    def known(self, targets: Floats) -> Bools:
        """Somebody looked."""
        return np.asarray(~np.isnan(targets).reshape(len(targets), -1).all(axis=1))

    def moved(self, learnt: Tensor, by: Movement) -> Tensor:
        """Marks move with their pictures."""
        import torch

        gone = torch.isinf(learnt)
        return torch.where(gone, learnt, by.points(learnt.masked_fill(gone, torch.nan)))

    def said(self, logits: Tensor) -> Tensor:
        """The four maps."""
        import torch

        return torch.cat([logits[:, :3], logits[:, 3:].sigmoid()], 1)

    def soft_targets(self, predictions: Floats) -> Floats:
        """The marks that are read off the maps."""
        found = self.read(predictions)[..., :2].astype(np.float32)
        return np.where(found == np.float32(NOWHERE), np.float32(np.inf), found)

    def score(self, predictions: Floats, truth: Array) -> float:
        """F1 of detection over all pictures."""
        hits = self._hits(np.where(np.isinf(truth), NOWHERE, truth), self.read(predictions))
        found, marks, right = hits.T.sum(axis=1)
        return float(2 * right / (found + marks)) if found + marks else 1.0

    def objects(self, predictions: Floats, dataset: Dataset, rows: Rows) -> pd.DataFrame:
        """`record`, `x`, `y` in pixels of the file, `score`."""
        found = self.read(predictions)
        sizes = sizes_of(dataset)[rows]
        which, number = np.nonzero(found[..., 0] > NOWHERE / 2)
        places = out_of_frame(found[which, number, :2], sizes[which], self.shape)
        return pd.DataFrame({
            "record": dataset.records.index[rows[which]].astype(str),
            "x": places[:, 1].round(2),
            "y": places[:, 0].round(2),
            "score": found[which, number, 2].round(4),
        })  # fmt: skip

    def read(self, maps: Array) -> Doubles:
        """Marks off the four maps (m, 4, height, width) → (m, n, 3): row, column, score 0–1; rows of `NOWHERE` fill up."""
        each = [marks_in(one.astype(np.float64)) for one in maps]
        found = np.full((len(maps), max([1, *map(len, each)]), 3), NOWHERE)
        for i, marks in enumerate(each):
            found[i, : len(marks)] = marks
        return found

    def prepared(self, prediction: Array, truth: Array) -> Array:  # noqa: ARG002
        """Marks (records, n, 3) as `read` gives them."""
        if prediction.ndim == 3 and prediction.shape[2] == 3:
            return prediction.astype(np.float64)
        if prediction.ndim != 4 or prediction.shape[1] != self.outputs:
            raise ValueError("predictions of marks are four maps per record")
        return self.read(prediction)

    def judged(self, truth: Array) -> Bools:
        """Somebody looked."""
        return np.asarray(~np.isnan(truth.astype(np.float64)).reshape(len(truth), -1).all(axis=1))

    def metrics(self, truth: Array) -> tuple[Metric, ...]:  # noqa: ARG002
        """F1 first."""
        return METRICS

    def panel(self, truth: Array, prediction: Array, index: Rows, patients: int) -> Panel:
        """Nothing per class."""
        hits = self._hits(truth.astype(np.float64), prediction.astype(np.float64))
        sums = patient_sums(index, tuple(hits.T), patients)

        def read(sums: Doubles, _: Doubles) -> tuple[Doubles, Doubles]:
            found, marks, right = sums.T
            values = [ratio(2 * right, found + marks), ratio(right, marks), ratio(right, found)]
            return np.column_stack(values), np.empty((len(sums), 0))

        return Panel(sums=sums, read=read)

    def trivial(self, truth: Array, generator: np.random.Generator) -> dict[str, Array]:
        """A lattice of marks, and as many anywhere as there are on average."""
        n, (height, width) = len(truth), self.shape
        usual = max(1, round(float((truth[..., 0].astype(np.float64) > NOWHERE / 2).sum()) / max(1, n)))
        anywhere = generator.random((n, usual, 3)) * np.array([height, width, 1])
        rows, columns = (np.arange(1.0, side, max(2.0, 2 * self.reach)) for side in self.shape)
        lattice = np.stack([*np.meshgrid(rows, columns, indexing="ij"), np.ones((len(rows), len(columns)))], -1).reshape(-1, 3)
        return {"marks anywhere": anywhere, "a lattice of marks": np.tile(lattice, (n, 1, 1))}

    def absent(self, truth: Array) -> tuple[str, ...]:  # noqa: ARG002
        """There are no classes."""
        return ()

    @property
    def reach(self) -> float:
        """In pixels."""
        return reach_of(self.shape)

    def _hits(self, truth: Doubles, found: Doubles) -> Doubles:
        """Per record: findings, marks, and pairs of both within the reach, each used once; (records, 3)."""
        from scipy.optimize import linear_sum_assignment  # every run asks tasks for their words, few for this

        counts = np.zeros((len(truth), 3))
        for i, (marks, said) in enumerate(zip(truth, found, strict=True)):
            a, b = marks[marks[:, 0] > NOWHERE / 2], said[said[:, 0] > NOWHERE / 2, :2]
            apart = np.linalg.norm(a[:, None] - b[None], axis=-1)
            one, other = linear_sum_assignment(np.minimum(apart, 2 * self.reach))
            counts[i] = len(b), len(a), (apart[one, other] <= self.reach).sum()
        return counts


def reach_of(shape: Sequence[int]) -> float:
    """How far is near, in pixels of pictures of this shape."""
    return max(2.0, REACH * max(shape))


def maps_of(marks: Tensor, shape: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
    """Marks (b, n, 2), filled up with infinity → way (b, 2, *shape) in units of the reach, d and nearness (b, *shape)."""
    import torch

    reach, longest = reach_of(shape), max(shape)
    marks = marks.masked_fill(~torch.isfinite(marks), -10.0 * longest)
    axes = [torch.arange(side, device=marks.device, dtype=marks.dtype) for side in shape]
    places = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).flatten(0, -2)
    distance, nearest = torch.cdist(places.expand(len(marks), -1, -1), marks).min(2)
    goal = marks.gather(1, nearest[..., None].expand(-1, -1, 2))
    between = torch.cdist(marks, marks) + torch.eye(marks.shape[1], device=marks.device) * 1e9
    own = (between.amin(2) / longest).clamp(max=1).gather(1, nearest)
    size = (len(marks), *shape)
    way = ((goal - places) / reach).movedim(2, 1).reshape(len(marks), 2, *shape)
    return way, own.reshape(size), (distance <= reach).to(marks.dtype).reshape(size)


def marks_in(maps: Doubles) -> Doubles:
    """Four maps (4, height, width) → marks (n, 3): row, column, score; the strongest first."""
    from scipy.ndimage import gaussian_filter, maximum_filter

    shape = maps.shape[1:]
    reach, p = reach_of(shape), np.where(maps[3] > 0.5, maps[3], 0.0)
    grid = np.stack(np.meshgrid(*(np.arange(side) for side in shape), indexing="ij"))
    goal = np.clip(np.rint(grid + maps[:2] * reach), 0, np.array(shape)[:, None, None] - 1).astype(np.int64)
    votes = np.zeros(shape)
    np.add.at(votes, (goal[0], goal[1]), p)
    blurred = gaussian_filter(votes, SMOOTHING, mode="constant")
    # what all pixels within reach of a mark amount to when they agree to within the blur
    most = np.pi * reach**2 / (4 * np.pi * SMOOTHING**2)
    tops = np.argwhere((blurred == maximum_filter(blurred, size=3)) & (blurred > LEAST_SCORE * most))
    order = np.argsort(-blurred[tops[:, 0], tops[:, 1]], kind="stable")
    kept: list[npt.NDArray[np.int64]] = []
    for top in tops[order]:
        apart = max(1.5, min(reach, maps[2, top[0], top[1]] * max(shape) / 2))
        if all(np.hypot(*(top - other)) >= apart for other in kept):
            kept.append(top)
    return np.array([[*top, min(1.0, blurred[tuple(top)] / most)] for top in kept], np.float64).reshape(-1, 3)


def marks_of(dataset: Dataset) -> pd.DataFrame:
    """`record`, `x`, `y` in pixels of the file, one row per mark or centre of a box; NaN where somebody looked and saw nothing.

    Of several raters it is the one who read most records, so that no object is marked twice.
    """
    if len(dataset.points):
        marks = dataset.points
    elif len(dataset.boxes):
        marks = dataset.boxes.assign(
            x=(dataset.boxes["x0"] + dataset.boxes["x1"]) / 2, y=(dataset.boxes["y0"] + dataset.boxes["y1"]) / 2
        )
    else:
        return pd.DataFrame({"record": pd.Series(dtype=str), "x": pd.Series(dtype=float), "y": pd.Series(dtype=float)})
    if "rater" in marks.columns and marks["rater"].nunique() > 1:
        read = marks.groupby("rater")["record"].nunique()
        marks = marks[marks["rater"] == sorted(read.index[read == read.max()])[0]]
    return marks[["record", "x", "y"]].reset_index(drop=True)


def sizes_of(dataset: Dataset) -> Doubles:
    """Height and width of every file in pixels, (records, 2); NaN where they are not known."""
    sides = [pd.to_numeric(dataset.metadata[name], errors="coerce") if name in dataset.metadata else np.nan for name in
             ("container.height", "container.width")]  # fmt: skip
    return np.column_stack([np.broadcast_to(np.asarray(side, np.float64), dataset.size) for side in sides])
