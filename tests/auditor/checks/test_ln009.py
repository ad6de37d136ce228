from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.ln009 import BrokenMapping
from auditor.values.dataset import Dataset

SCORES = ("3+3", "3+4", "4+3", "4+4", "4+5")
GROUP = (1, 2, 3, 4, 5)


def gleason(seed: int, wrong: tuple[int, ...] = (), *, as_label: bool = False) -> Dataset:
    g = np.random.default_rng(seed)
    score = g.integers(0, 5, 250)
    grade = np.array(GROUP)[score]
    for i in wrong:
        grade[i] = grade[i] % 5 + 1
    metadata: dict[str, list[object]] = {
        "table.gleason_score": [SCORES[i] for i in score], "table.age": g.integers(50, 80, 250).tolist(),
        "table.remark": g.choice(["a", "b", "c"], 250).tolist(),
    }  # fmt: skip
    if as_label:
        return make_dataset(labels=[str(v) for v in grade], metadata=metadata, origin="isup")
    return make_dataset(labels=g.choice(["x", "y"], 250).tolist(), metadata={**metadata, "table.isup_grade": grade.tolist()})


@pytest.mark.parametrize("as_label", [True, False])
def test_a_grade_that_does_not_fit_its_score_is_named(as_label: bool) -> None:
    (finding,) = BrokenMapping().run(gleason(0, (17, 101), as_label=as_label)).findings
    assert "r0017, r0101" in finding.message
    assert finding.where.record == "r0017"
    assert {finding.evidence["first"], finding.evidence["second"]} == {"gleason_score", "label" if as_label else "isup_grade"}


def test_a_rule_without_exception_and_columns_without_a_rule_are_silent() -> None:
    verdict = BrokenMapping().run(gleason(1))
    assert verdict.findings == ()
    assert verdict.metrics["rules"] == 1


def test_values_are_not_shown() -> None:
    assert "4+3" not in repr(BrokenMapping().run(gleason(0, (17, 101))))


def test_many_exceptions_are_no_slip_but_no_rule() -> None:
    assert BrokenMapping().run(gleason(2, tuple(range(30)))).findings == ()


def test_it_skips_where_there_are_not_two_columns() -> None:
    with pytest.raises(SkipCheck, match="not two columns"):
        BrokenMapping().run(make_dataset(labels=["a", "b"] * 30))


@pytest.mark.parametrize("ids", [True, False])
def test_a_number_that_is_nearly_an_id_fixes_all_that_is_the_patients_own(ids: bool) -> None:
    g = np.random.default_rng(0)
    patient = np.repeat(np.arange(40), 15)
    weight = np.arange(40)
    weight[39] = 38  # two patients weigh the same
    patient = np.delete(patient, np.s_[-14:])
    sex = np.arange(40) % 2
    own = {"weight": weight, "sex": sex, "stage": g.integers(0, 3, 40), "age": g.integers(30, 80, 40)}
    dataset = make_dataset(
        labels=[str(v) for v in g.integers(0, 2, 40)[patient]],
        metadata={f"table.{name}": values[patient].tolist() for name, values in own.items()},
        patients=[f"p{p}" for p in patient] if ids else None,
    )
    assert BrokenMapping().run(dataset).findings == ()


def test_a_record_without_a_finding_and_with_one_is_named() -> None:
    states = {"Edema": [1, 0, 1, 0], "No Finding": [0, 1, 1, 1], "Mass": [1, 0, 0, 0]}
    values = ["Edema|Mass", "No Finding", "Edema|No Finding", "No Finding"]
    dataset = make_dataset(states=states)
    dataset = replace(dataset, labels=replace(dataset.labels, values=pd.Series(values, index=dataset.records.index)))
    (finding,) = BrokenMapping().run(dataset).findings
    assert finding.subject == "no finding"
    assert finding.where.record == "r0002"
