"""Reads all pictures of a dataset once, in bounded processes, into one typed array on disk. A second run decodes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.containers.array_rows import digest_of
from auditor.evidence.masks.mask_facts import PREFIX
from auditor.files import open_regular
from auditor.measuring.tasks import tasks_of
from auditor.progress import Progress, Silent
from auditor.reading.workers import run_workers
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.measurement import Measurement, Task
from trainers.decoding.decode import DECODE_VERSION, Decoded, Decoder, DecodeSetup, Plan
from trainers.decoding.mapped import mapped_array
from trainers.decoding.survey import MOST_SIDE, Survey, joined, paths_of_masks, plan_of, survey_of
from trainers.values.pictures import Pictures

MEMORY_BYTES = 2 << 30
UNKNOWN = 255
"""Class of a pixel that nobody knows, as in `trainers.losses` (which imports torch)."""


def read_pictures(
    dataset: Dataset,
    *,
    work: Path,
    more: Sequence[Dataset] = (),
    side: int | None = None,
    most: int = MOST_SIDE,
    shape: tuple[int, ...] | None = None,
    limits: Limits | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    masks: bool = False,
    memory_bytes: int = MEMORY_BYTES,
) -> Pictures:
    """All pictures of a dataset that was scanned (`auditor.stages.extract`), decoded once and kept in `work` by content.

    Three channels are kept only where any picture has unequal ones. Files of one 8-bit raster format stay as they are; in any
    other collection each picture is spread over its own 1st–99th percentile, as 16 bits where every file is deeper than 8, so
    that neither depth nor container can be read off the array. All pictures get one shape; a picture of other proportions keeps
    them, with black bars (`trainers.values.fitted`). Volumes are kept where every record has more than one frame,
    else the middle frame is taken.

    Args:
        more: collections that are decoded in the same way, of which nothing but the pictures is wanted; their rows come after
            those of `dataset`, in order.
        side: length of the longer side of the result; None: about the median of the files, at most `most` (a volume: half).
        shape: of the result, in the place of `side` and `most`: what a network wants that is there already.
        workers: processes; 0 decodes in this one, without isolation.
        masks: read the mask of each record too.
        memory_bytes: a larger array stays on disk (`np.memmap`).

    Raises:
        DatasetError: no picture can be read; masks are wanted and there are none; or volumes, and a file is none; or
            there is something else where they are kept.
    """
    sources = (dataset, *more)
    surveys = [survey_of(source) for source in sources]
    paths = paths_of_masks(dataset) if masks else None
    if paths is not None and paths.isna().all():
        raise DatasetError("no record has a mask that can be read: there is nothing to train on")
    survey = joined(surveys)
    plan = plan_of(dataset, survey, side=side, most=most, masks=masks)
    if shape is not None:
        if len(shape) == 3 and not (survey.frames > 1).all():
            raise DatasetError("the network reads volumes, and not every file here holds more than one frame")
        plan = replace(plan, shape=shape)
    key = key_of(sources, surveys, plan, paths)
    work.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder, decoded, total = work / f"pictures-{key}", 0, sum(source.size for source in sources)
    wanted: dict[str, tuple[npt.DTypeLike, list[tuple[int, ...]]]] = {
        "array": (plan.depth, [(total, channels, *plan.shape) for channels in (1, 3)]),
        "readable": (bool, [(total,)]),
        **({"masks": (np.uint8, [(total, *plan.shape)]), "masked": (bool, [(total,)])} if masks else {}),
    }
    kept = opened_all(folder, wanted, memory_bytes)
    if kept is None:
        shutil.rmtree(folder, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix="pictures-", dir=work))
        try:
            decoded = decode(
                sources, surveys, plan, draft,
                limits=limits or Limits(), workers=workers, progress=progress or Silent(), mask_paths=paths,
            )  # fmt: skip
            take_place(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        kept = opened_all(folder, wanted, memory_bytes)
        if kept is None:
            raise DatasetError(f"{folder}: the decoded pictures cannot be read back; remove that folder")
    return Pictures(
        array=kept["array"],
        readable=kept["readable"],
        masks=kept.get("masks"),
        masked=kept.get("masked"),
        mask_values=((0, 1) if plan.soft_masks else plan.mask_values) if masks else (),
        decoded=decoded,
    )


def take_place(draft: Path, folder: Path) -> None:
    """Give the finished draft its name, unless another process has made the same meanwhile."""
    try:
        draft.replace(folder)
    except OSError:
        if not (folder / "readable.npy").is_file():
            raise


def opened_all(
    folder: Path, wanted: Mapping[str, tuple[npt.DTypeLike, list[tuple[int, ...]]]], memory_bytes: int
) -> dict[str, npt.NDArray[Any]] | None:
    """The arrays in a folder by their names; None where one is not there, cut off or another: a run was killed while it tidied
    up, or somebody else was here.

    Args:
        wanted: name → type of its numbers, shapes of which it has one.
    """
    try:
        return {name: opened(folder / f"{name}.npy", *form, memory_bytes) for name, form in wanted.items()}
    except (OSError, ValueError, EOFError):
        return None


def opened(path: Path, kind: npt.DTypeLike, shapes: Sequence[tuple[int, ...]], memory_bytes: int) -> npt.NDArray[Any]:
    """The array, in memory when it fits.

    Raises:
        OSError: it is not there.
        ValueError: it is another one, or none.
    """
    with open_regular(path) as file:
        large = os.fstat(file.fileno()).st_size > memory_bytes
    # mapped first: a header of a few bytes may ask for any amount of memory
    array: npt.NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    if array.dtype != np.dtype(kind) or array.shape not in shapes:
        raise ValueError("another array")
    return array if large else np.array(array)


def key_of(sources: Sequence[Dataset], surveys: Sequence[Survey], plan: Plan, mask_paths: pd.Series | None) -> str:
    """Names the result by the content of all files, in order, and by how they are decoded."""
    digest = hashlib.blake2b(json.dumps([DECODE_VERSION, asdict(plan)], sort_keys=True).encode(), digest_size=12)
    for source, survey in zip(sources, surveys, strict=True):
        names = source.fingerprints["bytes"].fillna("") + "|" + source.records["item"].fillna("")
        digest.update("\n".join(names.where(survey.readable, "")).encode() + b"\0")
    if mask_paths is not None:
        contents = {path: mask_digest(sources[0].root / path) for path in dict.fromkeys(mask_paths.dropna())}
        digest.update("\n".join(contents.get(path, "") for path in mask_paths.fillna("")).encode())
    return digest.hexdigest()


def mask_digest(path: Path) -> str:
    """Digest of a mask's bytes; empty when it cannot be opened any more."""
    try:
        return digest_of(path)
    except UnreadableFile:
        return ""


