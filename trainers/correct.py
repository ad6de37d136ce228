"""What to change and whether it helps: scan → trust → strategies → choice on validation → evaluation, read once.

What is chosen is chosen on the validation records; the evaluation records are predicted by every arm and looked at when
the choice stands. Safe corrections are applied where the evaluation shows no loss beyond the margin, or where no network
can show anything (a new split); everything else is written as a proposal.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.evidence.privacy.withhold import Names
from auditor.layout import Options
from auditor.plan import Plan
from auditor.progress import Progress, Silent
from auditor.scan import examine, linked_dataset
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.results import SURE, ScanResult, Table
from trainers.attempt import Attempt, Order, proposed, trained
from trainers.choose import Pick, answers, recommended
from trainers.copying.additions import Addition, additions_of
from trainers.copying.source import check_form
from trainers.engine.bench import Bench
from trainers.sizing import sized
from trainers.strategy import Case, strategy_named
from trainers.survival import with_survival
from trainers.trust import trust_of
from trainers.values.trust import Trust
from trainers.values.view import View

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """What `correct` found out; nothing is written yet.

    Args:
        dataset, before, names: as scanned (`auditor.scan.Examined`).
        trust: the parts of the records; None where no network was to be trained.
        attempts: every strategy that was tried.
        chosen: those whose proposals go into the copy, in order.
        reasons: why these and not others, a sentence each.
        bench: the networks' pictures, task and recipe.
        answers: finding by finding what would mend it and what was chosen; None where the strategies were not ours to choose.
    """

    dataset: Dataset
    before: ScanResult
    names: Names
    trust: Trust | None
    attempts: tuple[Attempt, ...]
    chosen: tuple[Attempt, ...]
    bench: Bench
    reasons: tuple[str, ...] = ()
    answers: Table | None = None

    @property
    def pending(self) -> int:
        """Corrections, weights and removals that the chosen proposals hold, and records that they add."""
        proposals = [a.proposal for a in self.chosen if a.proposal is not None]
        changes = sum(len(p.corrections) + len(p.weights) + len(p.removed) + len(p.files) for p in proposals)
        return changes + len(added_by(self.chosen))


def added_by(attempts: Sequence[Attempt]) -> tuple[Addition, ...]:
    """The records that these strategies made, each told once, of the one that made it."""
    found: dict[str, Addition] = {}
    for attempt in attempts:
        if attempt.view is not None:
            new = additions_of(attempt.view, attempt.strategy.name, known=found)
            found |= {addition.record: addition for addition in new}
    return tuple(found.values())


def correct(order: Order, plan: Plan, *, work: Path, progress: Progress | None = None) -> Corrected:
    """Scan a dataset, propose, train and evaluate; the user's data are only read.

    Args:
        order: what to do.
        plan: that of the scan, with the dataset.
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
    if order.network is not None:
        from trainers.engine.models import known_network
        from trainers.engine.own_network import trusted_network

        trusted_network(known_network(order.network), trust_program=order.options.get("trust-program") == str(True))
    seen = examine(plan, progress=progress, provide={"links", "pixels", "rows"})
    dataset, before = seen.dataset, seen.result
    check_form(dataset)
    # what was trained or chosen on other pictures or labels is of no use to this run
    work = work / content_key(dataset)
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
        network=order.network, side=order.side,
    )  # fmt: skip
    case = Case(
        dataset=dataset, result=before, trust=believed, bench=bench, work=work, unlabelled=unlabelled,
        seed=order.seed, options=order.options, progress=progress,
    )  # fmt: skip
    attempts = [
        Attempt(strategy=wanted.get(p.strategy) or strategy_named(p.strategy, told.get(p.strategy)), why=p.why) for p in picks
    ]
    # what changes the data comes first: what is learnt is learnt from what the copy will hold
    attempts.sort(key=lambda attempt: attempt.strategy.trains)
    doubt = unsure(dataset, plan.options)
    size = ""
    for attempt in attempts:
        first = next((a.strategy.name for a in attempts if a.strategy.alone and a.proposal is not None), "")
        if first and automatic and attempt.strategy.name not in wanted:
            attempt.skipped = f"{first} makes a copy of its own: fix that copy afterwards"
            continue
        if attempt.strategy.trains and not size and not order.check and trust is not None and not doubt:
            case, order, size = sized(case, order, arms=1 + sum(a.strategy.trains for a in attempts))
        proposed(attempt, case, doubt or (untrusted if attempt.strategy.trains and trust is None else ""))
        if not attempt.strategy.trains and attempt.proposal is not None:
            old, believable = case, trust is not None
            case, trust, untrusted = shown_after(attempt, case, order)
            if attempt.strategy.redraws and believable and not order.check:
                own = budget_of(order, attempts)
                seeds = range(order.seed, order.seed + order.seeds)
                attempt.proposal = with_survival(attempt.proposal, old, case.bench.view, seeds=seeds, budget=own)
                order = order if own is None or order.budget is None else replace(order, budget=order.budget - own)
    bench = case.bench
    if not order.check and trust is not None and any(a.strategy.trains and not a.skipped for a in attempts):
        trained(attempts, case, order)
    chosen, reasons = selected(attempts, order, automatic=automatic)
    reasons = (size, *reasons) if size else reasons
    return Corrected(
        dataset=dataset, before=before, names=seen.names, trust=trust, attempts=tuple(attempts), chosen=chosen,
        reasons=reasons, bench=bench, answers=answers(before, picks, believed=trust is not None) if automatic else None,
    )  # fmt: skip


