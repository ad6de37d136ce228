"""One strategy on its way through a run: proposed, trained beside doing nothing, evaluated on records that it never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from auditor.values.corrections import Arm, Evaluation, Proposal
from auditor.values.dataset import Dataset
from trainers.engine.bench import Bench
from trainers.engine.plan import duration
from trainers.grading.evaluate import choose_best, compare_arms
from trainers.grading.evaluation_tables import difference_table, spent_table
from trainers.grading.wording import count
from trainers.references import above, effort_of, trained_beside, unproven
from trainers.strategies.nothing import Nothing
from trainers.strategy import Case, NotApplicable, Strategy, title
from trainers.truth import patients_of, truth_of
from trainers.values.effort import Spent
from trainers.values.recipe import Trained
from trainers.values.trust import Bools
from trainers.values.view import View

Floats = npt.NDArray[np.float32]


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
        budget: seconds for all training together: from it one plan in samples is made for all arms; None = no limit.
        margin: a loss of the main metric smaller than this counts as none.
        side: longer side of what networks are shown, in pixels; None = chosen.
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
    side: int | None = None
    force: bool = False
    check: bool = False
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def network(self) -> str | None:
        """The name of the network that is trained; None = chosen."""
        return self.options.get("network")


@dataclass(kw_only=True)
class Attempt:
    """One strategy on its way through the run; `on_validation` and `on_evaluation` are (seeds, records, outputs),
    `beside` the same of further networks on the evaluation records.

    `cut` says why it was not trained as planned, `spent` what training took. `gain` is that over doing nothing on validation,
    with its standard error. `bench` shows what it was trained on, `view` what the strategy made of the dataset.
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
    cut: str = ""
    spent: Spent | None = None
    bench: Bench | None = None
    view: View | None = None

    @property
    def arm(self) -> Arm:
        """What reports show of it."""
        return Arm(
            strategy=self.strategy.name, title=title(type(self.strategy)), why=self.why, proposal=self.proposal,
            evaluation=self.evaluation, skipped=self.skipped,
        )  # fmt: skip


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
    """Train every arm and doing nothing, by one plan and with the same seeds, and evaluate them on records that none saw."""
    baseline = Attempt(strategy=Nothing(), why="")
    baseline.proposal = baseline.strategy.propose(case)
    arms = [baseline, *(a for a in attempts if a.strategy.trains and not a.skipped)]
    if not len(case.bench.examples()):
        for attempt in arms:
            attempt.skipped = "there is no labelled, readable record to train on"
        return
    efforts = [a.strategy.effort(case) for a in arms]
    efforts += [effort_of(effort, order.seeds) for effort in efforts[1:]]
    plan = case.bench.plan_for(efforts, seeds=order.seeds, budget=order.budget)
    for attempt in arms:
        if not plan.enough:
            attempt.cut = plan.words
        else:
            train_arm(attempt, case, order)
    for attempt in arms[1:]:
        if attempt.skipped:
            continue
        if attempt.cut or baseline.cut or baseline.skipped:
            attempt.evaluation = untold(attempt, attempt.cut or baseline.cut or baseline.skipped, case, order)
            continue
        evaluate(attempt, baseline, case, order)


def train_arm(attempt: Attempt, case: Case, order: Order) -> None:
    """The networks of one arm, one per seed, and what they say of the records that are held out."""
    assert attempt.proposal is not None
    fits: list[Trained] = []
    before = len(case.bench.spent)
    try:
        attempt.view = attempt.strategy.view(case, attempt.proposal, force=order.force)
        own = replace(case, bench=case.bench.on(attempt.view))
        bench = attempt.bench = own.bench
        for seed in range(order.seed, order.seed + order.seeds):
            if bench.out_of_time:
                break
            fits.append(attempt.strategy.fit(own, attempt.proposal, seed))
        attempt.spent = Spent.together(attempt.strategy.name, case.bench.spent[before:])
        if len(fits) < order.seeds or not attempt.spent.complete:
            assert order.budget is not None
            attempt.cut = (
                f"the budget of {duration(order.budget)} ended before {attempt.strategy.name} was trained as planned "
                f"({case.bench.plan.epochs} epochs of plain training, {count(order.seeds, 'seed')}): give a larger --budget"
            )
            return
        attempt.proposal = attempt.strategy.conclude(own, attempt.proposal, fits)
    except NotApplicable as reason:
        attempt.skipped = str(reason)
        return
    attempt.fits = fits
    attempt.on_validation = np.stack([bench.predict(f, case.trust.validation) for f in fits])
    attempt.on_evaluation = np.stack([bench.predict(f, case.trust.evaluation) for f in fits])
    others = [attempt.strategy.beside(own, f) for f in fits]
    attempt.beside = {
        name: np.stack([bench.predict(other[name], case.trust.evaluation) for other in others]) for name in others[0]
    }


