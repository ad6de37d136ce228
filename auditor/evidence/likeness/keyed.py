"""Words of pictures under a key: two collections are compared by looks, and neither shows the other what it holds.

A word (`auditor.evidence.likeness.keypoints.words`) is a coarse drawing of one spot. Its first 36 bits go through HMAC-SHA256
(RFC 2104)
under the secret of both sides, and the first eight bytes of that are written: without the key it is a random number.
What stays visible without the key: how many words an image has, and which images of the file share words with one another.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.keypoints import WEAK_BITS

Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

BITS = 36
"""Leading bits of a word that must agree. Fixed, since neither side knows how many images the other has."""
KIND = b"keypoints 2, 36 bits"
"""Which words these are: words of another kind never agree."""
MIN_SHARED = 14.0
"""Spots that two pictures must have in common to look alike, usual ones counted less. Of 4.8 million pairs of unrelated small
pictures the most alike had 9 and the next 6; of 60 pictures with one and the same round border at most two had 14; copies
that were compressed, halved or brightened mostly have 30 or more."""
USUAL = 4
"""A word that more images than this have, here or there, counts less: that of twice as many, half."""
CROWD = 64
"""A word that more images of the collection have than this is passed over."""
PART = 1000
_PREFIX = b"word:"
_LAST = np.uint64(63)
_OWNER = 32

assert WEAK_BITS <= BITS


def keyed(words: Words, key: bytes) -> Words:
    """HMAC-SHA256 of the first 36 bits of each word, the first eight bytes of it; same shape."""
    begun = hmac.new(key, _PREFIX, "sha256")
    digests = []
    for word in prefixes(words.ravel()).astype(">u8").view("V8").tolist():
        mac = begun.copy()
        mac.update(word)
        digests.append(mac.digest()[:8])
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64).reshape(words.shape)


def written(words: Words, key: bytes) -> Words:
    """What stands in the file for one image: its keyed words in the order of their values, which says nothing."""
    return np.unique(keyed(words, key))


def variants(words: Words) -> Words:
    """What is looked for of one image: each word, and the two in which one of its least certain bits is the other way.

    Shape (words, 3).
    """
    first, second = words >> np.uint64(6) & np.uint64(63), words & np.uint64(63)
    one = np.uint64(1)
    return np.stack([words, words ^ (one << (_LAST - first)), words ^ (one << (_LAST - second))], axis=1)


def prefixes(words: Words) -> Words:
    """The leading bits that must agree."""
    return words >> np.uint64(64 - BITS)


def usual_here(images: Sequence[Words]) -> tuple[Words, Places]:
    """Prefixes that more than `USUAL` of these images have, sorted, and how many have each."""
    each = [np.unique(prefixes(words)) for words in images if len(words)]
    if not each:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    found, count = np.unique(np.concatenate(each), return_counts=True)
    return found[count > USUAL], count[count > USUAL].astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Book:
    """The keyed words of a collection: `words` sorted, and the position of the image that each is of; shape (entries,)."""

    words: Words
    owners: Places


def book(flat: Words, counts: Places) -> Book:
    """A collection's words, sorted for looking up, without those of a crowd.

    Args:
        flat: the words of all images, one image after the other.
        counts: how many of them each image has.
    """
    owners = np.repeat(np.arange(len(counts)), counts)
    order = np.argsort(flat, kind="stable")
    words, owners = flat[order], owners[order]
    ahead = words[CROWD:]
    crowd = np.unique(ahead[words[: len(ahead)] == ahead])
    telling = ~np.isin(words, crowd)
    return Book(words=words[telling], owners=owners[telling])


def most_shared(images: Sequence[Words], key: bytes, collections: Sequence[Book]) -> npt.NDArray[np.float64]:
    """How many spots each image has in common with that image of a collection that it has most in common with.

    A spot counts once for an image, and less than one where its word is of more than `USUAL` images on either side: the
    round border of all pictures of an eye is none of an eye.

    Args:
        images: words of each image, not keyed.
        collections: written with the same key.

    Returns:
        Shape (collections, images).
    """
    found = np.zeros((len(collections), len(images)))
    usual, count = usual_here(images)
    for start, part in parts(images):
        owner = np.repeat(np.arange(start, start + len(part)), [len(words) for words in part])
        plain = variants(np.concatenate(part))
        sought = keyed(plain, key)
        here = prefixes(plain).ravel()
        place = np.minimum(np.searchsorted(usual, here), len(usual) - 1)
        worth = np.where(usual[place] == here, USUAL / count[place], 1.0) if len(usual) else np.ones(len(here))
        # Sorted, neighbours in the queue are neighbours in the book: many times faster.
        order = np.argsort(sought, axis=None, kind="stable")
        values, spot, worth = sought.ravel()[order], order // sought.shape[1], worth[order]
        for row, collection in enumerate(collections):
            image, shared = _in_common(values, spot, worth, owner, collection)
            np.maximum.at(found[row], image, shared)
    return found


def _in_common(
    values: Words, spot: Places, worth: npt.NDArray[np.float64], owner: Places, collection: Book
) -> tuple[Places, npt.NDArray[np.float64]]:
    """Every image here that shares a spot with one of the collection, and how many; a pair has one row."""
    low, high = (np.searchsorted(collection.words, values, side) for side in ("left", "right"))
    hit = np.flatnonzero(high > low)
    low, count = low[hit], (high - low)[hit]
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    other = collection.owners[np.repeat(low, count) + within]
    weight = np.repeat(np.minimum(worth[hit], USUAL / count), count)
    both = np.repeat(spot[hit], count) << _OWNER | other
    order = np.lexsort((-weight, both))
    once = order[np.append(True, np.diff(both[order]) > 0)] if len(order) else order
    pairs, place = np.unique(owner[both[once] >> _OWNER] << _OWNER | other[once], return_inverse=True)
    shared = np.bincount(place, weight[once], minlength=len(pairs)).astype(np.float64)
    return (pairs >> _OWNER).astype(np.int64), shared


def parts(images: Sequence[Words]) -> Iterator[tuple[int, list[Words]]]:
    """Some images at a time, with the position of the first; parts without a word are left out."""
    for start in range(0, len(images), PART):
        part = [np.asarray(words, np.uint64) for words in images[start : start + PART]]
        if sum(map(len, part)):
            yield start, part
