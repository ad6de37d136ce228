"""Grades by their words: which labels are steps of one scale, and in which order (`none, mild, severe`; `I, IIa, IV`; `G1`)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from auditor.naming.lexicon import GRADE_WORDS

LEAST, MOST = 3, 12
"""So many grades have a scale; two are a class and its absence."""
_STEPS = (
    "none no absent normal negative healthy",
    "minimal trace questionable doubtful borderline",
    "mild slight low light",
    "moderate medium intermediate",
    "marked high",
    "severe advanced",
    "extreme critical proliferative",
)
_STEP = {word: step for step, words in enumerate(_STEPS) for word in words.split()}
_MIDDLE = frozenset(("mild", "moderate", "severe"))
"""Two of these are grades whatever the column is called; `low` and `high` may be anything."""
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "0": 0}
_NUMBERED = re.compile(r"(?P<word>[^\W\d_]*)[ _\-]*(?P<number>\d{1,2})(?P<part>[a-d]?)")
_COUNTED = re.compile(r"(?P<word>(?:[^\W\d_]+[ _\-]+)?)(?P<number>0|i{1,3}|iv|vi?)(?P<part>[a-d]?)")
_WORD = re.compile(r"[^\W\d_]+")


def grade_order(values: Iterable[str], *, called: bool) -> tuple[str, ...] | None:
    """The labels from the lowest grade to the highest; None where they are no grades, or two are the same.

    Args:
        values: the distinct labels.
        called: the column is called like one of grades, so that `I, II, III`, `G1, G2, G3` and `low, medium, high` are some.
    """
    names = sorted(set(values))
    if not LEAST <= len(names) <= MOST:
        return None
    found = _severities(names, called=called) or _numbers(names, called=called)
    if found is None or len(set(found)) < len(names):
        return None
    return tuple(name for _, name in sorted(zip(found, names, strict=True)))


def _severities(names: list[str], *, called: bool) -> list[tuple[int, str]] | None:
    """Every name holds one word of severity: `Moderate NPDR`, `no DR`."""
    held = [{word for word in _WORD.findall(name.lower()) if word in _STEP} for name in names]
    if any(len(words) != 1 for words in held):
        return None
    said = [next(iter(words)) for words in held]
    if not called and len(_MIDDLE & set(said)) < 2:
        return None
    return [(_STEP[word], "") for word in said]


def _numbers(names: list[str], *, called: bool) -> list[tuple[int, str]] | None:
    """Every name is a number behind one and the same word, Arabic or Roman; a letter may part a step (`IIa`)."""
    for pattern, roman in ((_NUMBERED, False), (_COUNTED, True)):
        found = [pattern.fullmatch(name.strip().lower()) for name in names]
        parts = [match for match in found if match is not None]
        if len(parts) < len(names):
            continue
        words = {match["word"].strip(" _-") for match in parts}
        word = next(iter(words))
        if len(words) > 1 or not (called or word in GRADE_WORDS) or (not word and not roman):
            continue
        return [(_ROMAN[match["number"]] if roman else int(match["number"]), match["part"]) for match in parts]
    return None
