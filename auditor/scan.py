"""The main job: select → extract → link → predict → check → waive → ScanResult."""

from __future__ import annotations

import inspect
import os
import platform
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from auditor.check import Check, SkipCheck, select, title
from auditor.checks.ma003 import CheckCrashed
from auditor.config import Config, find_config, read_config
from auditor.evidence.labels.ensemble import join_predictions
from auditor.evidence.labels.label_noise import JudgedOnce
from auditor.evidence.masks.mask_scores import score_masks
from auditor.evidence.masks.mask_sources import holds_masks
from auditor.evidence.objects.object_tables import holds_objects, read_objects
from auditor.evidence.privacy.withhold import withheld_names, withhold
from auditor.evidence.raters.mask_readings import compare_masks
from auditor.layout import Options
from auditor.prediction.files import read_predictions
from auditor.prediction.predict import predict
from auditor.progress import Progress, Silent
from auditor.reading.cache import default_folder
from auditor.stages.extract import Pass, extract
from auditor.stages.known import look_up, read_key
from auditor.stages.link import link
from auditor.stages.open import open_for_scan
from auditor.stages.reviews import read_reviews, review_thumbnails
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.results import SCHEMA_VERSION, Gate, GateVerdict, Outcome, Run, ScanResult, Severity, Status, Verdict
from auditor.waivers import waive

MAX_THUMBNAILS = 200

Predictor = Callable[[Dataset], Dataset]
"""Given by the front door when a network is to predict: `auditor` knows no trainer."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything a scan is told, from options and medaudit.toml together; options go first.

    Args:
        config: medaudit.toml, or its defaults.
        options: pinned roles and layout.
        predictions: files of out-of-fold probabilities, one per model; none = the built-in probe. Also a folder or an array of
            predicted masks, or a table of predicted boxes or points.
        classes: order of its columns; None = sorted labels.
        in_sample: the predictions were made by a model that trained on these records.
        reviewed: files of answers that the review page saved.
        known: files of keyed hashes of other collections; they need `key`, the file of the secret they were made with.
        workers: processes that read files; None = one per core.
        cache: private folder; None = no cache.
    """

    config: Config = field(default_factory=Config)
    options: Options = field(default_factory=Options)
    predictions: tuple[Path, ...] = ()
    classes: tuple[str, ...] | None = None
    in_sample: bool = False
    reviewed: tuple[Path, ...] = ()
    known: tuple[Path, ...] = ()
    key: Path | None = None
    workers: int | None = None
    cache: Path | None = None
    tool_version: str = ""


def plan_for(
    target: Path,
    *,
    config: Path | None = None,
    roles: Mapping[str, str] | None = None,
    root: Path | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    require: Sequence[str] = (),
    fail_on: str | None = None,
    predictions: Sequence[Path] = (),
    classes: Sequence[str] | None = None,
    in_sample: bool = False,
    reviewed: Sequence[Path] = (),
    known: Sequence[Path] = (),
    key: Path | None = None,
    workers: int | None = None,
    cache: bool = True,
    seed: int | None = None,
    tool_version: str = "",
) -> Plan:
    """Read medaudit.toml beside the dataset (or `config`) and lay the given options over it.

    Raises:
        ConfigError: the file or an option is wrong.
    """
    path = config if config is not None else find_config(target)
    settings = read_config(path) if path is not None else Config()
    changes: dict[str, object] = {}
    if select:
        changes["select"] = tuple(select)
    if ignore:
        changes["ignore"] = (*settings.scan.ignore, *ignore)
    if require:
        changes["require"] = (*settings.scan.require, *require)
    if fail_on is not None:
        if fail_on not in ("info", "warning", "error", "never"):
            raise ConfigError(f"--fail-on {fail_on}: info, warning, error or never")
        changes["fail_on"] = fail_on
    if seed is not None:
        changes["seed"] = seed
    settings = settings.model_copy(update={"scan": settings.scan.model_copy(update=changes)})
    pinned = settings.options(path.parent if path is not None else Path())
    options = replace(pinned, roles={**pinned.roles, **(roles or {})}, root=root or pinned.root)
    given = tuple(predictions)
    if not given and settings.scan.predictions is not None and path is not None:
        given = (path.parent / settings.scan.predictions,)
    if known and key is None:
        raise ConfigError("--known needs --key: the key file that the hashes were made with")
    folder = default_folder(os.environ, Path.home()) if cache else None
    if (classes or in_sample) and not given:
        raise ConfigError("--classes and --in-sample speak of predictions: name their file with --predictions")
    return Plan(
        config=settings,
        options=options,
        predictions=given,
        classes=tuple(classes) if classes else None,
        in_sample=in_sample,
        reviewed=tuple(reviewed),
        known=tuple(known),
        key=key,
        workers=workers if workers is not None else settings.scan.workers,
        cache=folder,
        tool_version=tool_version,
    )


