from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.lk004 import LabelTwin
from auditor.values.dataset import Dataset, Design
from auditor.values.fields import Field, describe
from auditor.values.results import Severity, Verdict

N = 300
PATIENT = [f"P{i // 2:03d}" for i in range(N)]
SICK = np.random.default_rng(3).integers(0, 2, N // 2)[np.arange(N) // 2]
LABELS = np.array(["benign", "malignant"])[SICK].tolist()


def scanned(design: Design | None = None, inputs: bool = True, **columns: Sequence[object]) -> Verdict:
    metadata = {f"table.{name}": values for name, values in columns.items()}
    kinds = {name: Field(name=name, kind="clinical", is_input=inputs) for name in metadata}
    return LabelTwin().run(make_dataset(labels=LABELS, patients=PATIENT, metadata=metadata, kinds=kinds, design=design))


def found(verdict: Verdict) -> dict[str | None, str]:
    return {finding.where.field: finding.subject for finding in verdict.findings}


def test_a_twin_of_the_label_is_found_in_any_coding() -> None:
    assert found(scanned(target=SICK.tolist())) == {"table.target": "twin"}
    assert found(scanned(code=np.where(SICK, "M", "B").tolist())) == {"table.code": "twin"}


def test_the_label_itself_is_no_twin() -> None:
    dataset = make_dataset(
        labels=LABELS, patients=PATIENT, metadata={"table.diagnosis": LABELS, "table.age": [50.0, 60.0] * (N // 2)},
        origin="diagnosis",
    )  # fmt: skip
    assert LabelTwin().run(dataset).findings == ()


def test_what_follows_a_diagnosis_is_found_by_name_and_association() -> None:
    g = np.random.default_rng(1)
    treated = np.where((g.random(N) < 0.7) & (SICK == 1), "operated", "none").tolist()
    assert found(scanned(treatment=treated)) == {"table.treatment": "after"}
    unrelated = g.choice(["operated", "none"], N).tolist()
    assert found(scanned(treatment=unrelated)) == {}


def test_how_the_label_was_made_is_a_stratum_and_no_leak() -> None:
    verdict = scanned(dx_type=np.where(SICK, "histology", "follow-up").tolist(), age=[50.0, 60.0] * (N // 2))
    assert verdict.findings == ()
    columns = {c.name: c.values for c in verdict.tables[0].columns}
    assert dict(zip(columns["field"], columns["verdict"], strict=True))["table.dx_type"] == "how the label was made"
    assert verdict.metrics["label_strata"] == 1


def test_a_declared_stratum_is_none_either() -> None:
    design = Design(strata=("ward",))
    assert found(scanned(design=design, ward=np.where(SICK, "a", "b").tolist(), age=[50.0, 60.0] * (N // 2))) == {}


def test_a_column_that_is_filled_in_for_one_class_is_found() -> None:
    g = np.random.default_rng(1)
    sizes = [float(g.integers(3, 30)) if s else None for s in SICK]
    verdict = scanned(size_mm=sizes)
    assert found(verdict) == {"table.size_mm": "filled"}
    (finding,) = verdict.findings
    assert "filled in for all but benign" in finding.message or "filled in for malignant" in finding.message


def test_a_column_that_no_model_reads_is_information() -> None:
    (finding,) = scanned(inputs=False, target=SICK.tolist()).findings
    assert finding.severity is Severity.INFO
    assert finding.message.endswith("not an input")


def test_twins_of_a_grade_and_of_a_number_are_found() -> None:
    g = np.random.default_rng(2)
    grade = g.integers(0, 4, N)
    ordinal = make_dataset(labels=[str(v) for v in grade], classes=["0", "1", "2", "3"], task="ordinal", patients=PATIENT,
                           metadata={"table.kl": (grade * 10.0).tolist()})  # fmt: skip
    assert found(LabelTwin().run(ordinal)) == {"table.kl": "twin"}
    age = g.normal(120, 30, N)
    continuous = make_dataset(
        labels=age.tolist(), task="continuous", patients=PATIENT, metadata={"table.years": (age / 12).tolist()}
    )
    assert found(LabelTwin().run(continuous)) == {"table.years": "twin"}


def test_it_skips_where_the_table_has_no_further_column() -> None:
    with pytest.raises(SkipCheck, match="no column beside the label"):
        LabelTwin().run(make_dataset(labels=LABELS))


def noise(seed: int) -> Dataset:
    g = np.random.default_rng(seed)
    size = g.integers(1, 5, 120)
    patient = np.repeat(np.arange(120), size)
    own = g.normal(size=(120, 4))[patient]
    metadata: dict[str, list[object]] = {
        "table.treatment": np.where(own[:, 0] > 0, "x", "y").tolist(),
        "table.stage": np.round(own[:, 1]).tolist(),
        "table.outcome": [None if v > 0.5 else float(v) for v in own[:, 2]],
        "table.report": [None if v > 1.2 else "text" for v in own[:, 3]],
    }
    label = g.integers(0, 2, 120)[patient]
    return make_dataset(labels=[f"c{c}" for c in label], patients=[f"p{p}" for p in patient], metadata=metadata)


def alarms(seeds: range) -> int:
    return sum(bool(LabelTwin(draws=400).run(noise(seed)).findings) for seed in seeds)


def test_columns_with_suspicious_names_and_no_relation_are_silent() -> None:
    assert alarms(range(8)) <= 1


@pytest.mark.slow
def test_at_most_five_percent_of_null_datasets_alarm() -> None:
    assert alarms(range(200)) <= 16


def two_papers(records: int, name: str) -> Verdict:
    """All records of one class come from one paper."""
    sick = np.arange(records) % 2
    values = np.where(sick, "A", "B").tolist()
    dataset = make_dataset(
        labels=[str(v) for v in sick], patients=[f"p{i}" for i in range(records)], metadata={f"table.{name}": values}
    )
    return LabelTwin(min_records=5).run(replace(dataset, fields={f"table.{name}": describe(f"table.{name}")}))


def test_a_few_records_from_two_sources_do_not_repeat_the_label() -> None:
    (source,) = two_papers(16, "paper").findings
    assert source.severity is Severity.INFO
    assert "different sources" in source.message
    (unsure,) = two_papers(16, "remark").findings
    assert unsure.severity is Severity.WARNING
    assert "may repeat the label, or only so few records make it seem so" in unsure.message
    assert found(two_papers(16, "dx")) == {"table.dx": "unsure"}


def test_where_many_records_agree_the_label_is_repeated_but_a_site_is_still_a_source() -> None:
    assert found(two_papers(200, "remark")) == {"table.remark": "twin"}
    assert found(two_papers(200, "hospital")) == {"table.hospital": "source"}
