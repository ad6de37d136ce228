import numpy as np
import pytest
from builders import make_dataset
from quality_pictures import measured, pictures
from scipy import ndimage

from auditor.check import SkipCheck
from auditor.checks.iq006 import InvertedImage


def test_a_negative_is_found() -> None:
    images = pictures(40)
    images[3] = (4096 - images[3]).astype(np.uint16)
    verdict = InvertedImage().run(measured(images))
    assert [f.where.record for f in verdict.findings] == ["r0003"]
    assert verdict.metrics["images_flagged"] == 1


def test_clean_pictures_are_silent() -> None:
    verdict = InvertedImage().run(measured(pictures(40)))
    assert verdict.findings == ()
    assert verdict.metrics["images_flagged"] == 0


def test_a_table_without_pictures_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        InvertedImage().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))


def test_pictures_without_a_common_layout_are_skipped() -> None:
    rng = np.random.default_rng(3)
    images = [ndimage.gaussian_filter(rng.normal(0, 9000, (96, 96)), 6).astype(np.int16) for _ in range(40)]
    with pytest.raises(SkipCheck, match="no common layout"):
        InvertedImage().run(measured(images))
