import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sz005 import RareSubgroups


def test_a_device_that_few_patients_saw_is_named_without_its_rare_value() -> None:
    devices = ["Alpha"] * 100 + ["Beta"] * 100 + ["Secret"] * 3
    verdict = RareSubgroups().run(make_dataset(labels=["a", *["b"] * 202], metadata={"dicom.Manufacturer": devices}))
    assert ("value 3", 3.0) in {(f.subject, f.score) for f in verdict.findings}
    assert "Secret" not in repr(verdict)


def test_even_subgroups_are_silent() -> None:
    dataset = make_dataset(n=200, metadata={"dicom.Manufacturer": ["Alpha", "Beta"] * 100})
    assert RareSubgroups().run(dataset).findings == ()


def test_pictures_without_fields_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="no field"):
        RareSubgroups().run(make_dataset(n=40))
