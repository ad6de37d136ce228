"""One plan for all arms of a run, in samples seen: fixed before the first arm, the same for doing nothing and for strategies.

A clock per arm would compare how busy the machine was: the arm that was trained while it idled has seen more. So a short timing
says what a sample costs, the plan says what share of the epochs everybody makes, and from then on only samples count. The
clock has one more word: what is not finished when the budget ends is not judged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.sealed import seal, unsealed
from auditor.stored import checked, values_of
from trainers.values.effort import Effort
from trainers.values.pictures import Examples, Pictures
from trainers.values.recipe import Recipe
from trainers.values.task import LearningTask

if TYPE_CHECKING:
    import torch

PLANNED = 0.7
"""Of the budget that the plan uses: the machine may be busier later than it was when it was timed."""
LONG = 600
"""Seconds of training from which on a shorter way is named."""
TIMED_BATCHES, TIMED_EPOCHS = 4, 3
PURPOSE = "plan"
MOST_BYTES = 1 << 20
TIMED_PIXELS, LEAST_TIMED = 64 * 64, 16
"""Of larger pictures fewer are timed, so many at least."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds per sample of training, without and with augmentation."""

    plain: float
    augmented: float


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """How long everybody trains.

    Args:
        share: of the epochs that a recipe wants; every recipe of the run is scaled by it.
        epochs, wanted: of plain training, as planned and as its recipe wants.
        samples: that one plain network sees.
        budget: seconds for all training; None = no limit.
        seconds: that all training will probably take; None where nothing was timed.
    """

    share: float = 1.0
    epochs: int = 0
    wanted: int = 0
    samples: int = 0
    budget: float | None = None
    seconds: float | None = None

    @property
    def enough(self) -> bool:
        """One epoch of every arm fits into the budget."""
        return self.share > 0

    @property
    def cut(self) -> bool:
        """Everybody trains for less than the recipe wants."""
        return self.share < 1

    def scaled(self, recipe: Recipe) -> Recipe:
        """The recipe with its share of epochs, one at least."""
        if not self.cut:
            return recipe
        epochs = self.epochs_of(recipe.epochs)
        thaw = None if recipe.thaw is None else min(epochs, round(recipe.thaw * self.share))
        return replace(recipe, epochs=epochs, thaw=thaw)

    def epochs_of(self, wanted: int) -> int:
        """The share of so many epochs, one at least; none of none."""
        return wanted if not self.cut else min(wanted, max(1, round(wanted * self.share)))

    @property
    def words(self) -> str:
        """One sentence for reports."""
        if self.budget is None:
            return f"every arm trains as its recipe wants; a plain network sees {self.samples:,} samples ({self.epochs} epochs)"
        if not self.enough:
            return (
                f"the budget of {duration(self.budget)} is too short: one epoch of every arm takes about "
                f"{duration(self.least)}, all {self.wanted} about {duration(self.whole)}"
            )
        much = f"{self.epochs} of {self.wanted} epochs" if self.cut else f"all {self.epochs} epochs"
        more = f"; all {self.wanted} epochs would take about {duration(self.whole)}" if self.cut else ""
        return (
            f"the budget of {duration(self.budget)} allows {much} for every arm alike: a plain network sees {self.samples:,} "
            f"samples{more}"
        )

    @property
    def foretold(self) -> str:
        """The sentence for whoever waits: with the time that all training will probably take, which no report may depend on."""
        took = 0.0 if self.seconds is None else self.whole * self.share
        clock = f"; with what stands beside them, that will probably take {duration(took)} of training here" if took else ""
        quarter = duration(took / 4).replace(" ", "").removesuffix("in")
        cure = f" (--budget {quarter} would cut it to about a quarter)" if took > LONG else ""
        return self.words + (clock + cure if self.budget is None else "")

    @property
    def whole(self) -> float:
        """Seconds that all epochs of all arms would take, with what is kept in reserve."""
        return self._full / PLANNED

    @property
    def least(self) -> float:
        """Seconds that one epoch of all arms takes, with what is kept in reserve."""
        return self.whole / max(1, self.wanted)

    @property
    def _full(self) -> float:
        return self.seconds or 0.0


def planned(
    recipe: Recipe, examples: int, efforts: Sequence[Effort], *, seeds: int, budget: float | None, pace: Pace | None
) -> TrainingPlan:
    """The plan.

    Args:
        recipe: of plain training, as it wants to be.
        examples: that plain training learns from.
        efforts: one per arm, that of plain training too.
        pace: None where nothing was timed; without a budget it says how long everybody trains, and changes nothing.
    """
    free = TrainingPlan(epochs=recipe.epochs, wanted=recipe.epochs, samples=recipe.epochs * examples)
    if pace is None:
        return free
    each = sum(seeds * (e.plain * pace.plain + e.augmented * pace.augmented) + e.once * pace.augmented for e in efforts)
    whole = recipe.epochs * examples * each
    if budget is None:
        return replace(free, seconds=whole)
    # whole epochs of plain training: a part of one would show some pictures more often than others
    epochs = recipe.epochs if whole <= 0 else min(recipe.epochs, int(recipe.epochs * budget * PLANNED / whole))
    return TrainingPlan(
        share=epochs / recipe.epochs, epochs=epochs, wanted=recipe.epochs, samples=epochs * examples, budget=budget,
        seconds=whole,
    )  # fmt: skip


def timed(pictures: Pictures, examples: Examples, task: LearningTask, recipe: Recipe, device: torch.device) -> Pace | None:
    """Two short trainings of a few batches, the first epoch of which warms up; None where there is nothing to learn from."""
    from trainers.engine.loop import train  # PyTorch takes its time, and not every run trains

    share = min(1.0, TIMED_PIXELS / np.prod(pictures.shape, dtype=np.float64))
    few = examples.take(slice(0, max(min(recipe.batch, LEAST_TIMED), round(TIMED_BATCHES * recipe.batch * share))))
    if not len(few):
        return None

    def seconds(augmentation: str) -> float:
        trial = replace(recipe, epochs=TIMED_EPOCHS, augmentation=augmentation, patience=None)  # type: ignore[arg-type]
        epochs = train(pictures, few, task, trial, seed=0, device=device).history[1:]
        return float(np.median([e.seconds for e in epochs])) / len(few)

    plain = seconds("off")
    return Pace(plain=plain, augmented=max(plain, seconds("standard")))


def remembered(place: Path, wanted: Sequence[Any]) -> TrainingPlan | None:
    """The plan of an interrupted run that wanted the same, which goes on from its checkpoints; None where there is none."""
    try:
        stored = values_of(unsealed(PURPOSE, place, most_bytes=MOST_BYTES))
        if not isinstance(stored, dict) or stored.get("key") != key(wanted):
            return None
        return checked(TrainingPlan, stored.get("plan"))
    except (OSError, ValueError):
        return None


def remember(plan: TrainingPlan, place: Path, wanted: Sequence[Any]) -> None:
    """Writes the plan for a run that goes on."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.write_bytes(seal(PURPOSE, json.dumps({"key": key(wanted), "plan": asdict(plan)}).encode()))


def key(values: Sequence[Any]) -> str:
    """A digest of plain values and of whatever prints the same each time."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=repr).encode()).hexdigest()[:16]


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 100:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
