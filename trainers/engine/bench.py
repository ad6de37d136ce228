"""The bench: where training happens. It binds what is shown (`material`) to a recipe; nothing is done before asked.

A strategy says what to train on; how it is trained is decided here, once, so that all arms of a comparison have the same
network, epochs and compute. Of several processes (`trainers.engine.crew`) the first one alone has a bench.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, Unpack

import numpy as np

from auditor.prediction.folds import assign_folds
from auditor.progress import announce, speaks
from auditor.values.dataset import Dataset
from auditor.values.errors import DatasetError
from trainers.engine.automatic import automatic
from trainers.engine.material import Material, Showing
from trainers.engine.plan import TrainingPlan, planned, remember, remembered, timed
from trainers.values.effort import Effort, Spent
from trainers.values.pictures import Examples, Floats, Rows
from trainers.values.recipe import Recipe, Trained
from trainers.values.task import LearningTask
from trainers.values.trust import Bools, Trust
from trainers.values.view import View


class Bench(Material):
    """Trains and predicts for one dataset.

    Args:
        recipe: how to train; None = chosen by task, size, device and network (`automatic`).

    The others are those of `Material`.
    """

    def __init__(self, dataset: Dataset, trust: Trust, *, recipe: Recipe | None = None, **how: Unpack[Showing]) -> None:
        super().__init__(dataset, trust, **how)
        self._wanted = recipe
        self.plan = TrainingPlan()
        self.spent: list[Spent] = []
        self._deadline: float | None = None

    @cached_property
    def recipe(self) -> Recipe:
        """How it is trained; decided at the first use and the same for everyone from then on."""
        if self._before is not None and type(self._before.task) is type(self.task):
            return self._before.recipe
        return self.plan.scaled(self.whole_recipe)

    @cached_property
    def whole_recipe(self) -> Recipe:
        """How it would be trained if time were no matter."""
        if self._wanted is not None:
            return self._wanted
        return automatic(self.task, len(self._usable(self.trust.training)), self.device.type, self.network)

    def plan_for(
        self, efforts: Sequence[Effort], *, seeds: int, budget: float | None, name: str = "plan"
    ) -> TrainingPlan:  # fmt: skip
        """Fixes how long everybody trains from now on, before the first arm; see `trainers.engine.plan`.

        Args:
            efforts: one per arm, that of plain training too.
            budget: seconds for all of it; None = as long as the recipes want.
            name: of the file that remembers it.
        """
        vars(self).pop("recipe", None)  # of a network that was asked for before there was a plan
        examples, wanted = self._usable(self.trust.training), self.whole_recipe
        asked = [repr(wanted), repr(self.task), len(examples), [repr(e) for e in efforts], seeds, budget, str(self.device)]
        place = self.work / f"{name}.json"
        known = remembered(place, asked)
        if known is None:
            asking = budget is not None or speaks(self.progress)
            pace = timed(self.pictures, examples, self.task, wanted, self.device) if asking else None
            known = planned(wanted, len(examples), efforts, seeds=seeds, budget=budget, pace=pace)
            remember(known, place, asked)
        self.plan = known
        if len(examples):
            announce(self.progress, f"{name}: {known.foretold}")
        self._deadline = None if budget is None else time.monotonic() + budget
        return known

    @property
    def out_of_time(self) -> bool:
        """The budget has ended: what is not trained yet is not judged."""
        return self._deadline is not None and time.monotonic() > self._deadline

    def appetite(self, examples: int) -> float:
        """The samples that a network of its own for so many examples sees, as a share of what plain training sees."""
        plain = len(self._usable(self.trust.training))
        mine, usual = (automatic(self.task, n, self.device.type, self.network).epochs * n for n in (examples, plain))
        return mine / max(1, usual)

    def on(self, view: View, trust: Trust | None = None) -> Bench:
        """A bench like this one that shows another view.

        Args:
            trust: who may be believed there. Without it, the view is that of one arm: task and recipe stay those of this
                bench, so that arms can be compared, and pictures are read anew only where the view shows others.
        """
        other = Bench(
            view.dataset, trust or self.trust, work=self.work, device=self._device, recipe=self._wanted,
            unlabelled=self.unlabelled, limits=self._limits, workers=self._workers, progress=self.progress, view=view,
            network=self.network, side=self.side,
        )  # fmt: skip
        other.plan, other.spent, other._deadline = self.plan, self.spent, self._deadline
        other._before = self if trust is None else None
        return other

    def sized(self, *, network: str | None, side: int | None) -> Bench:
        """A bench like this one with another network and another size of pictures, on which nothing is trained yet."""
        other = self.on(self.view, self.trust)
        other.network, other.side = network, side
        return other

    def train(
        self,
        examples: Examples,
        *,
        seed: int,
        name: str,
        recipe: Recipe | None = None,
        validation: Examples | Literal["trusted"] | None = "trusted",
        start: Trained | None = None,
        dynamics: bool = False,
        task: LearningTask | None = None,
    ) -> Trained:
        """A network trained on the examples.

        Args:
            name: of the checkpoint in `work` and of the stage that progress is told; the same name, examples and seed go on
                from it.
            recipe: in the place of the bench's; change it with `dataclasses.replace`.
            validation: `trusted` = the trusted validation records, looked at where the recipe stops early by them.
            start: go on from this network.
            dynamics: note the probability of the given label, epoch by epoch.
            task: in the place of the bench's.
        """
        from trainers.engine.loop import train

        recipe = recipe or self.recipe
        if validation == "trusted":
            validation = self._usable(self.trust.validation) if recipe.patience is not None else None
        trained = train(
            self.pictures,
            examples,
            task or self.task,
            recipe,
            seed=seed,
            device=self.device,
            validation=validation,
            start=start,
            checkpoint=self.work / name / "checkpoint.pt",
            progress=self.progress,
            deadline=self._deadline,
            dynamics=dynamics,
            name=f"training {name}",
        )
        self.spent.append(Spent.of(trained, name))
        return trained

    def predict(self, trained: Trained | Sequence[Trained], rows: Bools | Rows, *, view: View | None = None) -> Floats:
        """Predictions for records (see `trainers.engine.predict.predict`), in order; of several networks their mean.

        Records that make a unit of the view (default: the bench's) have one prediction together.
        """
        from trainers.engine.predict import predict

        view = view or self.view
        if view.units is not None and rows.ndim == 1:
            rows = view.bags(rows)
        networks = [trained] if isinstance(trained, Trained) else list(trained)
        found = predict(networks[0], self.pictures, rows, device=self.device)
        for other in networks[1:]:
            found = found + predict(other, self.pictures, rows, device=self.device)
        return np.asarray(found / np.float32(len(networks)), np.float32)

    def out_of_fold(self, examples: Examples, *, seed: int, name: str, folds: int = 5, recipe: Recipe | None = None) -> Floats:
        """Predictions for each example by a network that saw neither it nor its group, (len(examples), K).

        Raises:
            DatasetError: all examples are of one group.
        """
        return self.cross_fitted(examples, seed=seed, name=name, folds=folds, recipe=recipe)[1]

    def cross_fitted(
        self, examples: Examples, *, seed: int, name: str, folds: int = 5, recipe: Recipe | None = None
    ) -> tuple[list[Trained], Floats]:
        """A network per fold, and for each example what the one says that saw neither it nor its group, (len(examples), K).

        Raises:
            DatasetError: all examples are of one group.
        """
        count = len(np.unique(examples.groups))
        if count < 2:
            raise DatasetError("all records are of one patient: no network can be judged on others than it learnt from")
        strata = self.task.strata(examples.targets)
        fold = assign_folds(strata, examples.groups, folds=min(folds, count), rng=np.random.default_rng([seed, 5]))
        networks: list[Trained] = []
        found: Floats | None = None
        for k in np.unique(fold):
            networks.append(
                self.train(examples.take(fold != k), seed=seed, name=f"{name}-fold{k + 1}", recipe=recipe, validation=None)
            )
            part = self.predict(networks[-1], examples.rows[fold == k])
            if found is None:
                found = np.zeros((len(examples), *part.shape[1:]), np.float32)
            found[fold == k] = part
        assert found is not None
        return networks, found
