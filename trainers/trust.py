"""Who may be believed: which records train and calibrate a teacher, on which choices are made, and which evaluate.

Sources in this order: what the user names; labels that a reviewer confirmed; labels that all raters agree on; and, so that
there is always an answer, labels that an out-of-fold model agrees with. The last is marked as self-graded: a model judged
by labels that a model chose is flattered.

The parts are made of whole groups (patients, acquisitions, copies), so nothing that evaluates has a relative in training.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.kin.groups import is_test, partition, synthetic
from auditor.prediction.folds import assign_folds
from auditor.reading.jobs import run_job
from auditor.splits.strata import column_of
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.labels import State
from trainers import kinds
from trainers.kin import kin
from trainers.values.trust import Trust

Bools = npt.NDArray[np.bool_]

YES = frozenset({"1", "1.0", "true", "yes", "y", "x", "t", "trusted"})
NO = frozenset({"0", "0.0", "false", "no", "n", "f", ""})
MIN_EVALUATION = 20
"""Fewer records in the evaluation part of a declared test split than this, and it is drawn from all trusted records."""

PARTS = 20
"""Trusted groups are dealt into twentieths: 9 train, 3 validate, 8 evaluate; with an evaluation part of their own, 16 and 4."""


@dataclass(frozen=True, kw_only=True)
class Believed:
    """Records that are believed, and why."""

    records: Bools
    origin: str
    self_graded: bool


def trust_of(dataset: Dataset, *, trusted: str | None = None, evaluate: str | None = None, seed: int = 0) -> Trust:
    """Divide the records into training, trusted, validation and evaluation.

    Args:
        dataset: gathered by a scan; `predictions` are needed where nobody is trusted.
        trusted, evaluate: a column of yes and no, or a file that lists records (one id or path per line, or a csv with a
            column `record` or `path`); None = see the module.
        seed: deals the groups.

    Raises:
        ConfigError: no such column or file, it names no record, or nothing is left to train or to evaluate on.
    """
    rng = np.random.default_rng([seed, 71])
    made = synthetic(dataset)
    usable = labelled(dataset) & ~made
    if not usable.any():
        raise ConfigError(unlabelled(dataset))
    groups = kin(dataset)
    declared = named(dataset, evaluate, "--evaluate") & usable if evaluate is not None else None
    kept = usable if declared is None else usable & ~np.isin(groups, groups[declared])
    believed = believed_records(dataset, trusted, kept)
    if declared is not None:
        evaluation = declared
        rest = believed.records & ~np.isin(groups, groups[evaluation])
        train, validation = dealt(dataset, rest, groups, (16, 4), rng)
        origin = f"{believed.origin}; evaluated on the records that --evaluate names"
        origin += told_aside(usable_for_training(dataset) & ~evaluation & np.isin(groups, groups[evaluation]))
        # a person named what evaluates, so no model graded itself, whoever is trusted
        graded = False
    else:
        test = believed.records & test_split(dataset)
        if int(test.sum()) >= MIN_EVALUATION:
            evaluation = test
            rest = believed.records & ~np.isin(groups, groups[evaluation])
            train, validation = dealt(dataset, rest, groups, (16, 4), rng)
            origin = f"{believed.origin}; evaluated on those of them in the declared test split"
        else:
            train, validation, evaluation = dealt(dataset, believed.records, groups, (9, 3, 8), rng)
            origin = f"{believed.origin}; {int(evaluation.sum()):,} of them evaluate"
        graded = believed.self_graded
    held = np.isin(groups, groups[evaluation | validation])
    # of whom a picture was made that nobody's id goes with, it must not meet the one it was made from
    known = dataset.records["patient"].notna().to_numpy(bool) if dataset.has("patient") else np.zeros(dataset.size, np.bool_)
    training = usable_for_training(dataset) & ~held & ~test_split(dataset) & (~made | known)
    if not evaluation.any() or not (training & usable).any():
        aside = usable & held & ~evaluation
        raise ConfigError(too_few(int(evaluation.sum()), int((training & usable).sum()), int(aside.sum())))
    return Trust(
        trusted=train & training, validation=validation, evaluation=evaluation, training=training, origin=origin,
        self_graded=graded, guessed=believed.self_graded, named=named_records(dataset, trusted, evaluate),
    )  # fmt: skip


def unlabelled(dataset: Dataset) -> str:
    """Why nothing can be learnt where no record has both a label and a readable picture, and what to do."""
    if len(dataset.annotations) and dataset.labels.task == "none":
        return (
            "there are readings and no label that was made of them; `medaudit consensus TABLE -o labels.csv` writes one, to be "
            "corrected and learnt from"
        )
    return "no record has both a label (or a mask) and a readable image; name the column with --label"


def too_few(evaluating: int, training: int, aside: int) -> str:
    """Why nothing can be learnt or judged, and what to do.

    Args:
        evaluating, training: records.
        aside: records that are kin of those that evaluate or validate, and were not named with them.
    """
    start = f"{evaluating:,} records evaluate and {training:,} train: "
    if evaluating and aside:
        return (
            f"{start}the other {aside:,} show the same patients or pictures, and nothing may be learnt from those; name others "
            "with --evaluate"
        )
    return f"{start}too few, or all of one patient; name records with --trusted and --evaluate"


def told_aside(aside: Bools) -> str:
    """What becomes of records that are kin of those that evaluate and were not named with them; empty where there is none."""
    count = int(aside.sum())
    who = f"{count:,} more of the same patients or pictures are" if count > 1 else "1 more of the same patient or picture is"
    return f", of whose kin nothing is learnt ({who} set aside)" if count else ""


def labelled(dataset: Dataset) -> Bools:
    """Records of which the truth is known (`LearningTask.labelled`) and whose pixels are readable."""
    return np.asarray(kinds.labelled(dataset) & usable_for_training(dataset))


def usable_for_training(dataset: Dataset) -> Bools:
    """Records whose pixels were read, labelled or not."""
    if "pixels" not in dataset.fingerprints.columns:
        return np.zeros(dataset.size, dtype=np.bool_)
    return dataset.fingerprints["pixels"].notna().to_numpy(bool)


def test_split(dataset: Dataset) -> Bools:
    """Records of the declared test split."""
    splits = partition(dataset)
    if splits is None:
        return np.zeros(dataset.size, dtype=np.bool_)
    return np.array([isinstance(v, str) and is_test(v) for v in splits], dtype=np.bool_)


def believed_records(dataset: Dataset, trusted: str | None, usable: Bools) -> Believed:
    """The records whose labels are believed, by the best source there is."""
    if trusted is not None:
        given = named(dataset, trusted, "--trusted")
        found = given & usable
        origin = f"{int(found.sum()):,} records that --trusted names"
        if not found.any():
            origin = (
                f"nobody: all {int(given.sum()):,} records that --trusted names evaluate, are kin of those that do, or have "
                "no label or readable picture"
            )
        return Believed(records=found, origin=origin, self_graded=False)
    confirmed = confirmed_records(dataset) & usable
    if int(confirmed.sum()) >= MIN_EVALUATION:
        return Believed(records=confirmed, origin=f"{int(confirmed.sum()):,} records confirmed in review", self_graded=False)
    unanimous = unanimous_records(dataset) & usable
    if int(unanimous.sum()) >= MIN_EVALUATION:
        return Believed(
            records=unanimous, origin=f"{int(unanimous.sum()):,} records that all raters agree on", self_graded=False
        )
    agreeing = agreeing_records(dataset) & usable
    if agreeing.any():
        origin = f"{int(agreeing.sum()):,} records on which an out-of-fold model agrees with the label"
        return Believed(records=agreeing, origin=origin, self_graded=True)
    return Believed(records=usable, origin=f"all {int(usable.sum()):,} labels as they stand", self_graded=True)


def named(dataset: Dataset, spec: str, option: str) -> Bools:
    """The records that a column (yes/no) or a file (ids or paths) names.

    Raises:
        ConfigError: neither, or it names nothing.
    """
    path = Path(spec)
    if path.is_file():
        wanted = frozenset(listed(path, option))
        if not wanted:
            raise ConfigError(f"{option} {path.name}: the file names no record; write the ids or paths of records, one a line")
        index = dataset.records.index.astype(str)
        paths = dataset.records["path"].fillna("").astype(str)
        found = np.asarray(index.isin(wanted) | paths.isin(wanted).to_numpy(), dtype=np.bool_)
        if not found.any():
            raise ConfigError(
                f"{option} {path.name}: none of its {len(wanted):,} lines is a record id or a path of this dataset"
            )
        return found
    column = column_of(dataset, spec, option)
    words = [str(v).strip().lower() if pd.notna(v) else "" for v in column]
    strange = sum(w not in YES and w not in NO for w in words)
    if strange:
        raise ConfigError(f"{option} {spec}: {strange:,} cells are neither yes nor no (1/0, true/false, yes/no)")
    found = np.array([w in YES for w in words], dtype=np.bool_)
    if not found.any():
        raise ConfigError(f"{option} {spec}: no record says yes")
    return found


def named_records(dataset: Dataset, trusted: str | None, evaluate: str | None) -> Bools | None:
    """The records that the user named, for whatever; None where nobody was named."""
    found = [named(dataset, spec, o) for spec, o in ((trusted, "--trusted"), (evaluate, "--evaluate")) if spec is not None]
    return np.logical_or.reduce(found) if found else None


def listed(path: Path, option: str) -> Iterable[str]:
    """Ids or paths in a file: the column `record` or `path` of a csv, else one per line.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        found: list[str] = run_job("auditor.tables.names_file:names", path, limits=Limits())
    except (DatasetError, UnreadableFile):
        raise ConfigError(f"{option} {path}: not a readable text file of record ids or paths") from None
    return found


