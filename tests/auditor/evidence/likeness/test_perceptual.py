import numpy as np
import pytest

from auditor.degrade.phantom import radiograph
from auditor.evidence.likeness.keypoints import GRID, MAX_WORDS, ORIENTATIONS, WEAK_BITS, keypoints, orientation, words
from auditor.evidence.likeness.perceptual import (
    AREA,
    BLANK,
    FEW_LEVELS,
    MIN_LEVELS,
    REFUSALS,
    STRIPES,
    TOO_LONG,
    TOO_SMALL,
    distinct_levels,
    from_jpeg,
    mixed,
    pack,
    proof_of,
    sketch_of,
    sketched_frames,
    trimmed,
    unpack,
)
from auditor.evidence.likeness.sketches import Sketches, WordList

CHEST = radiograph(1, 0, opacity=False, side=224).astype(np.float32)
NOISE = np.random.default_rng(0).random((60, 80)).astype(np.float32)


def signs(found: np.ndarray) -> set[int]:
    return set((found >> np.uint64(64 - WEAK_BITS)).tolist())


def proof(gray: np.ndarray) -> np.ndarray:
    found = proof_of(gray)
    assert isinstance(found, np.ndarray)
    return found


def test_a_proof_keeps_the_shape_and_has_about_the_same_area_whatever_the_picture() -> None:
    for shape in ((96, 96), (480, 640), (300, 100), (60, 80)):
        gray = np.random.default_rng(1).random(shape).astype(np.float32)
        small = proof(gray)
        assert abs(small.size / AREA - 1) < 0.05
        assert abs(small.shape[0] / small.shape[1] / (shape[0] / shape[1]) - 1) < 0.03
        assert small.dtype == np.uint8


def test_brightness_and_contrast_hardly_change_a_proof() -> None:
    plain, changed = proof(CHEST).astype(int), proof(CHEST * 0.5 + 0.2).astype(int)
    assert np.abs(plain - changed).max() <= 2


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_padding_is_cut_off_to_the_line(value: float) -> None:
    padded = np.pad(NOISE, ((13, 5), (0, 21)), constant_values=value)
    np.testing.assert_array_equal(trimmed(padded), NOISE)
    large = np.pad(np.kron(NOISE, np.ones((8, 8), np.float32)), ((101, 37), (3, 0)), constant_values=value)
    assert trimmed(large).shape == (480, 640)


def test_a_flat_picture_is_not_trimmed_away() -> None:
    flat = np.full((100, 120), 0.3, np.float32)
    assert trimmed(flat).shape == (100, 120)


@pytest.mark.parametrize(
    ("gray", "reason"),
    [
        (NOISE[:40], TOO_SMALL),
        (np.full((100, 100), 0.5, np.float32), BLANK),
        (np.random.default_rng(0).random((60, 400)).astype(np.float32), TOO_LONG),
        (np.tile(np.linspace(0, 1, 100, dtype=np.float32), (100, 1)), STRIPES),
    ],
)
def test_what_cannot_be_told_is_refused_with_a_reason(gray: np.ndarray, reason: bytes) -> None:
    assert proof_of(gray) == reason
    assert sketch_of([gray], frames=1, levels=200) == reason
    assert unpack(reason) is None
    assert REFUSALS[reason]


def test_a_mask_is_refused() -> None:
    mask = (NOISE > 0.5).astype(np.uint8) * 255
    assert distinct_levels(mask) == 2
    assert sketch_of([mask / np.float32(255)], frames=1, levels=distinct_levels(mask)) == FEW_LEVELS


def test_levels_of_a_large_frame_are_counted_on_a_sample() -> None:
    assert distinct_levels(np.tile(np.arange(2000, dtype=np.uint16), (2000, 1))) >= MIN_LEVELS
    rare = np.zeros((2000, 2000), np.uint8)
    rare[::40] = np.arange(2000) % 40
    assert distinct_levels(rare) >= MIN_LEVELS, "seen by the closer look alone"
    assert distinct_levels(np.zeros((2000, 2000, 3), np.uint8)) == 1


def test_a_sketch_survives_packing() -> None:
    packed = sketch_of([CHEST, CHEST[::-1]], frames=7, levels=200)
    sketch = unpack(packed)
    assert sketch is not None
    assert sketch.count == 7
    assert pack(sketch) == packed
    for frame, gray in zip(sketch.frames, (CHEST, CHEST[::-1]), strict=True):
        assert 40 <= len(frame.words) == len(frame.places) <= MAX_WORDS
        error = from_jpeg(frame.proof).astype(float) - proof(gray)
        assert np.abs(error).mean() < 2
        assert frame.shape == proof(gray).shape
    assert len(packed) < 16_000


