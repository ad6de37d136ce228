"""A worse copy: the dataset opened, made worse step by step, written whole or not at all beside the truth, opened again."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.degrade.flaws import Truth, write_truth
from auditor.evidence.privacy.withhold import Withholding, withheld_names
from auditor.plan import Plan
from auditor.progress import Progress
from auditor.stage import gather
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError
from trainers.copying.place import built, check_place
from trainers.degrading.draft import Draft, draft_of
from trainers.degrading.labels import flip_labels, mix
from trainers.degrading.masks import worsen_masks
from trainers.degrading.objects import worsen_boxes
from trainers.degrading.pictures import add_near_copies, store_by_class
from trainers.degrading.points import worsen_points
from trainers.degrading.raters import worsen_readings
from trainers.degrading.wish import Wish, option

DATASET, TRUTH = "dataset", "truth.csv"
"""What lies in the folder that was named."""


@dataclass(frozen=True, kw_only=True)
class Degraded:
    """What was made.

    Args:
        dataset: what to scan: the worse copy, or the table or npz in it.
        truth: the table of what was done to which record, outside of it.
        done: kind of change → how many.
        severity: mean F1 of the pixels of the masks (of the area of the boxes) against the original, 0–1; None where no object
            was touched.
        notes: what to know.
    """

    dataset: Path
    truth: Path
    done: Mapping[str, int]
    severity: float | None
    notes: tuple[str, ...]


def degrade(target: Path, wish: Wish, plan: Plan, output: Path, *, progress: Progress) -> Degraded:
    """Write `output/dataset`, the dataset in its own form and worse, and `output/truth.csv`.

    Args:
        target: a folder, a label table or an npz; only read.
        wish: what is to be done; several are done together.
        plan: how it is read.
        output: a new folder.

    Raises:
        ConfigError: the place is taken, nothing is asked for, or the dataset lacks what is to be made worse.
        DatasetError: the dataset cannot be opened.
        MedauditError: the folder cannot be written.
    """
    if not wish.asked:
        raise ConfigError("nothing to do: name at least one kind of harm, for example --missing .5 or --label-flips .2")
    if output.exists() or output.is_symlink():
        raise ConfigError(f"--output {output}: is there already; name a new folder")
    flips = wish.label_flips
    asked = {"metadata", "rows", *(["predictions"] if flips is not None and flips.kind == "instance" else [])}
    dataset = gather(replace(plan, target=target, progress=progress), asked=asked).dataset
    check_place(output, (target, dataset.root))
    with tempfile.TemporaryDirectory(prefix="medaudit-") as work, built(output) as folder:
        draft = draft_of(dataset, target, wish, plan, Path(work))
        for step in steps(dataset, wish):
            step(draft)
        home = folder / DATASET
        draft.write(home)
        named = home / target.name if target.is_file() else home
        severity = sum(draft.scores) / len(draft.scores) if draft.scores else None
        rows = final_rows(draft, severity)
        write_truth(folder / TRUTH, shown_rows(rows, replace(plan, target=named, crosswalk=None)))
    return Degraded(
        dataset=output / DATASET / target.name if target.is_file() else output / DATASET,
        truth=output / TRUTH,
        done=Counter(row.kind for row in draft.truth),
        severity=severity,
        notes=tuple(draft.notes),
    )


def steps(dataset: Dataset, wish: Wish) -> list[Callable[[Draft], None]]:
    """What is done, in an order in which no step undoes another.

    Raises:
        ConfigError: the dataset has nothing of what is to be made worse.
    """
    found: list[Callable[[Draft], None]] = []
    on_boxes = len(dataset.boxes) > 0 and wish.label_flips is not None and dataset.labels.task == "none"
    has_masks = dataset.has("mask")
    if wish.of_objects and has_masks:
        found.append(worsen_masks)
    elif wish.of_objects and not len(dataset.boxes):
        if dataset.points.empty:
            raise ConfigError(f"{option(wish.of_objects[0])}: the dataset has no masks, boxes or points to make worse")
        found.append(worsen_points)
    if on_boxes or (wish.of_objects and not has_masks and len(dataset.boxes)):
        found.append(worsen_boxes)
    if wish.label_flips is not None and not on_boxes:
        found.append(flip_labels)
    if wish.rater_noise is not None or wish.fatigue is not None:
        found.append(worsen_readings)
    if wish.mix_patients is not None:
        found.append(mix)
    if wish.bit_depth is not None:
        found.append(store_by_class)
    if wish.near_copies is not None:
        found.append(add_near_copies)
    return found


def final_rows(draft: Draft, severity: float | None) -> list[Truth]:
    """The truth with the records called as they are in the copy, and how bad it is as a whole."""
    names = draft.moved
    rows = []
    for row in draft.truth:
        old = names.get(row.old, row.old) if row.kind == "near-copy" else row.old
        rows.append(replace(row, record=names.get(row.record, row.record), old=old))
    made = sum(row.kind == "near-copy" for row in rows)
    rows.append(Truth(record="", kind="dataset", new=str(draft.dataset.size + made), detail="records of the worse copy"))
    if severity is not None:
        rows.append(Truth(record="", kind="severity", new=f"{severity:.4f}", detail="mean pixel F1 against the original"))
    return rows


def shown_rows(rows: list[Truth], plan: Plan) -> list[Truth]:
    """The rows as a scan of the copy shows them: what could name a person is withheld there and here alike.

    Raises:
        DatasetError: the copy is not read as the dataset was.
    """
    copy = gather(plan, asked={"metadata"}).dataset
    ids = set(map(str, copy.records.index))
    lost = sum(bool(row.record) and row.record not in ids for row in rows)
    size = next(row.new for row in rows if row.kind == "dataset")
    if lost or str(copy.size) != size:
        raise DatasetError(
            f"the worse copy would be read otherwise than the dataset ({copy.size:,} records, {lost:,} under another name): "
            "pin its layout and roles in medaudit.toml, or ask for less"
        )
    hidden = Withholding(withheld_names(copy))
    shown: list[Truth] = hidden.of(rows)
    return shown
