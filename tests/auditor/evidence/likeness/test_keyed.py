import numpy as np
import numpy.typing as npt

from auditor.evidence.likeness.keyed import BITS, CROWD, USUAL, Book, book, keyed, most_shared, variants, written

KEY = b"0123456789abcdef"
Words = npt.NDArray[np.uint64]


def random_words(rng: np.random.Generator, count: int) -> Words:
    signs = rng.integers(0, 1 << 40, count, dtype=np.uint64) << np.uint64(24)
    return signs | rng.integers(0, 24, count, dtype=np.uint64) << np.uint64(6) | rng.integers(0, 24, count, dtype=np.uint64)


def collection(images: list[Words]) -> Book:
    rows = [written(words, KEY) for words in images]
    return book(np.concatenate(rows), np.array([len(row) for row in rows]))


def spots_in_common(own: Words, other: Words) -> int:
    """Which of own's spots has one of its three words among the other's; written without arrays."""
    there = {int(word) >> (64 - BITS) for word in other}
    count = 0
    for word in map(int, own):
        first, second = (word >> 6) & 63, word & 63
        variants = (word, word ^ (1 << (63 - first)), word ^ (1 << (63 - second)))
        count += any(v >> (64 - BITS) in there for v in variants)
    return count


def test_shared_spots_are_those_that_plain_words_share() -> None:
    rng = np.random.default_rng(0)
    pool = random_words(rng, 60)
    known = [rng.choice(pool, 12) for _ in range(4)] + [np.zeros(0, np.uint64)]
    flips = np.uint64(1) << (np.uint64(63) - (pool[:20] & np.uint64(63)))
    own = [pool[:20] ^ flips, rng.choice(pool, 25), random_words(rng, 30), np.zeros(0, np.uint64)]
    found = most_shared(own, KEY, [collection(known)])
    expected = [max(spots_in_common(words, other) for other in known) for words in own]
    assert found.tolist() == [expected]
    assert expected[0] > 3
    assert expected[2:] == [0, 0]


def test_many_parts_and_several_collections_give_the_same_as_one() -> None:
    rng = np.random.default_rng(1)
    images = [random_words(rng, 8) for _ in range(2300)]
    first, second = collection(images[:3]), collection([images[2299], images[5]])
    found = most_shared(images, KEY, [first, second])
    assert np.flatnonzero(found[0]).tolist() == [0, 1, 2]
    assert np.flatnonzero(found[1]).tolist() == [5, 2299]
    assert found[1, 2299] == 8


def test_a_word_of_many_images_counts_less() -> None:
    rng = np.random.default_rng(4)
    common, rare = random_words(rng, 1), random_words(rng, 2)
    many = [np.concatenate([common, rare])] + [np.concatenate([common, random_words(rng, 2)]) for _ in range(2 * USUAL - 1)]
    assert most_shared([np.concatenate([common, rare])], KEY, [collection(many)]).tolist() == [[2.5]]


def test_a_word_of_many_images_here_counts_less() -> None:
    rng = np.random.default_rng(5)
    common, rare = random_words(rng, 1), random_words(rng, 2)
    own = [np.concatenate([common, rare])] + [np.concatenate([common, random_words(rng, 2)]) for _ in range(4 * USUAL - 1)]
    found = most_shared(own, KEY, [collection(own[:1])])[0]
    assert found[0] == 2.25
    assert set(found[1:].tolist()) == {0.25}


def test_a_word_of_a_crowd_counts_for_nothing() -> None:
    rng = np.random.default_rng(2)
    common, own = random_words(rng, 1), random_words(rng, 4)
    crowd = [np.concatenate([common, random_words(rng, 3)]) for _ in range(CROWD + 1)]
    assert most_shared([common], KEY, [collection(crowd)]).tolist() == [[0]]
    assert most_shared([common], KEY, [collection(crowd[1:])]).tolist() == [[USUAL / CROWD]]
    assert most_shared([own], KEY, [book(np.zeros(0, np.uint64), np.zeros(0, np.int64))]).tolist() == [[0]]


def test_another_key_shares_nothing() -> None:
    words = random_words(np.random.default_rng(3), 50)
    assert most_shared([words], b"another key than that", [collection([words])]).tolist() == [[0]]
    assert not np.isin(keyed(words, KEY), keyed(words, b"another key than that")).any()
    assert variants(words)[:, 0].tolist() == words.tolist()
