"""How pictures look among their kind: likeness to the median picture, turned or not; ratio of sides; isolation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from auditor.check import SkipCheck
from auditor.evidence.quality.image_check import FEW
from auditor.features.zones import SIDE
from auditor.prediction.predict import ENCODING, MODULES
from auditor.values.dataset import Dataset

Floats = npt.NDArray[np.float64]
Pictures = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]

COMPONENTS = 32
CHUNK = 1_000
AT_ONCE = 100
MOST_REFERENCES = 10_000
COMMON_SHAPE = 0.9
MOST_ASKED = 5_000


def zones(dataset: Dataset) -> Pictures:
    """The pictures, 14 × 14, brightness and contrast taken out; shape (records, 14, 14), NaN where there are no pixels.

    Raises:
        SkipCheck: no image was read.
    """
    names = [name for name in dataset.features.columns if str(name).startswith("zones.")]
    if len(names) != SIDE * SIDE:
        raise SkipCheck("no image was read, so there are no pixels to judge")
    values = dataset.features[names].to_numpy(dtype=np.float32)
    deviation = values.std(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        plain = (values - values.mean(axis=1, keepdims=True)) / np.where(deviation > 1e-3, deviation, np.nan)
    return np.asarray(plain.reshape(-1, SIDE, SIDE))


def median_pictures(pictures: Pictures, kinds: Codes) -> Mapping[int, Pictures]:
    """Kind → its median picture (14 × 14), standardised; only kinds of which 20 have structure. At most 5,000 are asked."""
    medians: dict[int, Pictures] = {}
    for kind in np.unique(kinds).tolist():
        rows = np.flatnonzero(kinds == kind)
        rows = rows[:: max(1, -(-len(rows) // MOST_ASKED))]
        seen = pictures[rows][np.isfinite(pictures[rows]).all(axis=(1, 2))]
        if len(seen) < FEW:
            continue
        middle = np.median(seen, axis=0)
        middle = middle - middle.mean()
        if (deviation := float(middle.std())) > 1e-6:
            medians[kind] = (middle / deviation).astype(np.float32)
    return medians


def likeness(pictures: Pictures, kinds: Codes) -> tuple[Floats, Floats]:
    """Correlation of each picture with the median picture of its kind, and what five of six of the kind reach.

    Not the median: where a tenth of the pictures naturally lie another way, a turned one cannot be told from those.
    """
    own, alike = np.full(len(pictures), np.nan), np.full(len(pictures), np.nan)
    for kind, middle in median_pictures(pictures, kinds).items():
        rows = np.flatnonzero(kinds == kind)
        own[rows] = _correlations(pictures[rows], middle)
        known = own[rows][np.isfinite(own[rows])]
        if len(known):
            alike[rows] = float(np.percentile(known, 100 / 6))
    return own, alike


def best_turn(pictures: Pictures, kinds: Codes) -> Floats:
    """The best correlation with the median picture over the quarter turns and mirrors that move top or side elsewhere.

    The picture as it is and its left-right mirror are left out: bodies are nearly symmetric.
    """
    best = np.full(len(pictures), np.nan)
    for kind, middle in median_pictures(pictures, kinds).items():
        rows = np.flatnonzero(kinds == kind)
        part = pictures[rows]
        # Turning the median back is the same as turning every picture, and cheaper.
        turned = [np.rot90(source, -k) for source in (middle, middle[:, ::-1]) for k in (1, 2, 3)]
        best[rows] = np.max([_correlations(part, other) for other in turned], axis=0)
    return best


def _correlations(pictures: Pictures, middle: Pictures) -> Floats:
    return np.asarray(pictures.reshape(len(pictures), -1) @ middle.ravel() / middle.size, dtype=np.float64)


def aspects(dataset: Dataset, kinds: Codes) -> tuple[Floats, Floats]:
    """Width over height, and the ratio that nine tenths of the kind have (within 2 %); NaN where there is none."""
    n = dataset.size
    if not {"container.width", "container.height"} <= set(dataset.metadata.columns):
        return np.full(n, np.nan), np.full(n, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        width, height = (dataset.metadata[f"container.{name}"].to_numpy(dtype=np.float64) for name in ("width", "height"))
        ratio = np.asarray(width / height)
    common = np.full(n, np.nan)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        known = ratio[rows][np.isfinite(ratio[rows])]
        if len(known) < FEW:
            continue
        middle = float(np.median(known))
        if (np.abs(known / middle - 1) <= 0.02).mean() >= COMMON_SHAPE:
            common[rows] = middle
    return ratio, common


def isolation(dataset: Dataset, *, neighbours: int) -> Floats:
    """Distance of each record to its nth nearest other picture in the probe's feature space; NaN without pixels.

    Copies of one picture are one: the neighbours are looked for among distinct pictures. Features are standardised by
    median and quartiles, clipped, and rotated to 32 principal components; of more than 10,000 pictures every k-th is a
    neighbour.

    Raises:
        SkipCheck: fewer than 20 pictures.
    """
    names = [c for c in dataset.features.columns if str(c).split(".")[0] in MODULES and c not in ENCODING]
    where = dataset.features.columns.get_indexer(pd.Index(names))
    table = dataset.features.to_numpy(dtype=np.float32, copy=False)
    # A picture without pixels has no feature at all; single gaps (colours of grey pictures) are filled below.
    seen = np.flatnonzero(np.isfinite(table[:, where[-1]])) if len(names) else np.empty(0, np.int64)
    if len(seen) < FEW:
        raise SkipCheck("fewer than 20 images were read: too few to tell which is unlike the others")
    kept = seen[:: max(1, -(-len(seen) // MOST_REFERENCES))]
    where = where[[bool(np.isfinite(table[kept, column]).any()) for column in where]]
    base = table[kept][:, where]
    whole = not np.isnan(base).any()  # the same numbers, all columns at once
    middle = (np.median if whole else np.nanmedian)(base, axis=0)
    quarter = (np.percentile if whole else np.nanpercentile)(base, (25, 75), axis=0)
    spread = np.maximum((quarter[1] - quarter[0]) / 1.349, np.nanstd(base, axis=0) / 4)
    scale = np.where(spread > 1e-6, 1 / np.where(spread > 1e-6, spread, 1), 0)

    def standard(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(np.nan_to_num(np.clip((rows - middle) * scale, -8, 8)), dtype=np.float32)

    result = np.full(dataset.size, np.nan)
    with threadpool_limits(limits=1, user_api="blas"):
        plain = np.empty_like(base)
        for start in range(0, len(base), CHUNK):  # in parts: it passes through numbers of 64 bits
            plain[start : start + CHUNK] = standard(base[start : start + CHUNK])
        centre = plain.mean(axis=0)
        _, vectors = np.linalg.eigh(((plain - centre).T @ (plain - centre)).astype(np.float64))
        rotation = vectors[:, ::-1][:, :COMPONENTS].astype(np.float32)
        references = np.unique(np.round((plain - centre) @ rotation, 3), axis=0)
        for start in range(0, len(seen), CHUNK):
            rows = seen[start : start + CHUNK]
            asked = (standard(table[rows][:, where]) - centre) @ rotation
            result[rows] = nth_distances(asked, references, min(neighbours + 1, len(references)))
    return result


def nth_distances(asked: Pictures, references: Pictures, nth: int) -> Floats:
    """Distance of each row to its nth nearest reference; arrays of shape (rows, components) and (references, components)."""
    squares = (references.astype(np.float64) ** 2).sum(axis=1)
    near = asked.astype(np.float64) @ references.T.astype(np.float64)
    # of |a|² − 2ab + |b|² the first part is the same for all references of a row
    near *= -2
    near += squares
    place = np.empty(len(near), np.int64)
    for start in range(0, len(near), AT_ONCE):  # the places of all that are nearer are as large as the distances
        place[start : start + AT_ONCE] = np.argpartition(near[start : start + AT_ONCE], nth - 1, axis=1)[:, nth - 1]
    return np.asarray(np.linalg.norm(asked.astype(np.float64) - references[place], axis=1))
