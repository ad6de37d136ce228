"""What training takes, planned and counted, in samples: an example that is shown to a network once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trainers.values.recipe import Trained


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What an arm will take, as multiples of the samples that a network of plain training sees.

    Args:
        plain, augmented: per seed; samples that are deformed cost more time.
        once: for all seeds together, to choose between ways, some of them augmented.
    """

    plain: float = 1.0
    augmented: float = 0.0
    once: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What one training took, or several together.

    Args:
        name: of the training.
        samples: examples shown, each as often as it was.
        seconds: of training.
        complete: False where the budget ended before the last epoch.
    """

    name: str
    samples: int
    seconds: float
    complete: bool = True

    @staticmethod
    def of(trained: Trained, name: str) -> Spent:
        """What this network took."""
        samples = trained.records * len(trained.history)
        return Spent(name=name, samples=samples, seconds=trained.seconds, complete=trained.complete)

    @staticmethod
    def together(name: str, parts: Iterable[Spent]) -> Spent:
        """The sum; a training that was taken up again from its checkpoint counts once."""
        each = {(p.name, p.samples): p for p in parts}.values()
        return Spent(
            name=name, samples=sum(p.samples for p in each), seconds=sum(p.seconds for p in each),
            complete=all(p.complete for p in each),
        )  # fmt: skip
