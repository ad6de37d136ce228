"""What every check promises, whoever wrote it: one test over all of them."""

import copy
import dataclasses
import inspect
import json
import re
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pandas as pd
import pytest
from builders import make_dataset

from auditor.check import Check, SkipCheck, check_classes, title
from auditor.feature import feature_columns
from auditor.outcomes import run_check
from auditor.stage import closure, stages
from auditor.stages.extract import PIXELS
from auditor.stages.link import link
from auditor.values.dataset import Dataset, Problem
from auditor.values.privacy import TableLook, kinds_in
from auditor.values.results import Chart, Severity, Table, Verdict

CHECKS = check_classes()
SECTIONS = ["What it does", "Why is this bad?", "How to fix", "Options", "References"]
NEED_LABELS = ("LK", "LN", "ED", "SP003")
N, PER_PATIENT = 360, 3
CANARY = "CANARY^PATIENT"
SEEN_WITHOUT_PICTURES = frozenset(("IN005", "LK003", "LK008", "LN007", "MA003", "SZ001", "SZ002"))
"""Checks that can look at something where no picture and no table could be opened: they judge names and labels alone."""

every_check = pytest.mark.parametrize("check", CHECKS, ids=[c.code for c in CHECKS])


@cache
def clean() -> Dataset:
    """Two classes that the pictures tell apart and no field does; patients whole in their splits; raters agree."""
    rng = np.random.default_rng(20)
    patient = np.arange(N) // PER_PATIENT
    classes = np.array(["benign", "malignant"])
    code = rng.integers(0, 2, N // PER_PATIENT)[patient]
    labels = classes[code].tolist()
    splits = np.array(["train", "train", "train", "val", "test"])[patient % 5].tolist()
    sure = np.full((N, 2), 0.04)
    sure[np.arange(N), code] = 0.96
    dataset = make_dataset(
        labels=labels,
        patients=[f"{CANARY}{p:03d}" for p in patient],
        splits=splits,
        sites=np.array(["north", "south"])[rng.integers(0, 2, N // PER_PATIENT)[patient]].tolist(),
        columns={
            "line": list(range(2, N + 2)),
            "study": [f"1.2.840.99.1.{p}" for p in patient],
            "series": [f"1.2.840.99.2.{i}" for i in range(N)],
        },
        metadata={
            "container.bit_depth": [8.0] * N,
            "container.file_size": rng.normal(50_000, 4_000, N).round().tolist(),
            "dicom.Manufacturer": rng.choice(["Alpha", "Beta"], N // PER_PATIENT)[patient].tolist(),
            "dicom.KVP": rng.choice([80.0, 100.0, 120.0], N).tolist(),
            "table.age": rng.integers(20, 90, N // PER_PATIENT)[patient].astype(float).tolist(),
        },
        readings=dict.fromkeys(("reader 1", "reader 2", "reader 3"), labels),
        features=rng.normal(0, 1, (N, 8)) + 4 * code[:, None],
        probabilities=sure,
        same_bytes=[f"b{i}" for i in range(N)],
        same_pixels=[f"p{i}" for i in range(N)],
    )
    return link(dataset)


@cache
def flawed() -> Dataset:
    """The same with one flaw for every family of checks."""
    dataset = clean()
    rng = np.random.default_rng(21)
    records = dataset.records.copy()
    records["split"] = rng.choice(["train", "val", "test"], N)
    labels = dataset.labels.values.copy()
    wrong = rng.choice(N, N // 10, replace=False)
    labels.iloc[wrong] = np.where(labels.iloc[wrong] == "benign", "malignant", "benign")
    marks = dataset.fingerprints.copy()
    marks.iloc[:20, marks.columns.get_loc("pixels")] = [f"p{i // 2}" for i in range(20)]
    metadata = dataset.metadata.copy()
    metadata["container.bit_depth"] = np.where(labels == "malignant", 16.0, 8.0)
    readings = dataset.annotations.copy()
    poor = np.flatnonzero(readings["rater"] == "reader 3")
    readings.iloc[poor, readings.columns.get_loc("label")] = rng.choice(["benign", "malignant"], len(poor))
    problems = tuple(
        Problem(kind=kind, path=f"{kind}.png", reason="as planted", line=2)
        for kind in ("truncated", "missing-codec", "missing", "unlisted", "outside-root", "no-pixels")
    )
    return link(
        dataclasses.replace(
            dataset,
            records=records,
            labels=dataclasses.replace(dataset.labels, values=labels),
            fingerprints=marks,
            metadata=metadata,
            annotations=readings,
            problems=problems,
        )
    )


@cache
def unlabelled() -> Dataset:
    """Pictures and fields, but no label and no reader."""
    return link(
        make_dataset(n=30, metadata={"container.bit_depth": [8.0, 16.0] * 15}, same_pixels=[f"p{i}" for i in range(30)])
    )


@cache
def bare() -> Dataset:
    """A table of labels without images, patients, splits or readers."""
    return link(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))


@cache
def unseen() -> Dataset:
    """Pictures of which not one could be opened, and tables of which not one could be looked into."""
    names = [f"v{i:03d}.xyz" for i in range(20)]
    dataset = make_dataset(labels=["x", "y"] * 10, paths=names)
    problems = tuple(
        Problem(kind="unsupported", path=name, record=f"r{i:04d}", reason="no reader") for i, name in enumerate(names)
    )
    return link(
        dataclasses.replace(dataset, problems=problems, tables=tuple(TableLook(name=f"{n}.json", rows=0) for n in names))
    )


every_dataset = pytest.mark.parametrize("build", [clean, flawed, unlabelled, bare])


def verdict_of(check: type[Check], dataset: Dataset) -> Verdict | None:
    """The verdict, or None where the check says in words that it does not apply."""
    try:
        return check().run(dataset)
    except SkipCheck as skipped:
        reason = str(skipped)
    assert len(reason) > 10
    return None


def frames(dataset: Dataset) -> Iterator[pd.DataFrame | pd.Series | np.ndarray]:
    """Everything in a dataset that could be changed in place."""
    yield from (dataset.records, dataset.labels.values, dataset.annotations, dataset.boxes, dataset.metadata)
    yield from (dataset.features, dataset.fingerprints, dataset.links)
    if dataset.labels.states is not None:
        yield dataset.labels.states
    if dataset.predictions is not None:
        yield dataset.predictions.probabilities


def test_there_are_checks() -> None:
    assert {"IN001", "IN002", "MA003", "SP001", "SP002", "SP003", "SP006"} <= {c.code for c in CHECKS}


@every_check
def test_its_own_words_name_nobody(check: type[Check]) -> None:
    """They stand in every result.json, and a corrected copy that holds one is looked through as any other folder."""
    assert not kinds_in(inspect.getdoc(check) or "") - {"date"}


@every_check
@pytest.mark.parametrize("build", [clean, flawed, unlabelled, bare, unseen])
def test_what_was_not_looked_at_is_not_passed(check: type[Check], build: Callable[[], Dataset]) -> None:
    """A verdict says how much it is of; one on nothing is shown as not evaluated, whatever its words."""
    outcome = run_check(check(), build())
    if outcome.status in ("passed", "failed"):
        assert outcome.verdict is not None
        coverage = outcome.verdict.coverage
        assert coverage is not None
        assert 0 <= coverage.evaluated <= coverage.total
        assert coverage.evaluated > 0 or outcome.status == "failed"
    if build is unseen:
        assert outcome.status != "passed" or check.code in SEEN_WITHOUT_PICTURES


@every_check
def test_its_identity_is_well_formed(check: type[Check]) -> None:
    assert re.fullmatch(r"[A-Z]{2}[0-9]{3}", check.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", check.name)
    assert isinstance(check.severity, Severity)
    assert isinstance(check.needs, frozenset)
    assert check.needs <= {what for module in stages().values() for what in module.PROVIDES}
    if check.__module__.startswith("auditor.checks."):
        assert check.__module__ == f"auditor.checks.{check.code.lower()}"


def test_names_are_given_once() -> None:
    assert len({c.name for c in CHECKS}) == len(CHECKS)


@every_check
def test_its_documentation_has_a_title_and_five_sections(check: type[Check]) -> None:
    text = inspect.getdoc(check) or ""
    assert check.__doc__, "a docstring of its own"
    assert 8 <= len(title(check)) <= 100
    assert text.splitlines()[0].endswith(".")
    assert text.splitlines()[1] == ""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    assert parts[1::2] == SECTIONS
    assert all(body.strip() for body in parts[2::2])


@every_check
def test_its_thresholds_are_fields_with_defaults_and_documented(check: type[Check]) -> None:
    assert dataclasses.is_dataclass(check)
    assert check() == check()
    options = (inspect.getdoc(check) or "").partition("## Options")[2].partition("## References")[0]
    for field in dataclasses.fields(check):
        assert field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        assert f"`{field.name}`" in options, f"{field.name} is not documented under Options"
    with pytest.raises(dataclasses.FrozenInstanceError):
        check().code = "XX000"  # type: ignore[misc]


@every_check
@every_dataset
def test_it_is_pure_and_repeatable(check: type[Check], build: Callable[[], Dataset]) -> None:
    dataset = build()
    before = [copy.deepcopy(frame) for frame in frames(dataset)]
    first, second = verdict_of(check, dataset), verdict_of(check, dataset)
    # repr, because NaN is not equal to itself
    assert repr(first) == repr(second)
    for old, new in zip(before, frames(dataset), strict=True):
        if isinstance(new, pd.DataFrame):
            pd.testing.assert_frame_equal(old, new)
        elif isinstance(new, pd.Series):
            pd.testing.assert_series_equal(old, new)
        else:
            np.testing.assert_array_equal(old, new)


@every_check
@every_dataset
def test_what_it_returns_can_be_written_as_json(check: type[Check], build: Callable[[], Dataset]) -> None:
    verdict = verdict_of(check, build())
    if verdict is None:
        return
    assert verdict.summary
    json.dumps(dict(verdict.metrics), allow_nan=False)
    for finding in verdict.findings:
        assert finding.code == check.code
        assert finding.severity.rank <= check.severity.rank
        assert finding.message
        json.dumps([dict(finding.evidence), finding.score, dataclasses.asdict(finding.where)], allow_nan=False)
    prints = [f.fingerprint for f in verdict.findings]
    assert len(set(prints)) == len(prints), "two findings have one fingerprint: give them a subject"
    for table in (*verdict.tables, *(chart.table for chart in verdict.charts)):
        check_table(table)
    assert len({t.name for t in verdict.tables}) == len(verdict.tables)
    for chart in verdict.charts:
        check_chart(chart)
    if verdict.coverage is not None:
        assert 0 <= verdict.coverage.evaluated <= verdict.coverage.total
        assert verdict.coverage.reason or verdict.coverage.evaluated == verdict.coverage.total


def check_table(table: Table) -> None:
    names = [c.name for c in table.columns]
    assert len(set(names)) == len(names)
    assert {len(c.values) for c in table.columns} == {table.length}
    for column in table.columns:
        # None stands for a value that is not there; numpy's numbers are no JSON
        json.dumps(list(column.values), allow_nan=False)
        kinds = {type(v) for v in column.values} - {type(None)}
        if column.kind in ("text", "record", "path", "class"):
            assert kinds <= {str}, column.name
        elif column.kind == "boolean":
            assert kinds <= {bool}, column.name
        elif column.kind == "integer":
            assert kinds <= {int}, column.name
        else:
            assert kinds <= {int, float}, column.name
        if column.kind == "fraction":
            assert all(0 <= v <= 1 for v in column.values if isinstance(v, int | float)), column.name


def check_chart(chart: Chart) -> None:
    names = {c.name for c in chart.table.columns}
    assert {chart.label, chart.value} <= names
    assert {c for c in (chart.low, chart.high, chart.group) if c is not None} <= names


@every_check
def test_it_is_silent_on_clean_data(check: type[Check]) -> None:
    verdict = verdict_of(check, clean())
    loud = [] if verdict is None else [f.message for f in verdict.findings if f.severity is not Severity.INFO]
    assert loud == []


@every_check
def test_it_shows_no_id_of_a_patient(check: type[Check]) -> None:
    assert CANARY not in repr(verdict_of(check, flawed()))


@pytest.mark.parametrize("check", [c for c in CHECKS if c.code.startswith(NEED_LABELS)], ids=lambda c: c.code)
def test_it_skips_where_there_is_no_label(check: type[Check]) -> None:
    assert verdict_of(check, unlabelled()) is None


@pytest.mark.parametrize("code", ["IN001", "IN002", "SP001", "SP002", "SP003"])
def test_the_flawed_dataset_is_flawed(code: str) -> None:
    verdict = verdict_of(next(c for c in CHECKS if c.code == code), flawed())
    assert verdict is not None
    assert any(f.severity is Severity.ERROR for f in verdict.findings)


@every_check
def test_what_a_check_does_not_ask_for_changes_nothing_in_its_verdict(check: type[Check]) -> None:
    """A scan leaves out the stages that no selected check needs: a check that looked at them all the same would tell less."""
    without: dict[str, object] = {}
    if "links" not in check.needs:
        without["links"] = pd.DataFrame()
    if "predictions" not in check.needs:
        without |= {"predictions": None, "judgements": None}
    if "mask agreement" not in check.needs:
        without["mask_pairs"] = pd.DataFrame()
    bare = dataclasses.replace(flawed(), **without)  # type: ignore[arg-type]
    assert verdict_of(check, bare) == verdict_of(check, flawed())


@cache
def pictured() -> Dataset:
    """The flawed dataset with every feature that there is."""
    rng = np.random.default_rng(5)
    dataset = flawed()
    names = feature_columns()
    values = rng.random((dataset.size, len(names))).astype(np.float32)
    return dataclasses.replace(dataset, features=pd.DataFrame(values, index=dataset.records.index, columns=list(names)))


@every_check
def test_what_of_the_pixels_a_check_does_not_ask_for_changes_nothing_in_its_verdict(check: type[Check]) -> None:
    needs, dataset = closure(check.needs), pictured()
    if "pixels" in needs:
        pytest.skip("it asks for all that pixels give")
    asked = {need.removeprefix("features.") for need in needs}
    kept = [c for c in dataset.features.columns if "features" in needs or str(c).partition(".")[0] in asked]
    without: dict[str, object] = {"features": dataset.features[kept] if kept else pd.DataFrame(index=dataset.records.index)}
    # The checks of privacy tell in how many files nobody has looked at the pixels: that is their word on what was left out.
    if PIXELS.isdisjoint(needs) and not check.code.startswith("PH"):
        without["fingerprints"] = pd.DataFrame(index=dataset.records.index)
    if "sketches" not in needs:
        without["sketches"] = None
    if "fronts" not in needs:
        without["fronts"] = {}
    assert verdict_of(check, dataclasses.replace(dataset, **without)) == verdict_of(check, dataset)  # type: ignore[arg-type]
