"""What a copy holds of the network that was trained on it: weights, settings, exported forms, and a card.

Its probabilities are calibrated first, on trusted records that chose and did not train: what `medaudit predict` and the
exported forms say are chances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from auditor.prediction.out_of_fold import fit_temperature
from trainers.attempt import Attempt
from trainers.grading.evaluate import score
from trainers.grading.wording import count
from trainers.kin import kin
from trainers.values.recipe import Trained
from trainers.values.trust import Trust

MODEL = "model"
LEAST_CALIBRATING = 20
"""Fewer trusted records bound no temperature."""


def model_files(kept: Sequence[Attempt], trust: Trust | None, work: Path) -> dict[str, Path]:
    """The network of the first applied strategy's first seed, as files of the copy: path in it → file. Empty where none was
    trained, or where it stands on a program that `transfer` borrowed, and its strategy says so.

    Args:
        kept: strategies whose proposals are applied.
        work: private folder; the files lie in `model/` of it.

    Raises:
        MedauditError: there is no room, or no right to write.
    """
    attempt = next((a for a in kept if a.fits), None)
    if attempt is None:
        return {}
    # PyTorch takes its time, and not every run trains
    from trainers.engine.encoder_file import Program
    from trainers.engine.export import export_model
    from trainers.engine.model_file import ARCHITECTURE, CARD, DESCRIPTION, WEIGHTS, save_model
    from trainers.engine.own_network import is_program

    first = attempt.fits[0]
    if isinstance(first.network.get_submodule("encoder"), Program) and not is_program(first.recipe.network):
        return {}
    ours, how = calibrated(attempt, first, trust)
    folder = work / MODEL
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written, told = export_model(ours, folder)
    save_model(ours, folder, notes=[*notes_of(attempt, trust), how, *told])
    names = [WEIGHTS, DESCRIPTION, CARD, *written, *([ARCHITECTURE] if is_program(first.recipe.network) else [])]
    return {f"{MODEL}/{name}": folder / name for name in names}


def calibrated(attempt: Attempt, trained: Trained, trust: Trust | None) -> tuple[Trained, str]:
    """The network with the temperature of least log-loss on the trusted validation records (Guo 2017), and a sentence on it."""
    bench = attempt.bench
    if bench is None or trust is None or not trained.task.probabilistic:
        return trained, "Not calibrated: it gives no probabilities of labels."
    if trust.guessed or trust.self_graded:
        return trained, "Not calibrated: no person stands behind the trusted labels."
    task = bench.task
    targets = task.targets(bench.dataset)
    rows = np.flatnonzero(trust.validation & bench.pictures.readable[: len(targets)] & task.known(targets)).astype(np.int64)
    if len(rows) < LEAST_CALIBRATING or bench.view.units is not None or type(trained.task) is not type(task):
        return trained, f"Not calibrated: {count(len(rows), 'trusted validation record')} (it takes {LEAST_CALIBRATING})."
    said = task.soft_targets(bench.predict(trained, rows))
    known = np.isfinite(targets[rows])
    temperature = fit_temperature(said, targets[rows], known, exclusive=task.exclusive)
    return replace(trained, temperature=trained.temperature * temperature), (
        f"Calibrated on {len(rows):,} trusted records that chose between strategies and did not train."
    )


def notes_of(attempt: Attempt, trust: Trust | None) -> list[str]:
    """Sentences for the card: strategy, pictures, score, comparison, trust."""
    seeds = ", ".join(str(fit.seed) for fit in attempt.fits)
    notes = [f"Strategy {attempt.strategy.name}; networks were trained with the seeds {seeds}, and this is the first"]
    bench = attempt.bench
    if bench is not None:
        notes.append(bench.shown.removesuffix("."))
        notes += scored(attempt, trust)
    if attempt.evaluation is not None:
        notes.append(f"Against plain training: {attempt.evaluation.summary}")
    if trust is not None:
        notes.append(f"Trusted: {trust.origin}")
    return notes


def scored(attempt: Attempt, trust: Trust | None) -> list[str]:
    """Its own score on the evaluation records, with an interval over patients."""
    bench = attempt.bench
    if bench is None or trust is None or attempt.on_evaluation is None:
        return []
    rows = bench.view.firsts(trust.evaluation)
    truth = bench.task.truth(bench.dataset, bench.pictures, rows)
    found = score(truth, attempt.on_evaluation[:1], patients=kin(bench.dataset)[rows], task=bench.task)
    graded = ", graded by a model's own choice of records" if trust.self_graded else ""
    return [
        f"{one.title} {one.value:.3f} (95 % interval {one.low:.3f} to {one.high:.3f}, {int(rows.sum()):,} evaluation records"
        f"{graded})" for one in found[:1]
    ]  # fmt: skip
