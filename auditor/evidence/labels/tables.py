"""The tables of LN001: disagreement by class and by site, and the confident joint."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.labels.fraction import fraction, ratio
from auditor.values.dataset import Dataset
from auditor.values.judgements import JudgedTask
from auditor.values.results import Column, Table

MAX_SITES = 50


def class_table(tasks: tuple[JudgedTask, ...]) -> Table:
    """Disagreement and estimated noise by given class, with intervals; of a multi-label dataset one row per class."""
    rows: list[tuple[str, int, float, float, float, float, str]] = []
    for task in tasks:
        if task.name:
            e = task.estimate
            d = e.disagreement
            rows.append((task.name, len(task.codes), d.value, d.low, d.high, e.noise.value, e.verdict))
            continue
        differs = task.differs
        for code, name in enumerate(task.classes):
            given = task.codes == code
            if given.any():
                share = fraction(differs[given], task.groups[given])
                noise = float(task.estimate.suspicion[given].mean())
                rows.append((name, share.count, share.value, share.low, share.high, noise, task.estimate.verdict))
    columns = list(zip(*rows, strict=True))
    return Table(
        name="classes", title="Disagreement and estimated noise by given class",
        columns=(
            Column(name="class", kind="class", values=columns[0], title="Given class"),
            Column(name="records", kind="integer", values=columns[1], title="Records"),
            Column(name="disagreement_fraction", kind="fraction", values=columns[2], title="Model disagrees"),
            Column(name="low", kind="fraction", values=columns[3], title="95 % from"),
            Column(name="high", kind="fraction", values=columns[4], title="to"),
            Column(name="label_noise_fraction", kind="fraction", values=columns[5], title="Estimated noise"),
            Column(name="verdict", kind="text", values=columns[6], title="Verdict"),
        ),
    )  # fmt: skip


def site_table(tasks: tuple[JudgedTask, ...], dataset: Dataset) -> Table | None:
    """Disagreement of each site over all tasks, most labels first; None without sites or with more than 50.

    Whether a site stands out for its mix of classes is LN008's question.
    """
    if not dataset.has("site"):
        return None
    codes, names = pd.factorize(dataset.records["site"], sort=True)
    if not 1 < len(names) <= MAX_SITES:
        return None
    hits, labels = np.zeros(dataset.size), np.zeros(dataset.size)
    groups = np.zeros(dataset.size, dtype=np.int64)
    for task in tasks:
        hits += np.bincount(task.records, task.differs[task.label_of], minlength=dataset.size)
        labels += np.bincount(task.records, minlength=dataset.size)
        groups[task.records] = task.groups[task.label_of]
    rows: list[tuple[str, int, float, float, float]] = []
    for code, name in enumerate(names):
        here = (codes == code) & (labels > 0)
        if here.any():
            share, low, high = ratio(hits[here], labels[here], groups[here])
            rows.append((str(name), int(labels[here].sum()), share, low, high))
    columns = list(zip(*sorted(rows, key=lambda row: (-row[1], row[0])), strict=True))
    return Table(
        name="sites", title="Disagreement by site",
        columns=(
            Column(name="site", kind="text", values=columns[0], title="Site"),
            Column(name="labels", kind="integer", values=columns[1], title="Labels"),
            Column(name="disagreement_fraction", kind="fraction", values=columns[2], title="Model disagrees"),
            Column(name="low", kind="fraction", values=columns[3], title="95 % from"),
            Column(name="high", kind="fraction", values=columns[4], title="to"),
        ),
    ) if rows else None  # fmt: skip


def joint_table(task: JudgedTask) -> Table:
    """The confident joint as rows of given class, predicted class and records."""
    joint = confident_joint(task.probabilities, task.codes)
    given, predicted = np.indices(joint.shape)
    names = np.array(task.classes, dtype=object)
    return Table(
        name="confident_joint", title="Confident joint: given class against confidently predicted class",
        columns=(
            Column(name="given", kind="class", values=names[given.ravel()].tolist(), title="Given"),
            Column(name="predicted", kind="class", values=names[predicted.ravel()].tolist(), title="Confidently predicted"),
            Column(name="records", kind="integer", values=joint.ravel().tolist(), title="Records"),
        ),
    )  # fmt: skip


def confident_joint(probabilities: npt.NDArray[np.float32], codes: npt.NDArray[np.signedinteger]) -> npt.NDArray[np.int64]:
    """The confident joint (Northcutt, Jiang & Chuang 2021, JAIR), shape (classes, classes): row = given class, column = the
    likeliest of the classes whose probability reaches its mean among the records that were given it.

    A record that reaches no such mean is not counted; a class that was given counts at least one record as right, as in
    cleanlab, and one that no record was given stays zero.
    """
    classes = probabilities.shape[1]
    present = np.flatnonzero(np.bincount(codes, minlength=classes))
    joint = np.zeros((classes, classes), dtype=np.int64)
    if len(present) < 2:
        return joint
    part = np.clip(probabilities[:, present], 1e-7, 1)
    part = part / part.sum(axis=1, keepdims=True)
    least = np.array([part[codes == code, place].mean() for place, code in enumerate(present)])
    sure = part >= least - 1e-6
    # of several classes that reach their mean the likeliest of all is taken, as cleanlab does
    named = present[np.where(sure.sum(axis=1) > 1, part.argmax(axis=1), sure.argmax(axis=1))]
    counted = sure.any(axis=1)
    np.add.at(joint, (codes[counted], named[counted]), 1)
    joint[present, present] = np.maximum(joint[present, present], 1)
    return joint
