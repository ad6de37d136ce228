import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.lk001 import MetadataLeakage
from auditor.values.dataset import Dataset, Design
from auditor.values.fields import Field, describe
from auditor.values.results import Severity, Table, Verdict

Simulated = tuple[np.ndarray, np.ndarray, np.ndarray | None]


def scenario(name: str, seed: int) -> Simulated:
    """Property, label, patients."""
    g = np.random.default_rng(seed)
    if name.startswith("null"):
        return g.normal(size=1000), g.random(1000) < float(name.split()[1]), None
    if name == "one of ten classes":
        label = g.integers(0, 10, 1000)
        return g.normal(size=1000) + 10.0 * (label == 3), label, None
    if name == "rare positives":
        label = g.random(1000) < 0.05
        return np.where(label & (g.random(1000) < 0.6), 5.0, 0.0) + 0.1 * g.normal(size=1000), label, None
    if name == "half sd shift":
        label = g.random(1000) < 0.5
        return g.normal(size=1000) + 0.5 * label, label, None
    if name == "binary 80/20":
        label = g.random(1000) < 0.2
        return (label ^ (g.random(1000) < 0.1)).astype(float), label, None
    if name == "constant per patient":
        patient = np.repeat(np.arange(50), 20)
        return g.normal(size=50)[patient], (g.random(50) < 0.5)[patient], patient
    if name == "unequal patients":
        patient = np.repeat(np.arange(150), g.geometric(0.12, size=150))
        return g.integers(0, 3, 150)[patient].astype(str), (g.random(150) < 0.4)[patient], patient
    if name.startswith("varying labels"):
        patient = np.repeat(np.arange(120), g.integers(2, 12, size=120))
        label = g.normal(size=120)[patient] + g.normal(size=len(patient)) > 0.5
        field = g.normal(size=120)[patient] + g.normal(size=len(patient))
        return field + 1.5 * label * name.endswith("leak"), label, patient
    if name == "visits":
        counts = g.integers(4, 15, size=120)
        steps = [np.concatenate([(np.arange(k) < g.integers(0, k + 1)) ^ (g.random() < 0.5) for k in counts]) for _ in (0, 1)]
        return np.where(steps[0], 16, 8), steps[1], np.repeat(np.arange(120), counts)
    patient, label = np.repeat(np.arange(100), 2), np.tile([False, True], 100)
    return (np.where(label, 16, 8) if name == "left/right" else np.where(g.random(200) < 0.5, 16, 8)), label, patient


NULLS = (
    "null 0.5",
    "null 0.2",
    "null 0.05",
    "constant per patient",
    "unequal patients",
    "varying labels",
    "visits",
    "pairs null",
)
LEAKS = ("one of ten classes", "rare positives", "half sd shift", "binary 80/20", "left/right", "varying labels, leak")


def audited(values: Sequence[object] | np.ndarray, label: np.ndarray, patient: np.ndarray | None, **more: object) -> Dataset:
    return make_dataset(
        labels=[str(v) for v in label],
        patients=None if patient is None else [f"p{i}" for i in patient],
        metadata={"container.bit_depth": list(values)},
        **more,  # type: ignore[arg-type]
    )


def table(verdict: Verdict, name: str) -> Table:
    return next(t for t in verdict.tables if t.name == name)


def column(verdict: Verdict, name: str, of: str = "fields") -> list[object]:
    return list(next(c.values for c in table(verdict, of).columns if c.name == name))


def called(name: str, seeds: range) -> int:
    return sum(bool(MetadataLeakage().run(audited(*scenario(name, seed))).findings) for seed in seeds)


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_found(name: str) -> None:
    assert called(name, range(6)) == 6


@pytest.mark.parametrize("name", NULLS)
def test_no_leak_is_no_finding(name: str) -> None:
    assert called(name, range(12)) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAKS)
def test_power_over_200_seeds(name: str) -> None:
    assert called(name, range(200)) >= 190


@pytest.mark.slow
@pytest.mark.parametrize("name", NULLS)
def test_false_alarms_over_200_seeds(name: str) -> None:
    assert called(name, range(1000, 1200)) <= 10


def two_depths(patients: int = 60, images: int = 2) -> Dataset:
    patient = np.repeat(np.arange(patients), images)
    label = np.where(patient % 2 == 0, "malignant", "benign")
    return audited(np.where(label == "malignant", 16, 8), label, patient)


def test_sixteen_bits_against_eight_is_an_error_in_words() -> None:
    (finding,) = MetadataLeakage().run(two_depths()).findings
    assert finding.severity is Severity.ERROR
    assert finding.where.field == "container.bit_depth"
    assert finding.message.startswith("bit depth (container.bit_depth) tells benign from the rest: AUC 1.00 (0.")
    assert "one encoding" in finding.message
    assert finding.evidence["low"] == pytest.approx(0.025 ** (1 / 30), abs=1e-4)


