"""The images of a copy: which were written anew, which stay as they are, and what they are called there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from trainers.copying.cells import Cells
from trainers.copying.place import bring


def files_that_stay(proposals: Sequence[Proposal], gone: frozenset[str]) -> dict[str, Path]:
    """The images that were made for the copy, without the renamed ones of records that leave."""
    files = {path: Path(made) for proposal in proposals for path, made in proposal.files.items()}
    renamed = [c for proposal in proposals for c in proposal.corrections if c.field == "path"]
    staying = {c.new for c in renamed if c.record not in gone}
    leaving = {c.new for c in renamed} - staying
    return {path: made for path, made in files.items() if path not in leaving}


def bring_images(folder: Path, dataset: Dataset, cells: Cells, files: Mapping[str, Path], gone: frozenset[str]) -> None:
    """The images that were written anew, and all others as they are; those of removed records stay away."""
    records = dataset.records
    left = {str(records.at[record, "path"]) for record in gone}
    staying = records.loc[~records.index.isin(gone), "path"].dropna()
    needed = dict.fromkeys(str(path) for path in staying)
    masks: list[Iterable[object]] = [records["mask"].dropna()]
    masks += [dataset.rater_masks["path"].dropna()] if "path" in dataset.rater_masks else []
    if not dataset.channels.empty:
        masks.append(dataset.channels.loc[~dataset.channels["record"].isin(gone), "path"])
    needed |= dict.fromkeys(str(path) for paths in masks for path in paths)
    replaced = replaced_paths(dataset, cells)
    for path, made in files.items():
        if path not in left or path in needed:
            bring(folder / path, made)
    for path in needed:
        goal = folder / path
        if replaced.get(path, path) not in files and path not in files and (dataset.root / path).is_file():
            bring(goal, dataset.root / path)


def replaced_paths(dataset: Dataset, cells: Cells) -> dict[str, str]:
    """Old path → new path, of the images that have another name in the copy."""
    column = cells.source.roles.get("path")
    if column is None or column not in cells.changed:
        return {}
    changed = cells.changed[column]
    paths = dataset.records["path"]
    return {str(paths.iloc[i]): changed[int(rows[0])] for i, rows in enumerate(cells.source.rows) if int(rows[0]) in changed}
