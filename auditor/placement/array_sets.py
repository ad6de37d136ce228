"""Arrays of many images with their labels (npz, HDF5): which belong together, and the dataset that they are."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.labels import from_states, single
from auditor.naming.names import split_name
from auditor.placement.array_tables import rows_beside
from auditor.placement.claims import claim
from auditor.placement.listing import Listing, Options
from auditor.placement.records import Draft, build, no_labels
from auditor.reading.jobs import Job, run_documents, run_job, told
from auditor.tables.label_table import categorical
from auditor.values.dataset import Dataset, Problem
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.labels import Labels, Level, State
from auditor.values.results import Guess

_IMAGES = ("images", "image", "imgs", "img", "x", "data")
MOST_LABELS = 1000
"""An array of more numbers per image is no labels but images."""
_LABELS = ("labels", "label", "y", "targets", "target")


@dataclass(frozen=True, kw_only=True)
class ArrayPair:
    """Images and labels of one split: the file, the split, names of the arrays (no labels: None), number of images.

    `labels_file` is the file that holds the labels: mostly the same.
    """

    file: str
    split: str | None
    images: str
    labels: str | None
    count: int
    labels_file: str = ""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of files of arrays: its layout, how it is called, its suffixes, and the module that reads it in the workers."""

    layout: str
    word: str
    suffixes: tuple[str, ...]
    module: str


NPZ = Kind(layout="medmnist", word="npz", suffixes=(".npz",), module="auditor.placement.npz_labels")
HDF5 = Kind(layout="hdf5", word="HDF5 file", suffixes=(".h5", ".hdf5"), module="auditor.placement.hdf5_labels")


def arrays_dataset(listing: Listing, options: Options, kind: Kind) -> Dataset:
    """One record per image, named `train/12`; only the labels are read here.

    Raises:
        DatasetError: labels that do not fit the images, or no file with images.
    """
    pairs = array_pairs(listing.root, listing.inventory.containers, options.limits, kind=kind, workers=options.workers)
    alone = [pair for pair in pairs if not pair.labels]
    pairs = [pair for pair in pairs if pair.labels] or pairs
    if not pairs:
        raise DatasetError(f"{listing.target}: no {kind.word} with images and labels inside; choose another layout")
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
    labels = _labels(listing.root, pairs, ids, options, kind)
    inventory = listing.inventory
    names = ", ".join(sorted({str(pair.labels) for pair in pairs if pair.labels}))
    why = f"the {kind.word} holds one label per image"
    guesses = [Guess(role="label", value=names, confidence=0.95, why=why)] if labels.task != "none" else []
    if any(splits):
        guesses.append(
            Guess(role="split", value="array names", confidence=0.95, why="the arrays or their files are named after splits")
        )
    used = {pair.file for pair in pairs} | {pair.labels_file for pair in pairs}
    unused = [name for name in inventory.containers if name not in used]
    notes = [f"{len(unused):,} files of arrays hold no images with labels: not read"] if unused else []
    problems = [
        Problem(kind="unread", path=pair.file, reason=f"{pair.count:,} images without as many labels: not read")
        for pair in alone
        if pair not in pairs
    ]
    problems += [
        Problem(kind="unlisted", path=path, reason=f"an image beside the {kind.word}: not read") for path in inventory.images
    ]
    if inventory.images:
        notes.append(f"{len(inventory.images):,} image files beside the {kind.word} are not read")
    said = None if labels.task == "none" or labels.values.ndim != 1 else labels.values.astype(object).tolist()
    beside = rows_beside(listing, options, [(pair.file, pair.count) for pair in pairs], said)
    return build(
        Draft(
            root=listing.root,
            name=listing.target.name,
            claims=claim(
                listing,
                kind.layout,
                tables=beside.tables,
                left_out=[t for t in options.own_tables if t in listing.files] or None,
            ),
            ids=ids,
            labels=labels,
            columns={
                **beside.columns,
                "path": paths,
                "item": items,
                "split": splits if any(splits) else beside.columns.get("split", splits),
            },
            metadata=beside.metadata,
            fields=beside.fields,
            counts={"items": len(ids), **beside.counts},
            guesses=(*guesses, *beside.guesses),
            notes=(*notes, *beside.notes),
            problems=(*listing.problems, *problems, *beside.problems),
        )
    )


