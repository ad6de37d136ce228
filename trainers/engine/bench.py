"""The bench: where training happens. It binds a dataset to its pictures, task, recipe and device; nothing is done before asked.

A strategy says what to train on; how it is trained is decided here, once, so that all arms of a comparison have the same
network, epochs and compute. Of several processes (`trainers.engine.crew`) the first one alone has a bench.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from auditor.prediction.folds import assign_folds
from auditor.progress import Progress, Silent
from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError, DatasetError
from auditor.values.image import Limits
from trainers.decoding.model_input import with_channels
from trainers.decoding.pictures import read_pictures
from trainers.decoding.shown import pictures_told
from trainers.decoding.staged import staged
from trainers.engine.automatic import automatic
from trainers.engine.examples import examples_of
from trainers.engine.plan import TrainingPlan, planned, remember, remembered, timed
from trainers.kin import kin
from trainers.kinds import kind_of, task_of
from trainers.values.effort import Effort, Spent
from trainers.values.pictures import Examples, Floats, Pictures, Rows
from trainers.values.recipe import Recipe, Trained
from trainers.values.task import LearningTask
from trainers.values.trust import Bools, Trust
from trainers.values.view import View

if TYPE_CHECKING:
    import torch

MOST_SIDE = {"cpu": 64, "mps": 128, "cuda": 224}
"""Longest side of a picture by device where nobody says more: what trains in minutes there."""
MOST_DENSE_SIDE = {"cpu": 128, "mps": 128, "cuda": 256}
"""The same, where every pixel is answered for."""


class Bench:
    """Trains and predicts for one dataset.

    Args:
        dataset: gathered by a scan.
        trust: which records may be used for what.
        work: private folder of decoded pictures and checkpoints.
        device: auto (CUDA where there is one, else the CPU), cpu, cuda, cuda:N or mps.
        recipe: how to train; None = chosen by task, size, device and network (`automatic`).
        network: its name (`trainers.engine.models`), which may run; None = chosen.
        side: longer side of what networks are shown, in pixels; None = that of the pictures, at most what the device trains in
            minutes. A program has its own.
        unlabelled: a second collection whose pictures may be learnt from; see `pool`.
        workers: processes that decode.
        view: what the strategies so far have made of the dataset; None = nothing.

    Raises:
        ConfigError: the device is not there.
    """

    def __init__(
        self,
        dataset: Dataset,
        trust: Trust,
        *,
        work: Path,
        device: str = "auto",
        recipe: Recipe | None = None,
        unlabelled: Dataset | None = None,
        limits: Limits | None = None,
        workers: int = 1,
        progress: Progress | None = None,
        view: View | None = None,
        network: str | None = None,
        side: int | None = None,
    ) -> None:
        self.dataset, self.trust, self.work, self.unlabelled = dataset, trust, work, unlabelled
        self.view = view or View.of(dataset)
        self._before: Bench | None = None
        self._device = device
        if device not in ("auto", "cpu"):  # these are always there; PyTorch is imported where something is trained
            _ = self.device
        self.progress = progress or Silent()
        self.network, self.side = network, side
        self._wanted, self._limits, self._workers = recipe, limits or Limits(), workers
        self.plan = TrainingPlan()
        self.spent: list[Spent] = []
        self._deadline: float | None = None

    @cached_property
    def device(self) -> torch.device:
        """Where networks compute."""
        return device_named(self._device)

    @property
    def device_name(self) -> str:
        """The device by name; as it was asked for where nothing was computed."""
        return str(self.device) if "device" in vars(self) else self._device

    @cached_property
    def pictures(self) -> Pictures:
        """All pictures, and the masks where those are what is learnt; the dataset's rows, then the unlabelled ones, then those
        that strategies added."""
        if self._before is not None and self.view.shows_the_same_as(self._before.view):
            return self._before.pictures
        kind = kind_of(self.dataset)
        dense, masks = kind is not None and kind.dense, kind is not None and kind.from_masks
        how: Mapping[str, Any] = {"limits": self._limits, "workers": self._workers, "progress": self.progress}
        program = self._program()
        found = read_pictures(
            staged(self.view, self.work / "staged", **how),
            work=self.work,
            more=[more for more in (self.unlabelled, self.view.added) if more is not None],
            side=self.side,
            most=(MOST_DENSE_SIDE if dense else MOST_SIDE)[self.device.type],
            shape=None if program is None else program[1],
            masks=masks,
            **how,
        )
        return found if program is None else with_channels(found, program[0])

    def _program(self) -> tuple[int, tuple[int, ...]] | None:
        """Channels and shape of the pictures that the network wants, where it is a program."""
        if self.network is None:
            return None
        from trainers.engine.own_network import program_input

        return program_input(self.network)

    @property
    def shown(self) -> str:
        """What became of the pictures, for the top of a report: their sizes as stored and as learnt, and their colours."""
        return pictures_told(self.dataset, self.pictures)

    @cached_property
    def task(self) -> LearningTask:
        """What is learnt."""
        if self.view.task is None and self._before is not None:
            return self._before.task
        return (self.view.task or task_of)(self.dataset, self.pictures, np.flatnonzero(self.trust.training).astype(np.int64))

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
            pace = None if budget is None else timed(self.pictures, examples, self.task, wanted, self.device)
            known = planned(wanted, len(examples), efforts, seeds=seeds, budget=budget, pace=pace)
            remember(known, place, asked)
        self.plan = known
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

    @cached_property
    def groups(self) -> Rows:
        """A number per picture: equal for those that must not be torn apart. Every unlabelled picture is alone; what was added
        belongs to what it was made from."""
        known = kin(self.dataset)
        own = int(known.max(initial=-1)) + 1 + np.arange(len(self.pictures.readable) - len(known))
        found = np.concatenate([known, own]).astype(np.int64)
        if self.view.added is not None:
            place = {str(record): row for row, record in enumerate(self.dataset.records.index)}
            for row, record in zip(self._added, self.view.added.records.index, strict=True):
                source = self.view.sources.get(str(record))
                found[row] = found[row] if source is None else known[place[source]]
        return found

    @property
    def _added(self) -> Rows:
        """Rows of the pictures that strategies added."""
        size = 0 if self.view.added is None else self.view.added.size
        return np.arange(len(self.pictures.readable) - size, len(self.pictures.readable), dtype=np.int64)

    @property
    def pool(self) -> Rows:
        """Rows of the readable pictures of `unlabelled`, int64."""
        rows = np.flatnonzero(self.pictures.readable)
        return rows[(rows >= self.dataset.size) & ~np.isin(rows, self._added)].astype(np.int64)

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

    def examples(
        self, proposal: Proposal | None = None, *, rows: Bools | Rows | None = None, only_safe: bool = True
    ) -> Examples:
        """The labels of records as they stand, with what the proposal changes.

        Args:
            rows: which; default those that a network may learn from. Unreadable, unlabelled and removed ones are left out.
            only_safe: without the corrections that a person would have to look at first: what the copy will hold.
        """
        shown = proposal is not None and any(p is proposal for p in self.view.proposals)
        found = self._usable(self.trust.training if rows is None else rows, None if shown else proposal, only_safe=only_safe)
        if rows is not None or self.view.added is None:
            return found
        return found.joined(self._additions())

    def _additions(self) -> Examples:
        """What strategies added, as far as it can be read and is labelled."""
        assert self.view.added is not None
        targets = self.task.targets(self.view.added)
        there = self.task.known(targets) & self.pictures.readable[self._added]
        rows = self._added[there]
        return Examples(
            rows=rows, targets=targets[there], weights=np.ones(len(rows), np.float32), groups=self.groups[rows],
        )  # fmt: skip

    def soft_examples(self, rows: Rows, predictions: Floats, *, weights: Floats | None = None) -> Examples:
        """Examples whose targets are predictions (m, K), as `predict` gives them; also for rows of the `pool`."""
        return Examples(
            rows=rows.astype(np.int64),
            targets=self.task.soft_targets(predictions),
            weights=np.ones(len(rows), np.float32) if weights is None else weights.astype(np.float32),
            groups=self.groups[rows],
        )

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

    def _usable(self, rows: Bools | Rows, proposal: Proposal | None = None, *, only_safe: bool = False) -> Examples:
        chosen = np.asarray(np.flatnonzero(rows) if rows.dtype == np.bool_ else rows, np.int64)
        there = self.pictures.readable if self.pictures.masked is None else self.pictures.readable & self.pictures.masked
        there = there[: self.dataset.size] & self.view.staying
        groups = self.groups[: self.dataset.size]
        found = examples_of(self.dataset, chosen[there[chosen]], self.task, proposal, only_safe=only_safe, groups=groups)
        found = replace(found, weights=found.weights * self.view.weights[found.rows])
        if self.view.units is None:
            return found
        bags = self.view.bags(found.rows)
        place = {int(row): i for i, row in enumerate(found.rows)}
        return replace(found.take(np.array([place[int(row)] for row in bags[:, 0]], np.int64)), rows=bags)


def device_named(name: str) -> torch.device:
    """The device, which is there.

    Raises:
        ConfigError: no such device, or it is not there.
    """
    import torch

    kind, _, number = name.partition(":")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise ConfigError("--device mps: there is no Apple GPU here; take --device auto")
        return torch.device("mps")
    if kind != "cuda" or (number and not number.isdigit()) or name.endswith(":"):
        raise ConfigError(f"--device {name}: give auto, cpu, cuda, cuda:N or mps")
    if not torch.cuda.is_available():
        raise ConfigError(f"--device {name}: PyTorch sees no CUDA GPU here; take --device auto, or install PyTorch for CUDA")
    if number and int(number) >= torch.cuda.device_count():
        last = torch.cuda.device_count() - 1
        raise ConfigError(f"--device {name}: the last GPU here is cuda:{last}")
    return torch.device(name)
