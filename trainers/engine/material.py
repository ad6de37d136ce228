"""What is learnt from: pictures, task, groups and examples of a dataset, as a view shows them; nothing is done before asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Required, Self, TypedDict

import numpy as np

from auditor.progress import Progress, Silent
from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from auditor.values.image import Limits
from trainers.decoding.model_input import with_channels
from trainers.decoding.pictures import read_pictures
from trainers.decoding.shown import pictures_told
from trainers.decoding.staged import staged
from trainers.engine.device import device_named
from trainers.engine.examples import examples_of
from trainers.kin import kin
from trainers.kinds import kind_of, task_of
from trainers.values.pictures import Examples, Floats, Pictures, Rows
from trainers.values.task import LearningTask
from trainers.values.trust import Bools, Trust
from trainers.values.view import View

if TYPE_CHECKING:
    import torch

MOST_SIDE = {"cpu": 64, "mps": 128, "cuda": 224}
"""Longest side of a picture by device where nobody says more: what trains in minutes there."""
MOST_DENSE_SIDE = {"cpu": 128, "mps": 128, "cuda": 256}
"""The same, where every pixel is answered for."""


class Showing(TypedDict, total=False):
    """The keywords of `Material`."""

    work: Required[Path]
    device: str
    unlabelled: Dataset | None
    limits: Limits | None
    workers: int
    progress: Progress | None
    view: View | None
    network: str | None
    side: int | None


class Material:
    """One dataset as it is shown to networks.

    Args:
        dataset: gathered by a scan.
        trust: which records may be used for what.
        work: private folder of decoded pictures and checkpoints.
        device: auto (CUDA where there is one, else the CPU), cpu, cuda, cuda:N or mps.
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
        self._before: Self | None = None
        self._device = device
        if device not in ("auto", "cpu"):  # these are always there; PyTorch is imported where something is trained
            _ = self.device
        self.progress = progress or Silent()
        self.network, self.side = network, side
        self._limits, self._workers = limits or Limits(), workers

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
