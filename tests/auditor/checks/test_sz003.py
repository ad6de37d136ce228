import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sz003 import SamplesPerParameter
from auditor.config import configured
from auditor.values.results import Severity


def test_a_large_model_on_little_data_is_information() -> None:
    dataset = make_dataset(labels=["a", "b"] * 100, splits=["train", "train", "train", "test"] * 50)
    verdict = configured(SamplesPerParameter, {"parameters": 203_379}, "checks.SZ003").run(dataset)
    assert verdict.metrics["images_training"] == 150
    assert verdict.metrics["samples_per_parameter"] == pytest.approx(150 / 203_379, rel=1e-4)
    assert [f.severity for f in verdict.findings] == [Severity.INFO]


def test_a_small_model_on_enough_data_is_silent() -> None:
    verdict = SamplesPerParameter(parameters=10).run(make_dataset(labels=["a", "b"] * 100))
    assert verdict.findings == ()
    assert (verdict.metrics["parameters_allowed_low"], verdict.metrics["parameters_allowed_high"]) == (10, 20)


def test_without_a_declared_model_it_is_skipped() -> None:
    with pytest.raises(SkipCheck, match=r"checks\.SZ003"):
        SamplesPerParameter().run(make_dataset(labels=["a", "b"] * 10))
