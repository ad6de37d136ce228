"""A de-identified copy of DICOM files: the basic profile of DICOM PS3.15 with dates shifted and characteristics kept.

Own rules on pydicom. Nothing of the source is changed. What cannot be cleaned, or does not pass the privacy walk
afterwards, is left out, named and counted: the copy holds only files that passed.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pydicom

from auditor.containers.dicom_facts import FACT_TAGS, overlay_bits
from auditor.containers.dicom_header import read_elements
from auditor.containers.guard import decoding
from auditor.evidence.privacy.dicom_privacy import dicom_exposure
from auditor.format import open_header, read_source
from auditor.layout import CONFIG_NAME, OWN_OUTPUT, list_files
from auditor.values.errors import ConfigError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.privacy import Privacy
from trainers.rewriting.cleaner import METHOD, Cleaner, people_in
from trainers.rewriting.person import Person

PSEUDONYMS = "MA-[A-Z2-7]{16}"
"""What the pseudonyms of a copy look like; its medaudit.toml declares it."""
AUDIT_NAME = "deidentification.json"
LEAST_SALT = 16
_HARMLESS = frozenset(("date", "text", "stated"))
ELSEWHERE = ("not-dicom", "not-an-image")
"""Kinds of files that stay behind because nobody cleans them here: all others are DICOM."""


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


def deidentify(
    source: Path,
    destination: Path,
    *,
    salt: bytes,
    rules: Privacy | None = None,
    limits: Limits | None = None,
    burned: Mapping[str, str] | None = None,
    renamed: Callable[[str, str], None] | None = None,
    stays: Callable[[str, str, str], None] | None = None,
    met: Callable[[Person], None] | None = None,
) -> Trail:
    """Write a cleaned copy of all DICOM images below `source` into the new folder `destination`.

    Files are named by pseudonym and new UIDs, because names of files tell of people too. Beside them lie medaudit.toml,
    which declares the pattern of the pseudonyms, and deidentification.json, the trail. The picture is copied as it is, so a
    file that says that text is burned into it stays behind. Files that are not DICOM are left out.

    Args:
        source: a folder.
        destination: must not exist, or be empty; not inside the source (but below a `medaudit-out` in it), nor around it.
        salt: secret of the user, at least 16 bytes. The same salt gives the same pseudonyms, UIDs and shifts.
        rules: which private creators may stay.
        limits: bounds per file.
        burned: files that stay behind because of what is in their picture, and why.
        renamed: told the old and the new name of each file that was written: what leads back, so it is kept nowhere here.
        stays: told name, kind and reason of each file that stays behind.
        met: told whom each file names: what must stand nowhere else in the copy.

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
            path, content = _cleaned(listing.root / name, cleaner, own, limits, (burned or {}).get(name, ""))
            if path in written:
                raise UnreadableFile("twice", "the same instance again")
        except UnreadableFile as error:
            left_out[error.kind] += 1
            if stays is not None:
                stays(name, error.kind, error.reason)
            continue
        finally:
            if met is not None:
                met(cleaner.person)
            cleaner.person = Person()
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


def _cleaned(path: Path, cleaner: Cleaner, own: Privacy, limits: Limits, burned: str) -> tuple[str, bytes]:
    """Where one file goes, and its cleaned content.

    Raises:
        UnreadableFile: no DICOM image, unreadable, or not clean after cleaning (kind `refused`).
    """
    source = read_source(path, limits)
    header = open_header(source, limits)
    if header.format != "dicom":
        raise UnreadableFile("not-dicom", "only DICOM files are de-identified")
    read = read_elements(source.content, FACT_TAGS, limits)
    before = cleaner.actions.copy()
    try:
        with decoding("DICOM file", loggers=("pydicom",)):
            dataset = pydicom.dcmread(io.BytesIO(source.content), force=True)
            cleaner.person = people_in(dataset)
            if not header.shape:
                raise UnreadableFile("no-pixels", "documents, reports and plans are left out: their content is text")
            if burned or str(dataset.get("BurnedInAnnotation", "")).strip().upper() == "YES":
                raise UnreadableFile("burned-in", burned or "it says that text is burned into its pixels")
            if "TransferSyntaxUID" not in dataset.file_meta:
                dataset.file_meta.TransferSyntaxUID = read.transfer_syntax
            cleaner.clean(dataset, overlay_planes=overlay_bits(read))
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
        if Person(cleaner.person.words).is_in_bytes(content):
            raise UnreadableFile("refused", "not clean after cleaning: the name stands in bytes that are no text")
    except UnreadableFile:
        cleaner.actions = before
        raise
    return name, content


def _short(uid: str) -> str:
    return hashlib.blake2b(uid.encode(), digest_size=8).hexdigest()


def _as_json(trail: Trail) -> str:
    content = {
        "method": METHOD,
        "files_written": len(trail.written),
        "files_left_out": dict(trail.left_out),
        "actions": dict(trail.actions),
        "written": dict(trail.written),
    }
    return json.dumps(content, indent=1) + "\n"
