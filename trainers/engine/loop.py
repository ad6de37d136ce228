"""The training loop: one, for every task, strategy and device. Read it from `train` downwards.

Each epoch's randomness (order, augmentation, mixup, dropout) depends on the seed and the number of the epoch alone. So a
resumed training goes on exactly as if it had not been interrupted, and two arms of a comparison see the same order.
"""

from __future__ import annotations

import copy
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from auditor.progress import Progress, Silent
from auditor.values.errors import ConfigError, DatasetError, MedauditError
from trainers.engine.augment import mixed
from trainers.engine.checkpoint import load_checkpoint, plain, save_checkpoint, signature
from trainers.engine.checkpoint_form import Form
from trainers.engine.compiling import Compiled, ready
from trainers.engine.crew import together
from trainers.engine.dynamics import Dynamics
from trainers.engine.feed import Feed, Normaliser, windows_of
from trainers.engine.models import first_network
from trainers.engine.network import Network, freeze
from trainers.engine.optimiser import Anchor, Average, optimiser_of, schedule
from trainers.engine.predict import autocast, placed, predict, score_of
from trainers.engine.randomness import private_randomness
from trainers.engine.team import Team
from trainers.losses import loss_named
from trainers.values.pictures import Examples, Pictures
from trainers.values.recipe import Epoch, Normalisation, Recipe, Trained
from trainers.values.task import LearningTask, described

__all__ = ["Normalisation", "Recipe", "Trained", "predict", "train"]


def train(
    pictures: Pictures,
    examples: Examples,
    task: LearningTask,
    recipe: Recipe,
    *,
    seed: int,
    device: str | torch.device = "auto",
    validation: Examples | None = None,
    start: Trained | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
    deadline: float | None = None,
    dynamics: bool = False,
    name: str = "training",
) -> Trained:
    """A network trained on the examples. Same input and seed: same weights, bit for bit on one CPU thread.

    Args:
        validation: trusted examples; their score is noted after each epoch; it stops the training where there is patience.
        start: go on from these weights (a copy) with their normalisation; the head is new when the task has other outputs.
        checkpoint: file for the state after each epoch; a training with the same input goes on from there.
        deadline: `time.monotonic()` after which no epoch is begun that would probably not end in time; one is always trained.
        dynamics: note the probability of the given label, epoch by epoch (`Trained.dynamics`).
        name: of the stage that `progress` is told.

    Raises:
        DatasetError: there are no examples.
        ConfigError: network, loss and task do not fit.
        MedauditError: the loss is no longer a number.
    """
    if not len(examples) or not float(examples.weights.sum()) > 0:
        raise DatasetError("there is no labelled, readable record to train on")
    began, progress = time.monotonic(), progress or Silent()
    how = {
        "examples": examples, "task": task, "recipe": recipe, "seed": seed, "device": device, "validation": validation,
        "start": start, "deadline": deadline, "dynamics": dynamics, "name": name,
    }  # fmt: skip
    with together(pictures, how):
        team = Team.joined(device)
        with private_randomness(seed, team.device):
            run = _Run(pictures, examples, task, recipe, seed, team, start, dynamics)
            signed = signature(
                pictures,
                (examples, validation),
                (described(task), recipe, seed, dynamics, team.size),
                None if start is None else start.network,
            )
            # the file is the first process's: the others are told what is in it
            state = team.told(load_checkpoint(checkpoint, signed, run.form()) if checkpoint and team.rank == 0 else None)
            if state is not None:
                run.resume(state)
            progress.start(name, recipe.epochs * run.steps)
            progress.advance(run.epoch * run.steps)
            while run.epoch < recipe.epochs and not run.stopped:
                expected = time.monotonic() + (run.history[-1].seconds if run.history else 0.0)
                if team.shared(float(deadline is not None and expected > deadline and run.epoch > 0)):
                    break
                run.train_epoch(progress)
                run.close_epoch(validation, began)
                began = time.monotonic()
                if checkpoint and team.rank == 0:
                    save_checkpoint(checkpoint, run.state() | {"signature": signed})
            progress.finish()
            return run.trained()


