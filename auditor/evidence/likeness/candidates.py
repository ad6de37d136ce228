"""Candidate pairs: images that share words. Cost grows like n log n (one sort), whatever the images are.

The words of all images are sorted; neighbours in that order that agree in their first bits share a word, and each word is
compared with a few neighbours only, so that a million equal words cost as little as a million different ones. This is
multi-probe locality-sensitive hashing (Lv et al. 2007, VLDB) on sorted lists (sorted neighbourhood, Hernández & Stolfo 1995).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]

NEIGHBOURS = 6
"""Each word is compared with so many of its followers in sorted order."""
MAX_ENTRIES = 96_000_000
"""Words of all images together, their variants counted; beyond it each image brings fewer words, the strongest."""
MIN_SHARED, MIN_SHARED_OF_FEW = 5, 3
"""Entries (words and variants) that two images must have in common; where each image brings only its strongest words, fewer."""
PER_IMAGE = 12
"""Pairs kept per image, those that share most words."""
CROWD = 64
"""Of a word that so many others agree with only the next one is looked at."""
BLOCK = 1 << 22
PART = 1 << 15
_ID_BITS = 24
_SIGNS = np.uint64(0xFFFFFF) << np.uint64(40) | np.uint64(0xFFFF) << np.uint64(24)


def prefix_bits(images: int) -> int:
    """Bits in which two words must agree: 24 for a thousand images, one more for each doubling, 40 at most."""
    return int(np.clip(np.ceil(np.log2(max(images, 1) / 1000)) + 24, 24, 40))


def candidate_pairs(
    words: Sequence[npt.NDArray[np.uint64]], *, min_shared: int | None = None, per_image: int = PER_IMAGE
) -> tuple[Positions, Positions, Positions]:
    """Pairs of images that share at least `min_shared` words (or their variants), the smaller position first.

    Args:
        words: of each image, the strongest first (`auditor.evidence.likeness.keypoints.words`).
        min_shared: entries that two images must have in common; None: see `MIN_SHARED`.
        per_image: a pair is kept while it is among the best so many of at least one of its images.

    Returns:
        First and second position and the number of shared entries, in the order of positions; each of shape (pairs,).
    """
    if len(words) >= 1 << _ID_BITS:
        raise ValueError(f"{len(words):,} images: at most {(1 << _ID_BITS) - 1:,}")
    if min_shared is None:
        longest = max((len(w) for w in words), default=0)
        min_shared = MIN_SHARED if words_each(words) >= longest else MIN_SHARED_OF_FEW
    entries = sorted_entries(words)
    bits = np.uint64(64 - prefix_bits(len(words)))
    tallies = [
        np.unique(neighbours(entries[start : start + BLOCK + CROWD], bits), return_counts=True)
        for start in range(0, len(entries), BLOCK)
    ]
    del entries
    keys, shared = added(tallies)
    keep = shared >= min_shared
    keys, shared = keys[keep], shared[keep]
    first, second = (keys >> np.uint64(_ID_BITS)).astype(np.int64), owner(keys).astype(np.int64)
    rank = ranks(np.concatenate([first, second]), np.concatenate([shared, shared]))
    best = np.minimum(rank[: len(first)], rank[len(first) :]) < per_image
    return first[best], second[best], shared[best].astype(np.int64)


def words_each(words: Sequence[npt.NDArray[np.uint64]]) -> int:
    """How many words of each image take part, so that there are no more than `MAX_ENTRIES`."""
    longest = max((len(w) for w in words), default=0)
    too_many = 3 * sum(len(w) for w in words) > MAX_ENTRIES
    return max(4, MAX_ENTRIES // (3 * len(words))) if too_many else longest


def sorted_entries(words: Sequence[npt.NDArray[np.uint64]]) -> npt.NDArray[np.uint64]:
    """All words and their two variants, sorted: 40 bits of the word above 24 bits of the image's position."""
    each = words_each(words)
    entries = np.empty(3 * sum(min(len(w), each) for w in words), np.uint64)
    last, end = np.uint64(63), 0
    for start in range(0, len(words), PART):
        part = words[start : start + PART]
        taken = np.concatenate([w[:each] for w in part])
        owners = np.repeat(np.arange(start, start + len(part), dtype=np.uint64), [min(len(w), each) for w in part])
        plain = (taken & _SIGNS) | owners
        weakest, weak = taken >> np.uint64(6) & np.uint64(63), taken & np.uint64(63)
        for variant in (plain, plain ^ (np.uint64(1) << (last - weakest)), plain ^ (np.uint64(1) << (last - weak))):
            entries[end : end + len(variant)] = variant
            end += len(variant)
    entries.sort()
    return entries


def neighbours(entries: npt.NDArray[np.uint64], bits: np.uint64) -> npt.NDArray[np.uint64]:
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


def added(
    tallies: Sequence[tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Counts of several blocks, added up by key."""
    keys = np.concatenate([np.zeros(0, np.uint64), *(k for k, _ in tallies)])
    counts = np.concatenate([np.zeros(0, np.int64), *(c for _, c in tallies)])
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
    return keys[starts], np.add.reduceat(counts, starts) if len(starts) else counts


def owner(entries: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
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
