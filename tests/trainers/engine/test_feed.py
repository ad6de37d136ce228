from pathlib import Path

import numpy as np
import pytest
import torch

from trainers.engine.feed import Feed, Normaliser
from trainers.values.pictures import UNKNOWN_PIXEL, Pictures
from trainers.values.recipe import Normalisation

CPU = torch.device("cpu")


def pictures(dtype: str = "uint8", n: int = 6) -> Pictures:
    top = np.iinfo(dtype).max
    array = np.random.default_rng(0).integers(0, top, (n, 2, 3, 4), dtype=dtype, endpoint=True)
    array[0, 0, 0, 0] = top
    return Pictures(array=array, readable=np.ones(n, bool))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(("held", "ahead"), [(False, False), (True, False), (False, True)])
def test_a_batch_holds_the_asked_pictures_as_shares_of_white(dtype: str, held: bool, ahead: bool) -> None:
    pics, rows = pictures(dtype), np.array([4, 0, 2])
    feed = Feed(pics, rows, CPU, held=held, ahead=ahead)
    batches = list(feed.batches([np.array([2, 1]), np.array([0])]))
    assert [b.places.tolist() for b in batches] == [[2, 1], [0]]
    np.testing.assert_allclose(batches[0].images.numpy(), pics.array[[2, 0]] / pics.top, rtol=1e-6)
    np.testing.assert_allclose(batches[1].images.numpy(), pics.array[[4]] / pics.top, rtol=1e-6)
    assert float(batches[0].images[1, 0, 0, 0]) == 1
    assert batches[0].masks is None


def test_pictures_on_disk_are_read_like_those_in_memory(tmp_path: Path) -> None:
    pics = pictures()
    np.save(tmp_path / "a.npy", pics.array)
    mapped = Pictures(array=np.load(tmp_path / "a.npy", mmap_mode="r"), readable=pics.readable)
    one, other = (next(Feed(p, np.arange(6), CPU).batches([np.array([5, 1])])) for p in (pics, mapped))
    assert torch.equal(one.images, other.images)


@pytest.mark.parametrize("held", [False, True])
def test_masks_come_along_and_those_of_the_examples_take_their_place(held: bool) -> None:
    base = pictures()
    masks = np.arange(6 * 12, dtype=np.uint8).reshape(6, 3, 4)
    pics = Pictures(array=base.array, readable=base.readable, masks=masks, masked=np.array([1, 1, 0, 1, 1, 1], bool))
    rows = np.array([1, 2])
    found = next(Feed(pics, rows, CPU, with_masks=True, held=held).batches([np.array([0, 1])])).masks
    assert found is not None
    np.testing.assert_array_equal(found[0], masks[1])
    assert (found[1] == UNKNOWN_PIXEL).all()
    own = np.ones((2, 3, 4), np.uint8)
    found = next(Feed(pics, rows, CPU, with_masks=True, masks=own, held=held).batches([np.array([1])])).masks
    assert found is not None
    np.testing.assert_array_equal(found, own[1:])


def test_normalisation_is_measured_per_channel_and_undone_by_it() -> None:
    pics = pictures("uint16", n=40)
    found = Normalisation.of(pics, np.arange(40))
    shares = pics.array / 65535
    np.testing.assert_allclose(found.mean, shares.mean((0, 2, 3)), rtol=1e-9)
    np.testing.assert_allclose(found.deviation, shares.std((0, 2, 3)), rtol=1e-9)
    seen = Normaliser(found, 2, CPU)(torch.from_numpy(shares.astype(np.float32)))
    np.testing.assert_allclose(seen.mean((0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(seen.std((0, 2, 3), correction=0), 1, atol=1e-4)
    assert seen.is_contiguous(memory_format=torch.channels_last)


def test_a_constant_channel_stays_finite() -> None:
    flat = Pictures(array=np.full((3, 1, 2, 2), 7, np.uint8), readable=np.ones(3, bool))
    found = Normalisation.of(flat, np.arange(3))
    assert found.deviation == (1.0,)
