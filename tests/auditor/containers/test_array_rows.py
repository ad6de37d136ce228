from pathlib import Path

import numpy as np
import pytest

from auditor.containers.array_rows import ArrayRows, digest_of
from auditor.digests import content_digest
from auditor.measuring.measure import Measurer
from auditor.values.errors import UnreadableFile
from auditor.values.image import Limits
from auditor.values.measurement import Task

IMAGES = np.random.default_rng(0).integers(0, 4096, (30, 9, 7)).astype(">u2")


@pytest.fixture(params=[np.savez, np.savez_compressed])
def npz(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    request.param(tmp_path / "set.npz", train_images=IMAGES, train_labels=np.arange(30))
    return tmp_path / "set.npz"


def rows_of(path: Path, member: str = "train_images", **limits: int) -> ArrayRows:
    rows = ArrayRows(path=path, member=member, limits=Limits(**limits))
    rows.open()
    return rows


def test_rows_are_the_array_in_any_order(npz: Path) -> None:
    rows = rows_of(npz)
    assert rows.shape == (30, 9, 7)
    for index in (0, 1, 5, 29, 3, 3, 28):
        np.testing.assert_array_equal(rows.row(index), IMAGES[index])
    assert rows.row(0).dtype == np.uint16
    rows.close()


def test_one_row_is_bounded_and_not_the_whole_array(npz: Path) -> None:
    rows_of(npz, decoded_bytes=126).close()
    with pytest.raises(UnreadableFile) as caught:
        rows_of(npz, decoded_bytes=125)
    assert caught.value.kind == "too-large"


@pytest.mark.parametrize(("member", "kind"), [("test_images", "malformed"), ("train_labels", "unsupported")])
def test_a_member_without_images_is_refused(npz: Path, member: str, kind: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        rows_of(npz, member)
    assert caught.value.kind == kind


def test_pickled_objects_and_fortran_order_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "o.npz", a=np.array([[[{}]]], dtype=object), f=np.asfortranarray(IMAGES))
    for member, kind in (("a", "refused"), ("f", "unsupported")):
        with pytest.raises(UnreadableFile) as caught:
            rows_of(tmp_path / "o.npz", member)
        assert caught.value.kind == kind


def test_a_damaged_stream_costs_the_images_behind_the_damage(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", train_images=np.concatenate([IMAGES] * 100))
    content = bytearray((tmp_path / "set.npz").read_bytes())
    content[-700] ^= 0xFF  # in the values of the last rows: the check sum of the member fails at its end
    (tmp_path / "set.npz").write_bytes(content)
    task = Task(path="set.npz", records=("first", "last"), items=("train_images:0", "train_images:2999"))
    first, last = Measurer(root=tmp_path, limits=Limits()).measure(task)
    assert first.problem is None
    assert last.problem is not None
    assert last.problem[0] == "malformed"


def test_an_index_that_is_not_there_is_a_problem_of_its_record(npz: Path) -> None:
    task = Task(path=npz.name, records=("a", "b"), items=("train_images:30", "train_images:1"))
    wrong, right = Measurer(root=npz.parent, limits=Limits()).measure(task)
    assert wrong.problem is not None
    assert right.problem is None


def test_the_digest_is_that_of_the_bytes(npz: Path) -> None:
    assert digest_of(npz) == content_digest(npz.read_bytes())
    with pytest.raises(UnreadableFile):
        digest_of(npz.parent / "nowhere")
