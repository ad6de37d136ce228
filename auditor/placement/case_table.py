"""A table of cases (patients, studies, volumes) beside images that are called after them: each image gets the row of its case.

`participants.tsv` of BIDS names folders, `survival_info.csv` of BraTS the beginning of file names, the tables of ADNI a word in
them. What the images are called is asked for each column; a column counts when its cells part the images.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from auditor.naming.headers import CASE_FILE
from auditor.naming.suffixes import stem_of
from auditor.tables.label_table import LabelTable, categorical

LEAST_SHARE = 0.5
"""Of the images, and of the cases, so many must find one another."""
LEAST_DISTINCT = 0.9
"""A column that calls cases says something else in so many of its rows."""
_CUT = re.compile(r"[_\-. ]")


def case_column(frame: pd.DataFrame, images: Sequence[str]) -> tuple[str, float]:
    """The column whose cells call the cases of the images, and the share of the images that it calls; `""` and 0 for none."""
    if not images or len(frame) < 2:
        return "", 0.0
    sought = _keys(images)
    best = ("", 0.0)
    for name in map(str, frame.columns):
        cells = [cell for cell in map(_clean, map(str, frame[name].cat.categories)) if _tells(cell)]
        if len(cells) < max(2, LEAST_DISTINCT * len(frame)):
            continue
        found = [sought[cell] for cell in cells if cell in sought]
        called = {image for places in found for image in places}
        share = len(called) / len(images)
        if len(found) >= LEAST_SHARE * len(cells) and share >= LEAST_SHARE and share > best[1]:
            best = (name, share)
    return best


def with_images(table: LabelTable, images: Sequence[str]) -> LabelTable | None:
    """The table with a row for each image of a case, named in `CASE_FILE`; None where no column calls the cases.

    An image takes the longest name that it is called after. A case without an image keeps its row, and its name there.
    """
    column, _ = case_column(table.frame, images)
    if not column:
        return None
    names = [_clean(str(cell)) for cell in table.frame[column].cat.categories]
    codes = table.frame[column].cat.codes.to_numpy()
    row_of = {names[code]: row for row, code in reversed(list(enumerate(codes.tolist()))) if code >= 0 and _tells(names[code])}
    sought = _keys(images)
    taken: dict[str, str] = {}
    for name in sorted(row_of, key=len):
        for image in sought.get(name, ()):
            taken[image] = name
    of: dict[int, list[str]] = defaultdict(list)
    for image in images:
        if image in taken:
            of[row_of[taken[image]]].append(image)
    pairs = [
        (row, file) for row in range(len(table.frame)) for file in of.get(row) or [names[codes[row]] if codes[row] >= 0 else ""]
    ]
    rows = np.array([row for row, _ in pairs], dtype=np.int64)
    frame = table.frame.iloc[rows].reset_index(drop=True)
    frame.insert(0, CASE_FILE, categorical(file for _, file in pairs))
    note = f"{len(of):,} rows are cases called in {column!r}: each is given to its images ({len(taken):,} of {len(images):,})"
    return replace(
        table, frame=frame, lines=table.lines[rows], rows=table.rows - len(table.frame) + len(frame),
        notes=(*table.notes, note), parts=(), case=column,
    )  # fmt: skip


def _clean(cell: str) -> str:
    return cell.replace("\\", "/").strip("/").strip()


def _tells(cell: str) -> bool:
    """A name that no age or count is mistaken for: with a letter, or of five digits."""
    return len(cell) >= 2 and (
        (any(map(str.isalpha, cell)) and any(map(str.isdigit, cell))) or (cell.isdigit() and len(cell) >= 5)
    )


def _keys(images: Sequence[str]) -> dict[str, list[str]]:
    """What images may be called after → they: folders, their ends, the beginnings of the file name and the words in it."""
    found: dict[str, list[str]] = defaultdict(list)
    alike = Counter(map(stem_of, images))
    for image in images:
        folder, stem = image.rpartition("/")[0], stem_of(image)
        parts = folder.split("/") if folder else []
        keys = {*parts, *("/".join(parts[n:]) for n in range(len(parts))), *_CUT.split(stem)}
        keys |= {stem[: cut.start()] for cut in _CUT.finditer(stem)} | {stem}
        if alike[stem] > 1:
            keys -= {stem}  # `train/001.png` and `test/001.png`: which is meant is not told
        for key in keys:
            if key:
                found[key].append(image)
    return found
