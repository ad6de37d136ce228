"""The words and numbers of the people that a file names, and whether a text or some bytes hold one of them.

What the profile of DICOM keeps, because it tells of a machine or a body, may all the same hold the name that the header held.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydicom.multival import MultiValue

from auditor.values.ordinary import ordinary_words
from auditor.values.privacy import NOBODY

LEAST_WORD = 3
"""A shorter word of an alphabet is in everything: it counts only where the whole name stands together (`Li Wu`)."""
GLUED = 5
"""From so many letters on a name is looked for inside other words, too (`KUZMENKOVAOXANA`)."""
LEAST_NUMBER = 5
"""From so many digits on a number is looked for by its digits alone."""
IN_BYTES = 6
"""From so many letters or digits on a name is looked for in bytes that are no text: a shorter one stands there by chance."""
ENCODINGS = (
    "utf-8",
    "latin-1",
    "cp1251",
    "iso8859-5",
    "iso8859-7",
    "gb18030",
    "iso2022_jp",
    "shift_jis",
    "euc_kr",
    "utf-16-le",
)
NUMBERS = ("PatientID", "OtherPatientIDs", "AccessionNumber", "AdmissionID", "MedicalRecordLocator", "StudyID")
NAMES = ("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName")
_WORD = re.compile(r"[^\W_]+")
_IDEOGRAPHS = re.compile(r"[぀-ヿ㐀-鿿가-힯豈-﫿]")
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


@dataclass(frozen=True)
class Person:
    """What names the patient of a file, or another person in it.

    Args:
        words: whole words in lower case.
        numbers: digits of ids and of the birth date, in the orders in which days are written.
        names: names of several words, each as the set of its words.
    """

    words: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    names: frozenset[frozenset[str]] = frozenset()

    def __or__(self, other: Person) -> Person:
        return Person(self.words | other.words, self.numbers | other.numbers, self.names | other.names)

    @cached_property
    def _glued(self) -> tuple[str, ...]:
        return tuple(word for word in self.words if len(word) >= (2 if _IDEOGRAPHS.search(word) else GLUED))

    def is_named_in(self, text: str) -> bool:
        """A word, a number or the whole name of the person stands in the text, in any case, with or without accents."""
        found = [word for form in forms(text) for word in _WORD.findall(form)]
        there = set(found)
        if there & self.words or any(name <= there for name in self.names):
            return True
        known = ordinary_words()
        if any(name in word for word in there if word not in known and not word.isdigit() for name in self._glued):
            return True
        digits = re.sub(r"\D", "", text) if self.numbers else ""
        return any(number in digits for number in self.numbers)

    def is_in_bytes(self, content: bytes) -> bool:
        """The same for bytes that are no text or nobody knows in which encoding: long words and numbers alone."""
        wanted = [w for w in (*self.words, *self.numbers) if len(w) >= IN_BYTES and not _is_ordinary(w)]
        wanted += [
            word for word in self.words if len(word) >= 2 and _IDEOGRAPHS.search(word) and len(word.encode()) >= IN_BYTES
        ]
        needles = {raw for word in wanted for form in (word, word.upper(), word.title()) for raw in _encoded(form)}
        return any(needle in content for needle in needles if len(needle) >= IN_BYTES)


def person_of(values: Iterable[tuple[str, str]]) -> Person:
    """The person of a file from (keyword, value) pairs of its elements at any depth, in any order.

    The names of physicians and operators count too, without their ordinary words (`CT TECHNICIAN`), and so do the numbers of
    the examination. Where a name only repeats the id, as in `Breast_MRI_001`, its ordinary words stand for nobody.
    """
    pairs = [(keyword, value) for keyword, value in values if value.strip()]
    ids = {_bare(value) for keyword, value in pairs if keyword in NUMBERS}
    words: set[str] = set()
    numbers: set[str] = set()
    names: set[frozenset[str]] = set()
    for keyword, value in pairs:
        of_patient = keyword in NAMES and _bare(value) not in ids
        for form in forms(value):
            found = [word for word in _WORD.findall(form) if word not in NOBODY]
            words |= {word for word in found if _counts(word) and (of_patient or not _is_ordinary(word))}
            is_name = keyword not in (*NUMBERS, "PatientBirthDate") and 2 <= len(found) <= 4
            if is_name and not all(map(_is_ordinary, found)):
                names.add(frozenset(found))
        if keyword in NUMBERS:
            numbers |= {run for run in re.findall(r"\d+", value) if len(run) >= LEAST_NUMBER}
        elif keyword == "PatientBirthDate" and re.fullmatch(r"\d{8}", value):
            year, month, day = value[:4], value[4:6], value[6:]
            numbers |= {value, day + month + year, month + day + year}
    return Person(frozenset(words), frozenset(numbers), frozenset(names))


def without_ordinary(person: Person) -> Person:
    """What may be looked for in a whole table: no word that is an ordinary one, and none of few letters."""
    kept = {word for word in person.words if not _is_ordinary(word) and (len(word) > LEAST_WORD or not word.isascii())}
    return Person(frozenset(word for word in kept if not word.isdigit() or len(word) >= LEAST_NUMBER), person.numbers)


def forms(text: str) -> tuple[str, ...]:
    """The text in lower case: as it is, without accents, and with German letters written out."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    if plain.isascii():
        return (plain,)
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(mark))
    return tuple(dict.fromkeys((plain, bare, plain.translate(_GERMAN))))


def texts_of(value: Any) -> Iterator[str]:
    """The texts of an element's value, one by one; of bytes what they are in UTF-8."""
    if isinstance(value, bytes):
        yield value.decode("utf-8", "replace").strip("\0 ")
    elif isinstance(value, MultiValue | list | tuple):
        yield from (str(part) for part in value)
    else:  # a name is a value of its own that can be gone through letter by letter
        yield str(value if value is not None else "")


def _counts(word: str) -> bool:
    return len(word) >= LEAST_WORD or _IDEOGRAPHS.search(word) is not None


def _is_ordinary(word: str) -> bool:
    return word in ordinary_words() or (word.isdigit() and len(word) < LEAST_WORD)


def _bare(value: str) -> str:
    return re.sub(r"[\W_]+", "", value).casefold()


def _encoded(text: str) -> Iterator[bytes]:
    for encoding in ENCODINGS:
        try:
            raw = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        yield raw.removeprefix(b"\x1b$B").removesuffix(b"\x1b(B") if encoding == "iso2022_jp" else raw
