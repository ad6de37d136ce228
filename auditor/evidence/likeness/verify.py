"""Which pairs of records are copies: many at a time, from the cheapest question to the dearest.

Words and places say where one picture may lie in the other (`voting`); a glance says whether what lies there is alike
(`glance`); what is left is registered and compared on pixels (`compare`). All but one in some hundred pairs of strangers that
look alike end before the last step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.compare import Likeness, Proof, Standard, compare
from auditor.evidence.likeness.glance import MIN_ALIKE, alikeness
from auditor.evidence.likeness.keypoints import ORIENTATIONS
from auditor.evidence.likeness.registration import Registration
from auditor.evidence.likeness.voting import MIN_VOTES, Positions, positions
from auditor.values.sketches import Sketched

BATCH = 128
"""Pairs of pictures that are looked at together: their tables stay in the processor's cache."""
WAITING = 4
"""Batches per thread that are under way."""

PROOFS = 64
"""Proofs kept with what was made of them: a megabyte each."""

Codes = npt.NDArray[np.int64]
Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Same:
    """Two pictures of one scene: `score` is the median correlation of the fine structure, 0–1; `how` says what was done.

    `copy` is False where they were taken twice: each shows what the other does not, or one leans against the other.
    """

    score: float
    how: str
    copy: bool


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """Compares records by their sketches."""

    sketches: Sketched
    standard: Standard = field(default_factory=Standard)
    threads: int = 1

    @cached_property
    def proof(self) -> Callable[[int], Proof]:
        """The proof of a frame by its number; the latest few stay, for the pairs come in the order of their first picture."""
        return lru_cache(maxsize=PROOFS)(lambda number: Proof(self.sketches.proof(number).astype(np.float32)))

    def verify(self, a: str, b: str, standard: Standard | None = None) -> Same | None:
        """Whether b shows the same as a. Stacks: as many frames, each sketched one in the same way, in order or reversed."""
        return self.batch([(a, b)], [standard])[0]

    def verify_all(self, pairs: Sequence[Pair], standards: Sequence[Standard | None] = ()) -> Iterator[Same | None]:
        """The same for many pairs, in their order. Numpy and OpenCV let go of the interpreter, so threads share the work."""
        standards = standards or [None] * len(pairs)
        parts = [(pairs[i : i + BATCH], standards[i : i + BATCH]) for i in range(0, len(pairs), BATCH)]
        if self.threads == 1:
            for part in parts:
                yield from self.batch(*part)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            # not all at once: the answers of a million pairs would wait in memory
            step = self.threads * WAITING
            for start in range(0, len(parts), step):
                for answers in pool.map(lambda part: self.batch(*part), parts[start : start + step]):
                    yield from answers

    def batch(self, pairs: Sequence[Pair], standards: Sequence[Standard | None]) -> list[Same | None]:
        """The same for some pairs, at once."""
        numbers = [(self.sketches.numbers(a), self.sketches.numbers(b)) for a, b in pairs]
        fit = [
            k for k, (a, b) in enumerate(pairs)
            if self.sketches.frames[a] == self.sketches.frames[b] and len(numbers[k][0]) == len(numbers[k][1])
        ]  # fmt: skip
        found: list[Same | None] = [None] * len(pairs)
        for reverse in (False, True):
            chosen = [k for k in fit if found[k] is None and (not reverse or len(numbers[k][0]) > 1)]
            frames = [(numbers[k][0], numbers[k][1][::-1] if reverse else numbers[k][1]) for k in chosen]
            for k, starts in zip(chosen, self.hopeful(frames), strict=True):
                if starts:
                    first, second = numbers[k][0], numbers[k][1][::-1] if reverse else numbers[k][1]
                    found[k] = self.compared(first, second, starts, standards[k] or self.standard, reverse=reverse)
        return found

    def hopeful(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[list[Registration]]:
        """Where the frames of b may lie in those of a, by words and a glance; empty where one of them does not.

        Args:
            pairs: the numbers of the frames of each pair, as many of b as of a.
        """
        first = np.array([n for a, _ in pairs for n in a], np.int64)
        second = np.array([n for _, b in pairs for n in b], np.int64)
        if not len(first):
            return []
        used, place = np.unique(np.concatenate([first, second]), return_inverse=True)
        words, marks = self.sketches.word_rows(used.tolist()), self.sketches.mark_rows(used.tolist())
        a, b = place[: len(first)], place[len(first) :]
        places = positions(
            words["words"][a], marks["places"][a], words["count"][a], words["words"][b], marks["places"][b], words["count"][b]
        )
        starts: list[Registration | None] = [None] * len(a)
        for at in places:
            # of two ways the second is looked at where nearly as much speaks for it
            enough = (at.votes >= MIN_VOTES) & (2 * at.votes >= places[0].votes)
            here = np.flatnonzero([start is None for start in starts] & enough)
            if not len(here):
                continue
            of_a, of_b = marks[a[here]], marks[b[here]]
            alike = alikeness(of_a["glance"], of_b["glance"], of_a["shape"], of_b["shape"], at.part(here))
            for i in here[alike >= MIN_ALIKE].tolist():
                starts[i] = registration(at, i)
        found: list[list[Registration]] = []
        begin = 0
        for numbers, _ in pairs:
            of_pair = [start for start in starts[begin : begin + len(numbers)] if start is not None]
            found.append(of_pair if len(of_pair) == len(numbers) else [])
            begin += len(numbers)
        return found

    def compared(
        self, first: Sequence[int], second: Sequence[int], starts: Sequence[Registration], standard: Standard, *, reverse: bool
    ) -> Same | None:
        """Frames laid over each other, pixel by pixel: all must be alike and lie the same way."""
        likeness: list[Likeness] = []
        for a, b, start in zip(first, second, starts, strict=True):
            found = compare(self.proof(a), self.proof(b), start, standard)
            if found is None or not found.meets(standard):
                return None
            likeness.append(found)
        ways = [(f.registration.orientation, f.registration.polarity) for f in likeness]
        if not all(x == y for x, y in pairwise(ways)):
            return None
        how = in_words(likeness[0].registration, overlap=likeness[0].overlap_of_larger)
        return Same(
            score=round(min(found.fine for found in likeness), 3),
            how=how + (", frames reversed" if reverse else ""),
            copy=all(found.copies(standard) for found in likeness),
        )


def registration(at: Positions, i: int) -> Registration:
    """One of many positions."""
    return Registration(
        orientation=int(at.orientation[i]), polarity=int(at.polarity[i]),
        scale_y=float(at.scale_y[i]), shift_y=float(at.shift_y[i]), scale_x=float(at.scale_x[i]), shift_x=float(at.shift_x[i]),
    )  # fmt: skip


_TURNS = {
    (False, 1, 1): "", (False, 1, -1): "flipped left to right", (False, -1, 1): "flipped upside down",
    (False, -1, -1): "turned by 180°", (True, 1, 1): "transposed", (True, -1, -1): "transposed and turned by 180°",
    (True, 1, -1): "turned by a quarter", (True, -1, 1): "turned by a quarter",
}  # fmt: skip


def in_words(r: Registration, *, overlap: float) -> str:
    """What was done to one picture to make the other, as far as the small pictures tell."""
    parts = [_TURNS[ORIENTATIONS[r.orientation]]]
    if r.polarity < 0:
        parts.append("inverted")
    if overlap < 0.9:
        parts.append(f"{overlap:.0%} of the view in common")
    return ", ".join(p for p in parts if p) or "the same view"