def test_three_frames_of_a_stack_are_sketched_symmetrically() -> None:
    assert sketched_frames(1) == (0,)
    assert sketched_frames(2) == (0, 1)
    assert sketched_frames(3) == (0, 1, 2)
    assert sketched_frames(40) == (10, 20, 29)


def test_sketches_give_back_what_was_put_in_and_count_what_was_refused() -> None:
    book = Sketches()
    book.add("a", sketch_of([CHEST], frames=1, levels=200))
    book.add("b", TOO_SMALL)
    book.add("c", sketch_of([CHEST[::-1]], frames=1, levels=200))
    book.add("d", TOO_SMALL)
    assert "a" in book
    assert "b" not in book
    assert len(book) == 2
    assert book.frames == {"a": 1, "c": 1}
    assert list(book.reasons().values()) == [2]
    (number,) = book.numbers("c")
    back = book.proof(number)
    assert np.abs(back.astype(float) - proof(CHEST[::-1])).mean() < 2


CHANGES = {
    "flipped": lambda p: p[:, ::-1],
    "upside down": lambda p: p[::-1],
    "a quarter": np.rot90,
    "transposed": lambda p: p.T,
    "inverted": lambda p: 255 - p,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_words_are_the_same_after_flips_turns_and_inversion(change: object) -> None:
    picture = proof(CHEST)
    before, after = (words(keypoints(p))[0] for p in (picture, np.ascontiguousarray(change(picture))))  # type: ignore[operator]
    assert len(signs(before) & signs(after)) > 0.9 * len(signs(before))


def test_words_mostly_survive_gamma_and_are_not_shared_with_another_picture() -> None:
    before = signs(words(keypoints(proof(CHEST)))[0])
    after = signs(words(keypoints(proof(CHEST**1.2)))[0])
    other = signs(words(keypoints(proof(np.random.default_rng(3).random((96, 96)).astype(np.float32))))[0])
    assert len(before & after) > 0.15 * len(before)
    assert len(before & other) == 0


def test_a_bright_disk_is_one_bright_keypoint_at_its_centre() -> None:
    y, x = np.mgrid[:96, :96]
    picture = (60 + 120 * (np.hypot(y - 40, x - 52) < 4)).astype(np.uint8)
    points = keypoints(picture)
    best = int(np.argmax(points.strength))
    assert abs(points.y[best] - 40) <= 1
    assert abs(points.x[best] - 52) <= 1
    assert points.polarity[best] == 1
    assert keypoints(255 - picture).polarity[best] == -1


def test_a_patch_in_its_own_orientation_is_brighter_to_the_right_and_downwards() -> None:
    patches = np.random.default_rng(5).normal(size=(50, GRID, GRID)).astype(np.float32)
    axis = np.arange(GRID) - (GRID - 1) / 2
    for patch, way in zip(patches, orientation(patches.reshape(50, -1)), strict=True):
        transposed, y, x = ORIENTATIONS[way]
        turned = patch[::y, ::x]
        turned = turned.T if transposed else turned
        right, down = (turned.sum(axis=0) * axis).sum(), (turned.sum(axis=1) * axis).sum()
        assert right >= down >= 0


def test_nothing_to_see_gives_no_words() -> None:
    found, places = words(keypoints(np.full((96, 96), 7, np.uint8)))
    assert len(found) == len(places) == 0


def test_stacks_share_the_room_of_one_picture() -> None:
    few, many = np.arange(3, dtype=np.uint64), np.arange(10, 15, dtype=np.uint64)
    assert mixed([many]) is many
    assert mixed([few, many]).tolist() == [0, 10, 1, 11, 2]


def test_words_come_back_one_by_one_and_in_runs() -> None:
    book = Sketches()
    for record, grays in {"a": [CHEST], "b": [CHEST.T, CHEST[:150]], "c": [CHEST[::-1]]}.items():
        book.add(record, sketch_of(grays, frames=len(grays), levels=200))
    listed = WordList(sketches=book, records=["c", "a", "b"])
    assert len(listed) == 3
    for words_here, record in zip(listed[:], "cab", strict=True):
        np.testing.assert_array_equal(words_here, book.words(record))
    np.testing.assert_array_equal(listed[1], book.words("a"))
    assert book.numbers("b") == range(1, 3)
