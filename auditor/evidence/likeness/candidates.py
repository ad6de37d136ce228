"""Candidate pairs: images that share words. Cost grows like n log n (sorting), whatever the images are, and memory hardly.

The words of all images are sorted; neighbours in that order that agree in their first bits share a word, and each word is
compared with a few neighbours only, so that a million equal words cost as little as a million different ones. This is
multi-probe locality-sensitive hashing (Lv et al. 2007, VLDB) on sorted lists (sorted neighbourhood, Hernández & Stolfo 1995).
Some million words are sorted at a time, those with one beginning together; what they say of pairs waits in files, by pair.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.keypoints import Words
from auditor.evidence.likeness.spool import Spool

Positions = npt.NDArray[np.int64]

NEIGHBOURS = 6
"""Each word is compared with so many of its followers in sorted order."""
MIN_SHARED = 5
"""Entries (words and variants) that two images must have in common."""
PER_IMAGE = 10
"""Pairs kept per image, those that share most words."""
CROWD = 64
"""Of a word that so many others agree with only the next one is looked at."""
ENTRIES_AT_ONCE = 1 << 22
"""Words and variants that are sorted together."""
BLOCK = 1 << 20
PART = 1 << 14
SHELF = 4096
"""Images whose pairs are counted together, about; a shelf holds 4 MB before it becomes a file."""
MAX_SHELVES, SHELF_BYTES = 32, 4 << 20

_ID_BITS = 24
_SIGNS = np.uint64(0xFFFFFF) << np.uint64(40) | np.uint64(0xFFFF) << np.uint64(24)
_BEGINNING, _SCATTER = np.uint64(44), np.uint64(0x9E3779B97F4A7C15)
"""Words that agree above bit 44 are sorted together, since `prefix_bits` never asks for less."""


def prefix_bits(images: int) -> int:
    """Bits in which two words must agree: 24 for a thousand images, one more for each doubling, 40 at most."""
    return int(np.clip(np.ceil(np.log2(max(images, 1) / 1000)) + 24, 24, 40))


def candidate_pairs(
    words: Sequence[Words], *, min_shared: int = MIN_SHARED, per_image: int = PER_IMAGE
) -> tuple[Positions, Positions, Positions]:
    """Pairs of images that share at least `min_shared` words (or their variants), the smaller position first.

    Args:
        words: of each image (`auditor.evidence.likeness.keypoints.words`); read some thousand images at a time.
        min_shared: entries that two images must have in common.
        per_image: a pair is kept while it is among the best so many of at least one of its images.

    Returns:
        First and second position and the number of shared entries, in the order of positions; each of shape (pairs,).
    """
    count = len(words)
    if count >= 1 << _ID_BITS:
        raise ValueError(f"{count:,} images: at most {(1 << _ID_BITS) - 1:,}")
    shelves = [Spool(SHELF_BYTES) for _ in range(min(MAX_SHELVES, -(-count // SHELF)))]
    begins = np.arange(1, len(shelves)) * count // max(len(shelves), 1)
    bits = np.uint64(64 - prefix_bits(count))
    heaps = heaps_of(words)
    for heap in range(heaps):
        entries = sorted_entries(words, heap, heaps)
        for start in range(0, len(entries), BLOCK):
            found = neighbours(entries[start : start + BLOCK + CROWD], bits)
            found.sort()
            # sorted by the first image, so that each shelf gets one piece
            cuts = np.searchsorted(found, begins.astype(np.uint64) << np.uint64(_ID_BITS))
            for shelf, piece in zip(shelves, np.split(found, cuts), strict=True):
                shelf.append(piece.tobytes())
    counted = [tallied(shelf, min_shared) for shelf in shelves]
    keys = np.concatenate([np.zeros(0, np.uint64), *(k for k, _ in counted)])
    shared = np.concatenate([np.zeros(0, np.int64), *(c for _, c in counted)])
    first, second = (keys >> np.uint64(_ID_BITS)).astype(np.int64), owner(keys).astype(np.int64)
    rank = ranks(np.concatenate([first, second]), np.concatenate([shared, shared]))
    best = np.minimum(rank[: len(first)], rank[len(first) :]) < per_image
    return first[best], second[best], shared[best]


def heaps_of(words: Sequence[Words]) -> int:
    """In how many heaps the entries are sorted, one after the other."""
    total = sum(len(w) for start in range(0, len(words), PART) for w in words[start : start + PART])
    return max(1, -(-3 * total // ENTRIES_AT_ONCE))


def sorted_entries(words: Sequence[Words], heap: int = 0, heaps: int = 1) -> Words:
    """The words of one heap and their two variants, sorted: 40 bits of the word above 24 bits of the image's position."""
    found = [np.zeros(0, np.uint64)]
    last = np.uint64(63)
    for start in range(0, len(words), PART):
        part = words[start : start + PART]
        taken = np.concatenate(part)
        owners = np.repeat(np.arange(start, start + len(part), dtype=np.uint64), [len(w) for w in part])
        plain = (taken & _SIGNS) | owners
        weakest, weak = taken >> np.uint64(6) & np.uint64(63), taken & np.uint64(63)
        for variant in (plain, plain ^ (np.uint64(1) << (last - weakest)), plain ^ (np.uint64(1) << (last - weak))):
            found.append(variant[of_heap(variant, heaps) == heap] if heaps > 1 else variant)
    entries = np.concatenate(found)
    entries.sort()
    return entries


def of_heap(entries: Words, heaps: int) -> Words:
    """The heap of each entry, by its beginning; scattered, since some beginnings are far more frequent than others."""
    return np.asarray(((entries >> _BEGINNING) * _SCATTER >> np.uint64(40)) % np.uint64(heaps), np.uint64)


def neighbours(entries: Words, bits: np.uint64) -> Words:
    """Pairs of images (first position above 24 bits of the second) of entries near each other that agree above `bits`."""
    block = min(BLOCK, len(entries))
    found = [np.zeros(0, np.uint64)]
    crowded = np.zeros(block, bool)
    far = entries[CROWD : block + CROWD]
    crowded[: len(far)] = (entries[: len(far)] ^ far) >> bits == 0
    for step in range(1, NEIGHBOURS + 1):
        right = entries[step : block + step]
        left = entries[: len(right)]
        near = np.flatnonzero(((left ^ right) >> bits == 0) & ~(crowded[: len(right)] & (step > 1)))
        a, b = owner(left[near]), owner(right[near])
        pairs = np.minimum(a, b) << np.uint64(_ID_BITS) | np.maximum(a, b)
        found.append(pairs[a != b])
    return np.concatenate(found)


def tallied(shelf: Spool, least: int) -> tuple[Words, Positions]:
    """The pairs of a shelf that stand there at least so often, sorted, and how often."""
    keys = np.frombuffer(shelf.read(0, shelf.size), np.uint64).copy()
    keys.sort()
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
    counts = np.diff(np.append(starts, len(keys)))
    often = counts >= least
    return keys[starts[often]], counts[often].astype(np.int64)


def owner(entries: Words) -> Words:
    """The position of the image an entry belongs to."""
    return entries & np.uint64((1 << _ID_BITS) - 1)


def ranks(groups: Positions, scores: Positions) -> Positions:
    """Rank of each row within its group, the highest score first; shape (rows,)."""
    order = np.lexsort((-scores, groups))
    ordered = groups[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else np.zeros(0, np.int64)
    within = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.append(starts, len(ordered))))
    found = np.empty(len(groups), np.int64)
    found[order] = within
    return found
