"""A de-identified copy of DICOM files: the basic profile of DICOM PS3.15 with dates shifted and characteristics kept.

Own rules on pydicom. Nothing of the source is changed. What cannot be cleaned, or does not pass the privacy walk
afterwards, is left out, named and counted: the copy holds only files that passed.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from auditor.layout import CONFIG_NAME, OWN_OUTPUT, list_files
from auditor.reading.jobs import Job, in_order
from auditor.values.errors import ConfigError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.privacy import Privacy
from trainers.rewriting.cleaner import METHOD, PSEUDONYMS, Cleaned
from trainers.rewriting.person import Person

AUDIT_NAME = "deidentification.json"
LEAST_SALT = 16
CLEANER = "trainers.rewriting.clean_dicom:cleaned"
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
    workers: int = 1,
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
        workers: processes that read and clean them; 0 does so in this one, without isolation.
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
    written: dict[str, str] = {}
    left_out: Counter[str] = Counter({"refused by the listing": len(listing.problems)} if listing.problems else {})
    actions: Counter[str] = Counter()
    destination.mkdir(parents=True, exist_ok=True)
    given, may_stay = burned or {}, rules.private_allowed
    jobs = [
        Job(function=CLEANER, arguments=(listing.root / name, salt, may_stay, given.get(name, ""))) for name in listing.files
    ]
    for name, answer in zip(listing.files, in_order(jobs, limits, workers=workers), strict=True):
        try:
            cleaned: Cleaned = answer.value
            if met is not None:
                met(cleaned.person)
            if cleaned.problem is not None:
                raise UnreadableFile(*cleaned.problem)
            if cleaned.path in written:
                raise UnreadableFile("twice", "the same instance again")
        except UnreadableFile as error:
            left_out[error.kind] += 1
            if stays is not None:
                stays(name, error.kind, error.reason)
            continue
        actions.update(cleaned.actions)
        path, content = cleaned.path, cleaned.content
        if renamed is not None:
            renamed(name, path)
        goal = destination / path
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_bytes(content)
        written[path] = hashlib.blake2b(content, digest_size=20).hexdigest()
    trail = Trail(written=written, left_out=dict(sorted(left_out.items())), actions=dict(sorted(actions.items())))
    allowed = json.dumps(list(rules.private_allowed))
    config = f'[privacy]\npseudonyms = "{PSEUDONYMS}"\nprivate-allowed = {allowed}\n'
    (destination / CONFIG_NAME).write_text(config, "utf-8")
    (destination / AUDIT_NAME).write_text(_as_json(trail), "utf-8")
    return trail


def _as_json(trail: Trail) -> str:
    content = {
        "method": METHOD,
        "files_written": len(trail.written),
        "files_left_out": dict(trail.left_out),
        "actions": dict(trail.actions),
        "written": dict(trail.written),
    }
    return json.dumps(content, indent=1) + "\n"
