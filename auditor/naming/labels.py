"""From cells to labels: one class, several classes in one cell, one column per class, grades, numbers; and their states."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.numbers import with_points
from auditor.values.labels import Labels, Level, State

NEGATIVE_CLASSES = frozenset(
    ("no finding", "no findings", "nofinding", "none", "no_finding", "no-finding", "normal", "healthy")
)
"""Names that mean "none of the classes" in a multi-label table (NIH: `No Finding`)."""

_STATES: Mapping[str, State] = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "positive", "pos", "y", "t"), State.POSITIVE),
    **dict.fromkeys(("0", "0.0", "false", "no", "negative", "neg", "n", "f"), State.NEGATIVE),
    **dict.fromkeys(("-1", "-1.0", "u", "uncertain"), State.UNCERTAIN),
    **dict.fromkeys(("-2", "-2.0", "not mentioned"), State.NOT_MENTIONED),
    **dict.fromkeys(("-3", "-3.0", "na", "nan", "n/a", "not assessed"), State.NOT_ASSESSED),
}

STATE_VALUES = frozenset(_STATES)
"""Cells (lower case) that a column of states may hold, beside blank ones."""

_INTEGER = re.compile(r"^[+-]?\d+(?:\.0+)?$")


_STATES_OF_WORK = frozenset(
    (
        "todo", "to do", "tbd", "tba", "unknown", "unlabelled", "unlabeled", "unannotated", "unread", "unassigned", "pending",
        "missing", "n/a", "n.a.", "not available", "not applicable", "not labelled", "not labeled", "not annotated", "not read",
        "not read yet", "not yet read", "not done", "not reported", "not evaluated", "no label", "no finding yet",
        "no diagnosis yet", "to be done", "to be determined", "in progress", "?", "??", "???", "-", "--", "---", "#n/a",
        "#value!",
        "null", "nan", "<na>", "undefined", "undetermined", "inconnu", "unbekannt", "offen", "desconocido", "sconosciuto",
        "未知", "不明",
    )
)  # fmt: skip


def unlabelled_words(classes: Collection[str]) -> set[str]:
    """Those of the classes that are states of the work (`todo`, `unknown`, `n/a`) and no diseases; none where that leaves none.

    The class `NA` is a class.
    """
    states = {name for name in classes if " ".join(name.strip().lower().replace("_", " ").split()) in _STATES_OF_WORK}
    return states if len(states) < len(classes) else set()


def text_of(column: pd.Series) -> npt.NDArray[np.object_]:
    """Cells of a categorical column as text; blank is the empty string."""
    return np.asarray(column.cat.categories.astype(object))[column.cat.codes.to_numpy()]


def numbers_of(column: pd.Series) -> npt.NDArray[np.float64]:
    """Cells of a categorical column as numbers; what is none is NaN."""
    categories = [str(name) for name in column.cat.categories]
    filled = iter(with_points([name for name in categories if name]))
    names = pd.Series([next(filled) if name else name for name in categories], dtype=object)
    table = pd.to_numeric(names, errors="coerce").to_numpy(dtype=np.float64)
    return table[column.cat.codes.to_numpy()]


def single(values: pd.Series, index: pd.Index, *, level: Level, origin: str, ordinal: bool = False) -> Labels:
    """One class per record from a categorical text column; blank is unlabelled.

    `-1` among non-negative whole numbers means "not known" and is no class. Grades are ordered by their number.
    """
    names = values.cat.categories.astype("str")
    used = set(names[np.unique(values.cat.codes.to_numpy())]) - {""}
    states = unlabelled_words(used)
    used -= states
    numeric = {name for name in used if _INTEGER.match(name)}
    if numeric == used and {"-1", "-1.0"} & used and len(used) > 2:
        used -= {"-1", "-1.0"}
    keep = np.array([name if name in used else None for name in names], dtype=object)
    column = pd.Series(keep[values.cat.codes.to_numpy()] if len(keep) else [], index=index, dtype=object).astype("str")
    classes = sorted(used, key=float) if ordinal and numeric >= used else sorted(used)
    task: Literal["single", "ordinal"] = "ordinal" if ordinal else "single"
    return Labels(task=task, values=column, classes=tuple(classes), level=level, origin=origin, left_out=tuple(sorted(states)))


def continuous(values: pd.Series, index: pd.Index, *, level: Level, origin: str) -> Labels:
    """A number per record; blank is unlabelled."""
    numbers = numbers_of(values)
    return Labels(task="continuous", values=pd.Series(numbers, index=index), level=level, origin=origin)


def split_cell(cell: str, separator: str) -> list[str]:
    """The labels of one cell, without doubles, in their order; `['a', 'b']` is read too."""
    if cell.startswith("[") and cell.endswith("]"):
        cell = cell[1:-1].replace("'", "").replace('"', "")
    return list(dict.fromkeys(part for part in (piece.strip() for piece in cell.split(separator)) if part))


def joined(values: pd.Series, index: pd.Index, separator: str, *, level: Level, origin: str) -> Labels:
    """Several classes in one cell (`Cardiomegaly|Emphysema`). What a filled cell does not name is negative, a blank cell
    is not assessed; `No Finding` and the like are no class: all classes are negative.
    """
    names = values.cat.categories.astype("str")
    cells = [split_cell(name, separator) for name in names]
    states_of_work = unlabelled_words({part for parts in cells for part in parts})
    cells = [[part for part in parts if part not in states_of_work] for parts in cells]
    codes = values.cat.codes.to_numpy()
    used = np.unique(codes)
    classes = sorted({part for i in used for part in cells[i] if part.lower() not in NEGATIVE_CLASSES})
    place = {name: i for i, name in enumerate(classes)}
    table = np.full((len(names), len(classes)), State.NEGATIVE, dtype=np.int8)
    for row, parts in enumerate(cells):
        if not parts:
            table[row] = State.NOT_ASSESSED
        for part in parts:
            if part in place:
                table[row, place[part]] = State.POSITIVE
    text = np.array(["|".join(parts) if parts else None for parts in cells], dtype=object)
    states = pd.DataFrame(table[codes], index=index, columns=classes)
    column = pd.Series(text[codes], index=index, dtype=object).astype("str")
    return Labels(
        task="multi", values=column, states=states, classes=tuple(classes), level=level, origin=origin,
        left_out=tuple(sorted(states_of_work)),
    )  # fmt: skip


def state_of(text: str) -> State:
    """The state that one cell says; what is no word for one is not assessed."""
    return _STATES.get(text.strip().lower(), State.NOT_ASSESSED)


def states_of(column: pd.Series, blank: State) -> npt.NDArray[np.int8]:
    """States of one column of 1 / 0 / −1 / blank; anything else is not assessed."""
    table = [
        blank if not name else _STATES.get(name.lower(), State.NOT_ASSESSED) for name in column.cat.categories.astype("str")
    ]
    return np.asarray(table, dtype=np.int8)[column.cat.codes.to_numpy()]


def columns(frame: pd.DataFrame, index: pd.Index, *, level: Level, origin: str) -> Labels:
    """One column per class. One-hot rows (exactly one positive each) are one label; else several, with states.

    A blank cell is "not mentioned" where the table also knows "uncertain" (CheXpert, MIMIC), else "not assessed".
    """
    knows_uncertain = any(((frame[name] == "-1") | (frame[name] == "-1.0")).any() for name in frame.columns)
    blank = State.NOT_MENTIONED if knows_uncertain else State.NOT_ASSESSED
    names = [str(name) for name in frame.columns]
    states = np.column_stack([states_of(frame[name], blank) for name in frame.columns])
    return from_states(states, names, index, level=level, origin=origin)


def from_states(states: npt.NDArray[np.int8], names: Sequence[str], index: pd.Index, *, level: Level, origin: str) -> Labels:
    """Labels from a matrix of states (records × classes); one-hot becomes one label per record."""
    positive = states == State.POSITIVE
    if len(names) > 1 and len(states) and (states >= 0).all() and (positive.sum(axis=1) == 1).all():
        values = np.asarray(names, dtype=object)[positive.argmax(axis=1)]
        column = pd.Series(values, index=index, dtype=object).astype("str")
        return Labels(task="single", values=column, classes=tuple(sorted(set(values))), level=level, origin=origin)
    order = np.argsort(np.asarray(names, dtype=object), kind="stable")
    states, classes = states[:, order], [names[i] for i in order]
    patterns, inverse = np.unique(states, axis=0, return_inverse=True)
    text = np.array(
        ["|".join(c for c, s in zip(classes, row, strict=True) if s == State.POSITIVE) or None for row in patterns],
        dtype=object,
    )
    column = pd.Series(text[inverse.reshape(-1)] if len(text) else [], index=index, dtype=object).astype("str")
    frame = pd.DataFrame(states, index=index, columns=classes)
    return Labels(task="multi", values=column, states=frame, classes=tuple(classes), level=level, origin=origin)
