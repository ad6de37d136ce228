import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.lk001 import MetadataLeakage
from auditor.checks.lk002 import MetadataModel
from auditor.values.dataset import Dataset
from auditor.values.results import Severity


def many_fields(kind: str, seed: int, *, fields: int = 60, records: int = 1000) -> Dataset:
    g = np.random.default_rng(seed)
    values = g.normal(size=(records, fields))
    patient = np.arange(records) // 2
    if kind == "xor":
        label = (values[:, 3] > 0) ^ (values[:, 8] > 0)
    elif kind == "additive":
        label = values[:, :6].sum(axis=1) + 2.5 * g.normal(size=records) > 0
    elif kind == "constant per patient":
        patient = np.repeat(np.arange(50), records // 50)
        values, label = values[:50][patient], (g.random(50) < 0.5)[patient]
    else:
        label = g.random(records) < 0.5
    return make_dataset(
        labels=[str(v) for v in label],
        patients=[f"p{i}" for i in patient],
        metadata={f"container.f{i}": values[:, i].tolist() for i in range(fields)},
    )


def test_xor_of_two_fields_among_sixty_is_found_here_and_not_by_single_fields() -> None:
    dataset = many_fields("xor", 0)
    assert MetadataLeakage().run(dataset).findings == ()
    (finding,) = MetadataModel().run(dataset).findings
    assert finding.severity is Severity.WARNING
    assert finding.score is not None
    assert finding.score > 0.95
    assert set(str(finding.evidence["culprits"]).split(", ")) == {"container.f3", "container.f8"}
    assert "act together" in finding.message


def test_many_weak_fields_add_up() -> None:
    verdict = MetadataModel().run(many_fields("additive", 1, fields=12))
    (finding,) = verdict.findings
    assert finding.score is not None
    assert finding.score > float(str(verdict.metrics["best_single_auc"])) + 0.05


@pytest.mark.parametrize("kind", ["noise", "constant per patient"])
def test_noise_is_silent(kind: str) -> None:
    assert sum(bool(MetadataModel().run(many_fields(kind, seed, fields=8)).findings) for seed in range(4)) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["noise", "constant per patient"])
def test_false_alarms_over_200_seeds(kind: str) -> None:
    assert sum(bool(MetadataModel().run(many_fields(kind, seed, fields=10)).findings) for seed in range(200)) <= 10


@pytest.mark.slow
def test_xor_is_found_over_20_seeds_while_single_fields_are_silent() -> None:
    found = [many_fields("xor", seed) for seed in range(20)]
    assert sum(bool(MetadataModel().run(dataset).findings) for dataset in found) >= 19
    assert sum(bool(MetadataLeakage().run(dataset).findings) for dataset in found) <= 1


def test_clinical_fields_take_no_part() -> None:
    label = np.repeat(["a", "b"], 100)
    dataset = make_dataset(
        labels=label.tolist(), patients=[f"p{i // 2}" for i in range(200)],
        metadata={"table.Patient Age": np.where(label == "a", 30, 70).tolist(),
                  "container.x": np.random.default_rng(0).normal(size=200).tolist(),
                  "container.y": np.random.default_rng(1).normal(size=200).tolist()},
        kinds={"table.Patient Age": "clinical"},
    )  # fmt: skip
    verdict = MetadataModel().run(dataset)
    assert verdict.findings == ()
    assert verdict.metrics["fields"] == 2


def test_large_tables_are_drawn_by_patient_and_say_so() -> None:
    verdict = MetadataModel(max_records=400).run(many_fields("noise", 0, fields=4))
    assert verdict.coverage is not None
    assert verdict.coverage.evaluated <= 400
    assert "whole patients" in verdict.coverage.reason


def test_of_many_classes_the_telling_ones_are_modelled() -> None:
    g = np.random.default_rng(0)
    label = g.integers(0, 8, 800)
    metadata = {"container.a": (g.normal(size=800) + 3 * (label == 5)).tolist(), "container.b": g.normal(size=800).tolist()}
    verdict = MetadataModel().run(
        make_dataset(labels=[str(v) for v in label], patients=[f"p{i // 2}" for i in range(800)], metadata=metadata)
    )
    assert verdict.metrics["classes_modelled"] == 3
    assert [f.subject for f in verdict.findings] == ["5"]


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        (make_dataset(n=50, metadata={"container.x": list(range(50)), "container.y": list(range(50))}), "no label"),
        (make_dataset(labels=["a", "b"] * 40, metadata={"container.x": list(range(80))}), "fewer than two"),
        (make_dataset(labels=["a", "b"] * 8, metadata={"container.x": list(range(16))}), "too few records"),
    ],
)
def test_what_cannot_be_judged_is_skipped_with_a_reason(dataset: Dataset, reason: str) -> None:
    with pytest.raises(SkipCheck, match=reason):
        MetadataModel().run(dataset)


def test_the_same_dataset_gives_the_same_verdict() -> None:
    dataset = many_fields("xor", 2, fields=10)
    assert MetadataModel().run(dataset) == MetadataModel().run(dataset)