def confirmed_records(dataset: Dataset) -> Bools:
    """Records whose label a reviewer called right."""
    right = {answer.record for review in dataset.reviews for answer in review.answers if answer.answer == "right"}
    return np.asarray(dataset.records.index.astype(str).isin(right), dtype=np.bool_)


def unanimous_records(dataset: Dataset) -> Bools:
    """Records that two or more raters read alike, and that are labelled so."""
    readings = dataset.annotations
    if readings.empty or dataset.labels.task not in ("single", "ordinal"):
        return np.zeros(dataset.size, dtype=np.bool_)
    each = readings.dropna(subset=["label"]).groupby("record")["label"].agg(["nunique", "size", "first"])
    agreed = each[(each["nunique"] == 1) & (each["size"] >= 2)]["first"]
    said = dataset.labels.values.astype(object)
    return np.array([agreed.get(record) == label for record, label in said.items()], dtype=np.bool_) & said.notna().to_numpy()


def agreeing_records(dataset: Dataset) -> Bools:
    """Records whose label is the out-of-fold model's first choice (multi-label: every known cell on its side of one half)."""
    predictions, labels = dataset.predictions, dataset.labels
    nothing = np.zeros(dataset.size, dtype=np.bool_)
    if predictions is None or labels.task not in ("single", "ordinal", "multi"):
        return nothing
    p = predictions.probabilities
    judged = np.isfinite(p).any(axis=1)
    if labels.task == "multi":
        assert labels.states is not None
        states = labels.states.to_numpy()
        wrong = (states >= 0) & np.isfinite(p) & ((p >= 0.5) != (states == State.POSITIVE))
        return np.asarray(judged & ~wrong.any(axis=1))
    first = np.where(judged, np.nan_to_num(p, nan=-1.0).argmax(axis=1), -2)
    return np.asarray(first == labels.codes)


