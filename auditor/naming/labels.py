"""From cells to labels: one class, several classes in one cell, one column per class, grades, numbers; and their states."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.grades import grade_order
from auditor.naming.numbers import with_points
from auditor.naming.unlabelled import is_state_of_work, unlabelled_words
from auditor.values.labels import Labels, Level, State

NEGATIVE_CLASSES = frozenset(
    ("no finding", "no findings", "nofinding", "none", "no_finding", "no-finding", "normal", "healthy")
)
"""Names that mean "none of the classes" in a multi-label table (NIH: `No Finding`)."""

_STATES: Mapping[str, State] = {
    word: state
    for state, words in {
        State.POSITIVE: """
            1 1.0 true yes positive pos p y t + present detected abnormal ja wahr positiv oui vrai présent sí si presente sim
            да есть 是 有 阳性 陽性 あり 예 있음 양성""",
        State.NEGATIVE: """
            0 0.0 false no negative neg n f absent undetected normal nein falsch negativ non faux não nao ausente
            нет 否 无 無 阴性 陰性 なし 아니오 없음 음성""",
        State.UNCERTAIN: "-1 -1.0 u uncertain equivocal maybe possible",
        State.NOT_MENTIONED: "-2 -2.0",
        State.NOT_ASSESSED: "-3 -3.0 na nan n/a",
    }.items()
    for word in words.split()
} | {
    "not mentioned": State.NOT_MENTIONED,
    "not assessed": State.NOT_ASSESSED,
    "not present": State.NEGATIVE,
    "not detected": State.NEGATIVE,
}  # fmt: skip
_MISSING_NUMBERS = frozenset(("-9", "-99", "-999", "-9999", "-9.0", "-99.0", "-999.0", "-9999.0"))
_NOTHING = frozenset(("9", "blank", "empty", "leer"))
_DASHES = frozenset("-–−—.")
_TICKS = frozenset("x✓✔☑☒•")
"""What stands where a form was ticked; the box beside it is empty."""


def state_word(cell: str) -> State | None:
    """What a cell (not blank) of a column of states says; None where it is no word for one."""
    word = cell.strip().lower()
    if word in _TICKS:
        return State.POSITIVE
    found = _STATES.get(word)
    return State.NOT_ASSESSED if found is None and (is_state_of_work(word) or word in _NOTHING) else found


def are_states(cells: Collection[str]) -> bool:
    """All these cells (not blank) are words for states, and one of them at least is more than a state of the work."""
    said = {cell.strip().lower(): state_word(cell) for cell in cells}
    if not 0 < len(said) <= 8 or None in said.values():
        return False
    if "9" in said:  # a code for missing only beside both answers; else a number
        return {State.POSITIVE, State.NEGATIVE} <= set(said.values())
    return any(word in _STATES or word in _TICKS for word in said)


def are_ticks(cells: Collection[str]) -> bool:
    """Boxes that were ticked or left empty: one and the same mark, and blanks, which then mean no."""
    marks = {cell.strip().lower() for cell in cells} - {""}
    return len(marks) == 1 and marks <= _TICKS


_INTEGER = re.compile(r"^[+-]?\d+(?:\.0+)?$")


def text_of(column: pd.Series) -> npt.NDArray[np.object_]:
    """Cells of a categorical column as text; blank is the empty string."""
    return np.asarray(column.cat.categories.astype(object))[column.cat.codes.to_numpy()]


def numbers_of(column: pd.Series) -> npt.NDArray[np.float64]:
    """Cells of a categorical column as numbers; what is none is NaN."""
    categories = [str(name) for name in column.cat.categories]
    told = [name for name in categories if name and not is_state_of_work(name)]
    written = dict(zip(told, with_points(told), strict=True))
    names = pd.Series([written.get(name, "") for name in categories], dtype=object)
    table = pd.to_numeric(names, errors="coerce").to_numpy(dtype=np.float64)
    return table[column.cat.codes.to_numpy()]


def single(values: pd.Series, index: pd.Index, *, level: Level, origin: str, ordinal: bool = False) -> Labels:
    """One class per record from a categorical text column; blank is unlabelled, and so is what `unlabelled_words` names.

    Grades are ordered by their number, or by what their words mean.
    """
    names = values.cat.categories.astype("str")
    used = set(names[np.unique(values.cat.codes.to_numpy())]) - {""}
    states = unlabelled_words(used)
    used -= states
    numeric = {name for name in used if _INTEGER.match(name)}
    keep = np.array([name if name in used else None for name in names], dtype=object)
    column = pd.Series(keep[values.cat.codes.to_numpy()] if len(keep) else [], index=index, dtype=object).astype("str")
    classes = sorted(used, key=float) if ordinal and numeric >= used else sorted(used)
    if ordinal and not numeric >= used:
        classes = list(grade_order(used, called=True) or classes)
    task: Literal["single", "ordinal"] = "ordinal" if ordinal else "single"
    return Labels(task=task, values=column, classes=tuple(classes), level=level, origin=origin, left_out=tuple(sorted(states)))


def continuous(values: pd.Series, index: pd.Index, *, level: Level, origin: str) -> Labels:
    """A number per record; blank is unlabelled, and so are words and a `-999` that is the only number below zero."""
    numbers = numbers_of(values)
    used = {str(values.cat.categories[code]) for code in np.unique(values.cat.codes.to_numpy())} - {""}
    left_out = {name for name in used if is_state_of_work(name)}
    if len(missing := {name for name in used - left_out if name in _MISSING_NUMBERS}) == 1 and np.sum(numbers < 0) == np.sum(
        numbers == float(next(iter(missing)))
    ):
        left_out |= missing
        numbers = np.where(numbers < 0, np.nan, numbers)
    return Labels(
        task="continuous", values=pd.Series(numbers, index=index), level=level, origin=origin, left_out=tuple(sorted(left_out))
    )


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
    found = state_word(text) if text.strip() else None
    return State.NOT_ASSESSED if found is None else found


def states_of(column: pd.Series, blank: State) -> npt.NDArray[np.int8]:
    """States of one column of yes / no / uncertain / blank; anything else is not assessed. `-` beside `+` or a tick is no."""
    names = [str(name) for name in column.cat.categories]
    marked = _is_marked(names)
    table = [blank if not name else State.NEGATIVE if marked and name in _DASHES else state_of(name) for name in names]
    return np.asarray(table, dtype=np.int8)[column.cat.codes.to_numpy()]


def words_of_work(column: pd.Series) -> set[str]:
    """The cells of a column of states that say that nobody has answered yet."""
    names = {str(name) for name in column.cat.categories}
    words = {name for name in names if is_state_of_work(name) or name.lower() in _NOTHING}
    return words - _DASHES if _is_marked(names) else words


def _is_marked(names: Collection[str]) -> bool:
    return any(name in ("+", "++", "+++") or name.lower() in _TICKS for name in names)


def columns(frame: pd.DataFrame, index: pd.Index, *, level: Level, origin: str) -> Labels:
    """One column per class. One-hot rows (exactly one positive each) are one label; else several, with states.

    A blank cell is "not mentioned" where the table also knows "uncertain" (CheXpert, MIMIC), no where boxes were ticked, else
    "not assessed".
    """
    blank = blank_of(frame)
    names = [str(name) for name in frame.columns]
    states = np.column_stack([states_of(frame[name], blank) for name in frame.columns])
    left_out = {word for name in frame.columns for word in words_of_work(frame[name])}
    return replace(from_states(states, names, index, level=level, origin=origin), left_out=tuple(sorted(left_out)))


def blank_of(frame: pd.DataFrame) -> State:
    """What a blank cell of these columns of states says."""
    cells = {str(word) for name in frame.columns for word in frame[name].cat.categories}
    if cells & {"-1", "-1.0"}:
        return State.NOT_MENTIONED
    return State.NEGATIVE if are_ticks(cells) else State.NOT_ASSESSED


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
