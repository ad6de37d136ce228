"""What a strategy is, what it is given, and how it is found. One module per strategy in `trainers.strategies`.

A strategy is a frozen dataclass: identity = class attributes, options = fields with defaults, documentation = the docstring.
`fix` asks it three things in turn, and the defaults of the last two fit those that only change data:

1. `propose(case)`: corrections, weights, removals, files, from the training records alone;
2. `fit(case, proposal, seed)`: a network trained under that proposal, once per seed. Its equal for "doing nothing" is
   `strategies.nothing`, so that both arms are trained by the same loop with the same seeds, epochs and compute;
3. `conclude(case, proposal, fits)`: what the networks taught (pseudo-labels, for example), added to the proposal.

No strategy ever sees the evaluation records: `case.training` leaves them out, and `Trust.evaluation` is read by
`trainers.fix` alone.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from auditor.config import configured
from auditor.plugins import own_names, plugin_classes
from auditor.progress import Progress, Silent
from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.results import ScanResult
from trainers.copying.compose import after
from trainers.values.effort import Effort
from trainers.values.trust import Trust
from trainers.values.view import View

if TYPE_CHECKING:
    from trainers.engine.bench import Bench
    from trainers.values.recipe import Trained

Answers = Literal["splits", "copies", "files", "labels"]
"""What a strategy changes: who stands in which split, which copies stay, how files are written, what a network learns."""


class NotApplicable(Exception):
    """Raised by a strategy that cannot do anything here; the reason is told to the user."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that a strategy is given.

    Args:
        dataset: gathered by a scan.
        result: of that scan.
        trust: which records may be believed.
        bench: trains and predicts (`trainers.engine.bench`): the pictures, the recipe and the device are in it; it is lazy,
            so a strategy that trains nothing decodes nothing.
        unlabelled: pictures without labels, opened and measured like the dataset; None where none were given.
        work: private folder for checkpoints and for files that are made; stays for the next run.
        seed: of everything that is drawn.
        options: what the user gave to strategies (`from_run`, `encoder`, ...), text.
    """

    dataset: Dataset
    result: ScanResult
    trust: Trust
    bench: Bench
    work: Path
    unlabelled: Dataset | None = None
    seed: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = field(default_factory=Silent)

    def has(self, *codes: str) -> bool:
        """True when the scan holds a finding above info with one of these codes."""
        return any(f.code in codes and f.severity.rank > 0 and f.waived is None for f in self.result.findings)


@dataclass(frozen=True, kw_only=True)
class Strategy(ABC):
    """One way to correct a dataset."""

    name: ClassVar[str]
    answers: ClassVar[Answers]
    """Strategies with the same answer compete, those with different ones follow each other."""
    trains: ClassVar[bool] = True
    """False: it cannot show in a network on the same evaluation records (a new split): only the scans are compared."""

    alone: ClassVar[bool] = False
    """True: its copy is a whole one of its own, which no other joins; where it was asked for and cannot, none is made."""

    redraws: ClassVar[bool] = False
    """True: pictures are made anew, and it is asked whether the task survives that (`trainers.survival`)."""

    stands_for: ClassVar[tuple[str, ...]] = ()
    """Ways of plain training (`trainers.references`) that it is itself, and so need not stand above."""

    @abstractmethod
    def propose(self, case: Case) -> Proposal:
        """What to change.

        Raises:
            NotApplicable: there is nothing here for it to do, or what it needs is missing.
        """

    def view(self, case: Case, proposal: Proposal, *, force: bool = False) -> View:
        """What networks are shown and the copy holds after this strategy, made from the view before it (`case.bench.view`).

        A strategy that adds pictures, makes bags or sets a task of its own gives `dataclasses.replace` of this.

        Args:
            force: corrections that are not safe are applied too.
        """
        return after(case.bench.view, proposal, force=force)

    def fit(self, case: Case, proposal: Proposal, seed: int) -> Trained:
        """A network trained on the training records under the proposal: plain cross-entropy on corrected labels and weights."""
        return case.bench.train(case.bench.examples(proposal), seed=seed, name=f"{self.name}-{seed}")

    def effort(self, case: Case) -> Effort:  # noqa: ARG002
        """What one fit shows its networks, in samples, as multiples of plain training: the plan of a budget counts with it."""
        return Effort()

    def conclude(self, case: Case, proposal: Proposal, fits: Sequence[Trained]) -> Proposal:  # noqa: ARG002
        """The proposal with what the trained networks add to it."""
        return proposal

    def beside(self, case: Case, fit: Trained) -> Mapping[str, Sequence[Trained]]:  # noqa: ARG002
        """Further networks of one fit that the evaluation compares it with, by name; of several the mean counts."""
        return {}


def title(strategy: type[Strategy]) -> str:
    """First line of the docstring."""
    return (inspect.getdoc(strategy) or strategy.name).splitlines()[0]


@cache
def strategy_classes() -> tuple[type[Strategy], ...]:
    """All strategies, by name: one module each, plus the entry points `medaudit.strategies`."""
    found = plugin_classes("trainers.strategies", "medaudit.strategies", Strategy)  # type: ignore[type-abstract]
    # A class that names no strategy is what several of them share.
    return tuple(sorted((kind for kind in found if "name" in vars(kind)), key=lambda kind: kind.name))


def strategy_named(name: str, options: Mapping[str, object] | None = None) -> Strategy:
    """The strategy with this name and the options of `[strategies.NAME]`.

    Raises:
        ConfigError: no strategy has the name, or it has no such option.
    """
    kind = _own_of_that_name(name) or next((k for k in strategy_classes() if k.name == name), None)
    if kind is None:
        names = ", ".join(k.name for k in strategy_classes())
        raise ConfigError(f"--strategy {name}: there is none of that name; auto, or one of {names}")
    return configured(kind, options or {}, f"strategies.{name}")


def _own_of_that_name(name: str) -> type[Strategy] | None:
    """Ours whose module is called as it is: found without importing the others, some of which take their time."""
    if name not in own_names("trainers.strategies"):
        return None
    module = import_module(f"trainers.strategies.{name}")
    kinds = (kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Strategy))
    return next((kind for kind in kinds if vars(kind).get("name") == name), None)
