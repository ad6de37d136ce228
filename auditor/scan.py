"""The main job: select checks → the stages that they need → check → waive → ScanResult."""

from __future__ import annotations

import inspect
import platform
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from auditor.asking import asked_by
from auditor.evidence.privacy.withhold import Names, Withholding, withheld_names
from auditor.gate import gate
from auditor.outcomes import judged
from auditor.plan import Plan, Predictor, plan_for
from auditor.progress import Progress, Silent
from auditor.seen import seen_of
from auditor.stage import gather
from auditor.stages.reviews import review_thumbnails
from auditor.values.dataset import Dataset
from auditor.values.results import SCHEMA_VERSION, Outcome, Run, ScanResult
from auditor.waivers import Acceptance, waived

MAX_THUMBNAILS = 200


@dataclass(frozen=True, kw_only=True)
class Examined:
    """A scan's result and the dataset it was judged on, for whoever goes on from there.

    Args:
        names: what the result shows in the place of what could name a person.
    """

    dataset: Dataset
    result: ScanResult
    names: Names


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
    plan = plan_for(Path(target)) if plan is None else replace(plan, target=Path(target))
    return examine(plan, progress=progress, predictor=predictor).result


def examine(
    plan: Plan, *, progress: Progress | None = None, predictor: Predictor | None = None, provide: Collection[str] = ()
) -> Examined:
    """The result of a scan, and the dataset as the checks saw it.

    Args:
        plan: with its target.
        progress: told how far it is.
        predictor: as for `scan`.
        provide: what whoever goes on from there needs of the dataset (see `auditor.stage`), whatever the checks look at.

    Raises:
        DatasetError: the dataset cannot be opened.
        ConfigError: an option does not fit the dataset.
    """
    clock, progress = Clock(), progress or Silent()
    asked = asked_by(plan)
    gathered = gather(replace(plan, progress=progress, predictor=predictor), asked=asked.needs.union(provide), given=True)
    clock.laps.update(gathered.seconds)
    clock.restart()
    dataset = gathered.dataset
    names = withheld_names(dataset)
    hidden = Withholding(names)
    outcomes = judged(asked, dataset, progress)
    clock.lap("check")
    thumbnails = shown_thumbnails(outcomes, dataset)
    # before waivers are matched, so that they fit what a report shows
    outcomes = hidden.of(outcomes)
    pictures = review_thumbnails(outcomes, dataset, hidden, seed=plan.config.scan.seed)
    told = plan.config.scan
    accepted = Acceptance(
        waivers=plan.config.waivers, ignores=told.per_path_ignores, baseline=plan.accepted, tolerance=told.baseline_tolerance,
        today=plan.today,
    )  # fmt: skip
    outcomes = waived(outcomes, accepted, asked)
    verdict = gate(
        outcomes, told.fail_on, asked.required, seen_of(dataset, outcomes), strict=told.strict, set_aside=plan.set_aside
    )
    result = ScanResult(
        schema_version=SCHEMA_VERSION,
        tool_version=plan.tool_version,
        dataset=hidden.of(dataset.summary),
        records=dataset.size,
        outcomes=outcomes,
        gate=hidden.of(verdict),
        documentation={type(c).code: inspect.getdoc(type(c)) or "" for c in asked.checks},
        configuration={"seed": told.seed, "fail_on": told.fail_on},
        thumbnails={**hidden.of(thumbnails), **pictures},
        run=Run(
            started=clock.started, seconds=clock.total(), host=platform.node(), stages=dict(clock.laps), cache=gathered.counts
        ),
    )
    return Examined(dataset=dataset, result=result, names=names)


def opened_dataset(plan: Plan) -> Dataset:
    """Open a dataset; no image is looked at.

    Raises:
        DatasetError: the dataset cannot be opened.
    """
    return gather(plan, asked={"records"}).dataset


def read_dataset(plan: Plan, *, progress: Progress | None = None) -> Dataset:
    """Open a dataset and measure its files.

    Raises:
        DatasetError: the dataset cannot be opened.
    """
    return gather(replace(plan, progress=progress or Silent()), asked={"metadata", "pixels"}).dataset


def linked_dataset(plan: Plan, *, progress: Progress | None = None) -> Dataset:
    """The same, and find what is the same image, acquisition or patient.

    Raises:
        DatasetError: the dataset cannot be opened.
    """
    return gather(replace(plan, progress=progress or Silent()), asked={"links"}).dataset


def shown_thumbnails(outcomes: Iterable[Outcome], dataset: Dataset) -> dict[str, bytes]:
    """Thumbnails of what was taken for each class, and of the records that findings and tables point to, each check in turn, at
    most MAX_THUMBNAILS of them."""
    samples = [record for records in dataset.summary.samples.values() for record in records]
    wanted: dict[str, None] = dict.fromkeys(record for record in samples if record in dataset.thumbnails)
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

    def restart(self) -> None:
        """What went before has been told."""
        self._last = time.perf_counter()

    def total(self) -> float:
        """Seconds since the start."""
        return round(time.perf_counter() - self._begin, 3)
