import numpy as np
import pytest
from builders import make_dataset
from quality_pictures import measured, pictures

from auditor.check import SkipCheck
from auditor.checks.iq001 import BlankImage


def test_a_picture_of_nothing_but_noise_is_found() -> None:
    images = pictures(40)
    images[3] = np.random.default_rng(0).integers(1000, 1100, images[3].shape).astype(np.uint16)
    verdict = BlankImage().run(measured(images))
    assert [f.where.record for f in verdict.findings] == ["r0003"]
    assert verdict.metrics["images_flagged"] == 1


def test_clean_pictures_are_silent() -> None:
    verdict = BlankImage().run(measured(pictures(40)))
    assert verdict.findings == ()
    assert verdict.metrics["images_flagged"] == 0


def test_a_table_without_pictures_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        BlankImage().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))


def test_a_picture_with_one_hot_pixel_is_blank_and_not_constant() -> None:
    images = pictures(40)
    images[3] = np.full((96, 96), 7, np.uint16)
    images[3][1, 1] = 4095
    assert [f.where.record for f in BlankImage().run(measured(images)).findings] == ["r0003"]
