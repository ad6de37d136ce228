import numpy as np
import pytest
from builders import make_dataset
from quality_pictures import measured, pictures
from scipy import ndimage

from auditor.check import SkipCheck
from auditor.checks.iq007 import BlurredImage


def test_a_blurred_picture_is_found() -> None:
    images = pictures(40)
    images[3] = ndimage.gaussian_filter(images[3].astype(float), 2).astype(np.uint16)
    verdict = BlurredImage().run(measured(images))
    assert [f.where.record for f in verdict.findings] == ["r0003"]
    assert verdict.metrics["images_flagged"] == 1


def test_clean_pictures_are_silent() -> None:
    verdict = BlurredImage().run(measured(pictures(40)))
    assert verdict.findings == ()
    assert verdict.metrics["images_flagged"] == 0


def test_a_table_without_pictures_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        BlurredImage().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))


def test_a_collection_that_is_blurred_as_a_whole_is_named() -> None:
    images = [ndimage.gaussian_filter(i.astype(float), 3).astype(np.uint16) for i in pictures(25)]
    verdict = BlurredImage().run(measured(images))
    assert verdict.findings[0].where.record is None
    assert verdict.metrics["images_flagged"] == 25


def test_a_low_contrast_is_no_blur() -> None:
    images = pictures(40)
    images[3] = (images[3] // 5 + 1500).astype(np.uint16)
    assert BlurredImage().run(measured(images)).findings == ()
