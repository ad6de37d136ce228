import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.lk001 import MetadataLeakage
from auditor.checks.lk002 import MetadataModel
from auditor.statistics.combined import score_test
from auditor.values.dataset import Dataset, Design
from auditor.values.fields import describe
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


def test_fields_that_all_hold_one_value_tell_nothing_together_and_the_question_is_answered() -> None:
    alike = {"container.x": [8] * 80, "container.y": ["png"] * 80}
    verdict = MetadataModel().run(make_dataset(labels=["a", "b"] * 40, metadata=alike))
    assert verdict.findings == ()
    assert "All 2 metadata fields hold one value" in verdict.summary
    assert verdict.coverage is not None
    assert verdict.coverage.evaluated == 80
    named = {**alike, "container.z": [f"id {i}" for i in range(80)]}
    with pytest.raises(SkipCheck, match="fewer than two"):  # ids are not one value: nothing was learnt from them
        MetadataModel().run(make_dataset(labels=["a", "b"] * 40, metadata=named))


def test_the_same_dataset_gives_the_same_verdict() -> None:
    dataset = many_fields("xor", 2, fields=10)
    assert MetadataModel().run(dataset) == MetadataModel().run(dataset)


def test_a_column_that_is_empty_wherever_it_could_be_learnt_from_is_left_out_there() -> None:
    g = np.random.default_rng(1)
    patient = np.concatenate([np.zeros(12, np.int64), np.repeat(np.arange(1, 120), 3)])
    sick = (g.random(120) < 0.4)[patient]
    alone = [float(v) if p == 0 else None for p, v in zip(patient, g.normal(size=len(patient)), strict=True)]
    some = [float(v) if p % 60 == 0 else None for p, v in zip(patient, g.normal(size=len(patient)), strict=True)]
    metadata: dict[str, list[object]] = {
        "dicom.KVP": (g.normal(80, 4, len(patient)) + 6 * sick).tolist(),
        "dicom.Exposure": g.normal(size=len(patient)).tolist(),
        "dicom.Dose": alone,
        "dicom.XRayTubeCurrent": some,
    }
    dataset = make_dataset(labels=[str(v) for v in sick], patients=[f"p{p}" for p in patient], metadata=metadata)
    (finding,) = MetadataModel().run(dataset).findings
    assert str(finding.evidence["culprits"]).startswith("dicom.KVP")


def sites(seed: int, *, declared: bool, leak: float = 0.0) -> Dataset:
    """Prevalence differs by site; six numbers that hang on the site and, by `leak`, on the label inside it."""
    g = np.random.default_rng(seed)
    patient = np.arange(600) // 2
    site = g.integers(0, 4, 300)[patient]
    sick = (g.random(300) < np.array([0.1, 0.3, 0.5, 0.7])[site[::2]])[patient]
    values = {f"dicom.F{i}": (g.normal(site, 1.0) + leak * sick).tolist() for i in range(6)}
    return make_dataset(
        labels=[str(v) for v in sick],
        patients=[f"p{p}" for p in patient],
        metadata={**values, "table.site": [f"s{s}" for s in site]},
        kinds={"table.site": "provenance"},
        design=Design(strata=("site",) if declared else ()),
    )


def test_what_a_declared_stratum_explains_is_no_leak_and_what_it_does_not_is() -> None:
    assert MetadataModel().run(sites(0, declared=False)).findings
    assert sum(bool(MetadataModel().run(sites(seed, declared=True)).findings) for seed in range(4)) == 0
    (finding,) = MetadataModel().run(sites(0, declared=True, leak=0.8)).findings
    assert "within the declared strata" in finding.message


@pytest.mark.slow
def test_false_alarms_within_strata_over_100_seeds() -> None:
    assert sum(bool(MetadataModel().run(sites(seed, declared=True)).findings) for seed in range(100)) <= 5


