"""The sketches of a dataset, in temporary files beyond 256 MB: memory holds where they lie, not what they are."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.glance import WAVES
from auditor.evidence.likeness.keypoints import MAX_WORDS, Words
from auditor.evidence.likeness.perceptual import REFUSALS, Frame, from_jpeg, mixed, unpack
from auditor.evidence.likeness.spool import Spool
from auditor.values.sketches import Sketched

WORDS_IN_MEMORY, MARKS_IN_MEMORY, PROOFS_IN_MEMORY = 64 << 20, 96 << 20, 96 << 20
"""Bytes of each kind that stay in memory."""
WORD_ROW = np.dtype([("count", "u1"), ("words", "<u8", MAX_WORDS)])
MARK_ROW = np.dtype([("shape", "u1", 2), ("places", "<u4", MAX_WORDS), ("glance", "i1", (WAVES, WAVES))])


@dataclass(kw_only=True, eq=False)
class Sketches:
    """Record → what near-duplicates are looked for with. Filled by `extract`, read by `link` and the checks.

    Every sketched frame of every record has a number; several threads may read at once.
    """

    frames: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    _numbers: dict[str, range] = field(default_factory=dict)
    _last: tuple[str, bytes] = ("", b"")
    _proof_at: array[int] = field(default_factory=lambda: array("q", [0]))
    _words: Spool = field(default_factory=lambda: Spool(WORDS_IN_MEMORY))
    _marks: Spool = field(default_factory=lambda: Spool(MARKS_IN_MEMORY))
    _proofs: Spool = field(default_factory=lambda: Spool(PROOFS_IN_MEMORY))

    def add(self, record: str, packed: bytes) -> None:
        """Keep the packed sketch of one record, or why it has none; that of a file which a table lists often is kept once."""
        if packed == self._last[1] and self._last[0] in self.frames:
            self.frames[record], self._numbers[record] = self.frames[self._last[0]], self._numbers[self._last[0]]
            return
        self._last = record, packed
        sketch = unpack(packed)
        if sketch is None:
            self.refused[record] = REFUSALS[packed]
            return
        self.frames[record] = sketch.count
        first = len(self._proof_at) - 1
        self._numbers[record] = range(first, first + len(sketch.frames))
        for frame in sketch.frames:
            words, marks = rows_of(frame)
            self._words.append(words)
            self._marks.append(marks)
            self._proof_at.append(self._proofs.append(frame.proof) + len(frame.proof))

    def __len__(self) -> int:
        return len(self.frames)

    def __contains__(self, record: object) -> bool:
        return record in self.frames

    def numbers(self, record: str) -> range:
        """The numbers of the sketched frames of one record."""
        return self._numbers[record]

    def words(self, record: str) -> Words:
        """Words of one record, the strongest first (see `auditor.evidence.likeness.keypoints.words`)."""
        return self.words_of([record])[0]

    def words_of(self, records: Iterable[str]) -> list[Words]:
        """Words of each record."""
        numbers = [self.numbers(record) for record in records]
        rows = self.word_rows([n for several in numbers for n in several])
        frames = [row[:count] for row, count in zip(rows["words"], rows["count"].tolist(), strict=True)]
        if len(frames) == len(numbers):
            return frames
        ends = np.cumsum([len(several) for several in numbers]).tolist()
        return [mixed(frames[end - len(several) : end]) for several, end in zip(numbers, ends, strict=True)]

    def word_rows(self, numbers: Sequence[int]) -> npt.NDArray[np.void]:
        """Count and words of each of these frames."""
        return rows_at(self._words, WORD_ROW, numbers)

    def mark_rows(self, numbers: Sequence[int]) -> npt.NDArray[np.void]:
        """Shape, places of the words and glance of each of these frames."""
        return rows_at(self._marks, MARK_ROW, numbers)

    def proof(self, number: int) -> npt.NDArray[np.uint8]:
        """The decoded proof of a frame, shape (height, width)."""
        start, end = self._proof_at[number], self._proof_at[number + 1]
        return from_jpeg(self._proofs.read(start, end - start))

    def reasons(self) -> Mapping[str, int]:
        """Why records have no sketch, and how many for each reason; the most frequent first."""
        return dict(Counter(self.refused.values()).most_common())


@dataclass(frozen=True, kw_only=True)
class WordList(Sequence[Words]):
    """The words of many records, read as they are asked for."""

    sketches: Sketched
    records: Sequence[str]

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, which: int) -> Words: ...
    @overload
    def __getitem__(self, which: slice) -> list[Words]: ...
    def __getitem__(self, which: int | slice) -> Words | list[Words]:
        if isinstance(which, slice):
            return self.sketches.words_of(self.records[which])
        return self.sketches.words(self.records[which])


def rows_of(frame: Frame) -> tuple[bytes, bytes]:
    """What is kept of a frame beside its proof, each of a fixed size."""
    words, marks = np.zeros(1, WORD_ROW), np.zeros(1, MARK_ROW)
    count = len(frame.words)
    words["count"], marks["shape"] = count, frame.shape
    words["words"][0, :count], marks["places"][0, :count] = frame.words, frame.places
    marks["glance"] = frame.glance
    return words.tobytes(), marks.tobytes()


def rows_at(spool: Spool, kind: np.dtype[np.void], numbers: Sequence[int]) -> npt.NDArray[np.void]:
    """Rows of a fixed size, by number; neighbours are read at once."""
    size, wanted = kind.itemsize, np.asarray(numbers, np.int64)
    begins = np.flatnonzero(np.diff(wanted, prepend=-2) != 1)
    runs = zip(wanted[begins].tolist(), np.diff(np.append(begins, len(wanted))).tolist(), strict=True)
    return np.frombuffer(b"".join([spool.read(first * size, count * size) for first, count in runs]), kind)
