import numpy as np
import pytest

from auditor.degrade.phantom import radiograph
from auditor.evidence.likeness.glance import MIN_ALIKE, alikeness, glance_of
from auditor.evidence.likeness.keypoints import ORIENTATIONS
from auditor.evidence.likeness.perceptual import Frame, frame_of, proof_of
from auditor.evidence.likeness.voting import MIN_VOTES, Positions, positions

CHESTS = [radiograph(p, 0, opacity=False, side=160).astype(np.float32) for p in range(8)]


def frame(gray: np.ndarray) -> Frame:
    proof = proof_of(np.ascontiguousarray(gray, np.float32))
    assert isinstance(proof, np.ndarray)
    return frame_of(proof)


def rows(several: list[Frame]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    words, places = np.zeros((len(several), 84), np.uint64), np.zeros((len(several), 84), np.uint32)
    for i, one in enumerate(several):
        words[i, : len(one.words)], places[i, : len(one.places)] = one.words, one.places
    return words, places, np.array([len(one.words) for one in several])


def found(a: list[Frame], b: list[Frame]) -> tuple[Positions, np.ndarray]:
    """The likeliest positions, and how alike the glances are there."""
    at = positions(*rows(a), *rows(b))[0]
    glances = (np.stack([one.glance for one in several]) for several in (a, b))
    shapes = (np.array([one.shape for one in several], np.uint8) for several in (a, b))
    return at, alikeness(*glances, *shapes, at)


@pytest.mark.parametrize("way", range(8), ids=lambda way: str(ORIENTATIONS[way]))
def test_each_of_the_eight_ways_is_told_and_the_glances_agree(way: int) -> None:
    transposed, y, x = ORIENTATIONS[way]
    for picture in (CHESTS[1], CHESTS[2][:120]):
        changed = (picture.T if transposed else picture)[::y, ::x]
        at, alike = found([frame(picture)] * 2, [frame(changed), frame(1 - changed)])
        assert at.orientation.tolist() == [way, way]
        assert at.polarity.tolist() == [1, -1]
        assert (at.votes > 40).all()
        assert (alike > 0.95).all()


def test_a_crop_is_laid_where_it_was_cut_out() -> None:
    at, alike = found([frame(CHESTS[3])], [frame(CHESTS[3][30:150, 10:130])])
    side = 96 / 160
    assert at.scale_y[0] == pytest.approx(160 / 120, abs=0.05)
    assert -at.shift_y[0] / at.scale_y[0] == pytest.approx(30 * side, abs=1.5)
    assert -at.shift_x[0] / at.scale_x[0] == pytest.approx(10 * side, abs=1.5)
    assert alike[0] > 0.8


def test_chests_of_different_patients_lie_alike_and_a_glance_tells_them_apart() -> None:
    frames = [frame(chest) for chest in CHESTS]
    first, second = np.triu_indices(len(frames), 1)
    at, alike = found([frames[i] for i in first], [frames[i] for i in second])
    assert (at.votes >= MIN_VOTES).mean() > 0.8, "phantoms must be alike, or they test nothing"
    assert (alike >= MIN_ALIKE).mean() < 0.1


def test_a_symmetrical_picture_lies_in_its_copy_in_a_second_way() -> None:
    half = CHESTS[4][:, :80]
    picture = np.concatenate([half, half[:, ::-1]], axis=1)
    one = frame(picture)
    first, second = positions(*rows([one]), *rows([one]))
    assert {int(first.orientation[0]), int(second.orientation[0])} == {0, 1}
    assert min(first.votes[0], second.votes[0]) > 20


def test_pictures_without_words_have_no_position() -> None:
    blank, chest = frame_of(np.full((96, 96), 7, np.uint8)), frame(CHESTS[5])
    for a, b in ((blank, chest), (chest, blank), (blank, blank)):
        assert [at.votes.tolist() for at in positions(*rows([a]), *rows([b]))] == [[0], [0]]


def test_a_glance_of_nothing_is_nothing() -> None:
    assert not glance_of(np.full((96, 96), 9, np.uint8)).any()
