"""Rows that name several images, a column each: `Left-Fundus` and `Right-Fundus`, `image_cc` and `image_mlo`.

Each image gets a row of its own with all that its row says. Columns of one side alone (`Left-Diagnostic Keywords` beside
`Right-Diagnostic Keywords`) become one, in which each image has what is said of its side.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from auditor.naming.headers import CASE_FILE, ROW_STUDY
from auditor.naming.labels import text_of
from auditor.naming.lexicon import name_score
from auditor.placement.resolve import resolve_names
from auditor.tables.label_table import LabelTable, categorical

LEAST_NAMING = 0.5
"""Of the cells of a column of images, so many are files."""
_WORDS = """
    left right l r od os cc mlo lcc rcc lmlo rmlo frontal lateral pa ap
    links rechts linkes rechtes linke rechte li re gauche droite droit izquierda derecha izquierdo derecho izq der
    sinistra destra sinistro destro sx dx esquerda direita esquerdo direito linker rechter lewe prawe lewy prawy sol sağ"""
_SIDES = frozenset(_WORDS.split())
"""Eyes, breasts and views: several images of one person, and no channels of one image."""
_Pattern = tuple[str, str]


def images_of_rows(table: LabelTable, root: Path, images: Sequence[str], pins: frozenset[str] = frozenset()) -> LabelTable:
    """The table with a row for each image that a row names; the same where none names two, or a column of a side is pinned."""
    frame = table.frame
    sides = _sided(map(str, frame.columns))
    if pins & {name for columns in sides.values() for name in columns.values()}:
        return table
    for named in sides.values():
        files: dict[str, list[str]] = {}
        for side, name in named.items():
            found = None if name_score(name, "mask") else _files(frame[name], root, images)
            if found is not None:
                files[side] = found
        if len(files) > 1 and _are_apart(list(files.values())):
            return _apart(table, files, named, sides)
    return table


def _sided(names: Sequence[str] | map[str]) -> dict[_Pattern, dict[str, str]]:
    """What stands before and behind the word of a side → side → column; of columns that exist for two sides at least."""
    found: dict[_Pattern, dict[str, str]] = defaultdict(dict)
    for name in names:
        for word in re.finditer(r"[^\W\d_]+?(?=[\W\d_]|$|(?<=[a-zß-ÿ])[A-Z])", name):
            if word[0].lower() in _SIDES:
                found[name[: word.start()].lower(), name[word.end() :].lower()].setdefault(word[0].lower(), name)
    return {pattern: columns for pattern, columns in found.items() if len(columns) > 1}


def _files(column: pd.Series, root: Path, images: Sequence[str]) -> list[str] | None:
    """The file that each cell names (blank: none, or not there), or None for a column that names hardly any."""
    cells = [str(cell) for cell in column.cat.categories]
    resolved = resolve_names(root, cells, images)
    filled = sum(map(bool, cells))
    if len(cells) < 2 or resolved.found < LEAST_NAMING * filled:
        return None
    # A name that is not there keeps its place, so that it is told as missing.
    names = np.array([file or name or "" for file, name in zip(resolved.files, cells, strict=True)], dtype=object)
    codes = column.cat.codes.to_numpy()
    return [str(names[code]) if code >= 0 else "" for code in codes]


def _are_apart(files: Sequence[Sequence[str]]) -> bool:
    """The columns name different files."""
    sets = [set(names) - {""} for names in files]
    return sum(map(len, sets)) == len(set().union(*sets))


def _apart(
    table: LabelTable,
    files: Mapping[str, Sequence[str]],
    naming: Mapping[str, str],
    sided: Mapping[_Pattern, Mapping[str, str]],
) -> LabelTable:
    frame = table.frame
    pairs = [(row, side) for row in range(len(frame)) for side in files if files[side][row]]
    rows = np.array([row for row, _ in pairs], dtype=np.int64)
    merged: dict[str, pd.Series] = {}
    dropped = set(naming.values())
    for (before, behind), columns in sided.items():
        if not set(files) <= set(columns) or columns == naming:
            continue
        first = columns[next(iter(files))]
        name = (first[: len(before)] + first[len(first) - len(behind) :]).strip(" -_.") or first
        if name in frame.columns or name in merged:
            continue
        cells = {side: text_of(frame[columns[side]]) for side in files}
        merged[name] = categorical(str(cells[side][row]) for row, side in pairs)
        dropped |= set(columns.values())
    kept = frame.iloc[rows].reset_index(drop=True).drop(columns=sorted(dropped))
    for name, values in merged.items():
        kept[name] = values
    kept.insert(0, CASE_FILE, categorical(files[side][row] for row, side in pairs))
    note = f"a row names several images ({', '.join(naming[side] for side in files)}): each is a record, with what its row says"
    if merged:
        note += f"; read by side: {', '.join(sorted(merged))}"
    if not any(name_score(str(name), role) for name in kept.columns for role in ("patient", "study")):
        kept[ROW_STUDY] = categorical(str(table.lines[row]) for row in rows)
    more = len(kept) - len(frame)
    return replace(
        table, frame=kept, lines=table.lines[rows], rows=table.rows + more, notes=(*table.notes, note), parts=()
    )  # fmt: skip
