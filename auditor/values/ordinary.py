"""Which texts of a dataset may be shown as they are: those that are made of ordinary words, numbers and short codes.

A name that nobody has listed cannot be told from any other word. So the question is turned round: what is shown is what is
known, and everything else is shown by its place (`column 7`, `site 2`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from auditor.values.privacy import NOBODY, hush, kinds_in, may_tell

WORDS = Path(__file__).with_name("assets") / "ordinary_words.txt"
"""Words of the DICOM dictionary, of the headers of known collections, of our own documentation, and of everyday tables."""
MOST_WORDS = 6
"""A longer text is a sentence: somebody wrote it, and its words together may tell of a person."""
MOST_DIGITS = 5
"""A longer number could be that of a person."""
SHORT = 2
_PART = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MARKS = re.compile(r"([/\\\\'\":;,()\[\]]\s*)")
_NUMBER = re.compile(r"[-+]?[\d.,]+(?:e[-+]?\d+)?%?|nan|inf", re.IGNORECASE)


@cache
def ordinary_words() -> frozenset[str]:
    """The words, in lower case."""
    return frozenset(WORDS.read_text("utf-8").split())


def is_harmless(text: str) -> bool:
    """True for a header, a site, a reader, a value that can name nobody: `patient_age`, `reader_3`, `T2`, `3.5`, `north`."""
    if _NUMBER.fullmatch(text.strip()) and sum(map(str.isdigit, text)) <= MOST_DIGITS:
        return True
    if may_tell(text) and kinds_in(text):
        return False
    parts = _PART.findall(text)
    return len(parts) <= 2 * MOST_WORDS and sum(not part.isdigit() for part in parts) <= MOST_WORDS and all(map(_plain, parts))


def is_code(text: str) -> bool:
    """True for an id that can name nobody: harmless, or with at least two digits (`ISIC_0024310`)."""
    return is_harmless(text) or (sum(map(str.isdigit, text)) >= 2 and not (may_tell(text) and kinds_in(text)))


def _plain(part: str) -> bool:
    if part.isdigit():
        return len(part) <= MOST_DIGITS
    if len(part) <= SHORT or _known(part.lower()):
        return True
    return all(len(word) <= SHORT or _known(word.lower()) for word in _CAMEL.split(part))


def _known(word: str) -> bool:
    words = ordinary_words()
    return word in words or word in NOBODY or word.removesuffix("s") in words or word.removesuffix("ed") in words


def shown_columns(names: Sequence[str], among: Sequence[str]) -> list[str]:
    """Headers as a message may show them: those of ordinary words, and the others by their place among all of the table."""
    return [name if is_harmless(name) else f"column {among.index(name) + 1}" for name in names]


def shown_as(place: str, among: Sequence[str]) -> str | None:
    """The header that `shown_columns` shows by this place; None where it is none of those withheld."""
    return next((name for name, shown in zip(among, shown_columns(among, among), strict=True) if shown == place != name), None)


def shown_error(text: str) -> str:
    """A message with the parts of paths, and whatever else stands between marks, withheld that seem to name a person."""
    pieces = _MARKS.split(hush(text))
    return "".join("withheld" if may_tell(piece) and kinds_in(piece) - {"date"} else piece for piece in pieces)
