"""deidentify: a copy in which no file and no table tells of a person."""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from auditor.checks.ph004 import LETTERS, RECOGNISED, BurnedInText
from auditor.features.recognition import FAILED, burned
from auditor.files import open_regular, write_files
from auditor.layout import CONFIG_NAME
from auditor.sealed import seal, unsealed
from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.results import Column, Table
from trainers.copying.source import MADE
from trainers.copying.toml_text import toml_text
from trainers.rewriting.cleaner import PSEUDONYMS
from trainers.rewriting.deidentify import ELSEWHERE, LEAST_SALT, Trail, deidentify
from trainers.rewriting.nameless_table import NamelessTable
from trainers.rewriting.person import Person
from trainers.strategy import Answers, Case, NotApplicable, Strategy
from trainers.values.trust import Bools

MOST_SALT = 1 << 20
SALT_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Deidentify(Strategy):
    """A copy in which no file and no table tells of a person.

    ## What it does

    Writes every DICOM image anew by the basic profile of DICOM PS3.15: identifying elements emptied or removed, UIDs replaced,
    dates moved back by another number of days for every patient, private elements and overlays taken out. Files are called by
    pseudonym and new UIDs. The label table is made anew: file, label, split, fold, patient (a pseudonym), site (a number), and
    columns called age (at most 90), sex, view, laterality or modality. All other columns stay behind, and no list of old and
    new names is kept.

    What the profile keeps, because it tells of a machine or a body (Manufacturer, BodyPartExamined, meanings of codes), is
    emptied where it holds the name or a number of the patient or of another person of the file; so are values of the table,
    and a class, a split or a fold that is called so gets a number. Elements that DICOM does not know go as private ones do,
    and so does what hides beside the picture in its own bytes: comments of JPEG, overlays in unused bits, a tail.

    What cannot be cleaned stays behind, is named in the report, and makes the exit code 1: documents, reports and plans;
    files that say that text is burned in, or where PH004 suspects it; films; files in which a check after cleaning still finds
    something; and all that is not DICOM, but the label tables, in whose place the new one stands. Where nothing could be
    cleaned, nothing is written.

    The same key gives the same pseudonyms in the next release; without one a key is drawn and thrown away.

    It makes a copy of its own and cannot be joined with another strategy: fix its copy afterwards.

    ## When

    PH001, PH002, PH003 or PH009: files or their names tell of a person. For DICOM files; what else lies there stays behind.

    ## Options

    * `key`: file of a secret, at least 16 bytes (the option `--key`; default: drawn).
    * `keep_suspects`: true takes pictures along in which PH004 suspects text, for who has looked at them; a file that says
      itself that text is burned in stays behind all the same.

    ## References

    * DICOM PS3.15, Annex E; PS3.16 CID 7050. HIPAA Safe Harbor, 45 CFR 164.514(b)(2) (ages over 89).
    """

    name: ClassVar[str] = "deidentify"
    answers: ClassVar[Answers] = "files"
    trains: ClassVar[bool] = False
    alone: ClassVar[bool] = True

    key: str = ""
    keep_suspects: bool = False

    def propose(self, case: Case) -> Proposal:
        """The cleaned files, staged in `case.work`.

        Raises:
            NotApplicable: no record is a DICOM file that can be cleaned, or the records are no files of their own.
            ConfigError: the key file cannot be used.
        """
        dataset = case.dataset
        paths = dataset.records["path"]
        if not paths.notna().any() or (dataset.records["item"].fillna("") != "").any():
            raise NotApplicable("the records are no files of their own: only DICOM files are de-identified")
        salt, drawn = self._salt(case)
        folder = case.work / self.name
        shutil.rmtree(folder, ignore_errors=True)
        moved: dict[str, str] = {}
        refused = [problem for problem in dataset.problems if problem.kind == "refused"]
        stays = {problem.path: (problem.kind, problem.reason) for problem in refused}
        people: list[Person] = []
        trail = deidentify(
            dataset.root, folder, salt=salt, rules=dataset.privacy, burned={} if self.keep_suspects else burned_in(dataset),
            renamed=moved.__setitem__, stays=lambda name, kind, why: stays.__setitem__(name, (kind, why)), met=people.append,
        )  # fmt: skip
        for name in (CONFIG_NAME, *replaced_tables(dataset)):
            stays.pop(name, None)
        there = np.array([isinstance(path, str) and path in moved for path in paths], dtype=np.bool_)
        if not there.any():
            raise NotApplicable(nothing_cleaned(stays))
        table = NamelessTable(dataset, moved, there, together(people), salt)
        write_files({folder / MADE: table.content(), folder / CONFIG_NAME: config_of(dataset, table).encode()})
        files = {str(path.relative_to(folder).as_posix()): str(path) for path in sorted(folder.rglob("*")) if path.is_file()}
        return Proposal(
            strategy=self.name,
            summary=f"{len(trail.written):,} DICOM files written without what tells of a person, and a new label table",
            files=files,
            metrics={
                "files_written": len(trail.written),
                "files_left_out": len(stays),
                "records_left_out": int((~there).sum()),
                "files_not_looked_at": 0 if LETTERS in dataset.features.columns else len(trail.written),
                "files_refused": sum(kind not in ELSEWHERE for kind, _ in stays.values()),
            },
            tables=(actions_table(trail), *([stays_table(stays)] if stays else [])),
            notes=(*table.notes(), *notes_on(dataset, stays, there, drawn=drawn)),
        )

    def _salt(self, case: Case) -> tuple[bytes, bool]:
        """The secret, and whether it was drawn. One that was drawn lies in the private folder until the run has ended."""
        given = self.key or case.options.get("key", "")
        if given:
            try:
                with open_regular(Path(given)) as stream:
                    salt = stream.read(MOST_SALT + 1)
            except OSError as error:
                raise ConfigError(f"--key {given}: cannot be read ({error.strerror})") from None
            if len(salt) > MOST_SALT:
                raise ConfigError(f"--key {given}: larger than {MOST_SALT >> 20} MiB: this is no key")
            if len(salt) < LEAST_SALT:
                raise ConfigError(f"--key {given}: holds {len(salt)} bytes; at least {LEAST_SALT} are needed")
            return salt, False
        kept, drawn = case.work / f"{self.name}.key", secrets.token_bytes(SALT_BYTES)
        # one that is cut off, or somebody else's, would make pseudonyms that can be guessed
        with suppress(OSError, ValueError):
            drawn = unsealed("salt", kept, most_bytes=SALT_BYTES)
        case.work.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_files({kept: seal("salt", drawn)}, mode=0o600)
        return drawn, True


