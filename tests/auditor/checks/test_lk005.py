from pathlib import Path

import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.lk005 import PROPERTIES, CheapPixels
from auditor.feature import feature_columns
from auditor.values.dataset import Dataset
from auditor.values.results import Severity

NAMES = tuple(PROPERTIES)
DATA = Path(__file__).parents[3] / "../shared/data"


def table(seed: int, *, shift: float = 0.0, column: str = "", patients: int = 120, usable: bool = True) -> Dataset:
    """Properties that go with the patient; `column` is shifted by `shift` standard deviations in one class of two."""
    g = np.random.default_rng(seed)
    size = g.integers(1, 5, patients)
    patient = np.repeat(np.arange(patients), size)
    label = g.integers(0, 2, patients)[patient]
    values = g.normal(size=(patients, len(NAMES)))[patient] + 0.5 * g.normal(size=(len(patient), len(NAMES)))
    features = dict(zip(NAMES, values.T, strict=True))
    if column:
        features[column] = features[column] + shift * label
    return make_dataset(
        labels=[f"c{c}" for c in label], patients=[f"p{p}" for p in patient] if usable else None, features=features
    )


def test_every_property_is_a_feature_of_the_pass() -> None:
    assert set(PROPERTIES) <= set(feature_columns())


def test_one_finding_per_group_names_the_property_that_tells_most() -> None:
    dataset = table(1, shift=4.0, column="intensity.stored_levels")
    dataset.features["traces.level_step"] = dataset.features["intensity.stored_levels"] * 2
    verdict = CheapPixels().run(dataset)
    (finding,) = verdict.findings
    assert finding.severity is Severity.WARNING
    assert finding.subject == "grey levels"
    assert finding.evidence["properties_told"] == 2
    assert finding.score is not None
    assert finding.score > 0.9
    assert "no test on pixels can tell" in finding.message
    assert [chart.kind for chart in verdict.charts] == ["intervals", "histogram"]


def test_pictures_that_could_not_be_read_take_no_part() -> None:
    dataset = table(2)
    unread = dataset.labels.codes == 1
    unread &= np.arange(len(unread)) % 2 == 0
    dataset.features.loc[unread] = np.nan
    verdict = CheapPixels().run(dataset)
    assert verdict.findings == ()
    assert verdict.coverage is not None
    assert verdict.coverage.evaluated == int((~unread).sum())
    assert "no pixels" in verdict.coverage.reason


def test_without_patient_ids_it_says_that_rows_are_taken_as_independent() -> None:
    verdict = CheapPixels().run(table(3, shift=4.0, column="intensity.mean", usable=False))
    assert "rows assumed independent" in verdict.findings[0].message
    assert "rows assumed independent" in verdict.summary


def test_it_skips_without_pictures() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        CheapPixels().run(make_dataset(labels=["a", "b"] * 20))


def test_a_weak_property_is_below_the_gate_and_the_gate_can_be_lowered() -> None:
    dataset = table(4, shift=0.7, column="border.mean", patients=400)
    assert CheapPixels().run(dataset).findings == ()
    assert [f.subject for f in CheapPixels(min_auc=0.6).run(dataset).findings] == ["border and padding"]


def alarms(seeds: range) -> int:
    """At a gate of .6, so that the test of significance is what holds."""
    return sum(bool(CheapPixels(min_auc=0.6, draws=400).run(table(seed)).findings) for seed in seeds)


def test_properties_that_go_with_the_patient_alone_are_silent() -> None:
    assert alarms(range(4)) <= 1


@pytest.mark.slow
def test_at_most_five_percent_of_null_datasets_alarm() -> None:
    assert alarms(range(200)) <= 16


@pytest.mark.slow
def test_a_shift_of_one_and_a_half_deviations_is_found() -> None:
    hits = [CheapPixels(draws=400).run(table(seed, shift=1.5, column="border.padding_fraction")) for seed in range(60)]
    assert sum(any(f.subject == "border and padding" for f in v.findings) for v in hits) >= 57


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="shared data are not there")
def test_the_grey_levels_of_pneumoniamnist_tell_pneumonia() -> None:
    from auditor.checks.lk006 import OutsideBody
    from auditor.layout import Options, open_dataset
    from auditor.stages.extract import Pass, extract

    (path,) = DATA.glob("images/pneumoniamnist/**/*.npz")
    dataset, _ = extract(open_dataset(path, Options()), Pass(workers=0))
    verdict = CheapPixels().run(dataset)
    fields = {c.name: c.values for c in verdict.tables[0].columns}
    auc = dict(zip(fields["field"], fields["auc"], strict=True))
    assert auc["intensity.stored_levels"] == pytest.approx(0.86, abs=0.02)
    assert any(f.subject == "grey levels" for f in verdict.findings)
    parts = {f.subject: f.score for f in OutsideBody().run(dataset).findings}
    assert parts["border"] is not None
    assert parts["border"] >= 0.93


def cast(seed: int, red: float, *, coloured: bool = True) -> Dataset:
    """Pictures of any brightness, whose red is `red` times the usual in one class of two."""
    g = np.random.default_rng(seed)
    label = np.arange(160) % 2
    bright = g.uniform(0.2, 0.8, 160)
    tint = (1.0, 0.8, 0.6) if coloured else (np.nan,) * 3
    features = {
        f"intensity.{name}_mean": bright * part * g.normal(1, 0.01, 160)
        for name, part in zip(("red", "green", "blue"), tint, strict=True)
    }
    features["intensity.red_mean"] = features["intensity.red_mean"] * np.where(label == 1, red, 1.0)
    features["intensity.mean"] = bright
    return make_dataset(
        labels=[f"c{c}" for c in label],
        patients=[f"p{i}" for i in range(160)],
        features={k: list(v) for k, v in features.items()},
    )


def test_a_cast_of_one_class_is_told_however_bright_the_pictures_are() -> None:
    (finding,) = CheapPixels().run(cast(0, 1.06)).findings
    assert finding.subject == "colour"
    assert finding.where.field == "colour.red_share"
    assert finding.score is not None
    assert finding.score > 0.95


@pytest.mark.parametrize("seed", range(5))
def test_the_same_colours_in_both_classes_and_grey_pictures_are_silent(seed: int) -> None:
    assert CheapPixels().run(cast(seed, 1.0)).findings == ()
    assert CheapPixels().run(cast(seed, 1.06, coloured=False)).findings == ()
