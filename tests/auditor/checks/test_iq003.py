import numpy as np
import pytest
from builders import make_dataset
from quality_pictures import measured, pictures

from auditor.check import SkipCheck
from auditor.checks.iq003 import ClippedImage


def test_highlights_that_are_cut_off_are_found() -> None:
    images = pictures(40)
    images[3] = np.minimum(images[3], np.percentile(images[3], 80)).astype(np.uint16)
    verdict = ClippedImage().run(measured(images))
    assert [f.where.record for f in verdict.findings] == ["r0003"]
    assert verdict.metrics["images_flagged"] == 1


def test_clean_pictures_are_silent() -> None:
    verdict = ClippedImage().run(measured(pictures(40)))
    assert verdict.findings == ()
    assert verdict.metrics["images_flagged"] == 0


def test_a_table_without_pictures_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        ClippedImage().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))


def test_a_black_surround_is_background() -> None:
    images = pictures(40)
    for image in images:
        image[:20] = image[-20:] = 0
    assert ClippedImage().run(measured(images)).findings == ()


def test_sixteen_bits_are_not_saturated_by_reading() -> None:
    images = [(image.astype(np.uint32) * 16).astype(np.uint16) for image in pictures(40)]
    assert ClippedImage().run(measured(images)).findings == ()


def test_when_every_picture_is_cut_off_the_dataset_is_named_first() -> None:
    images = [np.minimum(i, np.percentile(i, 80)).astype(np.uint16) for i in pictures(40)]
    verdict = ClippedImage().run(measured(images))
    assert verdict.findings[0].where.record is None
    assert verdict.findings[0].message.startswith("All 40 images: each")
    assert "property of the collection" in verdict.findings[0].message
    assert len(verdict.findings) == 1
    assert verdict.tables[0].length == 40
