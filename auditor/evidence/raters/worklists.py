"""Readings in the order in which they were made: session, position, hour, reading time, and how wrong each one was."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import SkipCheck
from auditor.evidence.raters.readings import complete_readings
from auditor.values.dataset import Dataset

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
BREAK_HOURS = 2.0
"""A longer pause begins a new session where the table names none."""
_EARLY = frozenset(["before", "pre", "morning", "am", "first", "fresh", "start", "early", "begin", "rested"])


@dataclass(frozen=True, kw_only=True)
class Worklists:
    """One entry per reading that can be judged.

    Args:
        record, rater, session: codes from 0; a session belongs to one rater.
        late: 1 where the session is the later one of the rater (or in the later half of the sessions), else 0.
        position: 0 at the first reading of the session, 1 at its last; NaN where the order is not known.
        order: rank of the reading within the rater; NaN where the order is not known.
        hour: of the day, 0–24; NaN without a clock.
        seconds: reading time; NaN where it is not known.
        error: 0–1: 1 = wrong; for scores the share of the other class on the wrong side, so that its mean is 1 − AUC.
        raters: names.
        measure: what `error` is, in words.
        auc: `error` is 1 − AUC.
        sessions: names of the two sessions, where the table has exactly two; else ("earlier", "later").
    """

    record: Codes
    rater: Codes
    session: Codes
    late: Doubles
    position: Doubles
    order: Doubles
    hour: Doubles
    seconds: Doubles
    error: Doubles
    raters: tuple[str, ...]
    measure: str
    auc: bool
    sessions: tuple[str, str]


def collect_worklists(dataset: Dataset) -> Worklists:
    """The readings of `dataset.annotations` with their order.

    Raises:
        SkipCheck: no readings, no session, time or position, or nothing to judge the readings by.
    """
    table = complete_readings(dataset).reset_index(drop=True)
    if not {"time", "session", "position", "seconds"} & set(table.columns):
        raise SkipCheck("the readings have neither session nor time nor reading time: fatigue and drift cannot be told")
    record, records = pd.factorize(table["record"].astype(str))
    rater, raters = pd.factorize(table["rater"].astype(str), sort=True)
    clock, is_date = _clock(table)
    place = _numbers(table, "position")
    moment = np.where(np.isnan(place), clock, place) if "position" in table.columns else clock
    session, names = _sessions(table, rater, clock, is_date)
    late, called = _late(session, names, rater, clock)
    session_order = np.lexsort((moment, session))
    position, order = np.full(len(table), np.nan), np.full(len(table), np.nan)
    ordered = ~np.isnan(moment)
    if ordered.any():
        position = _within(session, session_order)
        start = np.where(np.isnan(clock), late, clock)
        order = _ranks(np.lexsort((moment, start, rater)), rater)
        position[~ordered], order[~ordered] = np.nan, np.nan
    error, measure, auc = _errors(dataset, table, record, records, rater, session)
    known = ~np.isnan(error)
    if known.sum() < 20:
        raise SkipCheck("fewer than 20 readings can be judged: there is neither a released label nor enough other readers")
    return Worklists(
        record=record[known].astype(np.int64), rater=rater[known].astype(np.int64), session=session[known],
        late=late[known], position=position[known], order=order[known],
        hour=_hours(table)[known] if is_date else np.full(int(known.sum()), np.nan),
        seconds=_numbers(table, "seconds")[known], error=error[known], raters=tuple(str(r) for r in raters), measure=measure,
        auc=auc, sessions=called,
    )  # fmt: skip


def paces(lists: Worklists) -> Doubles:
    """Rank of each reading time among those of the rater, 0 shortest to 1 longest; NaN where it is not known or not above 0."""
    frame = pd.DataFrame({"rater": lists.rater, "seconds": np.where(lists.seconds > 0, lists.seconds, np.nan)})
    grouped = frame.groupby("rater")["seconds"]
    size = grouped.transform("count").to_numpy(np.float64)
    rank = grouped.rank().to_numpy(np.float64)
    return np.asarray(np.where(size > 1, (rank - 1) / np.maximum(size - 1, 1), np.nan))


def _numbers(table: pd.DataFrame, name: str) -> Doubles:
    if name not in table.columns:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[name].astype("object"), errors="coerce").to_numpy(np.float64)


def _dates(table: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(table["time"].astype("object"), errors="coerce", format="mixed", utc=True)


def _clock(table: pd.DataFrame) -> tuple[Doubles, bool]:
    """Hours since the first reading where `time` holds dates, else its numbers; and whether it holds dates."""
    plain = _numbers(table, "time")
    if "time" not in table.columns or not np.isnan(plain).all():
        return plain, False
    dates = _dates(table)
    hours = (dates - dates.min()).dt.total_seconds().to_numpy(np.float64) / 3600
    return hours, True


def _hours(table: pd.DataFrame) -> Doubles:
    dates = _dates(table)
    return np.asarray(dates.dt.hour + dates.dt.minute / 60, dtype=np.float64)


def _sessions(table: pd.DataFrame, rater: Codes, clock: Doubles, is_date: bool) -> tuple[Codes, list[str]]:
    """Session code of each reading (rater and session together), and the name of each code."""
    if "session" in table.columns:
        named = table["session"].astype("object").fillna("").astype(str)
    elif is_date:
        order = np.lexsort((clock, rater))
        pause = np.diff(clock[order], prepend=clock[order][:1]) > BREAK_HOURS
        fresh = np.diff(rater[order], prepend=-1) != 0
        number = np.cumsum(pause | fresh)
        spread = np.empty(len(table), dtype=np.int64)
        spread[order] = number
        named = pd.Series(spread).astype(str)
    else:
        named = pd.Series(["all"] * len(table))
    codes, pairs = pd.factorize(pd.Series(list(zip(rater.tolist(), named.tolist(), strict=True)), dtype=object))
    return codes.astype(np.int64), [str(name) for _, name in pairs]


def _late(session: Codes, names: list[str], rater: Codes, clock: Doubles) -> tuple[Doubles, tuple[str, str]]:
    """1 for the later session(s) of each rater; the two names where all raters share exactly two."""
    frame = pd.DataFrame({"session": session, "rater": rater, "clock": clock})
    starts = frame.groupby("session").agg(rater=("rater", "first"), clock=("clock", "min"))
    starts["name"] = names
    distinct = sorted(set(names), key=_natural)
    if len(distinct) == 2:
        if starts["clock"].notna().all():
            distinct.sort(key=lambda name: float(starts.loc[starts["name"] == name, "clock"].median()))
        second = np.array([name == distinct[1] for name in names], dtype=np.float64)
        return second[session], (distinct[0], distinct[1])
    by_clock = bool(starts["clock"].notna().all())
    place = {name: number for number, name in enumerate(distinct)}
    starts["place"] = [place[name] for name in names]
    ranked = starts.sort_values(["rater", "clock"] if by_clock else ["rater", "place"], kind="stable")
    rank = ranked.groupby("rater").cumcount()
    size = ranked.groupby("rater")["name"].transform("size")
    late = (((rank + 0.5) > size / 2) & (size > 1)).reindex(range(len(names)))
    return np.asarray(late.to_numpy(dtype=np.float64)[session], dtype=np.float64), ("earlier", "later")


def _natural(name: str) -> tuple[int, tuple[tuple[int, float, str], ...]]:
    parts = re.findall(r"\d+|[^\d]+", name.lower())
    early = bool(_EARLY & set(re.findall(r"[a-z]+", name.lower())))
    return (0 if early else 1, tuple((0, float(p), "") if p.isdigit() else (1, 0.0, p) for p in parts))


def _within(session: Codes, order: npt.NDArray[np.intp]) -> Doubles:
    rank = _ranks(order, session)
    size = np.bincount(session)[session]
    return np.asarray(np.where(size > 1, rank / np.maximum(size - 1, 1), np.nan))


def _ranks(order: npt.NDArray[np.intp], group: Codes) -> Doubles:
    """Rank of each entry within its group, from 0; `order` sorts by group first."""
    ranked = group[order]
    first = np.concatenate([[0], np.flatnonzero(np.diff(ranked)) + 1])
    start = np.repeat(first, np.diff(np.append(first, len(order))))
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order)) - start
    return rank


def _errors(
    dataset: Dataset, table: pd.DataFrame, record: Codes, records: pd.Index, rater: Codes, session: Codes
) -> tuple[Doubles, str, bool]:
    said = table["label"].astype(str)
    truth = _released(dataset, records)
    if truth is not None:
        classes = sorted(set(truth.dropna()))
        if set(said) <= set(dataset.labels.classes) | set(classes):
            expected = truth.to_numpy(dtype=object)[record]
            wrong = (said.to_numpy(dtype=object) != expected).astype(np.float64)
            wrong[pd.isna(expected)] = np.nan
            return wrong, "readings that differ from the released label", False
        score = pd.to_numeric(said, errors="coerce").to_numpy(np.float64)
        if len(classes) == 2 and not np.isnan(score).any():
            return _misranked(score, truth, classes, record, session), "1 − AUC against the released label", True
    label, names = pd.factorize(said)
    return (
        _against_others(label, len(names), record, rater),
        "readings that differ from the majority of the other readers",
        False,
    )


def _released(dataset: Dataset, records: pd.Index) -> pd.Series | None:
    if dataset.labels.task not in ("single", "ordinal"):
        return None
    truth = dataset.labels.values.reindex(records)
    return truth if float(truth.notna().mean()) >= 0.5 else None


def _misranked(score: Doubles, truth: pd.Series, classes: list[str], record: Codes, session: Codes) -> Doubles:
    """Share of the other class in the same session that the score puts on the wrong side (ties: half)."""
    given = truth.to_numpy(dtype=object)[record]
    known = ~pd.isna(given)
    positive = given == classes[1]
    loss = np.full(len(score), np.nan)
    upside = 0.0
    for own in range(int(session.max()) + 1):
        inside = np.flatnonzero((session == own) & known)
        high, low = score[inside[positive[inside]]], score[inside[~positive[inside]]]
        if len(high) == 0 or len(low) == 0:
            continue
        less, more = np.sort(low), np.sort(high)
        below = (np.searchsorted(less, high, "left") + np.searchsorted(less, high, "right")) / (2 * len(low))
        above = 1 - (np.searchsorted(more, low, "left") + np.searchsorted(more, low, "right")) / (2 * len(high))
        loss[inside[positive[inside]]] = 1 - below
        loss[inside[~positive[inside]]] = 1 - above
        upside += float(below.mean()) - 0.5
    # Which of the two classes is the positive one is not written down: most readers are better than chance.
    return np.asarray(loss if upside >= 0 else 1 - loss)


def _against_others(label: Codes, classes: int, record: Codes, rater: Codes) -> Doubles:
    """1 where a reading differs from the majority of the other raters' first readings; NaN where these tie or are none."""
    pair = pd.DataFrame({"record": record, "rater": rater, "label": label})
    first = pair.drop_duplicates(["record", "rater"])
    counts = np.zeros((int(record.max()) + 1, classes))
    np.add.at(counts, (first["record"].to_numpy(), first["label"].to_numpy()), 1)
    own = pair.merge(first, on=["record", "rater"], how="left", suffixes=("", "_first"))["label_first"].to_numpy()
    rest = counts[record]
    rest[np.arange(len(record)), own] -= 1
    top = rest.max(axis=1)
    clear = (top > 0) & ((rest == top[:, None]).sum(axis=1) == 1)
    return np.where(clear, (rest.argmax(axis=1) != label).astype(np.float64), np.nan)
