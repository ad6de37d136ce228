"""What is done to each element of a DICOM file so that it tells of no person: the basic profile of PS3.15, with dates shifted
and characteristics kept.

What the profile keeps is emptied where it holds the name or a number of the patient, or of another person of the file. What the
dictionary of DICOM does not know is removed as private elements are.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pydicom
from pydicom.datadict import dictionary_has_tag, repeater_has_tag
from pydicom.dataset import Dataset as Elements
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID_dictionary

from auditor.evidence.privacy.ps315 import EDITION, entry_of
from auditor.values.privacy import kinds_in
from trainers.rewriting.person import NAMES, NUMBERS, Person, person_of, texts_of
from trainers.rewriting.pixel_bytes import cleaned_pixels

PSEUDONYMS = "MA-[A-Z2-7]{16}"
"""What the pseudonyms of a copy look like; its medaudit.toml declares it."""
LONGEST_SHIFT = 3650
METHOD = f"medaudit: DICOM PS3.15 {EDITION} basic profile, dates shifted per patient, patient characteristics kept"
CODES = {
    "113100": "Basic Application Confidentiality Profile",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
}
"""DICOM PS3.16, CID 7050."""
OLDEST = "090Y"
_KEPT = {
    "PatientSex": re.compile(r"[MFO]?", re.IGNORECASE),
    "PatientAge": re.compile(r"(?:\d{3}[DWMY])?"),
    "PatientSize": re.compile(r"(?:\d{1,3}(?:\.\d*)?)?"),
    "PatientWeight": re.compile(r"(?:\d{1,3}(?:\.\d*)?)?"),
    "TimezoneOffsetFromUTC": re.compile(r"(?:[+-]\d{4})?"),
}
"""Characteristics of the patient, and what they must look like to stay."""
_PSEUDONYMOUS = frozenset(("PatientID", "PatientName"))
_EMPTIED_DATES = frozenset(("PatientBirthDate", "PatientBirthTime", "LastMenstrualDate"))
_STANDARD_UIDS = "1.2.840.10008."
_TEXTS = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", "IS", "DS", "AS"))
_BYTES = frozenset(("OB", "OW", "OD", "OF", "OL", "OV", "UN"))
_PIXELS = frozenset(("PixelData", "FloatPixelData", "DoubleFloatPixelData"))
_HIDING = frozenset(("EncapsulatedDocument", "DataSetTrailingPadding", "IconImageSequence"))
"""In a picture: a document beside it, what fills the end, and the picture from before it was blanked."""
_TIME = re.compile(r"(?:\d{2,6}(?:\.\d{1,6})?)?(?:[+-]\d{4})?")


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """What became of one file.

    Args:
        person: whom it names, also where it stays behind.
        path: where it goes in the copy; `content` is its bytes, `actions` what was done to how many elements.
        problem: kind and reason why it stays behind; None where it does not.
    """

    person: Person
    path: str = ""
    content: bytes = b""
    actions: Mapping[str, int] = field(default_factory=dict)
    problem: tuple[str, str] | None = None


@dataclass(kw_only=True)
class Cleaner:
    """The rules, with one salt: the same value becomes the same pseudonym, UID and shift in every file."""

    salt: bytes
    allowed: tuple[str, ...] = ()
    actions: Counter[str] = field(default_factory=Counter)
    person: Person = field(default_factory=Person)
    """Whom the file that is cleaned names."""

    def digest(self, purpose: str, value: str) -> bytes:
        """Keyed digest (HMAC-SHA-256, RFC 2104): without the salt nothing can be looked up."""
        return hmac.new(self.salt, f"{purpose}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

    def pseudonym(self, patient: str) -> str:
        """What stands for a patient."""
        return "MA-" + b32encode(self.digest("patient", patient)).decode()[:16]

    def uid(self, uid: str) -> str:
        """Another UID for a UID; those of the standard stay (PS3.5 B.2: 2.25 and 128 bits)."""
        if not uid or uid in UID_dictionary:
            return uid
        if uid.startswith(_STANDARD_UIDS) and re.fullmatch(r"[\d.]{1,64}", uid) and not self.person.is_named_in(uid):
            return uid
        return f"2.25.{int.from_bytes(self.digest('uid', uid)[:16], 'big')}"

    def shift(self, patient: str) -> timedelta:
        """By how much all dates of a patient move back: 1 to 3,650 days."""
        return timedelta(days=1 + int.from_bytes(self.digest("shift", patient)[:8], "big") % LONGEST_SHIFT)

    def clean(self, dataset: FileDataset, *, overlay_planes: int = 0) -> None:
        """Clean one file in place, and let it say so; `person` must be its own (`people_in`).

        Args:
            overlay_planes: bits of the samples that hold overlays, as a mask.

        Raises:
            UnreadableFile: kind `refused`: its pixels are coded in a way in which anything could stand beside them.
        """
        patient = f"{dataset.get('IssuerOfPatientID', '')}|{dataset.get('PatientID', '')}"
        self._walk(dataset, self.pseudonym(patient), self.shift(patient))
        if cleaned_pixels(dataset, str(dataset.file_meta.TransferSyntaxUID), overlay_planes):
            self.actions["pixels: what stands beside the picture overwritten"] += 1
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = METHOD[:64]
        dataset.LongitudinalTemporalInformationModified = "MODIFIED"
        dataset.DeidentificationMethodCodeSequence = Items([_code(value, meaning) for value, meaning in CODES.items()])
        dataset.PatientID = dataset.PatientName = self.pseudonym(patient)
        old = dataset.file_meta
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        meta.TransferSyntaxUID = old.TransferSyntaxUID
        meta.ImplementationVersionName = "MEDAUDIT"
        dataset.file_meta = meta
        dataset.preamble = b"\0" * 128

    def _walk(self, dataset: Elements, pseudonym: str, shift: timedelta) -> None:
        for tag in list(dataset.keys()):
            group, number = int(tag) >> 16, int(tag) & 0xFFFF
            if group & 1:
                if self._is_allowed(dataset, group, number):
                    self._kept(dataset, tag, "private element", pseudonym, shift)
                else:
                    del dataset[tag]
                    self.actions["private elements removed"] += 1
            elif group & 0xFF00 in (0x5000, 0x6000):
                del dataset[tag]
                self.actions["overlays and curves removed"] += 1
            elif not dictionary_has_tag(tag) and not repeater_has_tag(tag):
                del dataset[tag]
                self.actions["elements that DICOM does not know removed"] += 1
            else:
                self._element(dataset, tag, pseudonym, shift)

    def _element(self, dataset: Elements, tag: Any, pseudonym: str, shift: timedelta) -> None:
        element = dataset[tag]
        entry = entry_of(int(tag))
        keyword, action = (entry.keyword, entry.action) if entry is not None else (str(element.keyword), "")
        done = ""
        if keyword in _PSEUDONYMOUS:
            element.value, done = pseudonym, "replaced by a pseudonym"
        elif keyword in _KEPT:
            said = str(element.value if element.value is not None else "")
            if _KEPT[keyword].fullmatch(said) is None:
                element.value, done = None, "emptied: it holds something else"
            elif keyword == "PatientAge" and _is_old(said):
                element.value, done = OLDEST, "set to 90 years"
        elif keyword in _EMPTIED_DATES:
            element.value, done = "", "emptied"
        elif keyword in _HIDING:
            del dataset[tag]
            done = "removed"
        elif element.VR in ("DA", "DT"):
            element.value, done = _each(element.value, lambda text: moved(text, shift)), "shifted"
        elif element.VR == "TM":
            # the time of day alone tells nobody, and keeps series in order
            element.value = _each(element.value, lambda text: text if _TIME.fullmatch(text.strip()) else "")
        elif element.VR == "UI":
            element.value, done = _each(element.value, self.uid), "remapped"
        elif element.VR == "SQ" and "U" not in action and action.startswith("X"):
            del dataset[tag]
            done = "removed"
        elif element.VR == "SQ":
            for item in element.value or ():
                self._walk(item, pseudonym, shift)
        elif "Z" in action or (action and element.VR == "PN") or (not action and element.VR == "PN"):
            element.value, done = None, "emptied"
        elif action.startswith("X"):
            del dataset[tag]
            done = "removed"
        elif action == "D":
            element.value, done = None if element.VR in ("OB", "OW", "UN") else _dummy(element.VR), "replaced by a dummy"
        elif keyword not in _PIXELS:
            self._kept(dataset, tag, keyword, pseudonym, shift)
        if done:
            self.actions[f"{keyword or 'unknown element'} {done}"] += 1

    def _kept(self, dataset: Elements, tag: Any, name: str, pseudonym: str, shift: timedelta) -> None:
        """What the profile keeps, because it tells of a machine or a body, goes where it tells of a person."""
        element = dataset[tag]
        if element.VR == "SQ":
            for item in element.value or ():
                self._walk(item, pseudonym, shift)
        elif element.VR in _BYTES:
            if isinstance(element.value, bytes) and self.person.is_in_bytes(element.value):
                del dataset[tag]
                self.actions[f"{name} removed: it named a person"] += 1
        elif element.VR in _TEXTS and element.value not in (None, ""):
            several = isinstance(element.value, pydicom.multival.MultiValue)
            values = [str(v) for v in element.value] if several else [str(element.value)]
            kept = ["" if self._tells(text, name) else text for text in values]
            if kept != values:
                element.value = kept if several and element.VR not in ("IS", "DS") else None
                self.actions[f"{name} emptied: it named a person"] += 1

    def _tells(self, text: str, name: str) -> bool:
        if self.person.is_named_in(text):
            return True
        # Siemens writes `abdomen^liver`: a body part, and no name; versions of code lists are days
        return bool(kinds_in(text.replace("^", "/")) - ({"date"} if name.endswith("Version") else set()))

    def _is_allowed(self, dataset: Elements, group: int, number: int) -> bool:
        block = number if 0x10 <= number <= 0xFF else number >> 8
        creator = dataset.get((group, block))
        return creator is not None and str(creator.value) in self.allowed


def people_in(dataset: Elements) -> Person:
    """Whom the elements of a file name, at any depth."""
    return person_of(
        (str(element.keyword), text)
        for element in dataset.iterall()
        if element.VR == "PN" or element.keyword in (*NAMES, *NUMBERS, "PatientBirthDate")
        for text in texts_of(element.value)
    )


def moved(text: str, shift: timedelta) -> str:
    """A day or a moment so much earlier; empty for what is none, which could be anything."""
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:8])) - shift
    except (ValueError, OverflowError):
        return ""
    rest = text[8:].strip()
    return f"{day:%Y%m%d}" + (rest if _TIME.fullmatch(rest) else "")


def _is_old(age: str) -> bool:
    return age[-1:].upper() == "Y" and age[:-1].isdigit() and int(age[:-1]) > 89


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if value is None or value == "":
        return value
    return [change(str(v)) for v in value] if isinstance(value, list | pydicom.multival.MultiValue) else change(str(value))


def _dummy(vr: str) -> Any:
    return None if vr in ("DS", "IS", "US", "SS", "UL", "SL", "FL", "FD", "AT") else "REMOVED"


def _code(value: str, meaning: str) -> Elements:
    item = Elements()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item