@dataclass(frozen=True, kw_only=True)
class Examined:
    """A scan's result and the dataset it was judged on, for whoever goes on from there."""

    dataset: Dataset
    result: ScanResult


def scan(
    target: Path | str, plan: Plan | None = None, *, progress: Progress | None = None, predictor: Predictor | None = None
) -> ScanResult:
    """Audit a dataset.

    Args:
        target: a folder, a label table or an npz.
        plan: what to do; None reads medaudit.toml beside the dataset and uses the defaults.
        progress: told how far it is.
        predictor: gives the linked dataset its out-of-fold predictions in the place of the plan's and of the built-in probe.

    Raises:
        DatasetError: the dataset cannot be opened.
        ConfigError: medaudit.toml or an option is wrong.
    """
    return examine(target, plan, progress=progress, predictor=predictor).result


def examine(
    target: Path | str, plan: Plan | None = None, *, progress: Progress | None = None, predictor: Predictor | None = None
) -> Examined:
    """`scan`, and the dataset as the checks saw it.

    Raises:
        DatasetError: the dataset cannot be opened.
        ConfigError: medaudit.toml or an option is wrong.
    """
    target = Path(target)
    plan = plan if plan is not None else plan_for(target)
    progress = progress or Silent()
    clock = Clock()
    checks = [plan.config.configured(c) for c in select(plan.config.scan.select, ignore=plan.config.scan.ignore)]
    required = {c.code for c in select(plan.config.scan.require)} if plan.config.scan.require else set()
    opened = open_for_scan(target, plan.options, pass_of(plan))
    dataset = replace(opened, design=plan.config.design_of())
    clock.lap("open")
    dataset, cached = gather(dataset, plan, checks, progress, clock, predictor)
    names = withheld_names(dataset)
    dataset = read_reviews(dataset, plan.reviewed, names)
    outcomes = judge(dataset, checks, progress)
    clock.lap("check")
    outcomes = tuple(graded(o, plan.config.severity) for o in outcomes)
    thumbnails = shown_thumbnails(outcomes, dataset)
    asked = review_thumbnails(outcomes, dataset, names, seed=plan.config.scan.seed)
    # before waivers are matched, so that they fit what a report shows
    outcomes, stale = waive(withhold(outcomes, names), plan.config.waivers)
    notes = (*dataset.summary.notes, *(f"a waiver for {w.code or w.fingerprint or w.path} fits no finding" for w in stale))
    result = ScanResult(
        schema_version=SCHEMA_VERSION,
        tool_version=plan.tool_version,
        dataset=withhold(replace(dataset.summary, notes=notes), names),
        records=dataset.size,
        outcomes=outcomes,
        gate=gate(outcomes, plan.config.scan.fail_on, required),
        documentation={type(c).code: inspect.getdoc(type(c)) or "" for c in checks},
        configuration={"seed": plan.config.scan.seed, "fail_on": plan.config.scan.fail_on},
        thumbnails={**withhold(thumbnails, names), **asked},
        run=Run(
            started=clock.started, seconds=clock.total(), host=platform.node(), stages=dict(clock.laps), cache=dict(cached)
        ),
    )
    return Examined(dataset=dataset, result=result)


