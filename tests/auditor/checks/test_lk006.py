import numpy as np
import pytest
from builders import make_dataset

from auditor.check import SkipCheck
from auditor.checks.lk006 import OutsideBody
from auditor.features.outside import COLUMNS as OUTSIDE
from auditor.features.zones import COLUMNS as CELLS
from auditor.features.zones import depth
from auditor.values.dataset import Dataset
from auditor.values.results import Severity, Verdict

DEPTH = np.array([depth(name) for name in CELLS])


def table(seed: int, *, where: str = "", patients: int = 150, classes: int = 2) -> Dataset:
    """Smooth random grids that go with the patient; the class brightens a few cells at `where`."""
    g = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), g.integers(1, 4, patients))
    label = g.integers(0, classes, patients)[patient]
    cells = g.normal(size=(patients, len(CELLS)))[patient] + 0.5 * g.normal(size=(len(patient), len(CELLS)))
    if where in ("border", "centre"):
        chosen = np.flatnonzero(DEPTH < 2 if where == "border" else DEPTH >= 5)[:12]
        cells[:, chosen] += 0.9 * label[:, None]
    features = {f"zones.{name}": column for name, column in zip(CELLS, cells.T, strict=True)}
    outside = g.normal(size=(len(patient), len(OUTSIDE)))
    if where == "marks":
        outside[:, OUTSIDE.index("marked_fraction_top_left")] += 2.0 * label
    outside[patient % 3 == 0, 1:] = np.nan
    features |= {f"outside.{name}": column for name, column in zip(OUTSIDE, outside.T, strict=True)}
    return make_dataset(labels=[f"c{c}" for c in label], patients=[f"p{p}" for p in patient], features=features)


def parts(verdict: Verdict) -> set[str]:
    return {finding.subject for finding in verdict.findings}


def test_a_sign_at_the_border_is_told_by_border_and_masked_centre() -> None:
    verdict = OutsideBody().run(table(1, where="border"))
    assert parts(verdict) == {"border", "centre masked"}
    assert all(f.severity is Severity.WARNING for f in verdict.findings)
    border = next(f for f in verdict.findings if f.subject == "border")
    assert border.score is not None
    assert border.score > 0.85
    assert f"the whole picture {border.evidence['whole_auc']:.2f}" in border.message
    (chart,) = verdict.charts
    assert "border" in chart.table.columns[0].values


def test_a_sign_in_the_middle_is_the_whole_pictures_alone() -> None:
    verdict = OutsideBody().run(table(2, where="centre"))
    assert verdict.findings == ()
    whole = verdict.metrics["whole_picture_auc"]
    assert isinstance(whole, float)
    assert whole > 0.85


def test_a_marker_beside_the_body_is_told_on_the_pictures_that_have_an_outside() -> None:
    verdict = OutsideBody().run(table(3, where="marks"))
    (finding,) = verdict.findings
    assert finding.subject == "outside the body"
    records = finding.evidence["records"]
    assert isinstance(records, int)
    assert records < table(3).size


def test_several_classes_are_asked_one_by_one() -> None:
    verdict = OutsideBody().run(table(4, where="border", classes=3))
    assert "border" in parts(verdict)
    zones = {c.name: c.values for c in verdict.tables[0].columns}
    assert set(zones["class"]) == {"c0", "c1", "c2"}


def test_it_skips_without_pictures_and_with_too_few_patients() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        OutsideBody().run(make_dataset(labels=["a", "b"] * 40))
    with pytest.raises(SkipCheck, match="too few"):
        OutsideBody().run(table(5, patients=12))


def alarms(seeds: range) -> int:
    return sum(bool(OutsideBody(min_auc=0.55).run(table(seed)).findings) for seed in seeds)


def test_pictures_without_a_sign_are_silent() -> None:
    assert alarms(range(4)) <= 1


@pytest.mark.slow
def test_at_most_five_percent_of_null_datasets_alarm() -> None:
    assert alarms(range(200)) <= 16


@pytest.mark.slow
def test_a_sign_at_the_border_is_found_nearly_always() -> None:
    assert sum("border" in parts(OutsideBody().run(table(seed, where="border"))) for seed in range(60)) >= 57
