"""What near-duplicates are looked for with, as checks and stages see it; `auditor.evidence.likeness` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Sketched(Protocol):
    """Record → its words and its proofs."""

    @property
    def frames(self) -> Mapping[str, int]:
        """Records that have a sketch, and how many frames each has."""

    @property
    def refused(self) -> Mapping[str, str]:
        """Records that have none, and why."""

    def __len__(self) -> int: ...

    def __contains__(self, record: object) -> bool: ...

    def words(self, record: str) -> npt.NDArray[np.uint64]:
        """Words of one record."""

    def proofs(self, record: str) -> tuple[npt.NDArray[np.uint8], ...]:
        """Small pictures of one record, one per sketched frame; each (height, width)."""

    def reasons(self) -> Mapping[str, int]:
        """Why records have no sketch, and how many for each reason; the most frequent first."""