def array_pairs(root: Path, names: Sequence[str], limits: Limits, *, kind: Kind = NPZ, workers: int = 1) -> list[ArrayPair]:
    """Images and labels of every split of these files, in their order; none of what is no file of the kind."""
    shapes = shapes_of(root, names, limits, kind=kind, workers=workers)
    pairs = [pair for name, inside in shapes.items() for pair in _pairs(name, inside)]
    return _with_splits_of_files([pair if pair.labels else _with_labels_beside(pair, shapes) for pair in pairs])


def shapes_of(
    root: Path, names: Sequence[str], limits: Limits, *, kind: Kind, workers: int = 1
) -> dict[str, Mapping[str, tuple[int, ...]]]:
    """File of the kind → its arrays and their shapes; without files that cannot be read."""
    archives = [name for name in names if name.lower().endswith(kind.suffixes)]
    jobs = [Job(function=f"{kind.module}:shapes", arguments=(root / name,)) for name in archives]
    shapes: dict[str, Mapping[str, tuple[int, ...]]] = {}
    for name, answer in zip(archives, run_documents(jobs, limits, workers=workers), strict=True):
        try:
            shapes[name] = answer.value
        except UnreadableFile:
            continue
    return shapes


def _with_labels_beside(pair: ArrayPair, shapes: Mapping[str, Mapping[str, tuple[int, ...]]]) -> ArrayPair:
    """Labels in the file that is called as that of the images but for its last word (`train_x.h5`, `train_y.h5`)."""
    stem = pair.file.rsplit(".", 1)[0]
    prefix, kind = _prefix(stem.rpartition("/")[2], _IMAGES)
    if kind is None:
        return pair
    folder = stem.rpartition("/")[0]
    for name, inside in shapes.items():
        other = name.rsplit(".", 1)[0]
        if other.rpartition("/")[0] != folder or _prefix(other.rpartition("/")[2], _LABELS) != (prefix, "labels"):
            continue
        labels = [array for array, shape in inside.items() if shape[:1] == (pair.count,) and math.prod(shape[1:]) < MOST_LABELS]
        if len(labels) == 1:
            split = pair.split or next(filter(None, map(split_name, reversed(re.split(r"[^a-z]+", prefix)))), None)
            return replace(pair, labels=labels[0], labels_file=name, split=split)
    return pair


def _with_splits_of_files(pairs: Sequence[ArrayPair]) -> list[ArrayPair]:
    """Pairs whose arrays say no split have that of their file or folder (`set_train.h5`, `train/data.h5`), where all say one
    and not all the same.
    """
    said = [pair.split or _split_in(pair.file) for pair in pairs]
    if None in said or len(set(said)) < 2 or all(pair.split for pair in pairs):
        return list(pairs)
    return [replace(pair, split=split) for pair, split in zip(pairs, said, strict=True)]


def _split_in(path: str) -> str | None:
    """The one split that the name of a file says, else that of its nearest folder which says one."""
    for part in reversed(path.rsplit(".", 1)[0].split("/")):
        words = {split for word in re.split(r"[^a-z]+", part.lower()) if (split := split_name(word)) is not None}
        if words:
            return words.pop() if len(words) == 1 else None
    return None


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
        beside, named = name if partner else "", split or prefix or None
        pairs.append(ArrayPair(file=name, split=named, images=array, labels=partner, count=shape[0], labels_file=beside))
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


def _read(path: Path, member: str, options: Options, kind: Kind) -> npt.NDArray[np.generic]:
    try:
        array: npt.NDArray[np.generic] = run_job(
            f"{kind.module}:labels", path, member, limits=options.limits, workers=options.workers
        )
    except UnreadableFile as error:
        raise DatasetError(f"{path}: the labels `{member}` cannot be read ({told(error)})") from None
    return array


def _labels(root: Path, pairs: Sequence[ArrayPair], ids: Sequence[str], options: Options, kind: Kind) -> Labels:
    if not all(pair.labels for pair in pairs):
        return no_labels(ids)
    arrays = [_read(root / pair.labels_file, str(pair.labels), options, kind) for pair in pairs]
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