class _Run:
    """One training: what changes from step to step."""

    def __init__(
        self,
        pictures: Pictures,
        examples: Examples,
        task: LearningTask,
        recipe: Recipe,
        seed: int,
        team: Team,
        start: Trained | None,
        dynamics: bool,
    ) -> None:
        self.pictures, self.examples, self.task = pictures, examples, task
        self.recipe, self.seed, self.team = recipe, seed, team
        device = team.device
        self.normalisation = start.normalisation if start else Normalisation.of(pictures, examples.rows)
        self.normalise = Normaliser(self.normalisation, task.dims, device)
        self.network = placed(first_network(task, recipe, start), task, device)
        self.average = Average(self.network, recipe.ema) if recipe.ema is not None else None
        self.optimiser, self.anchor = optimiser_of(self.network, recipe), Anchor(self.network, recipe.proximal)
        self.loss = loss_named(recipe.loss, task, examples=len(examples), options=recipe.loss_options).to(device)
        self.feed = Feed(pictures, examples.rows, device, with_masks=task.from_masks, masks=examples.masks)
        softened = task.smoothed(examples.targets, recipe.label_smoothing) if recipe.label_smoothing else examples.targets
        self.targets = torch.from_numpy(softened).to(device)
        self.weights = torch.from_numpy(examples.weights).to(device)
        if recipe.patch and not task.from_masks:
            raise ConfigError("recipe: windows are for masks, other targets are those of whole pictures; set patch to 0")
        if recipe.mixup and self.feed.rows.shape[1] > 1:
            raise ConfigError("recipe: mixup blends single pictures, not bags; set it to 0")
        # every batch has the same size, a multiple of the team's: the last one is filled up from the first
        size = len(examples)
        self.batch = max(team.size, min(recipe.batch, size) // team.size * team.size)
        self.steps = -(-size // self.batch)
        self.epoch = self.step = 0
        self.seconds = 0.0
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] | None = None
        self.best_epoch = -1
        self.stopped = False
        self.dynamics = Dynamics(task, torch.from_numpy(examples.targets).to(device), recipe.epochs) if dynamics else None
        self.frozen: list[nn.Module] = []
        self.model: nn.Module | None = None  # the network, compiled and wrapped; made anew where layers thaw

    def train_epoch(self, progress: Progress) -> None:
        """All examples once."""
        recipe, device = self.recipe, self.team.device
        draw = np.random.default_rng([self.seed, recipe.offset + self.epoch])
        torch.manual_seed(int(draw.integers(2**62)))  # dropout; the generator's former state is restored by `train`
        generator = torch.Generator(device).manual_seed(int(draw.integers(2**62)) + self.team.rank)
        model = self._model()
        order = draw.permutation(len(self.examples))
        chunks = np.resize(order, (self.steps, self.batch)).astype(np.int64)
        memory = {name: buffer.clone() for name, buffer in self.loss.named_buffers()} if self.team.size > 1 else {}
        total = torch.zeros((), device=device)
        for chunk, batch in zip(chunks, self.feed.batches(c[self.team.rank :: self.team.size] for c in chunks), strict=True):
            over = self.step + self.steps * recipe.offset
            rate = recipe.rate * schedule(over / (self.steps * (recipe.planned or recipe.epochs)), recipe.warmup)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            index, weights = batch.places, self.weights[batch.places]
            images, targets = self._cut(batch.images, self.task.learnt(batch.masks, self.targets[index]), draw)
            images, targets = self._augmented(images, targets, generator)
            images = self.normalise(images)
            if recipe.mixup:
                images, targets = mixed(images, targets, float(draw.beta(recipe.mixup, recipe.mixup)), generator)
            with autocast(recipe, device):
                logits = model(images)
            logits = self.task.united(logits, batch.present)
            loss = self.loss(logits.float(), targets, weights, index) + self.anchor.pull()
            self.optimiser.zero_grad(set_to_none=True)
            (loss * self.team.share(weights, self.weights, chunk)).backward()
            self.optimiser.step()
            self.step += 1
            if self.average is not None:
                self.average.update(self.step)
            total += loss.detach()
            if self.dynamics is not None:
                self.dynamics.note(logits, index, self.epoch)
            progress.advance()
        for name, before in memory.items():
            self.team.combine(self.loss.get_buffer(name), before)
        self.mean_loss = self.team.shared(float(total) / self.steps)

    def close_epoch(self, validation: Examples | None, began: float) -> None:
        """Judges the epoch, keeps the best weights, and decides whether to go on."""
        if not math.isfinite(self.mean_loss):
            raise MedauditError(
                f"the loss of epoch {self.epoch + 1} is not a number; give the recipe a lower rate than {self.recipe.rate}"
            )
        self.team.same(self._final().state_dict().values())
        score = None
        if validation is not None and len(validation):
            score = self.team.shared(score_of(self._snapshot(self._final()), self.pictures, validation, self.team.device))
            if self.recipe.patience is not None:
                scores = [e.score for e in self.history if e.score is not None]
                if not scores or score > max(scores):
                    self.best, self.best_epoch = plain(self._final()), self.epoch
                self.stopped = self.epoch - self.best_epoch >= self.recipe.patience
        seconds = time.monotonic() - began
        self.seconds += seconds
        self.history.append(Epoch(loss=self.mean_loss, score=score, seconds=seconds))
        self.epoch += 1

    def trained(self) -> Trained:
        """What came out."""
        network = copy.deepcopy(self._final())
        if self.best is not None:
            network.load_state_dict(self.best)
        probability, margin = self.dynamics.arrays() if self.dynamics else (None, None)
        return self._snapshot(
            network.to("cpu").requires_grad_(True),
            history=tuple(self.history),
            seconds=self.seconds,
            records=len(self.examples),
            complete=self.stopped or self.epoch == self.recipe.epochs,
            dynamics=probability,
            margins=margin,
            uncompiled=self.model.failed if isinstance(self.model, Compiled) else "",
        )

    def _snapshot(self, network: nn.Module, **values: Any) -> Trained:
        return Trained(
            network=network.eval(),
            task=self.task,
            recipe=self.recipe,
            normalisation=self.normalisation,
            seed=self.seed,
            **values,
        )

    def state(self) -> dict[str, Any]:
        """Everything that `resume` needs: tensors and plain values alone."""
        return {
            "network": plain(self.network),
            "average": None if self.average is None else plain(self.average.network),
            "optimiser": self.optimiser.state_dict(),
            "loss": plain(self.loss),
            "epoch": self.epoch,
            "step": self.step,
            "seconds": self.seconds,
            "history": [asdict(epoch) for epoch in self.history],
            "best": self.best,
            "best_epoch": self.best_epoch,
            "stopped": self.stopped,
            "dynamics": self.dynamics.state() if self.dynamics else None,
        }

    def form(self) -> Form:
        """What a state of this training looks like, before it has begun."""
        return Form(
            state=self.state(),
            optimiser=self.optimiser,
            epochs=self.recipe.epochs,
            steps=self.steps,
            examples=len(self.examples),
            keeps_best=self.recipe.patience is not None,
        )

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a state that has this form."""
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average.network.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.loss.load_state_dict(state["loss"])
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        for key in ("epoch", "step", "seconds", "best", "best_epoch", "stopped"):
            setattr(self, key, state[key])
        if self.dynamics is not None:
            self.dynamics.resume(state["dynamics"])

    def _final(self) -> Network:
        return cast(Network, self.average.network) if self.average is not None else self.network

    def _model(self) -> nn.Module:
        """The network in training mode, ready to be called; frozen layers keep their batch statistics."""
        thawed = self.recipe.thaw is not None and self.epoch >= self.recipe.thaw
        count = 0 if thawed else self.recipe.frozen
        if self.model is None or self.epoch == self.recipe.thaw:
            self.frozen = freeze(self.network, count)
            self.model = ready(self.team.wrapped(self.network), self.recipe.compile, self.team.device)
        self.model.train()
        for module in self.frozen:
            module.eval()
        return self.model

    def _cut(self, images: Tensor, targets: Any, draw: np.random.Generator) -> tuple[Tensor, Any]:
        """Another window of each picture, where the recipe wants windows; masks are cut alike.

        The pictures say how large they are: of files that were written anew they may be of other sizes than the task's.
        """
        window = self.recipe.window(tuple(images.shape[2:]))
        if window == tuple(images.shape[2:]):
            return images, targets
        return windows_of(images, targets, window, draw)

    def _augmented(self, images: Tensor, targets: Any, generator: torch.Generator) -> tuple[Tensor, Any]:
        if self.recipe.augmentation == "off":
            return images, targets
        from trainers.engine.augment import augment

        strength, flips = self.recipe.augmentation, self.recipe.flips
        return augment(images, targets, strength, generator, flips=flips, move=self.task.moved)
