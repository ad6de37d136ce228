"""Ids of nobody knows what that recur in the names of files: `0012_03`, `AP_00012`, `slide_14.103_2`, `Patient7Image2`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd

import numpy as np
import pandas as pd

from auditor.naming.suffixes import stem_of

LEAST_GROUPS = 8
"""Fewer ids are batches, classes or years."""
LARGEST = 400
"""More images on average are no patient's, not even slices of a volume."""
LEAST_SHARED = 0.3
"""Share of the images that must share their id with another one."""
LEAST_BESIDE = 0.15
"""The same inside one folder, class and split: numbers that begin anew in each of them recur nowhere else."""
MATCHING = 0.9
NESTED = 0.98
"""Share of the studies that must stand within one patient."""
LEAST_HELD = 1.25
"""Studies of a patient, on average; fewer are the same ids written once more."""
MOST_HELD = 6.0
"""More are patients of a clinic, where nearly all clinics stand in several splits."""
MOST_WORDS = 12

_COUNTED = re.compile(r"^(?P<id>.*?\d.*?)[ _.\-]+[A-Za-z]{0,8}[ _\-(]*(?P<number>\d{1,5})\)?$")
_WORDED = re.compile(r"^(?P<id>.*\d)[ _.\-]+(?P<word>[A-Za-z][A-Za-z0-9 _\-]{0,15})$")
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d(?P<by>[-_.]?)(?:0[1-9]|1[0-2])(?P=by)(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])(?P<between>[-_.])(?:0?[1-9]|1[0-2])(?P=between)(?:19|20)\d\d)"
    r"(?:[T _-]?(?:[01]\d|2[0-3])[-_.:h]?[0-5]\d(?:[-_.:m]?[0-5]\d)?)?(?!\d)",
    re.IGNORECASE,
)
"""With the time of day behind it."""
_MEASURE = re.compile(
    r"\d+(?:y|yo|yrs?|m|mo|x|px|dpi|mm|cm|um|kv|kvp|mas?|ms|s|hz|deg|percent)"
    r"|(?:age|q|quality|zoom|mag|row|col|width|height|level|lvl)[ _.\-]*\d+",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_LOT = re.compile(r"(?:batch|fold|part|set|site|cent(?:er|re)|scanner|device|group)[ _.\-]*\d+", re.IGNORECASE)
"""What is counted anew in each of these has a number of its own in each."""
_APART = re.compile(r"[\W_]+")
_RUN = re.compile(r"\d+|[^\W\d_]+")


def leading_ids(paths: pd.Series, labels: pd.Series) -> pd.Series | None:
    """The leading id of every name (NA where it has none), or None where the names hold no such ids.

    Args:
        paths: relative paths.
        labels: a word that says the class (`12_benign`) is no view of a patient.
    """
    stems = paths.dropna().astype("str").map(stem_of).str.replace(_DATE, "", regex=True)
    if len(stems) < 2 * LEAST_GROUPS:
        return None
    for pattern in (_COUNTED, _WORDED):
        parts = stems.str.extract(pattern)
        if float(parts["id"].notna().mean()) < MATCHING:
            continue
        if "word" in parts.columns and not _are_views(parts["word"], labels.reindex(stems.index)):
            continue
        found = parts["id"].str.lower()
        if are_groups(found, labels.nunique()):
            return found.reindex(paths.index)
    return None


@dataclass(frozen=True, kw_only=True)
class Recurring:
    """What recurs in names of files, and how it lies over the splits.

    Args:
        ids: on the index of the paths, NA where a name has none.
        leading: they are all that stands before a count or a view; else one number or part of the name.
        share: of the ids, those that stand in several splits.
    """

    ids: pd.Series
    leading: bool
    share: float


def recurring_ids(paths: pd.Series, labels: pd.Series, splits: pd.Series) -> Recurring | None:
    """What may be the patients: the leading ids, else what stands at that place of the names where fewest cross; or None.

    Any number or part of a name may be the patient's. Where one of them never stands in two splits, whoever dealt them went
    by it, and what recurs everywhere is a count. But he may have gone by studies: where each of these ids stands within one
    wider id, and those cross, these are returned.

    Args:
        paths: relative paths.
        labels: the classes, on the same index.
        splits: the split of each, on the same index.
    """
    places = list(_places_of(paths, labels))
    found = leading_ids(paths, labels)
    if found is not None:
        dealt = Recurring(ids=found, leading=True, share=crossing_share(found, splits))
    else:
        apart = [
            Recurring(ids=ids, leading=False, share=crossing_share(ids, splits))
            for ids in places
            if _beside(ids, paths, labels, splits)
        ]
        if not apart:
            return None
        dealt = min(apart, key=lambda one: one.share)
    if dealt.share == 0:
        wider = [
            Recurring(ids=ids, leading=False, share=share)
            for ids in places
            if (share := crossing_share(ids, splits)) > 0 and _holds(ids, dealt.ids, share)
        ]
        dealt = min(wider, key=lambda one: one.share, default=dealt)
    return Recurring(ids=dealt.ids.reindex(paths.index), leading=dealt.leading, share=dealt.share)


def _places_of(paths: pd.Series, labels: pd.Series) -> Iterator[pd.Series]:
    """What could be ids at each place of the names."""
    known = paths.dropna().astype("str")
    if len(known) >= 2 * LEAST_GROUPS:
        yield from (ids for ids in _places(known.map(stem_of)) if are_groups(ids, labels.nunique()))


def _beside(ids: pd.Series, paths: pd.Series, labels: pd.Series, splits: pd.Series) -> bool:
    """They recur inside one folder, class and split too: numbers that begin anew in each of them recur nowhere else."""
    known = paths.dropna().astype("str")
    place = known.str.replace(r"[^/\\]*$", "", regex=True)
    beside = place + "\n" + labels.reindex(known.index).fillna("").astype("str") + "\n" + splits.reindex(known.index).fillna("")
    beside += "\n" + known.map(stem_of).str.findall(_LOT).map("".join)
    inside = pd.DataFrame({"id": ids, "beside": beside}).dropna()
    return float((inside.groupby(["id", "beside"])["id"].transform("size") >= 2).mean()) >= LEAST_BESIDE


def _holds(wide: pd.Series, narrow: pd.Series, crossing: float) -> bool:
    """Each narrow id stands in one wide one, and a wide one holds several, as a patient holds studies and a clinic patients.

    A clinic has many patients, and nearly every clinic stands in every split.
    """
    known = pd.DataFrame({"wide": wide, "narrow": narrow}).dropna()
    if not len(known):
        return False
    inside = float((known.groupby("narrow")["wide"].nunique() == 1).mean())
    held = known["narrow"].nunique() / known["wide"].nunique()
    return inside >= NESTED and held > LEAST_HELD and (held < MOST_HELD or crossing < MATCHING)


def crossing_share(ids: pd.Series, splits: pd.Series) -> float:
    """Share of the ids that stand in several splits."""
    known = pd.DataFrame({"id": ids, "split": splits}).dropna()
    known = known[known["split"] != ""]
    return float((known.groupby("id")["split"].nunique() > 1).mean()) if len(known) else 0.0


def are_groups(ids: pd.Series, classes: int) -> bool:
    """They tell so many apart, and join so many, as ids of patients do."""
    sizes = ids.value_counts()
    if len(sizes) < max(LEAST_GROUPS, 2 * classes) or ids.notna().sum() / len(sizes) > LARGEST:
        return False
    if int((sizes >= 2).sum()) < LEAST_GROUPS:
        return False  # a few words, as of augmented copies, stand there many times among ids that stand there once
    if _measures([str(value) for value in sizes.index]):
        return False
    return float((ids.map(sizes) >= 2).mean()) >= LEAST_SHARED


def _measures(values: list[str]) -> bool:
    """Years, numbers with a unit, batches and sites, and places in a grid (all numbers are multiples of one) are no ids."""
    others = sum(any(one.fullmatch(value) for one in (_MEASURE, _LOT, _YEAR)) for value in values)
    if others >= MATCHING * len(values):
        return True
    numbers = [int(number) for value in values for number in re.findall(r"\d{1,18}", value)]
    return gcd(*numbers) > 1


def _places(stems: pd.Series) -> Iterator[pd.Series]:
    """What stands at each place of the names: parts between separators, then the numbers where all are built alike."""
    stems = stems.str.replace(_DATE, "", regex=True).str.lower()
    parts = stems.map(lambda stem: [part for part in _APART.split(stem) if part and not _MEASURE.fullmatch(part)])
    parts = parts.map(lambda of: [part for part in of if not _LOT.fullmatch(part)])
    yield from _columns(parts)
    stems = parts.map("_".join)
    built = stems.str.replace(r"\d+", "0", regex=True).str.replace(r"[^\W\d_]+", "a", regex=True)
    alike = built.eq(built.mode().iloc[0])
    if float(alike.mean()) >= MATCHING:
        yield from _columns(stems[alike].map(_RUN.findall))


def _columns(parts: pd.Series) -> Iterator[pd.Series]:
    """From the front, and from the back where the names have not all as many parts; only where most hold a digit."""
    counts = parts.map(len)
    usual = int(counts.mode().iloc[0])
    if float((counts == usual).mean()) >= MATCHING:
        places = list(range(usual))
    else:
        least = int(counts.quantile(1 - MATCHING))
        places = [*range(least), *range(-least, 0)]
    for place in places:
        inside = counts > place if place >= 0 else counts >= -place
        values = parts.where(inside).map(lambda of, at=place: of[at], na_action="ignore")
        if float(values.str.contains(r"\d", na=False).mean()) >= MATCHING:
            yield values


def _are_views(words: pd.Series, labels: pd.Series) -> bool:
    """A few words that recur, and none of which stands for one class alone."""
    said = words.str.lower()
    if not 1 < said.nunique() <= MOST_WORDS:
        return False
    known = pd.DataFrame({"word": said, "label": labels}).dropna()
    if not len(known) or known["label"].nunique() < 2:
        return True
    most = known.groupby("word")["label"].agg(lambda of: float(of.value_counts(normalize=True).iloc[0]))
    return bool(np.median(most) < 0.98)
