"""What every kind of task must do, ours and one that a foreign package brings."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from learning import N, case_of, counts_installed, dataset_of

from auditor.values.errors import ConfigError
from trainers.decoding.model_input import Workplace
from trainers.engine.model_file import load_model, save_model
from trainers.kinds import kind_of, kinds, task_named
from trainers.predicting.predict_files import check_output, predict_files
from trainers.strategies.nothing import Nothing
from trainers.values.task import described

KINDS = [*kinds(), "counts"]
TRUTH = np.arange(N) // 2 % 2


@pytest.fixture(scope="module", autouse=True)
def _foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with counts_installed(tmp_path_factory.mktemp("foreign")):
        yield


def test_every_kind_has_a_dataset_here() -> None:
    assert set(kinds()) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_dataset_sets_one_kind_and_what_is_known_is_told(kind: str) -> None:
    dataset = dataset_of(kind, TRUTH)
    found = kind_of(dataset)
    assert found is kinds()[kind]
    assert inspect.getdoc(found)
    assert found.words
    assert found.labelled(dataset).shape == (N,)
    assert found.labelled(dataset).any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_is_as_it_was_after_it_was_written_down(kind: str, tmp_path: Path) -> None:
    task = case_of(kind, tmp_path).bench.task
    assert task.kind == kind
    plain = described(task)
    assert task_named(plain.pop("kind"), **plain) == task


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_learns_it_and_writes_what_it_says(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of(kind, tmp_path)
    task = case.bench.task
    fit = Nothing().fit(case, Nothing().propose(case), 0)
    said = case.bench.predict(fit, case.trust.evaluation)
    truth = task.truth(case.dataset, case.bench.pictures, case.trust.evaluation)
    prepared = task.prepared(said, truth)
    assert len(prepared) == len(said) == len(truth)
    assert task.judged(truth).any()
    assert task.metrics(truth)
    panel = task.panel(truth, prepared, np.arange(len(truth)), len(truth))
    assert len(panel.sums) == len(truth)

    monkeypatch.setattr("trainers.predicting.predict_files.pictures_for", lambda *_, **__: case.bench.pictures)
    output = tmp_path / ("out" if task.told_as == "masks" else "out.csv")
    written = predict_files(fit, case.dataset, output, Workplace(device="cpu", workers=0))
    assert written.predicted == N
    if task.told_as == "masks":
        assert len(list(output.iterdir())) == N
        with pytest.raises(ConfigError, match="draws masks"):
            check_output(fit, tmp_path / "again.csv")
        return
    table = pd.read_csv(output)
    assert table.columns[0] == "record"
    assert set(table["record"]) <= set(case.dataset.records.index)
    if task.told_as == "columns":
        assert sorted(table.columns[1:]) == sorted(task.columns)
        assert len(table) == N


def test_a_network_of_a_foreign_kind_is_saved_and_loaded(tmp_path: Path) -> None:
    case = case_of("counts", tmp_path)
    fit = Nothing().fit(case, Nothing().propose(case), 0)
    save_model(fit, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.task == fit.task
    rows = case.trust.evaluation
    np.testing.assert_array_equal(case.bench.predict(loaded, rows), case.bench.predict(fit, rows))
