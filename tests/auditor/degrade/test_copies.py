from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image

from auditor.degrade.copies import NEAR_COPIES, copy_bytes, copy_pixels, depth_by_class, near_copies, near_copy
from auditor.degrade.encode import write_image
from auditor.degrade.phantom import radiograph


@pytest.fixture(scope="module")
def chest() -> np.ndarray:
    return np.rint(radiograph(1, 0, opacity=True, side=96) * 65535).astype(np.uint16)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    small = [np.asarray(Image.fromarray((x >> 8).astype(np.uint8)).resize((24, 24)), dtype=float).ravel() for x in (a, b)]
    return float(np.corrcoef(*small)[0, 1])


@pytest.mark.parametrize("how", sorted(NEAR_COPIES))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_near_copy_differs_but_looks_alike_and_keeps_its_depth(how, dtype, chest):
    image = chest if dtype == np.uint16 else (chest >> 8).astype(np.uint8)
    kept = image.copy()
    copy = near_copy(image, how, seed=3)
    assert copy.dtype == dtype
    assert copy.shape != image.shape or (copy != image).any()
    assert (image == kept).all()
    assert (near_copy(image, how, seed=3) == copy).all()
    if how != "flip":
        wide = [x if dtype == np.uint16 else x.astype(np.uint16) * 257 for x in (copy, image)]
        assert correlation(*wide) > (0.6 if how in ("crop", "mark") else 0.97)


def test_a_flipped_copy_is_the_mirror_image(chest):
    copy = near_copy(chest, "flip", seed=0)
    assert (copy == chest[::-1]).all() or (copy == chest[:, ::-1]).all()


def test_near_copies_of_colour_pictures_stay_in_colour():
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    assert all(near_copy(image, how, seed=1).shape[2] == 3 for how in NEAR_COPIES)


def test_near_copies_name_their_originals(chest):
    images = {f"r{i}": chest + np.uint16(i) for i in range(10)}
    made, truth = near_copies(images, 4, seed=2, how=["jpeg", "crop"])
    assert len(images) == 10
    assert [row.record for row in truth] == list(made)
    assert [row.detail for row in truth] == ["jpeg", "crop", "jpeg", "crop"]
    assert all(row.record == f"{row.old}-near" and row.old in images for row in truth)


def test_depth_follows_the_class_in_the_share_that_was_asked():
    rng = np.random.default_rng(0)
    images = {f"r{i}": rng.random((2, 2)) for i in range(600)}
    labels = {record: "ab"[i % 2] for i, record in enumerate(images)}
    stored, truth = depth_by_class(images, labels, "a", seed=1)
    assert {(labels[r], image.dtype.itemsize) for r, image in stored.items()} == {("a", 2), ("b", 1)}
    assert [row.new for row in truth] == [str(8 * image.dtype.itemsize) for image in stored.values()]
    stored, _ = depth_by_class(images, labels, "a", seed=1, share=0.6)
    follow = np.mean([(labels[r] == "a") == (image.dtype.itemsize == 2) for r, image in stored.items()])
    assert follow == pytest.approx(0.8, abs=0.05)  # 0.6 by rule and half of the rest by lot


def test_exact_copies_are_the_same_bytes_or_the_same_pixels(tmp_path: Path, chest):
    write_image(tmp_path / "a.dcm", chest, "dicom16", seed=1)
    by_bytes = copy_bytes(tmp_path, "a.dcm", "b.dcm")
    by_pixels = copy_pixels(tmp_path, chest, "a.dcm", "c.tif", "tiff16", seed=2)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
    first = pydicom.dcmread(io.BytesIO((tmp_path / "a.dcm").read_bytes())).pixel_array
    assert (tifffile.imread(tmp_path / "c.tif") == first).all()
    assert (by_bytes.record, by_bytes.old, by_bytes.detail) == ("b.dcm", "a.dcm", "bytes")
    assert (by_pixels.record, by_pixels.old, by_pixels.detail) == ("c.tif", "a.dcm", "pixels")
