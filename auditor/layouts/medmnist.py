"""MedMNIST npz: `train_images`, `train_labels`, … (any splits), or one pair such as `images` and `labels`, `x` and `y`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.layout import Detection, Listing, Options
from auditor.naming.labels import from_states, single
from auditor.naming.names import split_name
from auditor.placement.claims import claim
from auditor.placement.records import Draft, build, no_labels
from auditor.reading.jobs import Job, run_documents, run_job, told
from auditor.tables.label_table import categorical
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.labels import Labels, Level, State
from auditor.values.results import Guess

_IMAGES = ("images", "image", "imgs", "x", "data")
_LABELS = ("labels", "label", "y", "targets", "target")


@dataclass(frozen=True, kw_only=True)
class ArrayPair:
    """Images and labels of one split: the file, the split, names of the arrays (no labels: None), number of images."""

    file: str
    split: str | None
    images: str
    labels: str | None
    count: int


def detect(listing: Listing, options: Options) -> Detection | None:
    """An npz with images and labels inside."""
    found = array_pairs(listing.root, listing.inventory.containers, options.limits, workers=options.workers)
    pairs = [pair for pair in found if pair.labels]
    items = sum(pair.count for pair in pairs)
    if not items or items < len(listing.inventory.images):
        return None
    return Detection(layout="medmnist", confidence=0.95, why=f"{items:,} images with labels inside npz")


def load(listing: Listing, options: Options) -> Dataset:
    """One record per image, named `train/12`; only the labels are read here.

    Raises:
        DatasetError: labels that do not fit the images, or no npz with images.
    """
    pairs = array_pairs(listing.root, listing.inventory.containers, options.limits, workers=options.workers)
    pairs = [pair for pair in pairs if pair.labels] or pairs
    if not pairs:
        raise DatasetError(f"{listing.target}: no npz with images and labels inside; choose another layout")
    count = sum(pair.count for pair in pairs)
    if count > options.limits.table_rows:
        raise DatasetError(
            f"{listing.target}: its arrays declare {count:,} images, more than {options.limits.table_rows:,}; "
            "raise [limits] table-rows"
        )
    ids: list[str] = []
    paths: list[str] = []
    items: list[str] = []
    splits: list[str | None] = []
    for pair in pairs:
        prefix = "" if len({p.file for p in pairs}) == 1 else f"{pair.file}/"
        part = pair.split or pair.images
        ids += [f"{prefix}{part}/{i}" for i in range(pair.count)]
        paths += [pair.file] * pair.count
        items += [f"{pair.images}:{i}" for i in range(pair.count)]
        splits += [pair.split] * pair.count
    labels = _labels(listing.root, pairs, ids, options)
    inventory = listing.inventory
    names = ", ".join(sorted({str(pair.labels) for pair in pairs if pair.labels}))
    why = "the npz holds one label per image"
    guesses = [Guess(role="label", value=names, confidence=0.95, why=why)] if labels.task != "none" else []
    if any(splits):
        guesses.append(Guess(role="split", value="array names", confidence=0.95, why="the arrays are named after splits"))
    used = {pair.file for pair in pairs}
    unused = [name for name in inventory.containers if name not in used]
    notes = [f"{len(unused):,} npz or npy files hold no images with labels: not read"] if unused else []
    if inventory.images:
        notes.append(f"{len(inventory.images):,} image files beside the npz are not read")
    return build(
        Draft(
            root=listing.root,
            name=listing.target.name,
            claims=claim(listing, "medmnist"),
            ids=ids,
            labels=labels,
            columns={"path": paths, "item": items, "split": splits},
            counts={"items": len(ids)},
            guesses=tuple(guesses),
            notes=tuple(notes),
            problems=listing.problems,
        )
    )


def array_pairs(root: Path, names: Sequence[str], limits: Limits, *, workers: int = 1) -> list[ArrayPair]:
    """Images and labels of every split of these files, in their order; none of what is no npz."""
    archives = [name for name in names if name.lower().endswith(".npz")]
    jobs = [Job(function="auditor.placement.npz_labels:shapes", arguments=(root / name,)) for name in archives]
    found: list[ArrayPair] = []
    for name, answer in zip(archives, run_documents(jobs, limits, workers=workers), strict=True):
        try:
            found += _pairs(name, answer.value)
        except UnreadableFile:
            continue
    return found


def _pairs(name: str, shapes: Mapping[str, tuple[int, ...]]) -> list[ArrayPair]:
    pairs: list[ArrayPair] = []
    for array, shape in shapes.items():
        prefix, kind = _prefix(array, _IMAGES)
        if kind is None or len(shape) < 3 or not shape[0]:
            continue
        partner = next(
            (other for other in shapes if _prefix(other, _LABELS) == (prefix, "labels") and shapes[other][:1] == shape[:1]),
            None,
        )
        split = split_name(prefix) if prefix else None
        pairs.append(ArrayPair(file=name, split=split or prefix or None, images=array, labels=partner, count=shape[0]))
    return pairs


def _prefix(array: str, endings: Sequence[str]) -> tuple[str, str | None]:
    """`train_images` → (`train`, `labels` or `images`); no known ending → None."""
    kind = "labels" if endings is _LABELS else "images"
    lower = array.lower()
    for ending in endings:
        if lower == ending:
            return "", kind
        for joined in (f"_{ending}", f"-{ending}"):
            if lower.endswith(joined):
                return lower.removesuffix(joined), kind
        if lower.startswith(f"{ending}_"):
            return lower.removeprefix(f"{ending}_"), kind
    return lower, None


def _read(path: Path, member: str, options: Options) -> npt.NDArray[np.generic]:
    try:
        array: npt.NDArray[np.generic] = run_job(
            "auditor.placement.npz_labels:labels", path, member, limits=options.limits, workers=options.workers
        )
    except UnreadableFile as error:
        raise DatasetError(f"{path}: the labels `{member}` cannot be read ({told(error)})") from None
    return array


def _labels(root: Path, pairs: Sequence[ArrayPair], ids: Sequence[str], options: Options) -> Labels:
    if not all(pair.labels for pair in pairs):
        return no_labels(ids)
    arrays = [_read(root / pair.file, str(pair.labels), options) for pair in pairs]
    index = pd.Index(list(ids), name="record", dtype="str")
    level: Level = "image"
    origin = ", ".join(sorted({str(pair.labels) for pair in pairs}))
    widths = {array.shape[1] if array.ndim == 2 else 1 for array in arrays if array.ndim <= 2}
    if any(array.ndim > 2 for array in arrays) or len(widths) != 1:
        return no_labels(ids)
    if widths != {1}:
        states = np.concatenate(arrays).astype(np.int64)
        table = np.where(states > 0, State.POSITIVE, np.where(states < 0, State.UNCERTAIN, State.NEGATIVE)).astype(np.int8)
        return from_states(table, [str(i) for i in range(table.shape[1])], index, level=level, origin=origin)
    flat = np.concatenate([array.reshape(-1) for array in arrays])
    if flat.dtype.kind == "f" and (flat == np.round(flat)).all():
        flat = flat.astype(np.int64)
    values = categorical(flat.astype(str).tolist())
    return single(values, index, level=level, origin=origin, ordinal=options.task == "ordinal")
