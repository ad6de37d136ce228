"""How much a collection holds: counts per cell, worth of dependent images, diversity, subgroups, precision of a test set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from auditor.check import SkipCheck
from auditor.evidence.kin.groups import is_training, partition
from auditor.prediction.predict import COLOURS, ENCODING, MODULES
from auditor.statistics.distributions import norm
from auditor.values.dataset import Dataset
from auditor.values.labels import State
from auditor.values.results import Column, Coverage

Floats = npt.NDArray[np.float64]
COMPONENTS = 32
MOST_PICTURES = 1000
MOST_ASKED = 20_000
NO_SPLIT = "all"
FEWEST_SHOWN = 5


def count_cells(dataset: Dataset, *, by_split: bool = True) -> pd.DataFrame:
    """Images and patients per class and split: columns `class`, `split`, `images`, `patients` (−1 = not known).

    Every class appears in every split, with 0 where it has none. A multi-label record counts for each class that it is
    positive for.
    """
    labels = dataset.labels
    splits = partition(dataset) if by_split else None
    names = pd.Series(NO_SPLIT, index=dataset.records.index) if splits is None else splits.astype(object)
    patients = dataset.records["patient"] if dataset.has("patient") else None
    places = sorted(map(str, names.dropna().unique()))
    rows: list[tuple[str, str, int, int]] = []
    codes = labels.codes if labels.task != "multi" else None
    for position, name in enumerate(labels.classes):
        if codes is not None:
            member = codes == position
        else:
            assert labels.states is not None
            member = labels.states[name].to_numpy() == State.POSITIVE
        for place in places:
            chosen = member & (names == place).to_numpy(dtype=bool)
            who = -1 if patients is None else int(patients[chosen].nunique())
            rows.append((name, place, int(chosen.sum()), who))
    return pd.DataFrame(rows, columns=["class", "split", "images", "patients"])


def count_columns(counts: pd.DataFrame) -> tuple[Column, Column]:
    """Images and patients of `count_cells` as columns of a table; patients are blank where their ids are not known."""
    patients = [None if v < 0 else v for v in counts["patients"].tolist()]
    return (
        Column(name="images", kind="integer", values=counts["images"].tolist(), title="Images"),
        Column(name="patients", kind="integer", values=patients, title="Patients"),
    )


def labelled(dataset: Dataset) -> Coverage:
    """The records that have a label, of all."""
    states, values = dataset.labels.states, dataset.labels.values
    known = int(((states >= 0).any(axis=1) if states is not None else values.notna()).sum())
    reason = f"{dataset.size - known:,} records have no label" if known < dataset.size else ""
    return Coverage(evaluated=known, total=dataset.size, reason=reason)


def training_rows(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Records of the training split; all records where no split is called one."""
    splits = partition(dataset)
    if splits is None:
        return np.ones(dataset.size, bool)
    training = np.array([isinstance(name, str) and is_training(name) for name in splits], bool)
    return training if training.any() else np.ones(dataset.size, bool)


@dataclass(frozen=True, kw_only=True)
class Space:
    """Pictures as points: `values` (pictures, components ≤ 32), standardised features on principal axes; `rows` their ids."""

    rows: pd.Index
    values: Floats


def plain_features(dataset: Dataset) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """All features, and which columns of them the probe reads of any picture. Of many pictures a copy of those columns would be
    as large as all else of a scan together."""
    names = [c for c in dataset.features.columns if str(c).split(".")[0] in MODULES and c not in ENCODING and c not in COLOURS]
    places = dataset.features.columns.get_indexer(pd.Index(names)).astype(np.int64)
    return dataset.features.to_numpy(dtype=np.float32, copy=False), places