def gather(
    dataset: Dataset, plan: Plan, checks: Sequence[Check], progress: Progress, clock: Clock, predictor: Predictor | None = None
) -> tuple[Dataset, Mapping[str, int]]:
    """Extract, link, predict: everything that the checks will look at."""
    secret = read_key(plan.key) if plan.key is not None else b""
    dataset, cached = extract(dataset, pass_of(plan), progress=progress)
    dataset = replace(dataset, known=look_up(dataset, plan.known, secret))
    clock.lap("extract")
    dataset = compare_masks(dataset, plan.config.limits_of())
    clock.lap("masks of raters")
    dataset = link(dataset, threads=pass_of(plan).workers or 1, progress=progress)
    clock.lap("link")
    needs = {need for check in checks for need in type(check).needs}
    drawn = [path for path in plan.predictions if holds_masks(path)]
    placed = [path for path in plan.predictions if path not in drawn and holds_objects(path)]
    given = [path for path in plan.predictions if path not in drawn and path not in placed]
    if drawn:
        limits = plan.config.limits_of()
        dataset = score_masks(dataset, drawn, limits, in_sample=plan.in_sample, progress=progress)
        clock.lap("predicted masks")
    if placed:
        dataset = read_objects(dataset, placed, in_sample=plan.in_sample)
    if predictor is not None:
        dataset = predictor(dataset) if "predictions" in needs else dataset
    elif given:
        models = [read_predictions(p, dataset, classes=plan.classes, in_sample=plan.in_sample) for p in given]
        dataset = replace(dataset, predictions=join_predictions(models, dataset))
    elif "predictions" in needs:
        progress.start("predicting labels out of fold", 0)
        dataset = predict(dataset, seed=plan.config.scan.seed)
        progress.finish()
    clock.lap("predict")
    return replace(dataset, judgements=JudgedOnce(dataset)), cached


def pass_of(plan: Plan) -> Pass:
    """How the files are read."""
    workers = plan.workers if plan.workers is not None else max(1, os.cpu_count() or 1)
    config = plan.config
    return Pass(limits=config.limits_of(), workers=workers, cache=plan.cache, rules=config.privacy_of())


def read_dataset(target: Path | str, plan: Plan, *, progress: Progress | None = None) -> Dataset:
    """Open a dataset and measure its files.

    Raises:
        DatasetError: the dataset cannot be opened.
    """
    found = open_for_scan(Path(target), plan.options, pass_of(plan))
    opened = replace(found, design=plan.config.design_of())
    return extract(opened, pass_of(plan), progress=progress or Silent())[0]


def linked_dataset(target: Path | str, plan: Plan, *, progress: Progress | None = None) -> Dataset:
    """The same, and find what is the same image, acquisition or patient.

    Raises:
        DatasetError: the dataset cannot be opened.
    """
    return link(read_dataset(target, plan, progress=progress), threads=pass_of(plan).workers or 1, progress=progress)


def judge(dataset: Dataset, checks: Sequence[Check], progress: Progress) -> tuple[Outcome, ...]:
    """Run every check; one that crashes hides no other."""
    outcomes: list[Outcome] = []
    crashed: list[tuple[str, str]] = []
    progress.start("checking", len(checks))
    for check in checks:
        if isinstance(check, CheckCrashed):
            continue
        outcome = run_check(check, dataset)
        outcomes.append(outcome)
        if outcome.status == "crashed":
            crashed.append((outcome.code, outcome.reason))
        progress.advance()
    progress.finish()
    # A crash is reported even where MA003 was not selected: a gate must not pass because a check broke.
    if crashed or any(isinstance(check, CheckCrashed) for check in checks):
        verdict = CheckCrashed().report(crashed)
        outcomes.append(outcome_of(CheckCrashed, verdict, 0.0))
    return tuple(sorted(outcomes, key=lambda o: o.code))


def run_check(check: Check, dataset: Dataset) -> Outcome:
    """One check to its outcome."""
    start = time.perf_counter()
    kind = type(check)
    try:
        verdict = check.run(dataset)
    except SkipCheck as skipped:
        return Outcome(
            code=kind.code, name=kind.name, title=title(kind), status="skipped", reason=str(skipped), verdict=skipped.verdict
        )
    except Exception as error:  # noqa: BLE001 - a broken check must not hide the verdicts of the others
        place = traceback.extract_tb(error.__traceback__)[-1]
        # The exception's own text may hold a value of the dataset, so only its type and place are told.
        reason = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
        return Outcome(code=kind.code, name=kind.name, title=title(kind), status="crashed", reason=reason)
    return outcome_of(kind, verdict, time.perf_counter() - start)


