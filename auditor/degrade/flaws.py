"""Planted flaws with their truth: the harness of the checks' tests, of `medaudit demo` and of studies.

Every function takes data and a seed and returns the degraded data and one `Truth` row per change; nothing of the input
is changed in place, and the same input and seed give the same flaws. Labels, splits, patients and raters are text series
indexed by record; missing cells are never touched. Flaws of pictures and files are in `auditor.degrade.copies`
and `auditor.degrade.hostile`.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.files import open_regular
from auditor.stored import checked
from auditor.values.cells import csv_bytes, from_cell
from auditor.values.errors import DatasetError

MOST_TRUTH = 64 << 20
"""Bytes of a table of planted flaws: a million rows have less."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One planted change. `record` is empty where it concerns no single record; `detail` says what else a test must know."""

    record: str
    kind: str
    old: str = ""
    new: str = ""
    detail: str = ""


def write_truth(path: Path, rows: Iterable[Truth]) -> None:
    """Write `rows` as a CSV file with the columns record, kind, old, new, detail. Keep it out of the scanned folder."""
    path.write_bytes(csv_bytes([f.name for f in fields(Truth)], map(astuple, rows), data=True))


def read_truth(path: Path) -> list[Truth]:
    """The rows that `write_truth` wrote.

    Raises:
        DatasetError: it cannot be read, is larger than `MOST_TRUTH`, or has other columns; says which row, and no value.
    """
    try:
        with open_regular(path) as stream:
            content = stream.read(MOST_TRUTH + 1)
        if len(content) > MOST_TRUTH:
            raise ValueError(f"it is larger than {MOST_TRUTH:,} bytes")
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        if rows.fieldnames != [f.name for f in fields(Truth)]:
            raise ValueError("its columns are not record, kind, old, new, detail")
        return [_checked_row(number, row) for number, row in enumerate(rows, start=1)]
    except OSError as error:
        raise DatasetError(f"{path}: no table of planted flaws: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: no table of planted flaws: no text in UTF-8") from None
    except (ValueError, csv.Error) as error:
        raise DatasetError(f"{path}: no table of planted flaws: {error}") from None


def _checked_row(number: int, row: Mapping[str | None, object]) -> Truth:
    """A row whose cells fit the columns; one cell too many stands under None, one too few is None.

    Raises:
        ValueError: it is another one.
    """
    try:
        truth = checked(Truth, {name: from_cell(cell) if isinstance(cell, str) else cell for name, cell in row.items()})
    except ValueError:
        raise ValueError(f"row {number} has not one text for each column") from None
    if None in row or not truth.kind:
        raise ValueError(f"row {number} has not one text for each column")
    return truth


# Labels


def flip_uniform(labels: pd.Series, fraction: float, *, seed: int) -> tuple[pd.Series, list[Truth]]:
    """Symmetric noise: `fraction` of the labelled records get another class, every other class equally often.

    Raises:
        ValueError: a fraction outside 0–1, or fewer than two classes.
    """
    rng = np.random.default_rng(seed)
    chosen = _draw(rng, np.flatnonzero(labels.notna().to_numpy()), fraction)
    return _relabel(labels, chosen, _others(rng, labels, chosen), kind="label-flip", detail="uniform")


def flip_by_map(
    labels: pd.Series, mapping: Mapping[str, str], fraction: float | Mapping[str, float], *, seed: int
) -> tuple[pd.Series, list[Truth]]:
    """Asymmetric noise: of each class named in `mapping`, `fraction` (one for all, or by class) becomes `mapping[class]`."""
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for old in sorted(mapping):
        share = fraction[old] if isinstance(fraction, Mapping) else fraction
        chosen += _draw(rng, np.flatnonzero((labels == old).fillna(False).to_numpy(dtype=bool)), share).tolist()
    rows = np.asarray(sorted(chosen), dtype=np.int64)
    return _relabel(labels, rows, [mapping[str(labels.iloc[i])] for i in rows], kind="label-flip", detail="by map")