def test_a_score_that_only_ranks_strata_has_an_auc_of_a_half_inside_them() -> None:
    g = np.random.default_rng(0)
    stratum, patient = np.arange(400) % 4, np.arange(400)
    fold = (np.arange(400) // 4 % 5).astype(np.int8)
    sick = g.random(400) < np.array([0.1, 0.3, 0.6, 0.9])[stratum]
    score = stratum + 1e-3 * g.normal(size=400)
    assert score_test(score, sick, patient, fold, folds=5) < 1e-6
    assert score_test(score, sick, patient, fold, folds=5, strata=stratum) > 0.05
    assert score_test(score + 1.0 * sick, sick, patient, fold, folds=5, strata=stratum) < 1e-3


def test_two_settings_of_the_machine_that_act_together_are_seen_under_their_plain_names() -> None:
    g = np.random.default_rng(0)
    grid, kind = g.integers(0, 2, 600), g.integers(0, 2, 600)
    names = {"table.grid": ["in", "out"], "table.filter_type": ["Al", "Cu"], "table.bmi": ["a", "b"]}
    values = {name: np.array(v)[c].tolist() for (name, v), c in zip(names.items(), (grid, kind, grid ^ 1), strict=True)}
    dataset = make_dataset(
        labels=[str(v) for v in grid ^ kind], patients=[f"p{i // 2}" for i in range(600)], metadata=values,
        kinds={name: describe(name) for name in values},
    )  # fmt: skip
    (finding,) = MetadataModel().run(dataset).findings
    assert finding.evidence["interacting"] == "table.grid × table.filter_type"


@pytest.mark.parametrize(("written", "severity"), [("png", Severity.INFO), ("webp", Severity.WARNING)])
def test_the_size_of_files_alone_is_information_where_no_loss_is_hidden(written, severity) -> None:
    g = np.random.default_rng(3)
    sick = np.arange(240) % 2
    share = 0.4 + 0.1 * sick + g.normal(0, 0.02, 240)
    dataset = make_dataset(
        labels=[f"c{s}" for s in sick],
        patients=[f"p{i}" for i in range(240)],
        metadata={
            "container.format": [written] * 240,
            "container.bytes_per_pixel": share.tolist(),
            "container.file_size": (share * 16_384).tolist(),
        },
    )
    assert [f.severity for f in MetadataModel().run(dataset).findings] == [severity]


def test_the_size_of_files_beside_one_field_that_says_nothing_is_information() -> None:
    g = np.random.default_rng(3)
    sick = np.arange(240) % 2
    share = 0.4 + 0.1 * sick + g.normal(0, 0.02, 240)
    dataset = make_dataset(
        labels=[f"c{s}" for s in sick],
        patients=[f"p{i}" for i in range(240)],
        metadata={
            "container.format": ["png"] * 240,
            "container.bytes_per_pixel": share.tolist(),
            "table.year": g.integers(2010, 2020, 240).tolist(),
            "path.depth": g.integers(1, 3, 240).tolist(),
        },
        kinds={name: describe(name) for name in ("container.bytes_per_pixel", "table.year", "path.depth")},
    )
    assert [f for f in MetadataModel().run(dataset).findings if f.severity is not Severity.INFO] == []


@pytest.mark.parametrize(("depth", "told"), [("8", False), ("varies", True)])
def test_the_size_of_files_takes_no_part_beside_others_where_all_are_written_alike(depth: str, told: bool) -> None:
    g = np.random.default_rng(4)
    sick = np.arange(240) % 2
    share = 0.4 + 0.1 * sick + g.normal(0, 0.02, 240)
    dataset = make_dataset(
        labels=[f"c{s}" for s in sick],
        patients=[f"p{i}" for i in range(240)],
        metadata={
            "container.format": ["png"] * 240,
            "container.bit_depth": g.choice([8, 16], 240).tolist() if depth == "varies" else [8] * 240,
            "container.bytes_per_pixel": share.tolist(),
            "dicom.KVP": g.integers(60, 120, 240).tolist(),
            "dicom.StudyYear": g.integers(2010, 2020, 240).tolist(),
        },
    )
    assert bool(MetadataModel().run(dataset).findings) == told
