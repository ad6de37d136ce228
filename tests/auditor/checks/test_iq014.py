import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.iq014 import MissingFields
from auditor.values.results import Severity

N = 400
LABELS = ["sick", "well"] * (N // 2)


def ages(seed: int) -> list[float | None]:
    return np.random.default_rng(seed).integers(20, 90, N).astype(float).tolist()


def test_a_field_that_one_class_lacks_is_a_warning() -> None:
    values = [None if label == "well" and i % 5 else v for i, (v, label) in enumerate(zip(ages(0), LABELS, strict=True))]
    verdict = MissingFields().run(make_dataset(labels=LABELS, metadata={"table.age": values}))
    assert [(f.subject, f.where.field, f.severity) for f in verdict.findings] == [("by class", "table.age", Severity.WARNING)]
    assert verdict.findings[0].evidence["difference"] == pytest.approx(0.8)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_missing_by_chance_is_no_difference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = [None if rng.random() < 0.3 else v for v in ages(seed)]
    assert MissingFields().run(make_dataset(labels=LABELS, metadata={"table.age": values})).findings == ()


def test_many_images_of_one_patient_are_one_vote() -> None:
    # 4 of 40 patients per class have all the gaps: 100 images, and no difference between classes by patients.
    patients = [f"p{i // 10}{i % 2}" for i in range(N)]
    lacking = {"p30", "p70", "p90", "p110"}
    values = [None if p in lacking else v for p, v in zip(patients, ages(1), strict=True)]
    verdict = MissingFields().run(make_dataset(labels=LABELS, patients=patients, metadata={"table.age": values}))
    assert [f for f in verdict.findings if f.subject == "by class"] == []


def test_stand_ins_for_unknown_and_impossible_ages_are_found() -> None:
    first, second = ages(2), ages(3)
    first[7], first[9], second[5] = 999.0, 999.0, -3.0
    verdict = MissingFields().run(make_dataset(labels=LABELS, metadata={"table.weight": first, "table.age": second}))
    assert [(f.where.field, f.evidence["records"]) for f in verdict.findings] == [("table.weight", 2), ("table.age", 1)]


def test_ninety_nine_among_numbers_up_to_a_hundred_is_a_number() -> None:
    values = np.random.default_rng(4).integers(0, 101, N).astype(float).tolist()
    assert MissingFields().run(make_dataset(labels=LABELS, metadata={"table.score": values})).findings == ()


def test_pictures_without_fields_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="no fields"):
        MissingFields().run(make_dataset(labels=LABELS, metadata={"container.width": [8.0] * N}))