def budget_of(order: Order, attempts: Sequence[Attempt]) -> float | None:
    """Seconds of the budget for the two networks of the old and the new files: as many as for each arm that is trained, doing
    nothing among them."""
    if order.budget is None:
        return None
    arms = sum(a.strategy.trains and not a.skipped for a in attempts)
    return order.budget * (2 / (3 + arms) if arms else 1.0)


def unsure(dataset: Dataset, options: Options) -> str:
    """Why nothing is corrected: what the labels are is a guess that something speaks against, and nobody pinned it."""
    guess = next((g for g in dataset.summary.guesses if g.role == "label"), None)
    if guess is None or guess.pinned or guess.confidence >= SURE or options.layout is not None:
        return ""
    return (
        f"the labels are guessed ({guess.value}) and only {guess.confidence:.0%} sure: {guess.why}; if they are right, say "
        f"--layout {dataset.summary.layout}, or name them with --label"
    )


def parts(dataset: Dataset, order: Order) -> tuple[Trust | None, str]:
    """The parts of the records, or None and why there are none. What the user named must be there."""
    try:
        return trust_of(dataset, trusted=order.trusted, evaluate=order.evaluate, seed=order.seed), ""
    except ConfigError as error:
        if order.trusted is not None or order.evaluate is not None:
            raise
        return None, str(error)


def shown_after(attempt: Attempt, case: Case, order: Order) -> tuple[Case, Trust | None, str]:
    """The case of the strategies that follow one that changes data: its view, and who may be believed there."""
    assert attempt.proposal is not None
    view = attempt.view = attempt.strategy.view(case, attempt.proposal, force=order.force)
    trust, untrusted = parts(view.dataset, order)
    believed = staying(trust if trust is not None else nobody(view.dataset), view)
    bench = case.bench.on(view, believed)
    trust = believed if trust is not None else None
    return replace(case, dataset=view.dataset, bench=bench, trust=believed), trust, untrusted


def staying(trust: Trust, view: View) -> Trust:
    """The parts without the records that leave."""
    stay = view.staying
    return replace(
        trust, trusted=trust.trusted & stay, validation=trust.validation & stay, evaluation=trust.evaluation & stay,
        training=trust.training & stay,
    )  # fmt: skip


def nobody(dataset: Dataset) -> Trust:
    """No part at all: for strategies that train nothing, on data that nothing can be trained on."""
    none = np.zeros(dataset.size, dtype=np.bool_)
    return Trust(trusted=none, validation=none, evaluation=none, training=~none, origin="nobody", self_graded=True)


def opened_pool(order: Order, plan: Plan, progress: Progress) -> Dataset | None:
    """The pictures without labels, opened and measured."""
    if order.unlabelled is None:
        return None
    return linked_dataset(
        Plan(target=order.unlabelled, config=plan.config, workers=plan.workers, cache=plan.cache), progress=progress
    )


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
        reason = rivals[0].cut or "the validation part is too small to choose by"
        return rivals[0], f"{rivals[0].strategy.name}: {reason}"
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


def content_key(dataset: Dataset) -> str:
    """A digest over records, labels and pictures: the same for the same data."""
    digest = hashlib.blake2b(digest_size=8)
    for frame in (dataset.records, dataset.labels.values.to_frame(), dataset.fingerprints):
        digest.update(pd.util.hash_pandas_object(frame.astype("string"), index=True).to_numpy().tobytes())
    return digest.hexdigest()
