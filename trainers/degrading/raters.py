"""Readings that are wrong: of one rater or of all, or the more, the longer a session lasts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from auditor.degrade.flaws import Truth
from auditor.naming.labels import text_of
from auditor.naming.lexicon import words
from auditor.placement.table_readings import EXTRA, no_answers
from auditor.values.errors import ConfigError
from trainers.degrading.draft import Draft


@dataclass(frozen=True, kw_only=True)
class Readings:
    """The cells of a table that are readings: one row each with `row`, `column`, `record`, `rater`, `answer`, `order`.

    `order` is the place of the reading within its session, 0 at the beginning and 1 at the end.
    """

    frame: pd.DataFrame


def readings_of(draft: Draft) -> Readings:
    """Every reading and its cell.

    Raises:
        ConfigError: no table of readings by several raters.
    """
    if draft.dataset.annotations.empty or not draft.has_table:
        raise ConfigError("the dataset has no table of readings by raters (--rater)")
    cells = draft.table.source.cells
    table = draft.rows
    rows = np.arange(draft.table.source.size)
    ids = np.empty(draft.table.source.size, dtype=object)
    for record, own in zip(map(str, draft.dataset.records.index), draft.table.source.rows, strict=True):
        ids[own] = record
    if table.raters:
        unread = no_answers(table.frame, table.raters)
        parts = [
            pd.DataFrame({"row": rows, "column": name, "record": ids, "rater": name, "answer": cells[name]})
            for name in table.raters
        ]
        frame, order = pd.concat(parts, ignore_index=True), "row"
    else:
        column = table.roles.get("answer") or (table.labels[0] if len(table.labels) == 1 else None)
        if column is None or "rater" not in table.roles:
            raise ConfigError("the readings are in several columns for each reader: they are not written anew")
        unread = no_answers(table.frame, [column])
        frame = pd.DataFrame({"row": rows, "column": column, "record": ids, "rater": cells[table.roles["rater"]],
                              "answer": cells[column]})  # fmt: skip
        for name in map(str, table.frame.columns):
            for role, known in EXTRA.items():
                if role not in frame and known & set(words(name)) and name not in table.roles.values():
                    frame[role] = text_of(table.frame[name])
        if "time" in table.roles and "time" not in frame:
            frame["time"] = text_of(table.frame[table.roles["time"]])
        order = next((name for name in ("position", "time") if name in frame), "row")
    frame = frame[(frame["answer"] != "") & (frame["rater"] != "") & ~frame["answer"].isin(unread)]
    return Readings(frame=_in_sessions(frame, order).reset_index(drop=True))


def _in_sessions(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """The readings with their `order`: by position or time where the table has them, else by row."""
    number = pd.to_numeric(frame[by], errors="coerce")
    group = [frame["rater"], *([frame["session"]] if "session" in frame else [])]
    codes = number if number.notna().all() else pd.Series(pd.factorize(frame[by].astype(str), sort=True)[0], index=frame.index)
    place = codes.groupby(group, sort=False).rank(method="first") - 1
    size = place.groupby(group, sort=False).transform("size")
    return frame.assign(order=(place / (size - 1).clip(lower=1)).astype(np.float64))


def worsen_readings(draft: Draft) -> None:
    """`--rater-noise` and `--fatigue`.

    Raises:
        ConfigError: no readings, one answer alone, or no such rater.
    """
    frame = readings_of(draft).frame
    answers = sorted(set(frame["answer"]))
    if len(answers) < 2:
        raise ConfigError("--rater-noise, --fatigue: all readings say the same, so none can say something else")
    rng = np.random.default_rng(draft.seed("raters"))
    wrong: dict[int, str] = {}
    noise, tired = draft.wish.rater_noise, draft.wish.fatigue
    if noise is not None:
        own = np.flatnonzero((frame["rater"] == noise.rater) if noise.rater else np.ones(len(frame), np.bool_))
        if not len(own):
            raise ConfigError("--rater-noise: no reader of that name has readings here")
        for rater, rows in frame.iloc[own].groupby("rater", sort=True).groups.items():
            chosen = rng.choice(np.asarray(rows), size=math.floor(len(rows) * noise.share + 0.5), replace=False)
            wrong |= dict.fromkeys(map(int, np.sort(chosen)), "misread")
            draft.truth.append(
                Truth(record="", kind="poor-rater", new=str(rater), detail=f"{len(chosen)} of {len(rows)} readings")
            )
    if tired is not None:
        late = np.flatnonzero(rng.random(len(frame)) < tired * frame["order"].to_numpy())
        wrong = dict.fromkeys(map(int, late), "misread-late") | wrong
        draft.truth.append(Truth(record="", kind="fatigue", new=f"{tired:g}", detail=f"{len(late)} of {len(frame)} readings"))
    places, columns, said = frame["row"].tolist(), frame["column"].tolist(), frame["answer"].tolist()
    records, raters = frame["record"].tolist(), frame["rater"].tolist()
    for place, kind in sorted(wrong.items()):
        others = [answer for answer in answers if answer != said[place]]
        new = others[int(rng.integers(len(others)))]
        draft.table.put(columns[place], places[place], new)
        draft.truth.append(Truth(record=records[place], kind=kind, old=said[place], new=new, detail=raters[place]))
