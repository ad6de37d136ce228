"""Readings of raters and boxes out of a label table: long (a row per reading) or wide (a column per rater)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.naming.labels import numbers_of, split_cell, states_of, text_of, words_of_work
from auditor.naming.lexicon import words
from auditor.naming.unlabelled import unlabelled_words
from auditor.placement.records import box_frame
from auditor.tables.label_roles import separator_of
from auditor.tables.profiles import profile
from auditor.tables.roles import Roles
from auditor.values.labels import State

Objects = npt.NDArray[np.object_]
_SEVERAL = "|"

EXTRA = {
    "time": frozenset(("time", "date", "timestamp", "datetime")),
    "session": frozenset(("session",)),
    "seconds": frozenset(("seconds", "duration")),
    "position": frozenset(("position", "order", "sequence")),
}


def readings_of(
    frame: pd.DataFrame, roles: Roles, rows: npt.NDArray[np.int64], ids: Sequence[str], row_record: Objects
) -> tuple[pd.DataFrame | None, set[str]]:
    """The readings of the label table itself, and words that are states of the work and so no readings; None without readers.

    Args:
        rows: the first row of each record.
        ids: of the records; `row_record`: the record of every row.
    """
    if roles.raters:
        return wide_readings(frame.iloc[rows], roles.raters, ids), no_answers(frame, roles.raters)
    if "rater" in roles.columns and ("answer" in roles.columns or roles.labels):
        answers = [roles.columns["answer"]] if "answer" in roles.columns else roles.labels
        return long_readings(frame, roles, row_record), no_answers(frame, answers)
    return None, set()


def wide_readings(frame: pd.DataFrame, raters: Sequence[str], ids: Sequence[str]) -> pd.DataFrame:
    """One row per filled cell of the rater columns that is an answer; the column's name is the rater."""
    records = np.asarray(ids, dtype=object)
    told = _answers(frame, raters)
    parts = [pd.DataFrame({"record": records, "rater": name, "label": said}) for name, said in zip(raters, told, strict=True)]
    long = pd.concat(parts, ignore_index=True)
    return long[long["label"] != ""].astype("str").reset_index(drop=True)


def no_answers(frame: pd.DataFrame, columns: Sequence[str]) -> set[str]:
    """Words in columns of answers that are states of the work (`todo`, `not read`) and no readings."""
    said = {str(name) for column in columns for name in frame[column].cat.categories}
    return unlabelled_words(said)


def _answers(frame: pd.DataFrame, columns: Sequence[str]) -> list[Objects]:
    """What readers said, a column each: blank where it is no reading, several labels of one cell in order and joined by `|`."""
    every = pd.api.types.union_categoricals([frame[name] for name in columns])
    names = [str(name) for name in every.categories]
    seen = profile(columns[0], pd.Series(every)).told
    unread, mark = no_answers(frame, columns), None if seen.numeric else separator_of(seen)
    said = {name: "" if name in unread else name for name in names}
    if mark is not None:
        said = {name: _SEVERAL.join(sorted(split_cell(text, mark))) for name, text in said.items()}
    return [np.array([said[text] for text in text_of(frame[name])], dtype=object) for name in columns]


def long_readings(frame: pd.DataFrame, roles: Roles, records: Objects) -> pd.DataFrame:
    """One row per reading; `records` is the record of every row of the table.

    Several rows of one rater and one record are one reading where a row is a box, a point or a finding: classes are joined.
    """
    columns: dict[str, object] = {"record": records, "rater": text_of(frame[roles.columns["rater"]])}
    answer = roles.columns.get("answer") or (roles.labels[0] if len(roles.labels) == 1 else None)
    if answer is not None:  # one column: also where all readers agree, so that it might be a released label
        columns["label"] = _answers(frame, [answer])[0]
    else:
        columns["label"] = _positives(frame, roles.labels)
    for name in frame.columns:
        for role, known in EXTRA.items():
            if role not in columns and known & set(words(str(name))) and name not in roles.columns.values():
                columns[role] = text_of(frame[name])
    if "time" in roles.columns:
        columns["time"] = text_of(frame[roles.columns["time"]])
    table = pd.DataFrame(columns)
    table = table[(table["rater"] != "") & (table["label"] != "") & (table["record"] != "")]
    if roles.boxes is not None or roles.points is not None:
        unique = table[["record", "rater", "label"]].drop_duplicates().sort_values("label", kind="stable")
        table = unique.groupby(["record", "rater"], sort=False)["label"].agg("|".join).reset_index()
        table = table.sort_values(["record", "rater"], kind="stable")
    return table.astype("str").reset_index(drop=True)


def _positives(frame: pd.DataFrame, names: Sequence[str]) -> Objects:
    """The columns that are positive, joined; `none` where none is; nothing where all cells say that nobody has read yet."""
    states = np.column_stack([states_of(frame[name], State.NOT_ASSESSED) for name in names]) == State.POSITIVE
    patterns, inverse = np.unique(states, axis=0, return_inverse=True)
    joined = ["|".join(n for n, positive in zip(names, row, strict=True) if positive) or "none" for row in patterns]
    unread = np.column_stack([np.isin(text_of(frame[name]), list(words_of_work(frame[name]))) for name in names]).all(axis=1)
    return np.where(unread, "", np.asarray(joined, dtype=object)[inverse.reshape(-1)])


def read_boxes(
    frame: pd.DataFrame, roles: Roles, records: Objects, lines: npt.NDArray[np.int64], table_name: str
) -> pd.DataFrame:
    """One box per row whose four cells are numbers; `x1`, `y1` are the far corner; `rater` where the table names one."""
    assert roles.boxes is not None
    first, second, third, fourth = (numbers_of(frame[name]) for name in roles.boxes)
    if roles.box_style == "size":
        third, fourth = first + third, second + fourth
    name = roles.columns.get("answer") or (roles.labels[0] if len(roles.labels) == 1 else None)
    label = text_of(frame[name]) if name is not None else np.full(len(frame), "", dtype=object)
    there = ~np.isnan(np.column_stack([first, second, third, fourth])).any(axis=1) & (records != "")
    rows = {
        "record": records[there],
        "label": label[there],
        "x0": first[there],
        "y0": second[there],
        "x1": third[there],
        "y1": fourth[there],
        "path": np.full(int(there.sum()), table_name, dtype=object),
        "line": lines[there],
    }
    boxes = box_frame({key: pd.Series(value) for key, value in rows.items()})
    if "rater" in roles.columns:
        boxes["rater"] = pd.Series(text_of(frame[roles.columns["rater"]])[there]).astype("str")
    return boxes


def read_points(frame: pd.DataFrame, roles: Roles, records: Objects) -> pd.DataFrame:
    """`Dataset.points`: one row per mark; a row without two numbers says that the rater marked nothing."""
    assert roles.points is not None
    x, y = (numbers_of(frame[name]) for name in roles.points)
    name = roles.columns.get("answer") or (roles.labels[0] if len(roles.labels) == 1 else None)
    there = ~np.isnan(x) & ~np.isnan(y)
    points = pd.DataFrame({
        "record": pd.Series(records).astype("str"),
        "rater": pd.Series(text_of(frame[roles.columns["rater"]])).astype("str"),
        "label": pd.Series(text_of(frame[name]) if name is not None else np.full(len(frame), "", dtype=object)).astype("str"),
        "x": np.where(there, x, np.nan),
        "y": np.where(there, y, np.nan),
    })  # fmt: skip
    return points[(points["record"] != "") & (points["rater"] != "")].reset_index(drop=True)
