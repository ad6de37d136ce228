import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sp009 import SplitShift
from auditor.values.dataset import Dataset, Design
from auditor.values.results import Guess, Severity


def collection(seed: int, *, shift: float = 0.0, splits: str = "random", patients: int = 200, per_patient: int = 3) -> Dataset:
    """Patients with correlated images; `shift` moves one feature of the test patients, in standard deviations of patients."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(patients), per_patient)
    split = np.array(["train", "train", "train", "val", "test"])[rng.permutation(np.arange(patients) % 5)][person]
    features = rng.normal(0, 1, (patients, 8))[person] + rng.normal(0, 0.7, (len(person), 8))
    features[split == "test", 0] += shift
    return make_dataset(
        labels=rng.choice(["a", "b"], patients)[person].tolist(),
        patients=[f"p{p}" for p in person],
        splits=split.tolist(),
        metadata={
            "dicom.KVP": rng.choice([80.0, 100.0, 120.0], len(person)).tolist(),
            "dicom.Manufacturer": rng.choice(["Alpha", "Beta"], patients)[person].tolist(),
        },
        features=features,
        design=Design(splits=splits),  # type: ignore[arg-type]
    )


def test_a_shifted_test_set_is_told_and_its_field_named() -> None:
    verdict = SplitShift().run(collection(1, shift=2.5))
    test = next(f for f in verdict.findings if f.subject == "test")
    assert test.severity is Severity.WARNING
    assert test.score is not None
    assert test.score > 0.75
    assert str(test.evidence["fields"]).split(", ")[0] == "built.0"
    fields = next(t for t in verdict.tables if t.name == "fields")
    rows = list(zip(*(c.values for c in fields.columns), strict=True))
    assert rows[[r[0] for r in rows].index("test")][1] == "built.0"


def test_the_same_shift_informs_where_splits_were_not_declared_random() -> None:
    findings = SplitShift().run(collection(1, shift=2.5, splits="by-site")).findings
    assert findings
    assert {f.severity for f in findings} == {Severity.INFO}


def test_a_random_split_by_patient_passes_with_what_it_could_have_seen() -> None:
    verdict = SplitShift().run(collection(2))
    assert verdict.findings == ()
    assert "0.60 would have been reported" in verdict.summary
    assert verdict.metrics["splits_compared"] == 3


def test_the_column_of_the_split_and_paths_take_no_part() -> None:
    base = collection(3)
    split = base.records["split"].tolist()
    dataset = make_dataset(
        patients=base.records["patient"].tolist(),
        splits=split,
        metadata={"table.phase": split, "table.cohort": split, "path.folder_1": split, "dicom.KVP": [80.0, 100.0, 120.0] * 200},
        design=Design(splits="random"),
        guesses=[Guess(role="split", value="cohort", confidence=1.0, why="as built", column="cohort")],
    )
    verdict = SplitShift().run(dataset)
    assert verdict.metrics["fields"] == 1
    assert verdict.findings == ()


def test_where_it_cannot_judge_it_is_not_evaluated() -> None:
    with pytest.raises(SkipCheck, match="--split"):
        SplitShift().run(make_dataset(n=100))
    with pytest.raises(SkipCheck, match="too few records"):
        SplitShift().run(make_dataset(splits=["train"] * 90 + ["test"] * 5))
    with pytest.raises(SkipCheck, match="nothing to tell"):
        SplitShift().run(make_dataset(splits=["train"] * 60 + ["test"] * 40))


@pytest.mark.slow
def test_it_finds_a_shift_of_one_and_a_half_deviations() -> None:
    found = sum(any(f.subject == "test" for f in SplitShift().run(collection(s, shift=1.5)).findings) for s in range(20))
    assert found >= 18


@pytest.mark.slow
def test_it_is_silent_on_random_splits_by_patient() -> None:
    # 5 % over all three splits of a data set; 60 seeds: 9 or more would come once in 500 tries.
    assert sum(bool(SplitShift().run(collection(s)).findings) for s in range(100, 160)) <= 8


@pytest.mark.slow
def test_it_is_silent_where_two_images_of_each_patient_agree() -> None:
    loud = sum(bool(SplitShift().run(collection(s, patients=80, per_patient=8)).findings) for s in range(200, 240))
    assert loud <= 6
