"""Wrong labels, and patients in two splits: in the table, in an npz, or by the folder that a picture lies in."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from auditor.degrade.flaws import Truth, flip_by_difficulty, flip_by_map, flip_by_site, flip_uniform, mix_patients
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.labels import State
from trainers.copying.source import made
from trainers.copying.writing import write_arrays
from trainers.degrading.draft import Draft
from trainers.degrading.wish import Flips


def flip_labels(draft: Draft) -> None:
    """Give some records another class.

    Raises:
        ConfigError: there are no classes, or no place where they can be written.
    """
    flips, labels = draft.wish.label_flips, draft.dataset.labels
    assert flips is not None
    seed = draft.seed("label-flips")
    if labels.task == "multi":
        planted = flipped_states(draft.dataset, flips, seed)
    elif labels.task in ("single", "ordinal"):
        _, planted = flipped(draft.dataset, flips, seed)
        if flips.kind == "instance":
            share = agreement(draft.dataset)
            draft.notes.append(f"the built-in probe, which says what is near a border, names {share:.0%} of the labels")
    else:
        raise ConfigError("--label-flips: the dataset has no labels of classes")
    if draft.dataset.summary.layout == "medmnist":
        _into_arrays(draft, planted)
    elif draft.has_table:
        field = {"multi": "label."}.get(labels.task, "label")
        for row in planted:
            if not draft.table.say(row.record, field + (row.detail if labels.task == "multi" else ""), row.old, row.new):
                raise ConfigError("--label-flips: the label column cannot say another class in every row it would change")
    elif labels.origin == "class folder":
        _into_folders(draft, "label", labels.values, planted)
    else:
        raise ConfigError(
            f"--label-flips: the labels come from {labels.origin or 'files'} of the layout {draft.dataset.summary.layout}, "
            "which are read and not written"
        )
    draft.truth += planted


def flipped(dataset: Dataset, flips: Flips, seed: int) -> tuple[pd.Series, list[Truth]]:
    """The labels with wrong ones among them.

    Raises:
        ConfigError: what the kind of noise needs is not there.
    """
    values, classes = dataset.labels.values, list(dataset.labels.classes)
    present = [name for name in classes if (values == name).any()]
    if len(present) < 2:
        raise ConfigError("--label-flips: two classes at least are needed")
    if flips.kind == "asym":
        following = {name: present[(k + 1) % len(present)] for k, name in enumerate(present)}
        return flip_by_map(values, following, flips.share, seed=seed)
    if flips.kind == "site":
        if not dataset.has("site"):
            raise ConfigError("--label-flips: no site is known (--site)")
        sites = dataset.records["site"]
        names = sorted(map(str, sites.dropna().unique()))
        if len(names) < 2:
            raise ConfigError("--label-flips: one site alone; noise by site needs two at least")
        rates = {name: min(1.0, 2 * flips.share * k / (len(names) - 1)) for k, name in enumerate(names)}
        return flip_by_site(values, sites, rates, seed=seed)
    if flips.kind == "instance":
        told = dataset.predictions
        if told is None or set(told.classes) != set(classes):
            raise ConfigError("--label-flips: the built-in probe cannot tell the classes here, so none is near a border")
        odds = pd.DataFrame(told.probabilities, columns=list(told.classes))
        own = np.asarray(values.astype(object))[:, None] == np.asarray(told.classes, dtype=object)[None]
        other = odds.mask(own).max(axis=1).to_numpy(np.float64)
        second = odds.mask(own).fillna(-1).idxmax(axis=1)
        return flip_by_difficulty(values, np.nan_to_num(other), flips.share, seed=seed, runner_up=list(map(str, second)))
    return flip_uniform(values, flips.share, seed=seed)


def agreement(dataset: Dataset) -> float:
    """Share of the predicted records whose label the probe names, 0–1."""
    told = dataset.predictions
    assert told is not None
    seen = ~np.isnan(told.probabilities).any(axis=1) & dataset.labels.values.notna().to_numpy()
    named = np.asarray(told.classes, dtype=object)[np.nan_to_num(told.probabilities).argmax(axis=1)]
    return float((named == dataset.labels.values.astype(object).to_numpy())[seen].mean()) if seen.any() else 0.0


def flipped_states(dataset: Dataset, flips: Flips, seed: int) -> list[Truth]:
    """Of tables of several classes: one class of a record, drawn by lot among those that it says yes or no to, is turned over.

    Raises:
        ConfigError: another kind of noise than the uniform one.
    """
    if flips.kind != "uniform":
        raise ConfigError(f"--label-flips: labels of several classes are flipped by lot alone, not by {flips.kind!r}")
    states = dataset.labels.states
    assert states is not None
    known = states.to_numpy() >= 0
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(known.any(axis=1))
    rows = np.sort(rng.choice(rows, size=math.floor(len(rows) * flips.share + 0.5), replace=False))
    found = []
    for row in rows.tolist():
        column = int(rng.choice(np.flatnonzero(known[row])))
        old = "1" if states.iat[row, column] == State.POSITIVE else "0"
        found.append(
            Truth(
                record=str(states.index[row]), kind="label-flip", old=old, new="0" if old == "1" else "1",
                detail=str(states.columns[column]),
            )
        )  # fmt: skip
    return found


def mix(draft: Draft) -> None:
    """Move one picture of some patients into another split.

    Raises:
        ConfigError: no patients or splits, or nobody who could be in two of them.
    """
    share, records = draft.wish.mix_patients, draft.dataset.records
    assert share is not None
    if not draft.dataset.has("patient") or not draft.dataset.has("split"):
        raise ConfigError("--mix-patients: patients and splits must both be known (--patient, --split)")
    table = records[["split", "patient"]].dropna()
    pure = table.groupby("patient")["split"].agg(["nunique", "size"])
    able = int(((pure["nunique"] == 1) & (pure["size"] > 1)).sum())
    count = math.floor(able * share + 0.5)
    if table["split"].nunique() < 2 or not count:
        raise ConfigError(
            f"--mix-patients: {able:,} patients have several pictures in one of {table['split'].nunique()} splits: "
            "too few to mix that share of them"
        )
    _, planted = mix_patients(records["split"], records["patient"], count, seed=draft.seed("mix-patients"))
    # whose picture it is stays in the dataset
    planted = [replace(row, detail="") for row in planted]
    if draft.has_table:
        for row in planted:
            if not draft.table.say(row.record, "split", row.old, row.new):
                raise ConfigError("--mix-patients: the table cannot say another split in every row it would change")
    else:
        _into_folders(draft, "split", records["split"], planted)
    draft.truth += planted


def _into_folders(draft: Draft, role: str, values: pd.Series, planted: list[Truth]) -> None:
    """Move pictures from the folder of one value to that of another.

    Raises:
        ConfigError: no level of folders says the value, or masks lie beside the pictures.
    """
    records = draft.dataset.records
    if records["mask"].notna().any() or not draft.dataset.channels.empty or not draft.dataset.rater_masks.empty:
        raise ConfigError(f"the {role} is that of folders, and masks or channels go with the pictures: they are not moved")
    folders = folder_of(records["path"], values)
    if folders is None:
        raise ConfigError(f"the {role} is in no table and is no folder that a picture could be moved to")
    level, names = folders
    for row in planted:
        parts = draft.path(row.record).split("/")
        draft.move(row.record, "/".join((*parts[:level], names[row.new], *parts[level + 1 :])))


def folder_of(paths: pd.Series, values: pd.Series) -> tuple[int, dict[str, str]] | None:
    """The level of folders that says a value, and value → folder, the most frequent one of each; None where there is none."""
    known = values.notna() & paths.notna()
    parts = [str(path).split("/")[:-1] for path in paths[known]]
    told = values[known].astype(str).to_numpy(dtype=object)
    for level in range(min(map(len, parts), default=0)):
        table = pd.DataFrame({"folder": [own[level] for own in parts], "value": told})
        if (table.groupby("folder")["value"].nunique() == 1).all() and table["folder"].nunique() > 1:
            most = table.groupby("value")["folder"].agg(lambda column: column.value_counts().index[0])
            return level, {str(value): str(folder) for value, folder in most.items()}
    return None


def _into_arrays(draft: Draft, planted: list[Truth]) -> None:
    """Write the npz files anew, with other labels in their arrays."""
    dataset = draft.dataset
    source = made(dataset, {})
    places = {str(record): row for row, record in enumerate(dataset.records.index)}
    changed: dict[str, dict[int, str]] = {}
    for row in planted:
        column = row.detail if dataset.labels.task == "multi" else source.labels[0]
        changed.setdefault(column, {})[places[row.record]] = row.new
    names = tuple(dict.fromkeys(dataset.records["path"].astype(str)))
    folder = draft.new_file()
    folder.mkdir()
    write_arrays(names, dataset.root, folder, changed, frozenset(), draft.options.limits, keep_old=False)
    draft.files |= {name: folder / name for name in names}
