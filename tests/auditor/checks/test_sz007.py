import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.sz007 import LearningCurve
from auditor.prediction.predict import MODULES
from auditor.values.results import Severity


def test_the_verdict_holds_the_curve_and_its_forecast() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 240)
    values = rng.normal(size=(240, 30)) + 4 * codes[:, None] / np.sqrt(30)
    features = {f"{MODULES[0]}.f{i}": column.tolist() for i, column in enumerate(values.T)}
    verdict = LearningCurve(repeats=2).run(make_dataset(labels=np.array(["a", "b"])[codes].tolist(), features=features))
    assert verdict.tables[0].length == 8
    assert verdict.charts[0].kind == "lines"
    assert verdict.metrics["forecast_gain_low"] <= verdict.metrics["forecast_gain"] <= verdict.metrics["forecast_gain_high"]
    assert all(f.severity is Severity.INFO for f in verdict.findings)


def test_without_pixels_it_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="needs 200"):
        LearningCurve().run(make_dataset(labels=["a", "b"] * 200))
