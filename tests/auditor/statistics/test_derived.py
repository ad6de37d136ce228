from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.statistics.derived import Gate, answer, ask_about, drawn
from auditor.statistics.told import coverage_of, fields_table
from auditor.values.dataset import Dataset, Design
from auditor.values.fields import Field

FIELD = Field(name="made.x", kind="acquisition")


def table(seed: int = 0, patients: int = 200) -> tuple[Dataset, pd.DataFrame]:
    """A stratum gives the label, and the column follows the stratum alone."""
    g = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 2)
    stratum = g.integers(0, 2, patients)[patient]
    label = (g.random(patients) < np.where(np.arange(patients) % 2, 0.5, 0.5))[patient] ^ (g.random(2 * patients) < 0.0)
    label = np.where(g.random(patients)[patient] < 0.85, stratum, label)
    dataset = make_dataset(
        labels=[f"c{int(c)}" for c in label],
        patients=[f"p{p}" for p in patient],
        metadata={"table.programme": [f"s{s}" for s in stratum]},
        features={"intensity.mean": g.normal(size=2 * patients)},
    )
    frame = pd.DataFrame({"made.x": stratum + g.normal(0, 0.4, 2 * patients)}, index=dataset.records.index)
    return dataset, frame


def asked(dataset: Dataset, frame: pd.DataFrame, **more: object):
    question = ask_about(dataset, frame, {FIELD.name: FIELD}, cases=10, holders=3, **more)
    return answer((frame[name] for name in frame), question, Gate(min_auc=0.6), draws=400, test_records=30_000, folds=5, seed=0)


def test_a_column_is_told_and_a_declared_stratum_that_explains_it_silences_it() -> None:
    dataset, frame = table()
    assert [row.name for row in asked(dataset, frame).told] == ["made.x"]
    declared = replace(dataset, design=Design(strata=("programme",)))
    found = asked(declared, frame)
    assert found.told == ()
    assert found.rows[0].measured.auc > 0.8
    assert found.rows[0].measured.inside_auc is not None
    assert found.rows[0].measured.inside_auc < 0.6
    columns = [c.name for c in fields_table(found, {"made.x": "it"}, name="t", title="t").columns]
    assert columns[-1] == "within_auc"


def test_records_that_cannot_be_looked_at_are_not_asked() -> None:
    dataset, frame = table()
    seen = np.arange(dataset.size) < 200
    found = asked(dataset, frame, seen=seen)
    assert found.question.labelled == 200
    coverage = coverage_of(dataset, found.question, ("200 records have no pixels",))
    assert (coverage.evaluated, coverage.total) == (200, 400)
    with pytest.raises(SkipCheck, match="too few"):
        asked(dataset, frame, seen=np.arange(dataset.size) < 8)


def test_drawing_keeps_patients_whole_and_rows_aligned() -> None:
    dataset, _ = table()
    dataset = replace(dataset, features=dataset.features.assign(**{"other.width": 1.0}))
    some = drawn(dataset, records=100, seed=1, needs={"features.intensity"})
    assert list(some.features.columns) == ["intensity.mean"]
    assert 90 <= some.size <= 102
    assert (some.records["patient"].value_counts() == 2).all()
    index = some.records.index
    for frame in (some.labels.values, some.metadata, some.features):
        assert frame.index.equals(index)
    assert some.labels.values.tolist() == dataset.labels.values.loc[index].tolist()
    assert drawn(dataset, records=400, seed=1) is dataset
    assert drawn(dataset, records=100, seed=1).features.empty
    assert "drawn up to" in coverage_of(dataset, asked(some, table()[1].loc[index]).question).reason
