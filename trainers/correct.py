"""What to change and whether it helps: scan → trust → strategies → choice on validation → evaluation, read once.

What is chosen is chosen on the validation records; the evaluation records are predicted by every arm and looked at when
the choice stands. Safe corrections are applied where the evaluation shows no loss beyond the margin, or where no network
can show anything (a new split); everything else is written as a proposal.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from auditor.dataset import Dataset
from auditor.errors import ConfigError
from auditor.progress import Progress, Silent
from auditor.scan import Plan, examine, linked_dataset
from auditor.types import Arm, Evaluation, Proposal, ScanResult
from trainers.bench import Bench
from trainers.choose import Pick, recommended
from trainers.evaluate import choose_best, compare_arms
from trainers.evaluation_tables import difference_table
from trainers.loop import Trained
from trainers.strategies.nothing import Nothing
from trainers.strategy import Case, NotApplicable, Strategy, Trust, strategy_named, title
from trainers.trust import trust_of
from trainers.truth import patients_of, truth_of

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the user asks of `fix`.

    Args:
        strategies: names; `auto` reads the findings.
        trusted, evaluate: a column of yes and no, or a file that lists records (`trainers.trust`).
        unlabelled: a folder of pictures without labels.
        seeds: networks per arm.
        seed: of everything else that is drawn; the networks' seeds are seed, seed + 1, ...
        device: auto, cpu, cuda, cuda:N or mps.
        budget: seconds for all training together; None = as long as it takes.
        margin: a loss of the main metric smaller than this counts as none.
        force: apply what is not shown to do no harm.
        check: propose only, train nothing.
        options: of strategies, text (`from-run`, `encoder`, ...).
    """

    strategies: tuple[str, ...] = ("auto",)
    trusted: str | None = None
    evaluate: str | None = None
    unlabelled: Path | None = None
    seeds: int = 3
    seed: int = 0
    device: str = "auto"
    budget: float | None = None
    margin: float = 0.01
    force: bool = False
    check: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Attempt:
    """One strategy on its way through the run; `on_validation` and `on_evaluation` are (seeds, records, outputs),
    `beside` the same of further networks on the evaluation records.

    `gain` is that over doing nothing on validation, with its standard error.
    """

    strategy: Strategy
    why: str
    proposal: Proposal | None = None
    fits: Sequence[Trained] = ()
    on_validation: Floats | None = None
    on_evaluation: Floats | None = None
    beside: Mapping[str, Floats] = field(default_factory=dict)
    evaluation: Evaluation | None = None
    gain: tuple[float, float] = (float("nan"), float("nan"))
    skipped: str = ""

    @property
    def arm(self) -> Arm:
        """What reports show of it."""
        return Arm(
            strategy=self.strategy.name, title=title(type(self.strategy)), why=self.why, proposal=self.proposal,
            evaluation=self.evaluation, skipped=self.skipped,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """What `correct` found out; nothing is written yet.

    Args:
        dataset, before: as scanned.
        trust: the parts of the records; None where no network was to be trained.
        attempts: every strategy that was tried.
        chosen: those whose proposals go into the copy, in order.
        reasons: why these and not others, a sentence each.
        bench: the networks' pictures, task and recipe.
    """

    dataset: Dataset
    before: ScanResult
    trust: Trust | None
    attempts: tuple[Attempt, ...]
    chosen: tuple[Attempt, ...]
    bench: Bench
    reasons: tuple[str, ...] = ()

    @property
    def pending(self) -> int:
        """Corrections, weights and removals that the chosen proposals hold."""
        proposals = [a.proposal for a in self.chosen if a.proposal is not None]
        return sum(len(p.corrections) + len(p.weights) + len(p.removed) + len(p.files) for p in proposals)


def correct(target: Path, order: Order, plan: Plan, *, work: Path, progress: Progress | None = None) -> Corrected:
    """Scan a dataset, propose, train and evaluate; the user's data are only read.

    Args:
        target: a folder, a label table or an npz.
        order, plan: what to do; `plan` is that of the scan.
        work: private folder for decoded pictures and checkpoints; a second run with the same order goes on from there.
        progress: told how far it is.

    Raises:
        DatasetError: the dataset cannot be opened.
        ConfigError: an option is wrong.
    """
    progress = progress or Silent()
    told = plan.config.strategies
    wanted = {name: strategy_named(name, told.get(name)) for name in order.strategies if name != "auto"}
    for name in told:  # a mistake in the file is told before an hour of training, not after
        strategy_named(name, told[name])
    seen = examine(target, plan, progress=progress)
    dataset, before = seen.dataset, seen.result
    trust, untrusted = parts(dataset, order)
    unlabelled = opened_pool(order, plan, progress)
    automatic = "auto" in order.strategies
    picks = [Pick(strategy=name, why="asked for") for name in wanted]
    if automatic:
        named = {p.strategy for p in picks}
        found = recommended(before, trust, unlabelled=unlabelled is not None)
        picks += [p for p in found if p.strategy not in named]
    believed = trust if trust is not None else nobody(dataset)
    bench = Bench(
        dataset, believed, work=work, device=order.device, unlabelled=unlabelled, limits=plan.config.limits_of(),
        progress=progress, workers=plan.workers if plan.workers is not None else max(1, os.cpu_count() or 1),
    )  # fmt: skip
    case = Case(
        dataset=dataset, result=before, trust=believed, bench=bench, work=work, unlabelled=unlabelled,
        seed=order.seed, options=order.options, progress=progress,
    )  # fmt: skip
    attempts = [
        Attempt(strategy=wanted.get(p.strategy) or strategy_named(p.strategy, told.get(p.strategy)), why=p.why) for p in picks
    ]
    for attempt in attempts:
        proposed(attempt, case, untrusted if attempt.strategy.trains and trust is None else "")
    if not order.check and trust is not None and any(a.strategy.trains and not a.skipped for a in attempts):
        trained(attempts, case, order)
    chosen, reasons = selected(attempts, order, automatic=automatic)
    return Corrected(
        dataset=dataset, before=before, trust=trust, attempts=tuple(attempts), chosen=chosen, reasons=reasons, bench=bench,
    )  # fmt: skip


def parts(dataset: Dataset, order: Order) -> tuple[Trust | None, str]:
    """The parts of the records, or None and why there are none. What the user named must be there."""
    try:
        return trust_of(dataset, trusted=order.trusted, evaluate=order.evaluate, seed=order.seed), ""
    except ConfigError as error:
        if order.trusted is not None or order.evaluate is not None:
            raise
        return None, str(error)


def nobody(dataset: Dataset) -> Trust:
    """No part at all: for strategies that train nothing, on data that nothing can be trained on."""
    none = np.zeros(dataset.size, dtype=np.bool_)
    return Trust(trusted=none, validation=none, evaluation=none, training=~none, origin="nobody", self_graded=True)


def opened_pool(order: Order, plan: Plan, progress: Progress) -> Dataset | None:
    """The pictures without labels, opened and measured."""
    if order.unlabelled is None:
        return None
    return linked_dataset(order.unlabelled, Plan(config=plan.config, workers=plan.workers, cache=plan.cache), progress=progress)


def proposed(attempt: Attempt, case: Case, hindrance: str) -> None:
    """Ask one strategy what it would do."""
    if hindrance:
        attempt.skipped = hindrance
        return
    try:
        attempt.proposal = attempt.strategy.propose(case)
    except NotApplicable as reason:
        attempt.skipped = str(reason)


def trained(attempts: Sequence[Attempt], case: Case, order: Order) -> None:
    """Train every arm and doing nothing, with the same seeds, and evaluate them on records that none of them saw."""
    bench = case.bench
    baseline = Attempt(strategy=Nothing(), why="")
    baseline.proposal = baseline.strategy.propose(case)
    arms = [baseline, *(a for a in attempts if a.strategy.trains and not a.skipped)]
    seeds = [order.seed + i for i in range(order.seeds)]
    ends = None if order.budget is None else time.monotonic() + order.budget
    left = len(arms) * len(seeds)
    for attempt in arms:
        assert attempt.proposal is not None
        fits: list[Trained] = []
        try:
            for seed in seeds:
                bench.allow(None if ends is None else max(1.0, (ends - time.monotonic()) / left))
                fits.append(attempt.strategy.fit(case, attempt.proposal, seed))
                left -= 1
            attempt.proposal = attempt.strategy.conclude(case, attempt.proposal, fits)
        except NotApplicable as reason:
            left -= len(seeds) - len(fits)
            attempt.skipped = str(reason)
            continue
        attempt.fits = fits
        attempt.on_validation = np.stack([bench.predict(f, case.trust.validation) for f in fits])
        attempt.on_evaluation = np.stack([bench.predict(f, case.trust.evaluation) for f in fits])
        others = [attempt.strategy.beside(case, f) for f in fits]
        attempt.beside = {
            name: np.stack([bench.predict(other[name], case.trust.evaluation) for other in others]) for name in others[0]
        }
    truth, task = truth_of(case, case.trust.evaluation), bench.task
    for attempt in arms[1:]:
        if attempt.on_evaluation is None or baseline.on_evaluation is None:
            continue
        attempt.evaluation = compare_arms(
            truth, baseline.on_evaluation, attempt.on_evaluation, patients=patients_of(case, case.trust.evaluation),
            task=task.kind, classes=task.classes, margin=order.margin, seed=order.seed, self_graded=case.trust.self_graded,
            arm=attempt.strategy.name, baseline=baseline.strategy.name, unit=unit_of(case.dataset),
        )  # fmt: skip
        attempt.evaluation = with_others(attempt.evaluation, attempt, case, order)
        attempt.gain = gain_of(attempt, baseline, case, order)


def with_others(evaluation: Evaluation, attempt: Attempt, case: Case, order: Order) -> Evaluation:
    """The evaluation with a table and a sentence on each further network that the arm is compared with."""
    rows, task = case.trust.evaluation, case.bench.task
    assert attempt.on_evaluation is not None
    for name, predictions in attempt.beside.items():
        against = compare_arms(
            truth_of(case, rows), predictions, attempt.on_evaluation, patients=patients_of(case, rows), task=task.kind,
            classes=task.classes, margin=order.margin, seed=order.seed, self_graded=case.trust.self_graded,
            arm=attempt.strategy.name, baseline=name, unit=unit_of(case.dataset),
        )  # fmt: skip
        table = difference_table(
            f"against_{name}", f"Against the {name}", against.metrics, before=f"The {name}", after=attempt.strategy.name
        )
        note = f"against the {name}: {against.summary}"
        evaluation = replace(evaluation, tables=(*evaluation.tables, table), notes=(*evaluation.notes, note))
    return evaluation


def gain_of(attempt: Attempt, baseline: Attempt, case: Case, order: Order) -> tuple[float, float]:
    """Gain of the main metric over doing nothing on the validation records, and its standard error; NaN where unknown."""
    assert attempt.on_validation is not None
    assert baseline.on_validation is not None
    rows, task = case.trust.validation, case.bench.task
    arms = {"nothing": baseline.on_validation, "arm": attempt.on_validation}
    choice = choose_best(
        truth_of(case, rows), arms, baseline="nothing", patients=patients_of(case, rows), task=task.kind,
        classes=task.classes, seed=order.seed,
    )  # fmt: skip
    return choice.gains.get("arm", float("nan")), choice.errors.get("arm", float("nan"))


def selected(attempts: Sequence[Attempt], order: Order, *, automatic: bool) -> tuple[tuple[Attempt, ...], tuple[str, ...]]:
    """Which proposals go on, and why. Strategies with one answer compete on the validation records, where they were trained.

    Where validation cannot tell two of them apart by more than one standard error, the earlier in the list is taken.
    """
    chosen: list[Attempt] = []
    reasons: list[str] = []
    tried = [a for a in attempts if not a.skipped and a.proposal is not None]
    for attempt in tried:
        if not attempt.strategy.trains or order.check:
            chosen.append(attempt)
            continue
        rivals = [a for a in tried if a.strategy.answers == attempt.strategy.answers and a.strategy.trains]
        if attempt is not rivals[0]:
            continue
        best, reason = best_of(rivals, automatic=automatic)
        reasons.append(reason)
        if best is not None:
            chosen.append(best)
    return tuple(chosen), tuple(reasons)


def best_of(rivals: Sequence[Attempt], *, automatic: bool) -> tuple[Attempt | None, str]:
    """The best of several trained strategies on validation; none, when it was ours to choose and all of them lose there.

    A few dozen validation records often cannot tell any of them from doing nothing. Then the first is taken, which the findings
    call for; whether it is applied, the evaluation decides.
    """
    known = [a for a in rivals if np.isfinite(a.gain[0])]
    if not known:
        return rivals[0], f"{rivals[0].strategy.name}: the validation part is too small to choose by"
    top = max(known, key=lambda a: a.gain[0])
    reach = top.gain[0] - (top.gain[1] if np.isfinite(top.gain[1]) else 0.0)
    best = next(a for a in known if a.gain[0] >= reach)
    told = ", ".join(f"{a.strategy.name} {a.gain[0]:+.3f} ± {a.gain[1]:.3f}" for a in known)
    if automatic and top.gain[0] < 0:
        return None, f"every strategy loses on the validation records ({told}): no change recommended"
    near = "" if best is top else f", which {top.strategy.name} does not beat by more than one standard error"
    return best, f"{best.strategy.name} chosen on the validation records{near} (gain over no change: {told})"


def held_back(attempt: Attempt, order: Order) -> str:
    """Why the corrections of a chosen strategy are not applied, or nothing where they are."""
    if order.force or not attempt.strategy.trains:
        return ""
    verdict = attempt.evaluation.verdict if attempt.evaluation is not None else "cannot tell"
    if verdict in ("improved", "not worse"):
        return ""
    return f"{attempt.strategy.name} is not applied: {verdict} on the evaluation records; --force applies it all the same"


def unit_of(dataset: Dataset) -> str:
    """What is drawn anew: patients where their ids tell pictures apart, else pictures that are no copies of each other."""
    return "patient" if dataset.has("patient") and dataset.records["patient"].nunique() > 1 else "picture"