def flip_by_difficulty(
    labels: pd.Series,
    difficulty: npt.NDArray[np.floating[Any]],
    fraction: float,
    *,
    seed: int,
    runner_up: Sequence[str] | None = None,
) -> tuple[pd.Series, list[Truth]]:
    """Instance-dependent noise: a record is flipped with a chance in proportion to its difficulty.

    Args:
        difficulty: one weight ≥ 0 per record, high near the boundary (e.g. 1 − |2p − 1| of a model); 0 is never flipped.
        fraction: of the labelled records, flipped in all (fewer when fewer have a weight above 0).
        runner_up: the class that each record is mistaken for; default another class at random. Where it is the record's own
            class the record is not flipped.

    Raises:
        ValueError: a negative or missing weight, a wrong length, a fraction outside 0–1.
    """
    weight = np.asarray(difficulty, dtype=np.float64)
    if weight.shape != (len(labels),) or not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError("difficulty: one finite weight of at least 0 per record is wanted")
    rng = np.random.default_rng(seed)
    open_to = labels.notna().to_numpy() & (weight > 0)
    if runner_up is not None:
        open_to &= (labels != pd.Series(list(runner_up), index=labels.index)).fillna(False).to_numpy(dtype=bool)
    rows = np.flatnonzero(open_to)
    count = min(_count(int(labels.notna().sum()), fraction), len(rows))
    keys = np.log(weight[rows]) + rng.gumbel(size=len(rows))  # the highest keys = draws without replacement by weight
    chosen = np.sort(rows[np.argsort(-keys, kind="stable")[:count]])
    new = _others(rng, labels, chosen) if runner_up is None else [runner_up[i] for i in chosen]
    return _relabel(labels, chosen, new, kind="label-flip", detail="by difficulty")


def flip_by_site(
    labels: pd.Series, sites: pd.Series, fractions: Mapping[str, float], *, seed: int
) -> tuple[pd.Series, list[Truth]]:
    """Uniform noise at a rate of its own in each site; sites that `fractions` does not name stay clean."""
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for site in sorted(fractions):
        here = ((sites == site) & labels.notna()).fillna(False).to_numpy(dtype=bool)
        chosen += _draw(rng, np.flatnonzero(here), fractions[site]).tolist()
    rows = np.asarray(sorted(chosen), dtype=np.int64)
    return _relabel(labels, rows, _others(rng, labels, rows), kind="label-flip", detail="by site")


def _count(total: int, fraction: float) -> int:
    if not 0 <= fraction <= 1:
        raise ValueError(f"a fraction of {fraction}: 0 to 1 is wanted")
    return math.floor(total * fraction + 0.5)


def _draw(rng: np.random.Generator, rows: npt.NDArray[np.int64], fraction: float) -> npt.NDArray[np.int64]:
    """`fraction` of `rows`, without replacement, in order."""
    return np.sort(rng.choice(rows, size=_count(len(rows), fraction), replace=False))


def _others(rng: np.random.Generator, labels: pd.Series, rows: npt.NDArray[np.int64]) -> list[str]:
    """For each of `rows` a class that is not its own, each with the same chance."""
    classes = sorted({str(v) for v in labels.dropna()})
    if len(rows) and len(classes) < 2:
        raise ValueError("labels can only be flipped between at least two classes")
    own = [classes.index(str(labels.iloc[i])) for i in rows]
    steps = rng.integers(1, max(2, len(classes)), size=len(rows))
    return [classes[(a + b) % len(classes)] for a, b in zip(own, steps.tolist(), strict=True)]


def _relabel(
    values: pd.Series, rows: npt.NDArray[np.int64], new: Sequence[str], *, kind: str, detail: str
) -> tuple[pd.Series, list[Truth]]:
    changed = values.copy()
    changed.iloc[rows] = list(new)
    truth = [
        Truth(record=str(values.index[i]), kind=kind, old=str(values.iloc[i]), new=to, detail=detail)
        for i, to in zip(rows.tolist(), new, strict=True)
    ]
    return changed, truth