def outcome_of(kind: type[Check], verdict: Verdict, seconds: float) -> Outcome:
    """Failed when the verdict holds a finding above info, else passed."""
    serious = any(f.severity is not Severity.INFO for f in verdict.findings)
    status: Status = "failed" if serious else "passed"
    return Outcome(code=kind.code, name=kind.name, title=title(kind), status=status, verdict=verdict, seconds=round(seconds, 4))


def graded(outcome: Outcome, severities: Mapping[str, Severity]) -> Outcome:
    """The outcome with the severity that medaudit.toml gives its findings."""
    wanted = severities.get(outcome.code)
    if wanted is None or outcome.verdict is None:
        return outcome
    findings = tuple(replace(f, severity=wanted) for f in outcome.verdict.findings)
    status: Status = "failed" if findings and wanted is not Severity.INFO else "passed"
    return replace(outcome, verdict=replace(outcome.verdict, findings=findings), status=status)


def gate(outcomes: Iterable[Outcome], fail_on: str, required: Iterable[str]) -> Gate:
    """The verdict for CI: incomplete (3) outranks failed (1)."""
    outcomes = tuple(outcomes)
    wanted = set(required)
    broken = [f"{o.code} crashed" for o in outcomes if o.status == "crashed"]
    broken += [
        f"{o.code} is required and was not evaluated: {o.reason}"
        for o in outcomes
        if o.code in wanted and o.status == "skipped"
    ]
    broken += [f"{code} is required and was not selected" for code in sorted(wanted - {o.code for o in outcomes})]
    failing: dict[str, int] = {}
    if fail_on != "never":
        for finding in (f for o in outcomes if o.verdict for f in o.verdict.findings):
            if finding.waived is None and finding.severity.rank >= Severity(fail_on).rank:
                failing[finding.code] = failing.get(finding.code, 0) + 1
    total = sum(failing.values())
    each = ", ".join(f"{code} {count:,}" for code, count in failing.items())
    reasons = [f"{total:,} {'finding' if total == 1 else 'findings'} at or above {fail_on}: {each}"] if failing else []
    verdict: GateVerdict = "incomplete" if broken else "failed" if failing else "passed"
    exit_code = {"passed": 0, "failed": 1, "incomplete": 3}[verdict]
    return Gate(verdict=verdict, exit_code=exit_code, fail_on=fail_on, reasons=tuple(broken + reasons))


def shown_thumbnails(outcomes: Iterable[Outcome], dataset: Dataset) -> dict[str, bytes]:
    """Thumbnails of the records that findings and tables point to, each check in turn, at most MAX_THUMBNAILS."""
    wanted: dict[str, None] = {}
    per_check: list[list[str]] = []
    for outcome in outcomes:
        if outcome.verdict is None or not outcome.verdict.findings:
            continue
        named = [f.where.record for f in outcome.verdict.findings if f.where.record is not None]
        for table in outcome.verdict.tables:
            columns = [c.values[:50] for c in table.columns if c.kind == "record"]
            named += [str(value) for row in zip(*columns, strict=True) for value in row if value is not None]
        per_check.append([record for record in named if record in dataset.thumbnails])
    share = MAX_THUMBNAILS // max(1, len(per_check))
    for named in per_check:
        wanted.update(dict.fromkeys(list(dict.fromkeys(named))[:share]))
    return {record: dataset.thumbnails[record] for record in wanted}


@dataclass(kw_only=True)
class Clock:
    """Times of the stages."""

    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    laps: dict[str, float] = field(default_factory=dict)
    _begin: float = field(default_factory=time.perf_counter)
    _last: float = field(default_factory=time.perf_counter)

    def lap(self, name: str) -> None:
        """The stage `name` has ended."""
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 3)
        self._last = now

    def total(self) -> float:
        """Seconds since the start."""
        return round(time.perf_counter() - self._begin, 3)
