"""Words in paths and header texts: which records have which word where, and which folder is the class folder itself."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.containers.header_text import words_of
from auditor.values.labels import Labels, State

MOST_WORDS = 200
MOST_NUMBERS = 6
MOST_DISTINCT = 50
WAY = "way of writing"
MOST_LETTERS = 12
MOST_NAMES = 0.9
"""Letters are a code only where so many of the names have them."""
_CODES = {"letters in front": r"^([^\W\d_]{1,3})(?![^\W\d_])", "letters at the end": r"(?<![^\W\d_])([^\W\d_]{1,3})$"}
_DIGITS = re.compile(r"\d+")


def name_of_class(label: str) -> frozenset[str]:
    """The words that are the class's own name; a class that is called by a number or a letter has none."""
    return words_of(label)


@dataclass(frozen=True, kw_only=True)
class Presence:
    """Where a word stands: `has` is boolean, shape (records,)."""

    source: str
    word: str
    has: npt.NDArray[np.bool_]


def presences(source: str, texts: pd.Series, *, least: int, keep: frozenset[str] = frozenset()) -> list[Presence]:
    """The commonest words of a text column that at least `least` records have, and as many have not; all of `keep`.

    Numbers do not matter to the words, so names are looked at by their make (`IMG_0`), of which there are few; single
    digits stay (`birads4`).
    """
    makes = texts.astype("string").str.replace(r"\d{2,}", "0", regex=True)
    codes, names = pd.factorize(makes, use_na_sentinel=True)
    sizes = np.bincount(codes[codes >= 0], minlength=len(names))
    by_make = [words_of(str(name)) for name in names]
    count: Counter[str] = Counter()
    for words, size in zip(by_make, sizes.tolist(), strict=True):
        for word in words:
            count[word] += size
    most = len(texts) - least
    common = [word for word, size in count.most_common() if least <= size <= most]
    chosen = [word for word in common if word in keep] + [word for word in common if word not in keep][:MOST_WORDS]
    # One pass over the makes: a million names of as many makes would otherwise be asked once per word.
    place = {word: i for i, word in enumerate(chosen)}
    rows: list[list[int]] = [[] for _ in chosen]
    for make, words in enumerate(by_make):
        for word in words:
            if word in place:
                rows[place[word]].append(make)
    found = []
    for word, makes_with in zip(chosen, rows, strict=True):
        table = np.zeros(len(names) + 1, np.bool_)
        table[makes_with] = True
        found.append(Presence(source=source, word=word, has=table[codes]))
    return found


def number_places(texts: pd.Series) -> list[pd.Series]:
    """The first, second, ... number of each name as text, where few different ones stand there (a code, not a counter)."""
    digits = [_DIGITS.findall(text) if isinstance(text, str) else [] for text in texts]
    found = []
    for place in range(min(MOST_NUMBERS, max((len(d) for d in digits), default=0))):
        values = pd.Series([d[place] if len(d) > place else None for d in digits], index=texts.index, dtype="string")
        if 1 < values.nunique() <= MOST_DISTINCT:
            found.append(values.rename(f"number {place + 1}"))
    return found


def letter_places(texts: pd.Series) -> list[pd.Series]:
    """The letters that each name begins with, and those that it ends with, where they are few and short (`A-1234`, `0012b`).

    Longer ones are words, which `presences` finds.
    """
    lower = texts.astype("string").str.lower()
    found = []
    for name, pattern in (
        ("letters in front", r"^([^\W\d_]{1,3})(?![^\W\d_])"),
        ("letters at the end", r"(?<![^\W\d_])([^\W\d_]{1,3})$"),
    ):
        values = lower.str.extract(pattern, expand=False)
        if 2 <= values.nunique() <= MOST_LETTERS and values.notna().mean() >= MOST_NAMES:
            found.append(values.rename(name))
    return found


def ways_of_writing(texts: pd.Series) -> list[pd.Series]:
    """How each name is written: capitals, small letters, numbers and what parts them (`IMG-0012` is `A-0`, `img_12` is `a_0`),
    where there are few ways. Names of one source are made by one program."""
    ways = texts.astype("string")
    for pattern, sign in ((r"[0-9]+", "0"), (r"[^\W\d_A-Z]+", "a"), (r"[A-Z]+", "A")):
        ways = ways.str.replace(pattern, sign, regex=True)
    return [ways.rename(WAY)] if 2 <= ways.nunique() <= MOST_DISTINCT else []


def folder_levels(paths: pd.Series) -> list[pd.Series]:
    """Folder names, from the outermost; missing where a path is shallower."""
    folders, names = pd.factorize(paths.str.rpartition("/")[0].where(paths.notna()), use_na_sentinel=True)
    parts = [str(name).split("/") if name else [] for name in names]
    levels = []
    for level in range(max((len(p) for p in parts), default=0)):
        table = np.array([p[level] if len(p) > level else None for p in parts] + [None], dtype=object)
        levels.append(pd.Series(table[folders], index=paths.index, dtype="string"))
    return levels


def is_class_folder(level: pd.Series, labels: pd.Series, *, read_from: bool) -> bool:
    """The folders of this level are the classes: they are called like them, nearly always; or, where the label was read from
    folders (`read_from`), there is one folder name per class and one class per folder name. `ddsm` and `inbreast` beside a
    table of labels are no class folders, even when each holds one class.
    """
    known = level.notna().to_numpy() & labels.notna().to_numpy()
    if known.sum() < 0.5 * len(level):
        return False
    pair = pd.DataFrame({"folder": _plain(level[known]), "label": _plain(labels[known])})
    if bool((pair["folder"] == pair["label"]).mean() >= 0.95):
        return True
    if not read_from:
        return False
    table = pair.value_counts().reset_index(name="records")
    largest = table.drop_duplicates("folder")
    one_each = largest["label"].is_unique and len(largest) == pair["label"].nunique()
    return bool(one_each and largest["records"].sum() >= 0.95 * len(pair))


def file_names(paths: pd.Series) -> pd.Series:
    """Names without folder and suffix."""
    names = paths.str.rpartition("/")[2].str.partition(".")[0]
    return names.where(paths.notna())


def _plain(column: pd.Series) -> pd.Series:
    return column.astype("string").str.lower().str.replace(r"[\W_]+", "", regex=True)


def share_of(has: npt.NDArray[np.bool_], labels: Labels, name: str) -> float:
    """Share of the class among the labelled records that have the word; 0 where there are none."""
    if labels.task == "multi" and labels.states is not None:
        column = labels.states[name].to_numpy()
        known, positive = column >= 0, column == State.POSITIVE
    else:
        known, positive = labels.values.notna().to_numpy(), (labels.values == name).fillna(False).to_numpy()
    among = has & known
    return float(positive[among].mean()) if among.any() else 0.0
