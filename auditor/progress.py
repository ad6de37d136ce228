"""How a stage tells how far it is. The front door shows it; the stages only report."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the stages of a scan as they go."""

    def start(self, stage: str, total: int) -> None:
        """A stage begins; `total` units of work, 0 when unknown."""

    def advance(self, count: int = 1) -> None:
        """`count` more units are done."""

    def finish(self) -> None:
        """The stage has ended."""


def tell(progress: Progress, work: str) -> None:
    """What is being done within a stage, for those that show it (`doing`); a progress without it is told nothing."""
    doing = getattr(progress, "doing", None)
    if doing is not None:
        doing(work)


def speaks(progress: Progress) -> bool:
    """It shows sentences (`say`)."""
    return hasattr(progress, "say")


def announce(progress: Progress, words: str) -> None:
    """A sentence for whoever waits, at once, for those that show it (`say`)."""
    say = getattr(progress, "say", None)
    if say is not None:
        say(words)


class Silent:
    """Reports to nobody."""

    def start(self, stage: str, total: int) -> None:
        """Nothing."""

    def advance(self, count: int = 1) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""