def test_the_table_of_fields_has_every_field_and_the_agreed_columns() -> None:
    dataset = two_depths()
    g = np.random.default_rng(0)
    metadata = dataset.metadata.assign(**{"dicom.KVP": g.normal(size=dataset.size), "container.same": 1})
    kinds = dict(dataset.fields) | {
        "dicom.KVP": Field(name="dicom.KVP", kind="acquisition"),
        "container.same": Field(name="container.same", kind="encoding"),
    }
    verdict = MetadataLeakage().run(dataclasses.replace(dataset, metadata=metadata, fields=kinds))
    names = [c.name for c in table(verdict, "fields").columns]
    assert names[:9] == ["field", "kind", "class", "auc", "low", "high", "p", "q", "verdict"]
    assert column(verdict, "field") == ["container.bit_depth", "dicom.KVP"]
    assert column(verdict, "verdict") == ["error", "passed"]
    assert verdict.metrics["fields_constant"] == 1
    (intervals,) = [chart for chart in verdict.charts if chart.kind == "intervals"]
    assert sorted(intervals.reference.values()) == [0.6, 0.75]


def test_the_contingency_counts_the_records() -> None:
    verdict = MetadataLeakage().run(two_depths())
    rows = list(
        zip(*(column(verdict, name, "contingency") for name in ("value", "records_of_class", "records_of_rest")), strict=True)
    )
    assert rows == [("8", 60, 0), ("16", 0, 60)]
    assert any(chart.kind == "histogram" for chart in verdict.charts)


def test_without_usable_patients_few_images_make_a_warning_and_say_so() -> None:
    label = np.repeat(["a", "b"], 30)
    for patient in (None, np.arange(60)):
        verdict = MetadataLeakage().run(audited(np.where(label == "a", 16, 8), label, patient))
        assert [f.severity for f in verdict.findings] == [Severity.WARNING]
        assert "rows assumed independent" in verdict.summary
        assert verdict.metrics["rows_assumed_independent"] is True


@pytest.mark.parametrize(
    ("field", "severity"),
    [
        (Field(name="container.bit_depth", kind="encoding"), Severity.ERROR),
        (Field(name="container.bit_depth", kind="acquisition"), Severity.WARNING),
        (Field(name="container.bit_depth", kind="provenance"), Severity.WARNING),
        (Field(name="container.bit_depth", kind="clinical"), Severity.INFO),
        (Field(name="container.bit_depth", kind="encoding", is_input=False), Severity.INFO),
        (Field(name="container.bit_depth", kind="encoding", is_input=False, survives_decoding=True), Severity.ERROR),
    ],
)
def test_the_kind_decides_the_severity(field: Field, severity: Severity) -> None:
    dataset = dataclasses.replace(two_depths(), fields={field.name: field})
    (finding,) = MetadataLeakage().run(dataset).findings
    assert finding.severity is severity
    assert ("not an input" in finding.message) == (not field.is_input and not field.survives_decoding)


def test_a_missing_value_can_be_the_leak() -> None:
    patient = np.repeat(np.arange(60), 2)
    label = np.where(patient % 2 == 0, "m", "b")
    dataset = audited([None if v == "m" else "sRGB" for v in label], label, patient)
    (finding,) = MetadataLeakage().run(dataset).findings
    assert finding.score == 1.0


def test_the_column_of_the_label_and_the_class_folder_are_no_leaks() -> None:
    patient = np.repeat(np.arange(60), 2)
    label = [str(v) for v in patient % 2]
    noise = list(np.random.default_rng(0).normal(size=120))
    people = [f"p{i}" for i in patient]
    by_column = make_dataset(
        labels=label, patients=people, origin="finding", metadata={"table.finding": label, "dicom.KVP": noise}
    )
    by_folder = make_dataset(
        labels=label, patients=people, origin="class folder", metadata={"path.folder1": label, "dicom.KVP": noise}
    )
    for dataset in (by_column, by_folder):
        verdict = MetadataLeakage().run(dataset)
        assert verdict.findings == ()
        assert column(verdict, "field") == ["dicom.KVP"]


def test_declared_strata_must_leave_something() -> None:
    g = np.random.default_rng(0)
    site = g.integers(0, 2, 1500)
    label = g.random(1500) < np.where(site == 1, 0.7, 0.1)
    device = np.where(g.random(1500) < 0.9, site, 1 - site)
    patient = np.arange(1500) // 1
    patient[1] = 0
    metadata = {"dicom.Model": [f"m{d}" for d in device], "table.site": [f"s{s}" for s in site]}
    dataset = make_dataset(
        labels=[str(v) for v in label], patients=[f"p{i}" for i in patient], metadata=metadata,
        kinds={"dicom.Model": "provenance", "table.site": "provenance"},
    )  # fmt: skip
    assert {f.where.field for f in MetadataLeakage().run(dataset).findings} == {"dicom.Model", "table.site"}
    declared = dataclasses.replace(dataset, design=Design(strata=("site",)))
    verdict = MetadataLeakage().run(declared)
    assert verdict.findings == ()
    inside = dict(zip(column(verdict, "field"), column(verdict, "within_auc"), strict=True))
    assert inside["dicom.Model"] == pytest.approx(0.5, abs=0.05)
    assert "within the declared strata 0.5" in verdict.summary