def dealt(
    dataset: Dataset, records: Bools, groups: npt.NDArray[np.int64], shares: tuple[int, ...], rng: np.random.Generator
) -> tuple[Bools, ...]:
    """Divide records by whole groups into parts of these many twentieths, every class in its share."""
    rows = np.flatnonzero(records)
    strata = dataset.labels.codes[rows] if dataset.labels.task in ("single", "ordinal") else np.zeros(len(rows), np.int64)
    # few groups make fewer, larger pieces, so that no part stays empty while there is a group for it
    pieces = min(PARTS, len(np.unique(groups[rows])))
    fold = assign_folds(strata, groups[rows], folds=pieces, rng=rng) if len(rows) else np.zeros(0, np.int64)
    # dealt cards come in order of size, so the parts are interleaved: neighbouring pieces go to different parts
    owner = (np.arange(pieces) * (7 if pieces % 7 else 3)) % max(1, pieces)
    place = np.arange(1, len(shares) + 1)
    most = pieces - len(shares) + place if pieces >= len(shares) else pieces
    ends = np.minimum(np.maximum(np.cumsum(shares) * pieces // PARTS, place), most)
    part = np.searchsorted(ends, owner[fold], side="right")
    found = []
    for number in range(len(shares)):
        mask = np.zeros(dataset.size, dtype=np.bool_)
        mask[rows[part == number]] = True
        found.append(mask)
    return tuple(found)
