"""What a worker that measures files is told before its first one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2

from auditor.feature import features
from auditor.format import readers
from auditor.measuring.measure import Measurer
from auditor.reading.cache import Cache
from auditor.values.image import Limits
from auditor.values.measurement import EVERYTHING, Measurement, Task, Wanted
from auditor.values.privacy import Privacy


def import_all() -> None:
    """Import every format and feature."""
    readers()
    features()


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Where the files lie, what each may cost, and what is known of them (`auditor.reading.serving.Work`)."""

    root: Path
    limits: Limits
    cache: Path | None = None
    cache_key: bytes = b""
    rules: Privacy = field(default_factory=Privacy)
    wanted: Wanted = EVERYTHING
    rehash: bool = False

    @property
    def memory_bytes(self) -> int:
        """Private memory that a worker may hold."""
        return self.limits.memory_bytes

    @property
    def prepared(self) -> tuple[str, ...]:
        """Formats and features: loading all of them is nothing that each worker, or the first file, should pay for."""
        return (f"{__name__}:import_all",)

    def measurer(self) -> Measurer:
        """Who does the work. A subclass may send another one (`trainers.decoding.decode`)."""
        import_all()
        cv2.setNumThreads(1)  # one process per core already
        measurer = Measurer(root=self.root, limits=self.limits, rules=self.rules, wanted=self.wanted, isolated=True)
        if self.cache is not None:
            cache = Cache(folder=self.cache, key=self.cache_key, writable=False)
            if cache.open():
                measurer.known = cache
                if not self.rehash:
                    measurer.digest_at = cache.digest_at
        return measurer

    def lost(self, task: Task, kind: str, reason: str) -> list[Measurement]:
        """A problem for every record of the file."""
        return [Measurement(record=record, problem=(kind, reason)) for record in task.records]
