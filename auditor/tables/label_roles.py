"""Which columns of a table hold the label, and how they are to be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from auditor.naming.clinical import CLINICAL_WORDS
from auditor.naming.grades import MOST as MOST_GRADES
from auditor.naming.grades import grade_order
from auditor.naming.headers import plain
from auditor.naming.labels import are_ticks, blank_of, split_cell, states_of
from auditor.naming.lexicon import GRADE_WORDS, LABEL_NAMES, NOT_A_LABEL, TRUTH_NAMES, words
from auditor.naming.numbers import with_points
from auditor.tables.profiles import INTEGER, Profile
from auditor.values.labels import State

Style = Literal["none", "single", "ordinal", "continuous", "joined", "columns"]
Profiles = Mapping[str, Profile]

THRESHOLD = 0.5
_GROUP_NAMES = frozenset(("group", "cohort", "status", "arm", "dx", "phenotype"))
_STUDY_GROUPS = frozenset(
    ("cn", "nc", "hc", "ctl", "mci", "emci", "lmci", "smc", "ad", "pd", "ftd", "asd", "tdc", "scz", "dlb", "ms", "dementia")
)
"""How studies of the brain write their groups; only in a column that is called like one."""
_COMMAS = (",", "，", "、")
_SIGNS = ("+", "&", "/", " and ", " und ", " et ", " y ", " e ", " en ")
_UNNAMED = re.compile(r"column \d+|split \(table name\)|image of the row")
MOST_UNNAMED = 50
_AXIS = re.compile(r"^(?P<of>.*?)[ _.-]?(?P<axis>[xyzXYZ])(?P<number>\d*)$")
_PROPERTIES = frozenset(("density",))
"""Called like a label, and a property of the picture where anything else is the label."""
_COUNTED = re.compile(r"[\d.]+|[ivxIVX]+[abcABC]?")
_PLAIN_NAMES = frozenset(plain(name) for name in LABEL_NAMES)
_NAME_WORDS = frozenset(word for name in LABEL_NAMES for word in words(name)) - {"name"}


@dataclass(frozen=True, kw_only=True)
class LabelColumns:
    """Columns that hold the label, with confidence and reason."""

    names: tuple[str, ...]
    confidence: float
    why: str


def is_truth(name: str) -> bool:
    """The column is called like a released label or a consensus."""
    return bool(set(words(name)) & TRUTH_NAMES)


def label_score(seen: Profile) -> tuple[float, str]:
    """How much a column looks like a label, and why; 0 for what is no label by its name (age, site, width)."""
    said = set(words(seen.name))
    if said & NOT_A_LABEL or not (seen := seen.told).distinct:
        return 0.0, ""
    exact = plain(seen.name) in _PLAIN_NAMES
    part = bool(said & _NAME_WORDS)
    sample = seen.sample
    known = CLINICAL_WORDS | _STUDY_GROUPS if said & _GROUP_NAMES else CLINICAL_WORDS
    clinical = sum(bool({*words(value), value.lower()} & known) for value in sample) / len(sample)
    if seen.distinct > min(1000, max(seen.filled / 2, 2)):
        if (exact or part) and seen.numeric:
            return (0.7 if exact else 0.5), f"called so, {seen.distinct:,} different numbers"
        if not ((exact or part) and separator_of(seen) is not None):
            return 0.0, ""
    if not exact and not part and seen.distinct < 2:
        return 0.0, ""
    disease = bool(said & CLINICAL_WORDS) and seen.states and seen.distinct > 1
    called = 0.6 if said & _PROPERTIES else 0.85 if exact else 0.8 if disease else 0.65 if part else 0.15
    score = called + 0.1 * (2 <= seen.distinct <= 20) + 0.5 * clinical - 0.3 * (exact and seen.distinct < 2)
    what = "called so" if exact or part else "called like a disease" if disease else "its values are clinical words"
    return min(score, 0.97), f"{what}, {seen.distinct:,} values"


def coordinates(names: Sequence[str]) -> frozenset[str]:
    """Columns that say where and not what: `Fovea_X` beside `Fovea_Y`, `coordX`, `coordY`, `coordZ`."""
    axes: dict[str, dict[str, str]] = {}
    for name in names:
        found = _AXIS.match(name)
        if found is not None:
            axes.setdefault(found["of"].lower() + "*" + found["number"], {})[found["axis"].lower()] = name
    return frozenset(name for places in axes.values() if {"x", "y"} <= set(places) for name in places.values())


def is_called_label(name: str) -> bool:
    """The column has exactly the name of a label (`finding`, `diagnosis`), or that of a released one."""
    return plain(name) in _PLAIN_NAMES or is_truth(name)


def find_labels(
    frame: pd.DataFrame, profiles: Profiles, free: Sequence[str], *, accept: Callable[[str], bool] | None = None
) -> LabelColumns | None:
    """The label among `free` columns: one column, or a run of columns of states, or nothing convincing.

    Args:
        accept: take only columns with such names, where other columns are readings; None = any column.
    """
    apart = coordinates(list(profiles))
    candidates = [name for name in free if (accept is None or accept(name)) and name not in apart]
    scored = [(label_score(profiles[name]), name) for name in candidates]
    best = max((entry for entry in scored if entry[0][0] >= THRESHOLD), key=lambda entry: entry[0][0], default=None)
    states = [] if accept is not None else state_run(profiles, free)
    if len(states) > 1 and _one_hot(frame, states) and (best is None or best[0][0] < 0.9 or best[1] in states):
        why = f"{len(states)} columns of yes and no, exactly one of them yes in every row"
        return LabelColumns(names=tuple(states), confidence=0.92, why=why)
    alone = best is not None and best[1] in states and profiles[best[1]].told.distinct < 2  # `No Finding` with 1 and blank
    diseases = [name for name in states if set(words(name)) & (CLINICAL_WORDS | {"finding"})]
    alone = alone or (best is not None and best[1] in diseases and len(diseases) > 1)
    if (len(states) > 2 and (best is None or best[1] in states)) or (len(states) > 1 and alone):
        ticked = are_ticks([str(value) for name in states for value in profiles[name].values])
        what = "ticked boxes; an empty one is read as no" if ticked else "yes, no, uncertain or blank"
        why = f"{len(states)} columns of {what}, side by side"
        return LabelColumns(names=tuple(states), confidence=0.65, why=why)
    if best is None and states and any(set(words(name)) & CLINICAL_WORDS for name in states):
        why = "called like a disease, and its values are yes, no, uncertain or blank"
        return LabelColumns(names=tuple(states), confidence=0.6, why=why)
    if best is None:
        return _beside_names(profiles, free) if accept is None else None
    (score, why), name = best
    return LabelColumns(names=(name,), confidence=round(score, 2), why=why)


def _beside_names(profiles: Profiles, free: Sequence[str]) -> LabelColumns | None:
    """Of a list without a header, the only column of few values beside the names."""
    if not all(_UNNAMED.fullmatch(name) for name in profiles):
        return None
    few = [name for name in free if 2 <= profiles[name].distinct <= min(MOST_UNNAMED, profiles[name].filled / 2)]
    why = "a list without a header: the only column of few values beside the names"
    return LabelColumns(names=(few[0],), confidence=0.6, why=why) if len(few) == 1 else None


def state_run(profiles: Profiles, free: Sequence[str]) -> list[str]:
    """The longest run of neighbouring columns of states that are not called like age, sex or a flag."""
    best: list[str] = []
    run: list[str] = []
    allowed = set(free)
    for name in [*profiles, ""]:
        if name in allowed and profiles[name].states and not set(words(name)) & NOT_A_LABEL:
            run.append(name)
        else:
            best = run if len(run) > len(best) else best
            run = []
    return best


def _one_hot(frame: pd.DataFrame, names: Sequence[str]) -> bool:
    cells = frame[list(names)]
    states = np.column_stack([states_of(cells[name], blank_of(cells)) for name in names])
    return bool((states >= 0).all() and ((states == State.POSITIVE).sum(axis=1) == 1).all())


def style_of(profiles: Profiles, names: Sequence[str], *, separator: str | None, task: str | None) -> tuple[Style, str]:
    """How label columns are read, and the mark between the labels of one cell.

    Args:
        separator, task: pinned by the user or known from the collection.
    """
    if not names or task == "none":
        return "none", "|"
    if len(names) > 1:
        return "columns", "|"
    seen = profiles[names[0]].told
    if task == "single":
        return "single", "|"
    if task == "ordinal":
        return "ordinal", "|"
    if task == "continuous":
        return "continuous", "|"
    mark = separator or separator_of(seen)
    if mark is not None or task == "multi":
        return "joined", mark or "|"
    fractional = seen.numeric and any(not float(value).is_integer() for value in with_points(seen.sample))
    if seen.numeric and (seen.distinct > 50 or (fractional and seen.distinct > max(20, seen.filled / 50))):
        return "continuous", "|"
    called = bool(set(words(seen.name)) & GRADE_WORDS)
    grades = called and all(INTEGER.fullmatch(value) for value in seen.sample) and 2 < seen.distinct <= MOST_GRADES
    return ("ordinal" if grades or grade_order(seen.sample, called=called) is not None else "single"), "|"


def separator_of(seen: Profile) -> str | None:
    """The mark between several labels of one cell: at least one row in a hundred holds it, and the parts recur."""
    sample = seen.sample
    for mark in ("|", ";", "；"):
        several = [value for value in sample if mark in value]
        if not several or seen.distinct < 2:
            continue
        parts = {part for value in sample for part in split_cell(value, mark)}
        held = sum(int(count) for value, count in zip(seen.values, seen.counts, strict=True) if mark in str(value))
        if held >= 0.01 * seen.filled and len(parts) <= max(2 * len(several), len(sample)) and len(parts) < 1000:
            return mark
    for mark in _COMMAS:
        if _are_joined_by(seen, mark, alone=0.5):
            return mark
    if not set(words(seen.name)) & GRADE_WORDS:
        for mark in _SIGNS:
            if _are_joined_by(seen, mark, alone=0.8):
                return mark
    lists = sum(value.startswith("[") and value.endswith("]") for value in sample)
    return "," if lists and lists >= 0.9 * len(sample) else None


def _are_joined_by(seen: Profile, mark: str, *, alone: float) -> bool:
    """`COVID-19, ARDS`: a mark joins labels where such a share of its parts stand alone in other cells; else it parts a phrase.

    Signs join no numbers: `3+4` is a score and `I/II` a stage between two.
    """
    sample = seen.sample
    whole = {value for value in sample if mark not in value}
    several = [value for value in sample if mark in value and not value.startswith("[")]
    if not several or len(sample) > 1000:
        return False
    parts = {part for value in several for part in split_cell(value, mark)}
    if mark in _SIGNS and any(_COUNTED.fullmatch(part) for part in parts):
        return False
    return len(parts & whole) >= max(2, alone * len(parts))


def twins_of(frame: pd.DataFrame, profiles: Profiles, label: str, free: Sequence[str]) -> tuple[str, ...]:
    """Columns called like a label that determine it: the label again, in other words or finer."""
    codes = frame[label].cat.codes.to_numpy()
    twins = []
    for name in free:
        if label_score(profiles[name])[0] < 0.65 or profiles[name].distinct > 1000:
            continue
        other = frame[name].cat.codes.to_numpy()
        if len(pd.DataFrame({"a": other, "b": codes}).drop_duplicates()) == len(np.unique(other)):
            twins.append(name)
    return tuple(twins)
