"""Which columns of a wide table are readers: names alike but for a number, a letter or a name, beside a word for readers.

Of a long table instead: whether its records have several rows, and what differs between those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from auditor.naming.clinical import CLINICAL_WORDS
from auditor.naming.labels import are_states
from auditor.naming.lexicon import LABEL_NAMES, NOT_A_LABEL, RATER_WORDS, TRUTH_NAMES, words
from auditor.naming.suffixes import stem_of
from auditor.tables.profiles import Profile

MAX_RATER_CLASSES = 50
_BOUNDARY = re.compile(
    r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af])(?=[A-Za-z])"
)
_TOKEN = re.compile(r"\d+(?:st|nd|rd|th)?(?![^\W\d_])|\d+|[^\W\d_]+")
_SEVERAL = re.compile(r"(?P<stem>[^\W\d_]+)[ _-]?(?P<first>\d+)\s*[/+&]\s*(?P=stem)[ _-]?(?P<second>\d+)", re.IGNORECASE)
_ROMAN = re.compile(r"i{1,3}|iv|vi{0,3}|ix|xi{0,2}")
_ORDINALS = frozenset(
    """first second third fourth fifth erster zweiter dritter premier deuxième troisième primer primero segundo tercero primo
    secondo terzo""".split()  # noqa: SIM905
)
_TITLES = frozenset(("dr", "prof"))
_TITLED = re.compile(r"\b(?:Dr|Prof)\b")
"""`Dr. Adams` beside `Dr. Baker` are readers, whatever they say; `DR 1` is a retinopathy."""
_SUMMARIES = frozenset("agreement mean average majority both all any left right comment comments consensus final".split())  # noqa: SIM905
_NO_NAME = (
    frozenset(word for name in LABEL_NAMES for word in words(name)) | NOT_A_LABEL | CLINICAL_WORDS | TRUTH_NAMES | _SUMMARIES
)


@dataclass(frozen=True, kw_only=True)
class Readers:
    """Columns of one name pattern that are readers, with reason and confidence."""

    names: tuple[str, ...]
    why: str
    confidence: float


def rater_columns(profiles: Mapping[str, Profile], free: Sequence[str]) -> list[Readers]:
    """Groups of columns that are readers; the first is the one to read, further ones answer another question."""
    found: list[Readers] = []
    for pattern, members in _patterns(free, profiles).items():
        taken = {name for group in found for name in group.names}
        if len(members) < 2 or taken & set(members) or (found and set(pattern) & NOT_A_LABEL):
            continue
        if all(measures(profiles[name]) for name in members):
            why = f"{len(members)} columns of one name pattern, all measurements"
            found.append(Readers(names=tuple(members), why=why, confidence=0.85))
            continue
        if any(profiles[name].distinct > MAX_RATER_CLASSES for name in members):
            continue
        sets = [set(map(str, profiles[name].told.values)) for name in members]
        common, every = set.intersection(*sets), set.union(*sets)
        named = "@" in pattern
        # `reader_pneumonia` and `reader_effusion` hold yes and no alike: findings of one reader, no readers.
        if named and are_states(sorted(every)) and not all(map(_TITLED.search, members)):
            continue
        if len(common) >= (0.6 if named else 0.3) * len(every) and len(every) <= MAX_RATER_CLASSES:
            why = f"{len(members)} columns of one name pattern with the same {len(every)} values"
            found.append(Readers(names=tuple(members), why=why, confidence=0.9))
    return found


def measures(seen: Profile) -> bool:
    """Numbers, and more different ones than grades have."""
    return seen.numeric and seen.distinct > MAX_RATER_CLASSES


def names_a_rater(name: str) -> bool:
    """One of its words means readers."""
    return bool(set(_tokens(name)) & RATER_WORDS)


def reader_of(table: str) -> str | None:
    """Whose table it is: one called after a reader (`reader_2.csv`), or among those of readers (`readers/A.csv`)."""
    folder, _, name = table.rpartition("/")
    stem = stem_of(name)
    return stem if names_a_rater(stem) or names_a_rater(folder.rpartition("/")[2]) else None


def are_answers(seen: Profile) -> bool:
    """The cells are findings or yes and no, such as readers give, and no readers."""
    values = [str(value) for value in seen.told.values[:MAX_RATER_CLASSES]]
    return any(set(words(value)) & CLINICAL_WORDS for value in values)


def _patterns(free: Sequence[str], profiles: Mapping[str, Profile]) -> dict[tuple[str, ...], list[str]]:
    """Name with one token replaced → columns; what is called like no label comes last."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in free:
        if not profiles[name].distinct:
            continue
        tokens = _tokens(name)
        for place, token in enumerate(tokens):
            rest = {*tokens[:place], *tokens[place + 1 :]}
            kind = _kind(token)
            titled = _TITLED.search(name) is not None
            if not (rest & RATER_WORDS or titled):
                continue
            beside = {*tokens[max(place - 1, 0) : place], *tokens[place + 1 : place + 2]}
            known = RATER_WORDS | _TITLES if titled else RATER_WORDS
            if kind == "@" and (not beside & known or token in _NO_NAME or token in known or len(tokens) > 2):
                continue
            groups.setdefault((*tokens[:place], kind, *tokens[place + 1 :]), []).append(name)
    order = sorted(groups, key=lambda pattern: ("@" in pattern, bool(set(pattern) & NOT_A_LABEL)))
    return {pattern: groups[pattern] for pattern in order}


def _tokens(name: str) -> list[str]:
    joint = _SEVERAL.sub(r"\g<stem> \g<first>\g<second>", name)
    return [token.lower() for token in _TOKEN.findall(_BOUNDARY.sub(" ", joint))]


def _kind(token: str) -> str:
    """`#` a number, a letter or a place in a row; `@` any other word, which may be a name."""
    if token[0].isdigit() or len(token) == 1 or _ROMAN.fullmatch(token) or token in _ORDINALS:
        return "#"
    return "@"


def repeats(frame: pd.DataFrame, seen: Profile, record: str, rater: str) -> bool:
    """Records of a column have several rows, by several raters.

    Args:
        seen: the profile of `record`.
    """
    if seen.distinct < 2 or seen.distinct >= seen.rows * 0.95 or seen.distinct <= 20 < seen.rows / 20:
        return False
    return len(_pairs(frame, record, rater).drop_duplicates()) > seen.distinct


def reads_once(frame: pd.DataFrame, seen: Profile, record: str, rater: str) -> bool:
    """Nearly every row is another pair of record and rater, and records have several rows."""
    return repeats(frame, seen, record, rater) and float(_pairs(frame, record, rater).duplicated().mean()) < 0.1


def differs(frame: pd.DataFrame, record: str, name: str) -> bool:
    """A column says different things in the rows of one record."""
    return bool(_pairs(frame, record, name).drop_duplicates()["a"].duplicated().any())


def _pairs(frame: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    return pd.DataFrame({"a": frame[one].cat.codes, "b": frame[other].cat.codes})
