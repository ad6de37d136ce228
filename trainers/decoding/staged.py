"""The pictures of a view whose files were written anew, as a dataset of its own: what a copy will hold, before it is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from auditor.progress import Progress
from auditor.stages.extract import Pass, extract
from auditor.values.dataset import Dataset, empty_frame
from auditor.values.image import Limits
from trainers.values.view import View


def staged(view: View, folder: Path, *, limits: Limits, workers: int, progress: Progress) -> Dataset:
    """The dataset of the view with its files as the copy will hold them, measured anew; the same where no file was made.

    Args:
        folder: private; files are laid side by side in it, those that were not written anew as they are.
    """
    if not view.files:
        return view.dataset
    shutil.rmtree(folder, ignore_errors=True)
    records = view.dataset.records
    new = pd.Series(
        [view.names.get(str(r), p) if isinstance(p, str) else p for r, p in records["path"].items()],
        index=records.index,
        dtype="string",
    )
    laid(view.dataset, dict(zip(new.fillna(""), records["path"].fillna(""), strict=True)), view.files, folder)
    # what is told of the old files is forgotten: the pass adds what it finds to what is there
    shown = replace(
        view.dataset, root=folder, records=records.assign(path=new), metadata=empty_frame(records.index), fields={},
        problems=(), thumbnails={}, sketches=None,
    )  # fmt: skip
    how = Pass(limits=limits, workers=workers, rules=view.dataset.privacy)
    measured, _ = extract(shown, how, progress=progress)
    # header roles are those of the dataset: what a new file no longer says does not unmake a patient
    return replace(measured, records=shown.records, labels=view.dataset.labels)


def laid(dataset: Dataset, paths: Mapping[str, str], made: Mapping[str, str], folder: Path) -> None:
    """Lay files under their new names: those that were made, and all others, masks too, from where they are."""
    wanted = {new: Path(made[new]) if new in made else dataset.root / old for new, old in paths.items() if new}
    wanted |= {path: dataset.root / path for path in dataset.records["mask"].dropna().astype(str)}
    for path, source in wanted.items():
        goal = folder / path
        if source.is_file() and not goal.exists():
            goal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                os.link(source, goal)  # only read here
            except OSError:
                shutil.copyfile(source, goal)