def test_several_labels_and_blank_states_are_asked_one_by_one() -> None:
    g = np.random.default_rng(0)
    patient = np.repeat(np.arange(100), 3)
    edema = g.random(300) < 0.2
    states = {
        "Edema": np.where(edema, 1, 0).tolist(),
        "Mass": np.where(g.random(300) < 0.3, g.integers(0, 2, 300), -2).tolist(),
    }
    view = np.where(edema ^ (g.random(300) < 0.05), "AP", "PA")
    dataset = make_dataset(states=states, patients=[f"p{i}" for i in patient], metadata={"dicom.ViewPosition": view.tolist()})
    (finding,) = MetadataLeakage().run(dataset).findings
    assert finding.evidence["class"] == "Edema"


def test_a_continuous_label_is_cut_at_its_median() -> None:
    g = np.random.default_rng(0)
    value = g.normal(size=400)
    dataset = make_dataset(
        labels=value.tolist(), task="continuous", patients=[f"p{i // 2}" for i in range(400)],
        metadata={"container.bit_depth": np.where(value > 0, 16, 8).tolist()},
    )  # fmt: skip
    (finding,) = MetadataLeakage().run(dataset).findings
    assert finding.evidence["class"] == "above the median"


def test_values_that_could_identify_are_never_shown() -> None:
    patient = np.repeat(np.arange(60), 2)
    label = np.where(patient % 2 == 0, "m", "b")
    values = np.where(label == "m", "CANARY1", "CANARY2").tolist()
    metadata = {"dicom.InstitutionName": values, "table.ward": values, "container.comment": values}
    dataset = make_dataset(labels=label.tolist(), patients=[f"p{i}" for i in patient], metadata=metadata)
    verdict = MetadataLeakage().run(dataset)
    assert len(verdict.findings) == 3
    assert "CANARY" not in repr(verdict)


def test_a_pass_says_what_it_could_have_seen() -> None:
    verdict = MetadataLeakage().run(audited(*scenario("constant per patient", 1)))
    assert verdict.findings == ()
    assert "would have been seen" in verdict.summary
    assert 0.7 < float(str(verdict.metrics["detectable_auc"])) < 0.8


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        (make_dataset(n=50, metadata={"container.x": list(range(50))}), "no label"),
        (make_dataset(labels=["a"] * 50, metadata={"container.x": list(range(50))}), "one class"),
        (make_dataset(labels=["a"] * 46 + ["b"] * 4, metadata={"container.x": list(range(50))}), "too few records"),
        (make_dataset(labels=["a"] * 25 + ["b"] * 25), "no metadata field"),
    ],
)
def test_what_cannot_be_judged_is_skipped_with_a_reason(dataset: Dataset, reason: str) -> None:
    with pytest.raises(SkipCheck, match=reason):
        MetadataLeakage().run(dataset)


def test_the_same_dataset_gives_the_same_verdict() -> None:
    dataset = audited(*scenario("half sd shift", 0))
    assert MetadataLeakage().run(dataset) == MetadataLeakage().run(dataset)


@pytest.mark.parametrize(
    ("name", "values", "severity"),
    [
        ("dicom.WindowCenter", lambda g, sick: [2000.0 if s else None for s in sick], Severity.ERROR),
        ("dicom.ElementCount", lambda g, sick: [40 + 2 * int(s) for s in sick], Severity.ERROR),
        ("dicom.RescaleIntercept", lambda g, sick: [-1024.0 if s else 0.0 for s in sick], Severity.ERROR),
        # Windows that go with each picture may tell what is shown.
        ("dicom.WindowCenter", lambda g, sick: (1000 + 800 * sick + g.normal(0, 50, len(sick))).tolist(), Severity.WARNING),
    ],
)
def test_what_a_header_says_in_a_few_ways_or_leaves_out_is_a_way_of_writing(name, values, severity) -> None:
    g, sick = np.random.default_rng(5), np.arange(200) % 2
    dataset = make_dataset(
        labels=[f"c{s}" for s in sick], patients=[f"p{i}" for i in range(200)],
        metadata={name: values(g, sick), "dicom.KVP": g.integers(60, 120, 200).tolist()},
        kinds={name: describe(name), "dicom.KVP": describe("dicom.KVP")},
    )  # fmt: skip
    dataset.records.loc[dataset.records.index[1::50], "patient"] = "p1"
    assert [(f.where.field, f.severity) for f in MetadataLeakage().run(dataset).findings] == [(name, severity)]


@pytest.mark.parametrize("seed", range(5))
def test_windows_of_two_makers_in_both_classes_are_silent(seed: int) -> None:
    g = np.random.default_rng(seed)
    dataset = make_dataset(
        labels=[f"c{i % 2}" for i in range(200)],
        metadata={"dicom.WindowCenter": [2000.0 if v else None for v in g.random(200) < 0.5]},
        kinds={"dicom.WindowCenter": describe("dicom.WindowCenter")},
    )
    assert [f for f in MetadataLeakage().run(dataset).findings if f.severity is not Severity.INFO] == []
