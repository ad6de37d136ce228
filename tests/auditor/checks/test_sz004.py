import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sz004 import EffectiveNumber
from auditor.prediction.predict import MODULES


def dataset(values: np.ndarray, patients: list[str]) -> object:
    features = {f"{MODULES[0]}.f{i}": column.tolist() for i, column in enumerate(values.T)}
    return make_dataset(features=features, patients=patients, same_pixels=[f"p{i}" for i in range(len(values))])


def test_frames_of_few_patients_are_worth_few_images() -> None:
    rng = np.random.default_rng(0)
    values = np.repeat(rng.normal(size=(20, 12)), 20, axis=0) + 0.1 * rng.normal(size=(400, 12))
    verdict = EffectiveNumber().run(dataset(values, [f"p{i // 20}" for i in range(400)]))
    assert verdict.metrics["images_worth"] == pytest.approx(20, rel=0.1)
    assert len(verdict.findings) == 1


def test_one_image_per_patient_is_worth_itself() -> None:
    values = np.random.default_rng(1).normal(size=(200, 12))
    verdict = EffectiveNumber().run(dataset(values, [f"p{i}" for i in range(200)]))
    assert verdict.metrics["images_worth"] == 200
    assert verdict.findings == ()


def test_without_pixels_it_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="fewer than 20"):
        EffectiveNumber().run(make_dataset(labels=["a", "b"] * 20))
