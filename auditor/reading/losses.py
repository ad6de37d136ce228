"""How often a worker was lost over a file. Out of time or memory is out of this machine's, now: what came of it is not kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True)
class Losses:
    """Tasks that were answered with a problem in the place of their worker, since this program began."""

    count: int = 0


LOSSES = Losses()
