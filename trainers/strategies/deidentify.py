"""deidentify: a copy in which no file and no table tells of a person."""

from __future__ import annotations

import csv
import io
import secrets
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from auditor.files import write_files
from auditor.layout import CONFIG_NAME
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.fields import words
from auditor.values.labels import State
from auditor.values.results import Column, Proposal, Table
from trainers.copying.source import MADE
from trainers.copying.toml_text import toml_text
from trainers.rewriting.deidentify import LEAST_SALT, PSEUDONYMS, Cleaner, Trail, deidentify
from trainers.strategy import Answers, Case, NotApplicable, Strategy
from trainers.values.trust import Bools

MOST_LEFT_OUT = 0.5
KEPT_COLUMNS = frozenset(("age", "sex", "gender", "view", "laterality", "side", "projection", "modality"))
"""Columns of the user's table that go into the new one, by a word of their names; of all others only the roles do."""
OLDEST = 90.0
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

    The same key gives the same pseudonyms in the next release; without one a key is drawn and thrown away. Text that is burned
    into the pixels stays: PH004 looks for it.

    It makes a copy of its own and cannot be joined with another strategy: fix its copy afterwards.

    ## When

    PH001, PH002, PH003 or PH009: files or their names tell of a person. For DICOM files; what else lies there stays behind.

    ## Options

    * `key`: file of a secret, at least 16 bytes (the option `--key`; default: drawn).

    ## References

    * DICOM PS3.15, Annex E; PS3.16 CID 7050. HIPAA Safe Harbor, 45 CFR 164.514(b)(2) (ages over 89).
    """

    name: ClassVar[str] = "deidentify"
    answers: ClassVar[Answers] = "files"
    trains: ClassVar[bool] = False

    key: str = ""

    def propose(self, case: Case) -> Proposal:
        """The cleaned files, staged in `case.work`.

        Raises:
            NotApplicable: no DICOM files, or most of them cannot be cleaned, or the records are no files of their own.
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
        refused: dict[str, str] = {}
        trail = deidentify(
            dataset.root, folder, salt=salt, rules=dataset.privacy, renamed=moved.__setitem__, refused=refused.__setitem__
        )
        there = np.array([isinstance(path, str) and path in moved for path in paths], dtype=np.bool_)
        if not there.any():
            raise NotApplicable("none of the records is a DICOM file that can be cleaned")
        if (~there).mean() > MOST_LEFT_OUT:
            raise NotApplicable(
                f"{int((~there).sum()):,} of {dataset.size:,} records are no DICOM files or cannot be cleaned: the copy would "
                "lack them"
            )
        table = new_table(dataset, moved, there, salt)
        write_files({folder / MADE: table, folder / CONFIG_NAME: config_of(dataset, table).encode()})
        files = {str(path.relative_to(folder).as_posix()): str(path) for path in sorted(folder.rglob("*")) if path.is_file()}
        return Proposal(
            strategy=self.name,
            summary=f"{len(trail.written):,} DICOM files written without what tells of a person, and a new label table",
            files=files,
            metrics={
                "files_written": len(trail.written),
                "files_left_out": sum(trail.left_out.values()),
                "records_left_out": int((~there).sum()),
                "files_refused": len(refused),
            },
            tables=(actions_table(trail), *([refused_table(refused)] if refused else [])),
            notes=tuple(notes_on(dataset, trail, there, drawn=drawn)),
        )

    def _salt(self, case: Case) -> tuple[bytes, bool]:
        """The secret, and whether it was drawn. One that was drawn lies in the private folder until the run has ended."""
        given = self.key or case.options.get("key", "")
        if given:
            try:
                salt = Path(given).read_bytes()
            except OSError as error:
                raise ConfigError(f"--key {given}: cannot be read ({error.strerror})") from None
            if len(salt) < LEAST_SALT:
                raise ConfigError(f"--key {given}: holds {len(salt)} bytes; at least {LEAST_SALT} are needed")
            return salt, False
        kept = case.work / f"{self.name}.key"
        if not kept.is_file():
            case.work.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_files({kept: secrets.token_bytes(SALT_BYTES)})
            kept.chmod(0o600)
        return kept.read_bytes(), True


def new_table(dataset: Dataset, moved: Mapping[str, str], there: Bools, salt: bytes) -> bytes:
    """The label table of the copy as CSV; only what `Deidentify` lists."""
    records, labels = dataset.records, dataset.labels
    new_paths = [moved[str(path)] if ok else "" for path, ok in zip(records["path"], there, strict=True)]
    columns: dict[str, list[str]] = {"path": new_paths}
    if labels.task == "multi" and labels.states is not None:
        for name in labels.classes:
            states = labels.states[name].tolist()
            columns[name] = ["" if s == State.NOT_ASSESSED else str(int(s)) for s in states]
    elif labels.task != "none":
        columns["label"] = _texts(labels.values)
    for role in ("split", "fold"):
        if dataset.has(role):
            columns[role] = _texts(records[role])
    columns["patient"] = patients_of(dataset, new_paths, salt)
    if dataset.has("site"):
        columns["site"] = sites_of(dataset, salt)
    for name, values in kept_columns(dataset).items():
        columns.setdefault(name, values)
    if dataset.has("mask"):
        columns["mask"] = [moved.get(str(mask), "") for mask in records["mask"]]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(list(columns))
    rows = zip(*columns.values(), strict=True)
    # In the order of the new names: the old order may be that of names or of dates.
    writer.writerows(sorted(row for row, ok in zip(rows, there, strict=True) if ok))
    return stream.getvalue().encode()


