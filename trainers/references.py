"""What a gain must stand above beside doing nothing: plain training done better, with as many samples as the strategy took.

Averaged weights, early stopping and standard augmentation cost no label and no thought. A strategy whose gain they reach alone
has none of its own; so has one that only computed longer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor.values.corrections import Evaluation
from auditor.values.results import Column, Table
from trainers.grading.wording import lowered, number, signed
from trainers.strategies.nothing import Nothing
from trainers.strategy import Case
from trainers.values.effort import Effort, Spent
from trainers.values.recipe import Recipe, Trained

LONGER, STOPPED, AVERAGED, AUGMENTED = "plain training as long", "early stopping", "averaged weights", "standard augmentation"
MUCH_LONGER = 1.1
"""A strategy that takes so many times the samples of plain training is compared with plain training as long, too."""
MOST_LONGER = 3.0
"""No reference takes more than so many times the samples of plain training; the table tells how many it took."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One way of plain training done better, its networks (one per seed) and what they took."""

    name: str
    fits: tuple[Trained, ...]
    spent: Spent


def effort_of(strategy: Effort, seeds: int) -> Effort:
    """What the references of one arm take at most: each as many samples as the arm."""
    much = min(MOST_LONGER, strategy.plain + strategy.augmented + strategy.once / max(1, seeds))
    return Effort(plain=(3 if much >= MUCH_LONGER else 2) * much, augmented=much)


def ways(plain: Recipe, times: float, *, validation: bool) -> Mapping[str, Recipe]:
    """The recipes: that of plain training for `times` as many epochs, done better in one way each."""
    epochs = max(plain.epochs, round(plain.epochs * min(MOST_LONGER, times)))
    longer = replace(plain, epochs=epochs)
    return {
        AVERAGED: replace(longer, ema=0.99),
        AUGMENTED: replace(longer, augmentation="standard"),
        **({STOPPED: replace(longer, patience=max(3, epochs // 5))} if validation else {}),
        **({LONGER: longer} if times >= MUCH_LONGER else {}),
    }


def trained_beside(case: Case, without: Sequence[str], times: float, seeds: range) -> list[Reference] | None:
    """The networks of all ways but those that the strategy itself is; None where the budget ended before."""
    bench, found = case.bench, []
    proposal = Nothing().propose(case)
    for name, recipe in ways(bench.recipe, times, validation=bool(case.trust.validation.any())).items():
        if name in without:
            continue
        before, fits = len(bench.spent), []
        for seed in seeds:
            if bench.out_of_time:
                return None
            place = f"beside-{name.replace(' ', '-')}-{recipe.epochs}-{seed}"
            fits.append(bench.train(bench.examples(proposal), seed=seed, name=place, recipe=recipe))
        spent = Spent.together(name, bench.spent[before:])
        if not spent.complete:
            return None
        found.append(Reference(name=name, fits=tuple(fits), spent=spent))
    return found


def above(evaluation: Evaluation, against: Mapping[str, tuple[Evaluation, Spent]]) -> Evaluation:
    """An evaluation that says improved, held against each reference: the gain is the strategy's only above the best of them.

    Args:
        against: the evaluation of the arm against each reference, and what that took.
    """
    known = {name: f.metrics[0] for name, (f, _) in against.items() if f.metrics and math.isfinite(f.metrics[0].difference)}
    tables = (*evaluation.tables, _table(against))
    if not known or len(known) < len(against):  # a gain that was not compared is not the strategy's own
        missing = ", ".join(name for name in against if name not in known) or "plain training done better"
        reason = f"{missing} could not be compared with it"
        return unproven(replace(evaluation, tables=tables), reason, evaluation.metrics[0].title)
    best = min(known, key=lambda name: known[name].difference)
    main, rival = evaluation.metrics[0], known[best]
    span = f"{signed(rival.difference)}, 95 % interval {signed(rival.low)} to {signed(rival.high)}"
    what = f"{best}, without any correction, has {lowered(rival.title)} {number(rival.before)}"
    if rival.low > 0:
        note = f"The gain is the strategy's own: the best of plain training, {what} (difference {span})."
        return replace(evaluation, tables=tables, notes=(*evaluation.notes, note))
    return unproven(replace(evaluation, tables=tables), f"{what} (difference to {evaluation.arm} {span})", main.title)


def unproven(evaluation: Evaluation, reason: str, title: str) -> Evaluation:
    """An evaluation whose gain over plain training is not shown to be the strategy's own."""
    rest = evaluation.summary.removeprefix("improved: ")
    first = replace(evaluation.metrics[0], verdict="not worse")
    return replace(
        evaluation, verdict="not worse", metrics=(first, *evaluation.metrics[1:]),
        summary=f"not worse: {rest}; the gain in {lowered(title)} is not shown to be the strategy's own: {reason}",
    )  # fmt: skip


def _table(against: Mapping[str, tuple[Evaluation, Spent]]) -> Table:
    columns: dict[str, tuple[str, Any, list[Any]]] = {
        "way": ("Plain training with", "text", []), "value": ("Main metric", "number", []),
        "difference": ("Gain of the strategy over it", "number", []), "low": ("95 % from", "number", []),
        "high": ("to", "number", []), "samples": ("Samples seen", "integer", []), "seconds": ("Seconds", "number", []),
    }  # fmt: skip
    for name, (found, spent) in against.items():
        main = found.metrics[0] if found.metrics else None
        figures = (None,) * 4 if main is None else (main.before, main.difference, main.low, main.high)
        for (_, _, values), value in zip(
            columns.values(), (name, *figures, spent.samples, round(spent.seconds, 1)), strict=True
        ):
            values.append(value)
    return Table(
        name="references", title="Beside plain training done better, with the samples of the strategy",
        columns=tuple(Column(name=n, kind=kind, values=values, title=title) for n, (title, kind, values) in columns.items()),
    )  # fmt: skip
