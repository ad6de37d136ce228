"""What near-duplicates are looked for with, as checks and stages see it; `auditor.evidence.likeness` makes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Sketched(Protocol):
    """Record → its words, and the numbers of its sketched frames; number → what is known of the frame."""

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

    def words_of(self, records: Iterable[str]) -> list[npt.NDArray[np.uint64]]:
        """Words of each record."""

    def numbers(self, record: str) -> range:
        """The numbers of the sketched frames of one record."""

    def word_rows(self, numbers: Sequence[int]) -> npt.NDArray[np.void]:
        """Fields `count` and `words` of each of these frames."""

    def mark_rows(self, numbers: Sequence[int]) -> npt.NDArray[np.void]:
        """Fields `shape`, `places` (of the words) and `glance` of each of these frames."""

    def proof(self, number: int) -> npt.NDArray[np.uint8]:
        """The small picture of one frame; shape (height, width)."""

    def reasons(self) -> Mapping[str, int]:
        """Why records have no sketch, and how many for each reason; the most frequent first."""
