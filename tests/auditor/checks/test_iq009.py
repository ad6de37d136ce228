import numpy as np
import pytest
from builders import make_dataset
from quality_pictures import measured, pictures
from scipy import ndimage

from auditor.check import SkipCheck
from auditor.checks.iq009 import BandsOrMotion


def test_failing_detector_lines_are_found() -> None:
    images = pictures(40)
    images[3] = (images[3] + 300 * (np.arange(96) % 2)[:, None]).astype(np.uint16)
    verdict = BandsOrMotion().run(measured(images))
    assert [f.where.record for f in verdict.findings] == ["r0003"]
    assert verdict.metrics["images_flagged"] == 1


def test_clean_pictures_are_silent() -> None:
    verdict = BandsOrMotion().run(measured(pictures(40)))
    assert verdict.findings == ()
    assert verdict.metrics["images_flagged"] == 0


def test_a_table_without_pictures_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        BandsOrMotion().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))


def test_motion_along_one_direction_is_found() -> None:
    images = pictures(40)
    images[3] = ndimage.uniform_filter1d(images[3].astype(float), 9, axis=0).astype(np.uint16)
    assert [f.where.record for f in BandsOrMotion().run(measured(images)).findings] == ["r0003"]
