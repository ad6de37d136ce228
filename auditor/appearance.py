"""How pictures look among their kind: likeness to the median picture, turned or not; ratio of sides; isolation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from auditor.check import SkipCheck
from auditor.dataset import Dataset
from auditor.features.zones import SIDE
from auditor.image_check import FEW
from auditor.predict import ENCODING, MODULES

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

COMPONENTS = 32
MOST_REFERENCES = 20_000
COMMON_SHAPE = 0.9


def zones(dataset: Dataset) -> Floats:
    """The pictures, 14 × 14, brightness and contrast taken out; shape (records, 14, 14), NaN where there are no pixels.

    Raises:
        SkipCheck: no image was read.
    """
    names = [name for name in dataset.features.columns if str(name).startswith("zones.")]
    if len(names) != SIDE * SIDE:
        raise SkipCheck("no image was read, so there are no pixels to judge")
    values = dataset.features[names].to_numpy(dtype=np.float64)
    deviation = values.std(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        plain = (values - values.mean(axis=1, keepdims=True)) / np.where(deviation > 1e-3, deviation, np.nan)
    return np.asarray(plain.reshape(-1, SIDE, SIDE))


def median_pictures(pictures: Floats, kinds: Codes) -> Floats:
    """The median picture of each record's kind, standardised; NaN where fewer than 20 of the kind have structure."""
    medians = np.full_like(pictures, np.nan)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        seen = pictures[rows][np.isfinite(pictures[rows]).all(axis=(1, 2))]
        if len(seen) < FEW:
            continue
        middle = np.median(seen, axis=0)
        middle = middle - middle.mean()
        if (deviation := float(middle.std())) > 1e-6:
            medians[rows] = middle / deviation
    return medians


def likeness(pictures: Floats, kinds: Codes) -> tuple[Floats, Floats]:
    """Correlation of each picture with the median picture of its kind, and the median of that over the kind."""
    own = np.asarray((pictures * median_pictures(pictures, kinds)).mean(axis=(1, 2)))
    alike = np.full(own.shape, np.nan)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        known = own[rows][np.isfinite(own[rows])]
        if len(known):
            alike[rows] = float(np.median(known))
    return own, alike


def best_turn(pictures: Floats, kinds: Codes) -> Floats:
    """The best correlation with the median picture over the quarter turns and mirrors that move top or side elsewhere.

    The picture as it is and its left-right mirror are left out: bodies are nearly symmetric.
    """
    medians = median_pictures(pictures, kinds)
    mirrored = pictures[:, :, ::-1]
    turned = [np.rot90(source, k, axes=(1, 2)) for source in (pictures, mirrored) for k in (1, 2, 3)]
    return np.asarray(np.max([(picture * medians).mean(axis=(1, 2)) for picture in turned], axis=0))


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
    median and quartiles, clipped, and rotated to 32 principal components; of more than 20,000 pictures every k-th is a
    neighbour.

    Raises:
        SkipCheck: fewer than 20 pictures.
    """
    names = [c for c in dataset.features.columns if str(c).split(".")[0] in MODULES and c not in ENCODING]
    values = dataset.features[names].to_numpy(dtype=np.float32) if names else np.empty((dataset.size, 0), np.float32)
    seen = np.isfinite(values).sum(axis=1) > len(names) // 2 if names else np.zeros(dataset.size, bool)
    if seen.sum() < FEW:
        raise SkipCheck("fewer than 20 images were read: too few to tell which is unlike the others")
    part = values[seen]
    part = part[:, np.isfinite(part).any(axis=0)]
    middle = np.nanmedian(part, axis=0)
    quarter = np.nanpercentile(part, (25, 75), axis=0)
    spread = np.maximum((quarter[1] - quarter[0]) / 1.349, np.nanstd(part, axis=0) / 4)
    standard = np.clip((part - middle) / np.where(spread > 1e-6, spread, np.inf), -8, 8)
    standard = np.where(np.isfinite(standard), standard, 0).astype(np.float32)
    with threadpool_limits(limits=1, user_api="blas"):
        centred = standard - standard.mean(axis=0)
        _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
        inside = (centred @ vectors[:, ::-1][:, :COMPONENTS]).astype(np.float32)
        distinct = np.unique(np.round(inside, 3), axis=0)
        references = distinct[:: max(1, -(-len(distinct) // MOST_REFERENCES))]
        count = min(neighbours + 1, len(references))
        distances, _ = NearestNeighbors(n_neighbors=count).fit(references).kneighbors(inside)
    result = np.full(dataset.size, np.nan)
    result[seen] = distances[:, -1]
    return result
