"""Does the task survive that files were written anew? A network that learns from the old files beside one of the new ones, by
one plan, with the same seeds, on the same held-out records.

A score that falls is no verdict on the files alone: where how a file was written told the class, the network of the old files
may have read that, on evaluation records that have it too. So it is said, and a person looks at the pictures.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from auditor.values.corrections import Evaluation, Proposal
from auditor.values.results import Cell
from trainers.grading.evaluate import compare_arms
from trainers.grading.evaluation_tables import difference_table
from trainers.grading.wording import LEAST_PATIENTS, count, lowered, number, signed
from trainers.strategies.nothing import Nothing
from trainers.strategy import Case
from trainers.truth import patients_of, truth_of
from trainers.values.effort import Effort
from trainers.values.view import View

MARGIN = 0.02
"""A loss of the main metric smaller than this counts as none."""


def with_survival(proposal: Proposal, case: Case, view: View, *, seeds: range, budget: float | None = None) -> Proposal:
    """The proposal with what two networks say of the old and the new files: a sentence, figures, a table.

    Args:
        case: before the files were written anew, with records to learn from and to evaluate on.
        view: what there is afterwards.
        seeds: of the networks, each of both.
        budget: seconds for all of them; None = no limit.
    """
    untold, found = _compared(case, view, seeds, budget)
    if found is None or not found.metrics:
        words = f"Whether the task survives the new files cannot be told: {untold or 'no metric is defined'}."
        metrics = {**proposal.metrics, "task_survives": None}
        return replace(proposal, summary=f"{proposal.summary} {words}", metrics=metrics)
    survives, words = told(found)
    main = found.metrics[0]
    figures: dict[str, Cell] = {
        "task_metric": main.metric, "task_old_files": round(main.before, 4), "task_new_files": round(main.after, 4),
        "task_difference": round(main.difference, 4), "task_difference_low": round(main.low, 4),
        "task_difference_high": round(main.high, 4), "task_survives": survives,
    }  # fmt: skip
    title = "The task, learnt from the old files and from the new ones"
    table = difference_table("task", title, found.metrics, before="Old files", after="New files")
    return replace(
        proposal, summary=f"{proposal.summary} {words}", metrics={**proposal.metrics, **figures},
        tables=(*proposal.tables, table), notes=(*proposal.notes, *found.notes),
    )  # fmt: skip


def told(found: Evaluation) -> tuple[bool | None, str]:
    """Whether the task survives, None where that cannot be told, and a sentence."""
    main = found.metrics[0]
    span = f"{signed(main.difference)}, 95 % interval {signed(main.low)} to {signed(main.high)}"
    figures = (
        f"{lowered(main.title)} {number(main.before)} with the old files and {number(main.after)} with the new ones "
        f"(difference {span}; {count(found.patients, found.unit)}, {count(found.seeds, 'seed')})"
    )
    if found.self_graded:
        figures += ", self-graded"
    if found.verdict == "neither learnt the task":
        return None, f"Whether the task survives cannot be told: neither network learnt it; {figures}."
    if found.patients < LEAST_PATIENTS or main.verdict == "cannot tell":
        return None, f"Whether the task survives cannot be told: a network has {figures}."
    if main.low > -found.margin:
        return True, f"The task survives: a network has {figures}."
    if main.high < 0:
        return False, (
            f"The task score fell: a network has {figures}. It had learnt how files were written, or the new files lack what "
            "it needs: look at the pictures before and after."
        )
    return None, f"Whether the task survives cannot be told: a network has {figures}."


def _compared(case: Case, view: View, seeds: range, budget: float | None) -> tuple[str, Evaluation | None]:
    """The comparison, or why there is none."""
    bench, rows = case.bench, case.trust.evaluation & view.staying
    plan = bench.plan_for([Effort(), Effort()], seeds=len(seeds), budget=budget, name="survival")
    if not plan.enough:
        return plan.words, None
    anew = bench.on(view)
    if not (len(bench.examples()) and len(anew.examples())):
        return "no labelled, readable record is left to train on", None
    if bench.pictures.masks is not None and bench.pictures.shape != anew.pictures.shape:
        return "the masks are of other sizes than before", None
    nothing, said = Nothing().propose(case), []
    for name, shown in (("old-files", bench), ("new-files", anew)):
        fits = []
        for seed in seeds:
            if bench.out_of_time:
                return "the budget ended before both networks were trained", None
            fits.append(shown.train(shown.examples(nothing), seed=seed, name=f"{name}-{seed}", recipe=bench.recipe))
            if not fits[-1].complete:
                return "the budget ended before both networks were trained", None
        said.append(np.stack([shown.predict(fit, rows) for fit in fits]))
    ids = case.dataset.has("patient") and case.dataset.records["patient"].nunique() > 1
    found = compare_arms(
        truth_of(case, rows), said[0], said[1], patients=patients_of(case, rows), task=bench.task, margin=MARGIN,
        seed=case.seed, self_graded=case.trust.self_graded, arm="new files", baseline="old files",
        unit="patient" if ids else "picture",
    )  # fmt: skip
    return "", replace(found, notes=(*found.notes, *([plan.words] if plan.cut else [])))