def patients_of(dataset: Dataset, paths: Sequence[str], salt: bytes) -> list[str]:
    """A pseudonym per record: that of its header (the first folder of its new name), where table and headers agree."""
    header = [path.partition("/")[0] for path in paths]
    if not dataset.has("patient"):
        return header
    said = _texts(dataset.records["patient"])
    of_table: dict[str, set[str]] = defaultdict(set)
    of_header: dict[str, set[str]] = defaultdict(set)
    for own, other in zip(said, header, strict=True):
        if own and other:
            of_table[own].add(other)
            of_header[other].add(own)
    cleaner = Cleaner(salt=salt)

    def chosen(own: str, other: str) -> str:
        if not own or (len(of_table[own]) == 1 and len(of_header[other]) == 1):
            return other
        return cleaner.pseudonym(f"|{own}")

    return [chosen(own, other) for own, other in zip(said, header, strict=True)]


def sites_of(dataset: Dataset, salt: bytes) -> list[str]:
    """A number per site, in an order that tells nothing."""
    cleaner = Cleaner(salt=salt)
    values = _texts(dataset.records["site"])
    order = sorted({value for value in values if value}, key=lambda value: cleaner.digest("site", value))
    number = {value: f"site {k}" for k, value in enumerate(order, start=1)}
    return [number.get(value, "") for value in values]


def kept_columns(dataset: Dataset) -> dict[str, list[str]]:
    """Age, sex and view of the user's table, as far as it has them and they identify nobody."""
    found: dict[str, list[str]] = {}
    for column in dataset.metadata.columns:
        name = str(column)
        known = KEPT_COLUMNS & set(words(name.removeprefix("table.")))
        if not name.startswith("table.") or len(known) != 1 or dataset.fields[name].identifying:
            continue
        values = dataset.metadata[name]
        if pd.api.types.is_numeric_dtype(values):
            if known == {"age"}:
                values = values.clip(upper=OLDEST)
            found[next(iter(known))] = [f"{v:g}" if v == v else "" for v in values.astype(float)]
        elif known != {"age"}:
            found[next(iter(known))] = _texts(values)
    return found


def config_of(dataset: Dataset, table: bytes) -> str:
    """medaudit.toml of the copy: the roles of its table, and what its pseudonyms look like."""
    header = next(csv.reader([table.split(b"\n", 1)[0].decode()]))
    labels = dataset.labels
    roles: dict[str, str] = {name: name for name in ("path", "split", "fold", "patient", "site", "mask") if name in header}
    if labels.task == "multi" and not any("," in name for name in labels.classes):
        roles["label"] = ",".join(labels.classes)
    elif "label" in header:
        roles["label"] = "label"
    section: dict[str, object] = {"layout": "table", "tables": [MADE]}
    if labels.task not in ("none", "multi"):
        section |= {"task": labels.task, "level": labels.level}
    privacy = {"pseudonyms": PSEUDONYMS, "private-allowed": list(dataset.privacy.private_allowed)}
    return toml_text({"dataset": section, "roles": roles, "privacy": privacy})


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


def refused_table(refused: Mapping[str, str]) -> Table:
    """Which DICOM files stay behind, by name, and why; reports withhold names that tell of a person."""
    names = sorted(refused)
    return Table(
        name="refused",
        title="DICOM files that are not in the copy",
        columns=(
            Column(name="path", kind="path", values=names, title="File"),
            Column(name="reason", kind="text", values=[refused[name] for name in names], title="Why"),
        ),
    )


def notes_on(dataset: Dataset, trail: Trail, there: Bools, *, drawn: bool) -> list[str]:
    """What to know."""
    notes = [f"{count:,} files stay behind: {reason}" for reason, count in trail.left_out.items()]
    missing = int((~there).sum())
    if missing:
        notes.append(f"{missing:,} records are not in the copy, because their files are not")
    notes.append("text that is burned into the pixels stays: look at what PH004 says of the copy")
    if len(dataset.annotations) or len(dataset.boxes):
        notes.append("readings, boxes and marks stay behind: the new table has labels alone")
    if drawn:
        notes.append("no --key was given: a key was drawn and is thrown away, so the next release will have other pseudonyms")
    return notes


def _texts(column: pd.Series) -> list[str]:
    return ["" if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)]
