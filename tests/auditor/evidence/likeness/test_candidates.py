from itertools import combinations

import numpy as np
import pytest

from auditor.evidence.likeness import candidates
from auditor.evidence.likeness.candidates import PER_IMAGE, candidate_pairs, prefix_bits


def random_words(images: int, each: int = 40) -> np.ndarray:
    # drawn anew each time, so that no test depends on those that ran before it
    rng = np.random.default_rng([7, images, each])
    signs = rng.integers(0, 1 << 40, (images, each), dtype=np.uint64) << np.uint64(24)
    weak = rng.integers(0, 24, (2, images, each), dtype=np.uint64)
    return signs | (weak[0] << np.uint64(6)) | weak[1]


def pairs(words: list[np.ndarray], **options: int) -> dict[tuple[int, int], int]:
    first, second, shared = candidate_pairs(words, **options)
    return dict(zip(zip(first.tolist(), second.tolist(), strict=True), shared.tolist(), strict=True))


def test_random_words_give_no_pair() -> None:
    assert pairs(list(random_words(300))) == {}


def test_images_that_share_words_are_a_pair_the_smaller_position_first() -> None:
    words = list(random_words(200))
    words[150] = np.concatenate([words[20][:5], words[150][5:]])
    found = pairs(words)
    assert set(found) == {(20, 150)}
    assert found[20, 150] >= 5


def test_two_shared_words_are_chance_unless_asked_for() -> None:
    words = list(random_words(50))
    words[9] = np.concatenate([words[3][:1], words[9][1:]])
    assert pairs(words, min_shared=4) == {}
    assert (3, 9) in pairs(words, min_shared=1)


def test_a_word_whose_least_certain_bit_differs_is_shared() -> None:
    words = list(random_words(50))
    base = words[3]
    weakest = (base >> np.uint64(6)) & np.uint64(63)
    words[9] = base ^ (np.uint64(1) << (np.uint64(63) - weakest))
    assert (3, 9) in pairs(words)


def test_bits_past_the_prefix_may_differ() -> None:
    words = list(random_words(50))
    words[9] = words[3] ^ (np.uint64(0x3FF) << np.uint64(24))
    assert (3, 9) in pairs(words)


def test_all_pairs_of_a_small_family_are_found() -> None:
    words = list(random_words(60))
    for i in (10, 20, 30, 40):
        words[i] = words[0]
    assert set(pairs(words)) == set(combinations((0, 10, 20, 30, 40), 2))


def test_a_giant_family_costs_no_square_of_pairs_and_stays_connected() -> None:
    words = [random_words(1)[0]] * 3000
    found = pairs(words)
    assert len(found) <= 3000 * PER_IMAGE
    assert {i for pair in found for i in pair} == set(range(3000))
    assert all((i, i + 1) in found for i in range(2999))


def test_a_pair_is_kept_while_it_is_among_the_best_of_one_of_its_images() -> None:
    words = list(random_words(40, each=60))
    words[1] = np.concatenate([words[0][:20], words[1][20:]])
    words[2] = np.concatenate([words[0][20:32], words[1][32:38], words[2][18:]])
    words[3] = np.concatenate([words[1][40:45], words[3][5:]])
    assert set(pairs(words)) == {(0, 1), (0, 2), (1, 2), (1, 3)}
    assert set(pairs(words, per_image=1)) == {(0, 1), (0, 2), (1, 3)}


def test_the_result_depends_on_nothing_but_the_words() -> None:
    words = list(random_words(100)) * 2
    first = candidate_pairs(words)
    second = candidate_pairs([w.copy() for w in words])
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (np.diff(first[0]) >= 0).all()
    assert (first[0] < first[1]).all()


def test_the_result_is_the_same_however_much_is_sorted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [*random_words(300), *[random_words(1)[0]] * 80]
    for i in range(0, 280, 7):
        words[i + 3] = np.concatenate([words[i][:15], words[i + 3][15:]])
    whole = candidate_pairs(words)
    assert len(whole[0]) > 300
    monkeypatch.setattr(candidates, "ENTRIES_AT_ONCE", 5000)
    monkeypatch.setattr(candidates, "SHELF", 50)
    monkeypatch.setattr(candidates, "SHELF_BYTES", 64)
    monkeypatch.setattr(candidates, "PART", 37)
    assert candidates.heaps_of(words) > 5
    for a, b in zip(candidate_pairs(words), whole, strict=True):
        np.testing.assert_array_equal(a, b)


def test_more_images_need_longer_agreement() -> None:
    assert [prefix_bits(n) for n in (1, 1000, 2000, 1_000_000, 10**12)] == [24, 24, 25, 34, 40]


@pytest.mark.parametrize("words", [[], [np.zeros(0, np.uint64)] * 3, [np.ones(1, np.uint64)]])
def test_nothing_to_compare_gives_no_pair(words: list[np.ndarray]) -> None:
    first, second, shared = candidate_pairs(words)
    assert len(first) == len(second) == len(shared) == 0
