"""Who calls what a leak: the published rules of two neighbours and ours on the same simulated tables.

    python benchmarks/leakage.py [repeats]

Prints, per scenario, the share of runs in which each rule calls the field a leak. The rules are short restatements of the
published formulas, cited at each function; none of their code is used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import f1_score
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from auditor.checks.lk001 import MetadataLeakage
from auditor.values.dataset import RECORD_COLUMNS, Dataset
from auditor.values.fields import describe
from auditor.values.labels import Labels
from auditor.values.results import DatasetSummary


@dataclass(frozen=True)
class Scenario:
    """A simulated table: one property, one label, and perhaps patients. `leak`: should the field be called?"""

    name: str
    leak: bool
    make: Callable[[np.random.Generator], tuple[npt.NDArray[np.generic], npt.NDArray[np.generic], npt.NDArray[np.int64] | None]]


def _null(share: float) -> Callable[[np.random.Generator], tuple]:
    return lambda g: (g.normal(size=1000), g.random(1000) < share, None)


def _one_of_ten(g):
    label = g.integers(0, 10, 1000)
    return g.normal(size=1000) + 10.0 * (label == 3), label, None


def _rare(g):
    label = g.random(1000) < 0.05
    return np.where(label & (g.random(1000) < 0.6), 5.0, 0.0) + 0.1 * g.normal(size=1000), label, None


def _shift(g):
    label = g.random(1000) < 0.5
    return g.normal(size=1000) + 0.5 * label, label, None


def _binary(g):
    label = g.random(1000) < 0.2
    return (label ^ (g.random(1000) < 0.1)).astype(float), label, None


def _constant(g):
    patient = np.repeat(np.arange(50), 20)
    return g.normal(size=50)[patient], (g.random(50) < 0.5)[patient], patient


def _pairs(_):
    patient, label = np.repeat(np.arange(100), 2), np.tile([False, True], 100)
    return np.where(label, 16, 8), label, patient


def _pairs_null(g):
    patient, label = np.repeat(np.arange(100), 2), np.tile([False, True], 100)
    return np.where(g.random(200) < 0.5, 16, 8), label, patient


def _unequal(g):
    patient = np.repeat(np.arange(150), g.geometric(0.12, size=150))
    return np.array(list("abc"))[g.integers(0, 3, 150)][patient], (g.random(150) < 0.4)[patient], patient


def _varying(g):
    patient = np.repeat(np.arange(120), g.integers(2, 12, size=120))
    label = g.normal(size=120)[patient] + g.normal(size=len(patient)) > 0.5
    return g.normal(size=120)[patient] + g.normal(size=len(patient)), label, patient


def _varying_leak(g):
    field, label, patient = _varying(g)
    return field + 1.5 * label, label, patient


def _visits(g):
    """Label and property both switch once per patient, in either direction, independently."""
    counts = g.integers(4, 15, size=120)

    def switch():
        return np.concatenate([(np.arange(k) < g.integers(0, k + 1)) ^ (g.random() < 0.5) for k in counts])

    return np.where(switch(), 16, 8), switch(), np.repeat(np.arange(120), counts)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("null, 50/50", False, _null(0.5)),
    Scenario("null, 80/20", False, _null(0.2)),
    Scenario("null, 95/5", False, _null(0.05)),
    Scenario("one of 10 classes perfectly revealed", True, _one_of_ten),
    Scenario("5 % positives, 60 % of them revealed", True, _rare),
    Scenario("balanced, 0.5 sd shift", True, _shift),
    Scenario("80/20 binary, 10 % wrong", True, _binary),
    Scenario("50 patients × 20, both constant, independent", False, _constant),
    Scenario("left/right: one positive and one negative per patient", True, _pairs),
    Scenario("left/right, independent", False, _pairs_null),
    Scenario("unequal patients, both constant, independent", False, _unequal),
    Scenario("labels vary inside patients, independent", False, _varying),
    Scenario("labels vary inside patients, leak", True, _varying_leak),
    Scenario("visits: both drift inside patients, independent", False, _visits),
)


def dataset_of(field: npt.NDArray, label: npt.NDArray, patient: npt.NDArray | None, *, name: str = "container.x") -> Dataset:
    """A dataset with one metadata field."""
    index = pd.Index([f"r{i}" for i in range(len(label))])
    records = pd.DataFrame({column: pd.Series(pd.NA, index=index, dtype="string") for column in RECORD_COLUMNS})
    if patient is not None:
        records["patient"] = pd.array([f"p{i}" for i in patient], dtype="string")
    values = pd.Series([str(v) for v in label], index=index)
    labels = Labels(task="single", values=values, classes=tuple(sorted(values.unique())))
    summary = DatasetSummary(name="simulated", layout="table", task="single", classes=labels.classes, counts={}, guesses=())
    return Dataset(
        root=Path(),
        summary=summary,
        records=records,
        labels=labels,
        annotations=pd.DataFrame(),
        boxes=pd.DataFrame(),
        metadata=pd.DataFrame({name: field}, index=index),
        fields={name: describe(name)},
    )


def cleanlab_rule(field: npt.NDArray, label: npt.NDArray) -> bool:
    """Spurious correlation as in cleanlab 2.9's Datalab: (1 − accuracy) / (1 − baseline) < 0.3, where the accuracy is that of a
    Gaussian naive Bayes on the property in 5 folds, and the baseline `bincount().argmax() / n`: the *index* of the commonest
    label, not its share."""
    labels = np.unique(label, return_inverse=True)[1]
    baseline = np.bincount(labels).argmax() / len(labels)
    accuracy = cross_val_score(GaussianNB(), _numbers(field), labels, cv=5, scoring="accuracy").mean()
    return bool(min(1.0, (1 - accuracy) / (1 - baseline)) < 0.3)


def pps_rule(field: npt.NDArray, label: npt.NDArray) -> bool:
    """Predictive power score, flagged from 0.3 on as in deepchecks 0.19: weighted F1 of a tree in 4 shuffled folds, over what
    the majority or shuffled labels reach (Wetschoreck 2020)."""
    labels = np.unique(label, return_inverse=True)[1]
    order = np.random.default_rng(0).permutation(len(labels))
    predicted = cross_val_predict(DecisionTreeClassifier(random_state=0), _numbers(field)[order], labels[order], cv=4)
    found = f1_score(labels[order], predicted, average="weighted")
    common = f1_score(labels, np.full(len(labels), np.bincount(labels).argmax()), average="weighted")
    shuffled = f1_score(labels, np.random.default_rng(1).permutation(labels), average="weighted")
    baseline = max(common, shuffled)
    return bool((found - baseline) / (1 - baseline) >= 0.3)


def our_rule(field: npt.NDArray, label: npt.NDArray, patient: npt.NDArray | None) -> bool:
    """LK001, anything flagged."""
    return bool(MetadataLeakage().run(dataset_of(field, label, patient)).findings)


def _numbers(field: npt.NDArray) -> npt.NDArray:
    return (np.unique(field, return_inverse=True)[1] if field.dtype.kind in "US" else field)[:, None]


def main() -> None:
    """Print the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    print("| scenario | leak | cleanlab | PPS ≥ .3 | medaudit |\n|---|---|---|---|---|")
    for scenario in SCENARIOS:
        called = np.zeros(3)
        for seed in range(repeats):
            field, label, patient = scenario.make(np.random.default_rng(seed))
            called += [cleanlab_rule(field, label), pps_rule(field, label), our_rule(field, label, patient)]
        shares = " | ".join(f"{100 * value / repeats:.0f} %" for value in called)
        print(f"| {scenario.name} | {'yes' if scenario.leak else 'no'} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