def filled(table: npt.NDArray[np.float32], places: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """The rows that have a number in all of these columns; none where there is no column."""
    parts = [
        np.isfinite(table[start : start + MOST_ASKED][:, places]).all(axis=1) for start in range(0, len(table), MOST_ASKED)
    ]
    return np.concatenate([np.zeros(0, np.bool_), *parts]) & bool(len(places))


def feature_space(dataset: Dataset) -> Space:
    """The probe's features, standardised and rotated.

    Raises:
        SkipCheck: fewer than 20 pictures.
    """
    table, places = plain_features(dataset)
    seen = np.flatnonzero(filled(table, places))
    if len(seen) < 20:
        raise SkipCheck("fewer than 20 images were read")
    base = table[np.ix_(seen[:: max(1, -(-len(seen) // MOST_ASKED))], places)]
    mean, deviation = base.mean(axis=0), base.std(axis=0)
    scale = np.where(deviation > 1e-6, 1 / np.where(deviation > 1e-6, deviation, 1), 0)
    turned = np.empty((len(seen), min(COMPONENTS, len(places))))
    with threadpool_limits(limits=1, user_api="blas"):
        standard = _standardised(base, mean, scale)
        _, vectors = np.linalg.eigh((standard.T @ standard).astype(np.float64))
        for start in range(0, len(seen), MOST_ASKED):
            rows = seen[start : start + MOST_ASKED]
            part = _standardised(table[np.ix_(rows, places)], mean, scale)
            turned[start : start + MOST_ASKED] = part @ vectors[:, ::-1][:, :COMPONENTS]
    return Space(rows=dataset.records.index[seen], values=turned)


def _standardised(
    part: npt.NDArray[np.float32], mean: npt.NDArray[np.float32], scale: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """In the place of `part`."""
    part -= mean
    part *= scale
    return np.clip(part, -8, 8, out=part)


def vendi_score(values: Floats) -> float:
    """Friedman & Dieng (TMLR 2023): exp of the entropy of the eigenvalues of K/n, K = cosine similarity, clipped at 0.

    Of more than 1,000 pictures, every k-th is looked at. 1 = all alike; n = all unlike.
    """
    part = values[:: max(1, -(-len(values) // MOST_PICTURES))]
    unit = part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12)
    with threadpool_limits(limits=1, user_api="blas"):
        # The eigenvalues of the small matrix are those of the large one that are not 0.
        spectrum = np.linalg.eigvalsh(unit.T @ unit / len(unit))
    spectrum = spectrum[spectrum > 1e-12]
    spectrum = spectrum / spectrum.sum()
    return float(np.exp(-(spectrum * np.log(spectrum)).sum()))


def worth_of(values: Floats, patients: pd.Series) -> tuple[float, float, float]:
    """(independent images that the collection is worth, intraclass correlation, mean images per patient weighted by size).

    One-way random effects over the principal components, weighted by their variance (Donner & Koval, Biometrics 1980); Kish's
    design effect. Images without a patient id count as patients of their own.
    """
    codes = pd.factorize(patients)[0].astype(np.int64)
    unknown = codes < 0
    codes[unknown] = codes.max(initial=-1) + 1 + np.arange(int(unknown.sum()))
    count = np.bincount(codes).astype(np.float64)
    n, k = float(count.sum()), float((count > 0).sum())
    size = float((count**2).sum() / n)
    if k < 2 or n <= k:
        return n if n <= k else 1.0, 0.0 if n <= k else 1.0, size
    sums = np.stack([np.bincount(codes, values[:, c]) for c in range(values.shape[1])], axis=1)
    means = sums / np.maximum(count, 1)[:, None]
    between = (count[:, None] * (means - values.mean(axis=0)) ** 2).sum() / (k - 1)
    within = ((values - means[codes]) ** 2).sum() / (n - k)
    usual = (n - (count**2).sum() / n) / (k - 1)
    correlation = float(np.clip((between - within) / (between + (usual - 1) * within), 0, 1))
    return n / (1 + (size - 1) * correlation), correlation, size


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """Patients (or images) that have one value of one field, of one class where `of_class` is not empty."""

    field: str
    value: str
    of_class: str
    count: int


def subgroups(dataset: Dataset, *, max_values: int) -> list[Subgroup]:
    """Counts per value of the fields about patients, acquisition and provenance, alone and by class (single labels).

    Identifying fields are left out; ages become decades; other numbers and fields of more than `max_values` values are no
    subgroups. Values of `site` come from the records and are told by number only.
    """
    patients = (
        dataset.records["patient"] if dataset.has("patient") else pd.Series(dataset.records.index, index=dataset.records.index)
    )
    columns: dict[str, pd.Series] = {}
    for name, field in dataset.fields.items():
        if field.identifying or field.kind == "encoding" or name not in dataset.metadata.columns:
            continue
        values = dataset.metadata[name]
        if pd.api.types.is_numeric_dtype(values):
            if not name.lower().rstrip("s").endswith("age"):
                continue
            values = (values // 10 * 10).map(lambda v: None if pd.isna(v) else f"{v:.0f} to {v + 9:.0f}")
        columns[name] = values
    if dataset.has("site"):
        codes = pd.factorize(dataset.records["site"], sort=True)[0]
        columns["site"] = pd.Series([f"site {c + 1}" if c >= 0 else None for c in codes], index=dataset.records.index)
    found: list[Subgroup] = []
    classes = dataset.labels.values if dataset.labels.task in ("single", "ordinal") else None
    for name, values in columns.items():
        if not 2 <= values.nunique() <= min(max_values, max(2, dataset.size // 5)):
            continue
        # Records without a patient id count for nobody: a value that only they have would be a subgroup of 0 patients.
        frame = pd.DataFrame({"value": values.astype(object), "patient": patients.astype(object)}).dropna()
        counts = frame.groupby("value")["patient"].nunique()
        # A value that few patients have could identify them: its number stands for it.
        shown = {v: str(v) if c >= FEWEST_SHOWN else f"value {i + 1}" for i, (v, c) in enumerate(counts.items())}
        found += [Subgroup(field=name, value=shown[v], of_class="", count=int(c)) for v, c in counts.items()]
        if classes is not None:
            frame["class"] = classes.astype(object).loc[frame.index]
            crossed = frame.dropna(subset=["class"]).groupby(["value", "class"])["patient"].nunique()
            full = crossed.reindex(pd.MultiIndex.from_product([counts.index, dataset.labels.classes]), fill_value=0)
            found += [
                Subgroup(field=name, value=shown[key[0]], of_class=str(key[1]), count=int(c))
                for key, c in zip(full.index.tolist(), full.tolist(), strict=True)
            ]
    return found


def precision(n: int, *, accuracy: float, disagreement: float, power: float = 0.8, level: float = 0.95) -> tuple[float, float]:
    """(half-width of Wilson's interval of `accuracy`, smallest paired difference found with `power`), both at most 1.

    Paired difference of two models on the same n cases that disagree on the share `disagreement` (Connor, Biometrics 1987):
    δ = (z₁·√d + z₂·√(d − δ²)) / √n, solved by iteration.
    """
    z, beta = float(norm.ppf(0.5 + level / 2)), float(norm.ppf(power))
    half = z / (1 + z * z / n) * float(np.sqrt(accuracy * (1 - accuracy) / n + z * z / (4 * n * n)))
    difference = (z + beta) * float(np.sqrt(disagreement / n))
    for _ in range(50):
        rest = max(disagreement - difference**2, 0.0)
        difference = (z * float(np.sqrt(disagreement)) + beta * float(np.sqrt(rest))) / float(np.sqrt(n))
    return min(half, 1.0), min(difference, 1.0)