def evaluate(attempt: Attempt, baseline: Attempt, case: Case, order: Order) -> None:
    """The verdict on one arm, and its gain on the validation records."""
    assert attempt.on_evaluation is not None
    assert attempt.bench is not None
    own, task, rows = replace(case, bench=attempt.bench), attempt.bench.task, case.trust.evaluation
    found = compare_arms(
        truth_of(own, rows), in_units(baseline, attempt, case, rows), attempt.on_evaluation,
        patients=patients_of(own, rows), task=task, margin=order.margin, seed=order.seed,
        self_graded=case.trust.self_graded, arm=attempt.strategy.name, baseline=baseline.strategy.name,
        unit=unit_of(case.dataset),
    )  # fmt: skip
    taken = [a.spent for a in (baseline, attempt) if a.spent is not None]
    found = replace(
        found, tables=(*found.tables, spent_table(taken)),
        notes=(*found.notes, *([case.bench.plan.words] if case.bench.plan.cut else [])),
    )  # fmt: skip
    found = with_others(found, attempt, own, order)
    attempt.evaluation = own_gain(found, attempt, baseline, case, order) if found.verdict == "improved" else found
    attempt.gain = gain_of(attempt, baseline, case, order)


def own_gain(found: Evaluation, attempt: Attempt, baseline: Attempt, case: Case, order: Order) -> Evaluation:
    """A gain over plain training, held against plain training done better; that is trained only where there is a gain."""
    assert attempt.bench is not None
    assert attempt.on_evaluation is not None
    assert attempt.spent is not None
    assert baseline.spent is not None
    times = attempt.spent.samples / max(1, baseline.spent.samples)
    seeds = range(order.seed, order.seed + order.seeds)
    others = trained_beside(case, attempt.strategy.stands_for, times, seeds)
    title = found.metrics[0].title
    if others is None:
        return unproven(found, "the budget ended before plain training done better stood beside it", title)
    own, rows = replace(case, bench=attempt.bench), case.trust.evaluation
    against = {}
    for other in others:
        said = np.stack([case.bench.predict(fit, rows, view=attempt.bench.view) for fit in other.fits])
        evaluation = compare_arms(
            truth_of(own, rows), said, attempt.on_evaluation, patients=patients_of(own, rows), task=attempt.bench.task,
            margin=order.margin, seed=order.seed, arm=attempt.strategy.name, baseline=other.name, unit=unit_of(case.dataset),
        )  # fmt: skip
        against[other.name] = (evaluation, other.spent)
    return above(found, against)


def untold(attempt: Attempt, reason: str, case: Case, order: Order) -> Evaluation:
    """Of an arm that was not trained as planned nothing is told: what it had learnt so far depends on the clock."""
    return Evaluation(
        arm=attempt.strategy.name, baseline=Nothing.name, verdict="cannot tell", summary=f"cannot tell: {reason}", metrics=(),
        records=0, patients=0, seeds=order.seeds, margin=order.margin, self_graded=case.trust.self_graded,
    )  # fmt: skip


def in_units(baseline: Attempt, attempt: Attempt, case: Case, rows: Bools) -> Floats:
    """What plain training says of the units that the attempt is graded by; of pictures it was shown itself."""
    assert attempt.bench is not None
    return np.stack([case.bench.predict(fit, rows, view=attempt.bench.view) for fit in baseline.fits])


def with_others(evaluation: Evaluation, attempt: Attempt, case: Case, order: Order) -> Evaluation:
    """The evaluation with a table and a sentence on each further network that the arm is compared with."""
    rows, task = case.trust.evaluation, case.bench.task
    assert attempt.on_evaluation is not None
    for name, predictions in attempt.beside.items():
        against = compare_arms(
            truth_of(case, rows), predictions, attempt.on_evaluation, patients=patients_of(case, rows), task=task,
            margin=order.margin, seed=order.seed, self_graded=case.trust.self_graded,
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
    if not rows.any():
        return float("nan"), float("nan")
    assert attempt.bench is not None
    own = replace(case, bench=attempt.bench)
    arms = {"nothing": in_units(baseline, attempt, case, rows), "arm": attempt.on_validation}
    choice = choose_best(
        truth_of(own, rows), arms, baseline="nothing", patients=patients_of(own, rows), task=task, seed=order.seed,
    )  # fmt: skip
    return choice.gains.get("arm", float("nan")), choice.errors.get("arm", float("nan"))


def unit_of(dataset: Dataset) -> str:
    """What is drawn anew: patients where their ids tell pictures apart, else pictures that are no copies of each other."""
    return "patient" if dataset.has("patient") and dataset.records["patient"].nunique() > 1 else "picture"
