"""A de-identified copy of DICOM files: the basic profile of DICOM PS3.15 with dates shifted and characteristics kept.

Own rules on pydicom. Nothing of the source is changed. What cannot be cleaned, or does not pass the privacy walk
afterwards, is left out and counted: the copy holds only files that passed.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
from base64 import b32encode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset as Elements
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items

from auditor.containers.dicom_header import read_elements
from auditor.containers.guard import decoding
from auditor.evidence.privacy.dicom_privacy import dicom_exposure
from auditor.evidence.privacy.ps315 import EDITION, entry_of
from auditor.format import open_header, read_source
from auditor.layout import CONFIG_NAME, OWN_OUTPUT, list_files
from auditor.values.errors import ConfigError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.privacy import Privacy

PSEUDONYMS = "MA-[A-Z2-7]{16}"
"""What the pseudonyms of a copy look like; its medaudit.toml declares it."""
AUDIT_NAME = "deidentification.json"
LEAST_SALT = 16
LONGEST_SHIFT = 3650
LEAST_WORD = 3
METHOD = f"medaudit: DICOM PS3.15 {EDITION} basic profile, dates shifted per patient, patient characteristics kept"
CODES = {
    "113100": "Basic Application Confidentiality Profile",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
}
"""DICOM PS3.16, CID 7050."""
_KEPT = frozenset(("PatientSex", "PatientAge", "PatientSize", "PatientWeight", "TimezoneOffsetFromUTC"))
_PSEUDONYMOUS = frozenset(("PatientID", "PatientName"))
_EMPTIED_DATES = frozenset(("PatientBirthDate", "PatientBirthTime", "LastMenstrualDate"))
_STANDARD_UIDS = "1.2.840.10008."
_TEXTS = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))
_HARMLESS = frozenset(("date", "text", "stated"))
OLDEST = "090Y"
REFUSED = ("refused", "no-pixels")
"""Why a DICOM file stays behind that somebody will miss: it is not clean after cleaning, or it is a document."""


@dataclass(frozen=True, kw_only=True)
class Trail:
    """What was done, in counts: nothing leads back to a person or a source file.

    Args:
        written: relative paths of the copy → hex digest of the content.
        left_out: reason → number of files.
        actions: element keyword and what was done to it (`PatientName emptied`) → number of elements.
    """

    written: Mapping[str, str]
    left_out: Mapping[str, int]
    actions: Mapping[str, int]


@dataclass(kw_only=True)
class Cleaner:
    """The rules, with one salt: the same value becomes the same pseudonym, UID and shift in every file."""

    salt: bytes
    allowed: tuple[str, ...] = ()
    actions: Counter[str] = field(default_factory=Counter)
    person: frozenset[str] = frozenset()
    """Words of the name and the numbers of the patient whose file is cleaned, in lower case."""

    def digest(self, purpose: str, value: str) -> bytes:
        """Keyed digest (HMAC-SHA-256, RFC 2104): without the salt nothing can be looked up."""
        return hmac.new(self.salt, f"{purpose}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()

    def pseudonym(self, patient: str) -> str:
        """What stands for a patient."""
        return "MA-" + b32encode(self.digest("patient", patient)).decode()[:16]

    def uid(self, uid: str) -> str:
        """Another UID for a UID; those of the standard stay (PS3.5 B.2: 2.25 and 128 bits)."""
        if uid.startswith(_STANDARD_UIDS) or not uid:
            return uid
        return f"2.25.{int.from_bytes(self.digest('uid', uid)[:16], 'big')}"

    def shift(self, patient: str) -> timedelta:
        """By how much all dates of a patient move back: 1 to 3,650 days."""
        return timedelta(days=1 + int.from_bytes(self.digest("shift", patient)[:8], "big") % LONGEST_SHIFT)

    def clean(self, dataset: FileDataset) -> None:
        """Clean one file in place, and let it say so."""
        patient = f"{dataset.get('IssuerOfPatientID', '')}|{dataset.get('PatientID', '')}"
        self.person = own_words(dataset)
        self._walk(dataset, self.pseudonym(patient), self.shift(patient))
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
                if not self._is_allowed(dataset, group, number):
                    del dataset[tag]
                    self.actions["private elements removed"] += 1
                continue
            if group & 0xFF00 in (0x5000, 0x6000):
                del dataset[tag]
                self.actions["overlays and curves removed"] += 1
                continue
            self._element(dataset, tag, pseudonym, shift)

    def _element(self, dataset: Elements, tag: Any, pseudonym: str, shift: timedelta) -> None:
        element = dataset[tag]
        entry = entry_of(int(tag))
        keyword, action = (entry.keyword, entry.action) if entry is not None else (str(element.keyword), "")
        done = ""
        if keyword in _PSEUDONYMOUS:
            element.value, done = pseudonym, "replaced by a pseudonym"
        elif keyword in _KEPT:
            if keyword == "PatientAge" and _is_old(str(element.value or "")):
                element.value, done = OLDEST, "set to 90 years"
        elif keyword in _EMPTIED_DATES:
            element.value, done = "", "emptied"
        elif element.VR in ("DA", "DT"):
            element.value, done = self._shifted(element.value, shift), "shifted"
        elif element.VR == "TM":
            pass  # the time of day alone tells nobody, and keeps series in order
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
        elif element.VR in _TEXTS and self.person & _words(element.value):
            # the profile keeps it, because it tells of a machine or a body; here it tells of the patient
            element.value, done = None, "emptied: it named the patient"
        if done:
            self.actions[f"{keyword or 'unknown element'} {done}"] += 1

    def _is_allowed(self, dataset: Elements, group: int, number: int) -> bool:
        block = number if 0x10 <= number <= 0xFF else number >> 8
        creator = dataset.get((group, block))
        return creator is not None and str(creator.value) in self.allowed

    def _shifted(self, value: Any, shift: timedelta) -> Any:
        def moved(text: str) -> str:
            try:
                day = date(int(text[:4]), int(text[4:6]), int(text[6:8])) - shift
            except (ValueError, OverflowError):
                return ""  # a date that is none could be anything
            return f"{day:%Y%m%d}" + text[8:]

        return _each(value, moved)


def deidentify(
    source: Path,
    destination: Path,
    *,
    salt: bytes,
    rules: Privacy | None = None,
    limits: Limits | None = None,
    renamed: Callable[[str, str], None] | None = None,
    refused: Callable[[str, str], None] | None = None,
) -> Trail:
    """Write a cleaned copy of all DICOM images below `source` into the new folder `destination`.

    Files are named by pseudonym and new UIDs, because names of files tell of people too. Beside them lie medaudit.toml,
    which declares the pattern of the pseudonyms, and deidentification.json, the trail. Pixels are copied as they are: text
    that is burned in stays, and PH004 looks for it. Files that are not DICOM are left out.

    Args:
        source: a folder.
        destination: must not exist, or be empty; not inside the source (but below a `medaudit-out` in it), nor around it.
        salt: secret of the user, at least 16 bytes. The same salt gives the same pseudonyms, UIDs and shifts.
        rules: which private creators may stay.
        limits: bounds per file.
        refused: told the name of each DICOM file that stays behind, and why.
        renamed: told the old and the new name of each file that was written: what leads back, so it is kept nowhere here.

    Raises:
        ConfigError: the salt is short, or the destination is not a new folder of its own.
        DatasetError: the source cannot be opened.
    """
    rules, limits = rules or Privacy(), limits or Limits()
    if len(salt) < LEAST_SALT:
        raise ConfigError(f"the salt has {len(salt)} bytes; at least {LEAST_SALT} are needed, and nobody else may know them")
    inner, outer = destination.resolve(), source.resolve()
    # What lies below medaudit-out is no part of the source: that folder is never listed.
    inside = inner.is_relative_to(outer) and OWN_OUTPUT not in inner.relative_to(outer).parts
    if inner == outer or inside or outer.is_relative_to(inner):
        raise ConfigError("the copy must go into a folder of its own, neither inside the source nor around it")
    if destination.exists() and any(destination.iterdir()):
        raise ConfigError(f"{destination}: is not empty; name a new folder for the copy")
    listing = list_files(source)
    cleaner = Cleaner(salt=salt, allowed=rules.private_allowed)
    own = Privacy(pseudonyms=PSEUDONYMS, private_allowed=rules.private_allowed)
    written: dict[str, str] = {}
    left_out: Counter[str] = Counter({"refused by the listing": len(listing.problems)} if listing.problems else {})
    destination.mkdir(parents=True, exist_ok=True)
    for name in listing.files:
        try:
            path, content = _cleaned(listing.root / name, cleaner, own, limits)
        except UnreadableFile as error:
            left_out[error.kind] += 1
            if refused is not None and error.kind in REFUSED:
                refused(name, error.reason)
            continue
        if path in written:
            left_out["the same instance again"] += 1
            continue
        if renamed is not None:
            renamed(name, path)
        goal = destination / path
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_bytes(content)
        written[path] = hashlib.blake2b(content, digest_size=20).hexdigest()
    trail = Trail(written=written, left_out=dict(sorted(left_out.items())), actions=dict(sorted(cleaner.actions.items())))
    allowed = json.dumps(list(rules.private_allowed))
    config = f'[privacy]\npseudonyms = "{PSEUDONYMS}"\nprivate-allowed = {allowed}\n'
    (destination / CONFIG_NAME).write_text(config, "utf-8")
    (destination / AUDIT_NAME).write_text(_as_json(trail), "utf-8")
    return trail


def _cleaned(path: Path, cleaner: Cleaner, own: Privacy, limits: Limits) -> tuple[str, bytes]:
    """Where one file goes, and its cleaned content.

    Raises:
        UnreadableFile: no DICOM image, unreadable, or not clean after cleaning (kind `refused`).
    """
    source = read_source(path, limits)
    header = open_header(source, limits)
    if header.format != "dicom":
        raise UnreadableFile("not-dicom", "only DICOM files are de-identified")
    if not header.shape:
        raise UnreadableFile("no-pixels", "documents, reports and plans are left out: their content is text")
    syntax = read_elements(source.content, frozenset(), limits).transfer_syntax
    before = cleaner.actions.copy()
    try:
        with decoding("DICOM file", loggers=("pydicom",)):
            dataset = pydicom.dcmread(io.BytesIO(source.content), force=True)
            if "TransferSyntaxUID" not in dataset.file_meta:
                dataset.file_meta.TransferSyntaxUID = syntax
            cleaner.clean(dataset)
            stream = io.BytesIO()
            pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
            place = "/".join(
                [str(dataset.PatientID), *(_short(str(dataset.get(k, ""))) for k in ("StudyInstanceUID", "SeriesInstanceUID"))]
            )
            name = f"{place}/{_short(str(dataset.SOPInstanceUID))}.dcm"
        content = stream.getvalue()
        rest = {kind for kind in dicom_exposure(content, name, own, limits) if kind not in _HARMLESS}
        if rest:
            raise UnreadableFile("refused", f"not clean after cleaning: {', '.join(sorted(rest))}")
    except UnreadableFile:
        cleaner.actions = before
        raise
    return name, content


def own_words(dataset: Elements) -> frozenset[str]:
    """Words of the patient's name and numbers; the shortest are in everything and are passed over."""
    fields = ("PatientName", "PatientID", "OtherPatientNames", "OtherPatientIDs", "PatientBirthName", "AccessionNumber")
    return frozenset(word for name in fields for word in _words(dataset.get(name)) if len(word) >= LEAST_WORD)


def _words(value: Any) -> set[str]:
    return set(re.findall(r"[^\W_]+", str(value or "").casefold()))


def _short(uid: str) -> str:
    return hashlib.blake2b(uid.encode(), digest_size=8).hexdigest()


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


def _as_json(trail: Trail) -> str:
    content = {
        "method": METHOD,
        "files_written": len(trail.written),
        "files_left_out": dict(trail.left_out),
        "actions": dict(trail.actions),
        "written": dict(trail.written),
    }
    return json.dumps(content, indent=1) + "\n"
