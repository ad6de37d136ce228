import numpy as np
import pytest
from builders import make_dataset
from quality_pictures import measured, pictures

from auditor.check import SkipCheck
from auditor.checks.iq004 import LowDynamicRange


def test_a_picture_of_a_dozen_levels_is_found() -> None:
    images = pictures(40)
    images[3] = (images[3] // 300 + 40).astype(np.uint16)
    verdict = LowDynamicRange().run(measured(images))
    assert [f.where.record for f in verdict.findings] == ["r0003"]
    assert verdict.metrics["images_flagged"] == 1


def test_clean_pictures_are_silent() -> None:
    verdict = LowDynamicRange().run(measured(pictures(40)))
    assert verdict.findings == ()
    assert verdict.metrics["images_flagged"] == 0


def test_a_table_without_pictures_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        LowDynamicRange().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))