def config_of(dataset: Dataset, table: NamelessTable) -> str:
    """medaudit.toml of the copy: the roles of its table, and what its pseudonyms look like."""
    section: dict[str, object] = {"layout": "table", "tables": [MADE]}
    if dataset.labels.task not in ("none", "multi"):
        section |= {"task": dataset.labels.task, "level": dataset.labels.level}
    privacy = {"pseudonyms": PSEUDONYMS, "private-allowed": list(dataset.privacy.private_allowed)}
    return toml_text({"dataset": section, "roles": table.roles(), "privacy": privacy})


def nothing_cleaned(stays: Mapping[str, tuple[str, str]]) -> str:
    """Why no record is in the copy, in counts."""
    counts = Counter(reason for kind, reason in stays.values() if kind not in ELSEWHERE)
    why = "; ".join(f"{count:,} × {reason}" for reason, count in sorted(counts.items()))
    return "none of the records is a DICOM file that can be cleaned" + (f" ({why})" if why else "")


def together(people: Sequence[Person]) -> Person:
    """All of them as one."""
    return Person(
        frozenset().union(*(one.words for one in people)), frozenset().union(*(one.numbers for one in people)),
        frozenset().union(*(one.names for one in people)),
    )  # fmt: skip


def actions_table(trail: Trail) -> Table:
    """What was done to which element, in counts."""
    rows = sorted(trail.actions.items(), key=lambda item: (-item[1], item[0]))
    return Table(
        name="deidentified",
        title="What was taken out",
        columns=(
            Column(name="action", kind="text", values=[name for name, _ in rows], title="Element"),
            Column(name="elements", kind="integer", values=[count for _, count in rows], title="Elements"),
        ),
    )


def stays_table(stays: Mapping[str, tuple[str, str]]) -> Table:
    """Which files stay behind, by name, and why; reports withhold names that tell of a person."""
    names = sorted(stays, key=lambda name: (stays[name][0] in ELSEWHERE, name))
    return Table(
        name="refused",
        title="Files that are not in the copy",
        columns=(
            Column(name="path", kind="path", values=names, title="File"),
            Column(name="reason", kind="text", values=[stays[name][1] for name in names], title="Why"),
        ),
    )


def burned_in(dataset: Dataset) -> dict[str, str]:
    """Files in whose picture PH004 suspects text, and whose picture nobody could look at."""
    if LETTERS not in dataset.features.columns:
        return {}
    letters = dataset.features[LETTERS].to_numpy(np.float64)
    recognised = dataset.features[RECOGNISED].to_numpy(np.float64) if RECOGNISED in dataset.features.columns else None
    suspect = burned(letters, recognised, least=BurnedInText.min_letters)
    unseen = np.isnan(letters) if recognised is None else np.isnan(letters) | (recognised == FAILED)
    reasons = {
        True: "text seems to be burned into its pixels (PH004)",
        False: "its pixels could not be looked at for text (PH004)",
    }
    paths = dataset.records["path"]
    return {
        path: reasons[bool(text)]
        for path, text, blind in zip(paths, suspect, unseen, strict=True)
        if isinstance(path, str) and (text or blind)
    }


def replaced_tables(dataset: Dataset) -> frozenset[str]:
    """The tables in whose place the new one stands: the one that was joined, or those with the columns that were read."""
    guess = dataset.guess("table")
    if guess is not None:
        return frozenset(look.name for look in dataset.tables if look.name.rpartition("/")[2] == guess.value)
    read = {str(name).removeprefix("table.") for name in dataset.metadata.columns if str(name).startswith("table.")}
    tables = [look for look in dataset.tables if look.is_table and (dataset.records["line"] > 0).any()]
    return frozenset(look.name for look in tables if read <= set(look.headers))


def notes_on(dataset: Dataset, stays: Mapping[str, tuple[str, str]], there: Bools, *, drawn: bool) -> list[str]:
    """What to know."""
    counts = Counter(reason for _, reason in stays.values())
    notes = [f"{count:,} files stay behind: {reason}" for reason, count in sorted(counts.items())]
    missing = int((~there).sum())
    if missing:
        notes.append(f"{missing:,} records are not in the copy, because their files are not")
    notes.append(
        "PH004 misses most short or small texts in the pixels: look at the pictures of machines that write into them"
        if LETTERS in dataset.features.columns
        else "nobody has looked for text in the pixels: PH004 was left out"
    )
    if len(dataset.annotations) or len(dataset.boxes):
        notes.append("readings, boxes and marks stay behind: the new table has labels alone")
    if drawn:
        notes.append("no --key was given: a key was drawn and is thrown away, so the next release will have other pseudonyms")
    return notes