def decode(
    sources: Sequence[Dataset],
    surveys: Sequence[Survey],
    plan: Plan,
    folder: Path,
    *,
    limits: Limits,
    workers: int,
    progress: Progress,
    mask_paths: pd.Series | None,
) -> int:
    """Decode everything into `folder`; returns how many pictures and masks were decoded."""
    total, maybe_colour = sum(source.size for source in sources), any(survey.coloured for survey in surveys)
    array = mapped_array(folder / "array.npy", plan.depth, (total, 3 if maybe_colour else 1, *plan.shape))
    classes = None
    if mask_paths is not None:
        classes = mapped_array(folder / "masks.npy", np.uint8, (total, *plan.shape))
    readable, masked, coloured, count, start = np.zeros(total, bool), np.zeros(total, bool), False, 0, 0
    progress.start("decoding pictures", sum(int(survey.readable.sum()) for survey in surveys))
    for source, survey in zip(sources, surveys, strict=True):
        setup = DecodeSetup(root=source.root, limits=limits, cache=None, plan=plan)
        tasks = [*tasks_of(replace(source, records=source.records[survey.readable]))]
        rows = {str(record): [start + i] for i, record in enumerate(source.records.index)}
        if mask_paths is not None and source is sources[0]:
            for i, path in enumerate(mask_paths.fillna("")):
                if path:
                    rows.setdefault(PREFIX + path, []).append(i)
            tasks += [Task(path=path, records=(PREFIX + path,), is_mask=True) for path in dict.fromkeys(mask_paths.dropna())]
        for answers in answers_of(tasks, setup, workers):
            for answer in answers:
                if not isinstance(answer, Decoded):
                    continue
                count += 1
                where = rows[answer.record]
                if classes is not None and answer.record.startswith(PREFIX):
                    classes[where], masked[where] = answer.array, True
                else:
                    array[where], readable[where] = answer.array, True
                    coloured |= len(answer.array) == 3
            progress.advance(len(answers))
        start += source.size
    progress.finish()
    if maybe_colour and not coloured:
        array = without_colour(array, folder)
    array.flush()
    if classes is not None:
        for row in np.flatnonzero(~masked):
            classes[row] = UNKNOWN
        classes.flush()
        np.save(folder / "masked.npy", masked)
    np.save(folder / "readable.npy", readable)
    return count


def answers_of(tasks: Sequence[Task], setup: DecodeSetup, workers: int) -> Iterable[list[Measurement]]:
    """Decode in this process or in workers."""
    if workers == 0:
        decoder: Decoder = setup.measurer()
        return (decoder.measure(task) for task in tasks)
    return run_workers(tasks, setup, workers=workers)


def without_colour(array: np.memmap, folder: Path) -> np.memmap:
    """The same file with one channel: all pictures turned out to be grey."""
    single = folder / "single.npy"
    one = mapped_array(single, array.dtype, (len(array), 1, *array.shape[2:]))
    for start in range(0, len(array), 1024):
        one[start : start + 1024] = array[start : start + 1024, :1]
    one.flush()
    single.replace(folder / "array.npy")
    return one
