"""What both metadata checks ask of a dataset: which classes, which patients, which fields, which strata."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.check import SkipCheck
from auditor.statistics.after_diagnosis import says_how
from auditor.statistics.clusters import Clusters
from auditor.statistics.guessed import patients_of
from auditor.statistics.targets import Targets, subset, sufficient, targets_of
from auditor.values.dataset import Dataset
from auditor.values.fields import Field, describe


@dataclass(frozen=True, kw_only=True)
class Question:
    """Can the classes be told from the fields?

    Args:
        targets: classes with enough cases on either side.
        few: classes left out because too few records or patients have them, or too few have not.
        clusters: patients.
        fields: descriptions of the metadata columns that may be asked, in the order of the table.
        label_source: columns left out because the label was read from them.
        strata: stratum per record, or None. stratum_names: declared columns that were found.
        labelled: records with a known label.
    """

    targets: Targets
    few: tuple[str, ...]
    clusters: Clusters
    fields: tuple[Field, ...]
    label_source: tuple[str, ...]
    strata: npt.NDArray[np.int64] | None
    stratum_names: tuple[str, ...]
    labelled: int


def ask(
    dataset: Dataset, *, wanted: Callable[[Field], bool], cases: int, holders: int, clusters: Clusters | None = None
) -> Question:
    """Collect what is to be tested.

    Args:
        wanted: which fields.
        cases, holders: records and patients that a class needs, with and without it.
        clusters: patients, where they are known already; else they are looked for in all that the dataset holds.

    Raises:
        SkipCheck: no label, one class, too few records, no field.
    """
    if dataset.labels.task == "none":
        raise SkipCheck("there is no label: name its column with --label")
    every = targets_of(dataset.labels)
    if len(every.names) == 0 or not every.known.any():
        raise SkipCheck("no record has a label")
    if not (every.positive.any(axis=0) & (every.known & ~every.positive).any(axis=0)).any():
        raise SkipCheck("all labelled records are of one class: there is nothing to tell apart")
    clusters = patients_of(dataset) if clusters is None else clusters
    enough = sufficient(every, clusters.index, cases=cases, holders=holders)
    if not enough.any():
        raise SkipCheck(
            f"too few records: a class needs at least {cases} records of {holders} patients with it, and as many without it"
        )
    source = label_columns(dataset)
    asked = [dataset.fields.get(str(name)) or describe(str(name)) for name in dataset.metadata.columns]
    # How the label was made (`dx_type`) is a stratum of the labels, not a leak of them: LK004 lists it.
    method = {field.name for field in asked if field.name.startswith("table.") and says_how(field.name)}
    fields = tuple(field for field in asked if field.name not in source | method and wanted(field))
    if not fields:
        raise SkipCheck("there is no metadata field to test")
    strata, names = _strata(dataset)
    return Question(
        targets=subset(every, enough),
        few=tuple(name for name, keep in zip(every.names, enough, strict=True) if not keep),
        clusters=clusters,
        fields=fields,
        label_source=tuple(sorted(source)),
        strata=strata,
        stratum_names=names,
        labelled=int(every.known.any(axis=1).sum()),
    )


def label_columns(dataset: Dataset) -> set[str]:
    """Metadata columns that the label was read from: it would be found in itself."""
    origin = dataset.labels.origin
    columns = [str(name) for name in dataset.metadata.columns]
    if "folder" in origin:
        return {name for name in columns if name.startswith("path.folder")}
    if origin == "file name":
        return {name for name in columns if name == "path.name_length"}
    parts = {origin, *(part.strip() for part in origin.split(","))} - {""}
    return {name for name in columns if name in parts or name.partition(".")[2] in parts}


def _strata(dataset: Dataset) -> tuple[npt.NDArray[np.int64] | None, tuple[str, ...]]:
    """Joint strata of the columns that `[design]` declares; a column that is not there is passed over."""
    found: list[tuple[str, pd.Series]] = []
    for name in dataset.design.strata:
        for column, frame in ((name, dataset.metadata), (f"table.{name}", dataset.metadata), (name, dataset.records)):
            if column in frame.columns:
                found.append((name, frame[column]))
                break
    if not found:
        return None, ()
    codes = np.zeros(dataset.size, np.int64)
    for _, series in found:
        own = pd.factorize(series.astype("string"), use_na_sentinel=False)[0].astype(np.int64)
        codes = np.unique(codes * (int(own.max()) + 1) + own, return_inverse=True)[1].astype(np.int64)
    return codes, tuple(name for name, _ in found)
