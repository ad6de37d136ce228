"""Which files the rows of a table mean where their cells alone do not tell: those beside it, of its split, or several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from auditor.naming.folder_names import NUMBERED, as_split
from auditor.naming.headers import CASE_FILE
from auditor.naming.names import split_name
from auditor.placement.resolve import resolve_names
from auditor.placement.row_images import images_of_rows
from auditor.tables.label_table import LabelTable

NAMES_BESIDE = 0.5
"""So many cells of a column are files beside the table."""


def as_images(
    table: LabelTable, name: str, root: Path, images: Sequence[str], pins: frozenset[str] = frozenset()
) -> LabelTable:
    """The table with the files that its rows mean, where its cells mean those beside it, of its split, or several."""
    told = beside(table, name, images)
    told = told if told is not table else _of_own_split(table, name, root, images)
    return told if told is not table else images_of_rows(table, root, images, pins)


def beside(table: LabelTable, name: str, images: Sequence[str]) -> LabelTable:
    """A table in a folder may name the files of that folder (`train/metadata.csv`: `0001.png`), as those of others are called.

    Where most cells of a column are files beside the table, these are what its rows mean, in `CASE_FILE`.
    """
    folder = name.rpartition("/")[0]
    inside = {image for image in images if image.startswith(folder + "/")} if folder else set()
    for column in map(str, table.frame.columns if inside else ()):
        cells = [str(cell) for cell in table.frame[column].cat.categories]
        files = [f"{folder}/{cell}" if f"{folder}/{cell}" in inside else cell for cell in cells]
        found = sum(file != cell for file, cell in zip(files, cells, strict=True))
        if found and found >= NAMES_BESIDE * sum(map(bool, cells)):
            frame = table.frame.copy(deep=False)
            frame.insert(0, CASE_FILE, frame[column].cat.rename_categories(files))
            return replace(table, frame=frame)
    return table


def _of_own_split(table: LabelTable, name: str, root: Path, images: Sequence[str]) -> LabelTable:
    """Of a table of one split (`Training Labels.csv`), names that stand in the folders of several mean the files of its own."""
    split = split_of(name)
    inside = [image for image in images if split and split in map(as_split, image.split("/")[:-1])]
    for column in map(str, table.frame.columns if 0 < len(inside) < len(images) else ()):
        cells = [str(cell) for cell in table.frame[column].cat.categories]
        own = resolve_names(root, cells, inside)
        if own.found < NAMES_BESIDE * sum(map(bool, cells)) or not own.found:
            continue
        if resolve_names(root, cells, images).doubtful:
            files = [file or cell for file, cell in zip(own.files, cells, strict=True)]
            if len(set(files)) < len(files):
                continue
            frame = table.frame.copy(deep=False)
            frame.insert(0, CASE_FILE, frame[column].cat.rename_categories(files))
            return replace(table, frame=frame)
    return table


def split_of(name: str) -> str | None:
    """What the name of a table says of its split, or else its folder (`train/metadata.csv`)."""
    folder, _, base = name.rpartition("/")
    for text in (NUMBERED.sub("", base).partition(".")[0], folder.rpartition("/")[2]):
        said = {split for split in map(split_name, [text, *re.split(r"[^A-Za-z]+", text)]) if split}
        if said:
            return said.pop() if len(said) == 1 else None
    return None
