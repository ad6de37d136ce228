"""The sketches of a dataset: words in memory, proofs in a temporary file beyond 256 MB. 1,000,000 images: 0.7 GB of memory."""

from __future__ import annotations

import tempfile
import weakref
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.perceptual import REFUSALS, from_jpeg, unpack

IN_MEMORY_BYTES = 256 << 20


@dataclass(kw_only=True, eq=False)
class Sketches:
    """Record → what near-duplicates are looked for with. Filled by `extract`, read by `link` and the checks.

    The file has no name: it goes when this object goes.
    """

    frames: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    _words: dict[str, npt.NDArray[np.uint64]] = field(default_factory=dict)
    _places: dict[str, tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    _file: IO[bytes] = field(init=False)
    _end: int = 0

    def __post_init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - closed with this object
        weakref.finalize(self, self._file.close)

    def add(self, record: str, packed: bytes) -> None:
        """Keep the packed sketch of one record, or why it has none."""
        sketch = unpack(packed)
        if sketch is None:
            self.refused[record] = REFUSALS[packed]
            return
        self.frames[record] = sketch.frames
        self._words[record] = sketch.words
        self._places[record] = (self._end, tuple(map(len, sketch.proofs)))
        self._file.seek(self._end)
        for proof in sketch.proofs:
            self._file.write(proof)
            self._end += len(proof)

    def __len__(self) -> int:
        return len(self.frames)

    def __contains__(self, record: object) -> bool:
        return record in self.frames

    def words(self, record: str) -> npt.NDArray[np.uint64]:
        """Words of one record (see `auditor.evidence.likeness.keypoints.words`)."""
        return self._words[record]

    def proofs(self, record: str) -> tuple[npt.NDArray[np.uint8], ...]:
        """The decoded proofs of one record, one per sketched frame; each (height, width)."""
        start, sizes = self._places[record]
        self._file.seek(start)
        return tuple(from_jpeg(self._file.read(size)) for size in sizes)

    def reasons(self) -> Mapping[str, int]:
        """Why records have no sketch, and how many for each reason; the most frequent first."""
        return dict(Counter(self.refused.values()).most_common())
