from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.lk008 import Drift
from auditor.values.dataset import Dataset, Design
from auditor.values.results import Severity, Verdict

N = 300
G = np.random.default_rng(0)
SICK = np.arange(N) % 2


def found(verdict: Verdict) -> dict[str | None, Severity]:
    return {finding.where.field: finding.severity for finding in verdict.findings}


def labels(sick: np.ndarray) -> list[str]:
    return np.where(sick > 0, "sick", "well").tolist()


def test_classes_collected_in_different_years_are_found() -> None:
    times = [f"{2014 + 2 * s + int(G.integers(0, 3))}-{int(G.integers(1, 13)):02d}-07" for s in SICK]
    verdict = Drift().run(make_dataset(labels=labels(SICK), columns={"time": times}, paths=[None] * N))
    assert found(verdict) == {"record.date": Severity.WARNING}
    assert "rows assumed independent" in verdict.findings[0].message
    lines = [chart for chart in verdict.charts if chart.kind == "lines"]
    assert len(lines) == 1


def test_numbers_of_files_that_run_class_by_class_are_found() -> None:
    verdict = Drift().run(make_dataset(labels=labels(SICK), paths=[f"IMG_{1000 * s + i:06d}.png" for i, s in enumerate(SICK)]))
    assert found(verdict) == {"path.order": Severity.WARNING}


def test_a_drift_that_goes_up_and_down_is_found() -> None:
    wave = (np.sin(np.arange(600) / 600 * 4 * np.pi) > 0) ^ (np.random.default_rng(1).random(600) < 0.2)
    verdict = Drift().run(make_dataset(labels=labels(wave), paths=[f"{i:05d}.png" for i in range(600)]))
    assert found(verdict) == {"path.order": Severity.WARNING}


def test_numbering_that_starts_anew_in_every_class_folder_is_no_order() -> None:
    paths = [f"{'ab'[s]}/{i // 2}.png" for i, s in enumerate(SICK)]
    with pytest.raises(SkipCheck, match="--time"):
        Drift().run(make_dataset(labels=labels(SICK), paths=paths))


def test_a_table_that_is_merely_sorted_by_class_is_information() -> None:
    sick = np.sort(SICK)
    dataset = make_dataset(labels=labels(sick), paths=[None] * N, columns={"line": list(range(2, N + 2))})
    assert found(Drift().run(dataset)) == {"table.row": Severity.INFO}


def test_columns_of_dates_in_the_table_and_parts_of_dates_in_the_header_are_asked() -> None:
    dataset = make_dataset(
        labels=labels(SICK),
        paths=[None] * N,
        metadata={
            "table.exam_date": [f"20{10 + s:02d}-01-{1 + i % 28:02d}" for i, s in enumerate(SICK)],
            "table.birth_date": [f"19{10 + s:02d}-01-01" for s in SICK],
            "dicom.StudyHour": np.where(SICK, 3, 14).tolist(),
        },
    )
    assert set(found(Drift().run(dataset))) == {"table.exam_date", "dicom.StudyHour"}


def test_a_declared_design_over_time_is_named_in_the_advice() -> None:
    dataset = make_dataset(labels=labels(SICK), paths=[f"{1000 * s + i}.png" for i, s in enumerate(SICK)])
    dataset = replace(dataset, design=Design(kind="temporal"))
    assert "report results by period" in Drift().run(dataset).findings[0].message


def noise(seed: int) -> Dataset:
    """Patients one after the other; what goes with the patient goes with the order, but not with the class."""
    g = np.random.default_rng(seed)
    patient = np.repeat(np.arange(120), g.integers(1, 6, 120))
    sick = g.integers(0, 2, 120)[patient]
    days = g.integers(1, 28, 120)[patient]
    return make_dataset(
        labels=labels(sick),
        patients=[f"p{p}" for p in patient],
        paths=[f"{i:05d}.png" for i in range(len(patient))],
        columns={"time": [f"2015-{1 + p % 12:02d}-{d:02d}" for p, d in zip(patient, days, strict=True)]},
    )


def alarms(seeds: range) -> int:
    return sum(bool(Drift(draws=400).run(noise(seed)).findings) for seed in seeds)


def test_order_without_drift_is_silent() -> None:
    assert alarms(range(8)) <= 1


@pytest.mark.slow
def test_at_most_five_percent_of_null_datasets_alarm() -> None:
    assert alarms(range(200)) <= 16


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M", "%Y%m%d%H%M%S", "%d.%m.%Y %I:%M %p", "%Y-%m-%dT%H:%M:%SZ"])
def test_the_time_of_day_inside_a_date_time_is_asked_for(form: str) -> None:
    g = np.random.default_rng(3)
    hours = np.where(SICK, g.integers(7, 12, N), g.integers(12, 19, N))
    times = [
        datetime(2017, int(g.integers(1, 13)), int(g.integers(1, 28)), int(h), int(g.integers(0, 60))).strftime(form)
        for h in hours
    ]
    verdict = Drift().run(make_dataset(labels=labels(SICK), columns={"time": times}, paths=[None] * N))
    assert found(verdict) == {"record.hour": Severity.WARNING}
    assert "time of day" in verdict.findings[0].message.lower()