# Splits


def mix_patients(splits: pd.Series, patients: pd.Series, count: int, *, seed: int) -> tuple[pd.Series, list[Truth]]:
    """Move one image of each of `count` patients into another split. `detail` is the patient.

    Raises:
        ValueError: fewer than two splits, or fewer than `count` patients with several images that all lie in one split.
    """
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"split": splits, "patient": patients}).dropna()
    names = sorted({str(s) for s in table["split"]})
    pure = table.groupby("patient", sort=True)["split"].agg(["nunique", "size"])
    able = [str(p) for p in pure.index[(pure["nunique"] == 1) & (pure["size"] > 1)]]
    if len(names) < 2 or len(able) < count:
        raise ValueError(f"{count} patients cannot be mixed: {len(able)} have several images in one of {len(names)} splits")
    position = {str(record): i for i, record in enumerate(splits.index)}
    moved: dict[int, tuple[str, str]] = {}
    for patient in rng.choice(np.asarray(able, dtype=object), size=count, replace=False):
        own = [str(record) for record in table.index[table["patient"] == patient]]
        i = position[own[int(rng.integers(len(own)))]]
        other = [s for s in names if s != str(splits.iloc[i])]
        moved[i] = (other[int(rng.integers(len(other)))], str(patient))
    changed = splits.copy()
    truth = []
    for i, (split, patient) in sorted(moved.items()):
        changed.iloc[i] = split
        record, old = str(splits.index[i]), str(splits.iloc[i])
        truth.append(Truth(record=record, kind="patient-across-splits", old=old, new=split, detail=patient))
    return changed, truth


# Raters


def rate(
    labels: pd.Series, raters: Mapping[str, float | Mapping[str, Mapping[str, float]]], *, seed: int, missing: float = 0.0
) -> tuple[pd.DataFrame, list[Truth]]:
    """Readings of `labels` by raters of known skill.

    Args:
        labels: the true class per record; records without one are not read.
        raters: rater → accuracy (errors fall evenly on the other classes), or a confusion: true class → class → chance.
        missing: chance that a rater did not read a record.

    Returns:
        Rows `record`, `rater`, `label` (text), and the truth: one row `rater` per rater (`new` the rater, `detail` the share
        of its readings that are right) and one row `misread` per wrong reading (`detail` the rater).
    """
    rng = np.random.default_rng(seed)
    known = labels.dropna().astype(str)
    classes = sorted(known.unique())
    codes = pd.Categorical(known, categories=classes).codes.astype(np.int64)
    records = known.index.to_numpy(dtype=object)
    frames, truth = [], []
    for rater, skill in raters.items():
        if isinstance(skill, Mapping):
            confusion = np.array([[skill[a].get(b, 0.0) for b in classes] for a in classes])
        else:
            spread = (1 - skill) / max(1, len(classes) - 1)
            confusion = np.where(np.eye(len(classes), dtype=bool), skill, spread)
        steps = np.cumsum(confusion, axis=1)[codes]
        read = (rng.random((len(codes), 1)) * steps[:, -1:] >= steps).sum(axis=1)
        seen = rng.random(len(codes)) >= missing
        answers = np.asarray(classes, dtype=object)[read]
        right = float((read == codes)[seen].mean()) if seen.any() else float("nan")
        truth.append(Truth(record="", kind="rater", new=rater, detail=f"{right:.4f}"))
        frames.append(pd.DataFrame({"record": records[seen], "rater": rater, "label": answers[seen]}))
        for i in np.flatnonzero(seen & (read != codes)).tolist():
            old, new = classes[codes[i]], classes[read[i]]
            truth.append(Truth(record=str(records[i]), kind="misread", old=old, new=new, detail=rater))
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["record", "rater", "label"])
    return table.astype("str"), truth
