import numpy as np
import pytest
from builders import make_dataset
from quality_pictures import measured, pictures

from auditor.check import SkipCheck
from auditor.checks.iq010 import OrientationOrAspect


def test_a_turned_picture_is_found() -> None:
    images = pictures(40)
    images[3] = np.ascontiguousarray(np.rot90(images[3]))
    verdict = OrientationOrAspect().run(measured(images))
    assert [f.where.record for f in verdict.findings] == ["r0003"]
    assert verdict.metrics["images_flagged"] == 1


def test_clean_pictures_are_silent() -> None:
    verdict = OrientationOrAspect().run(measured(pictures(40)))
    assert verdict.findings == ()
    assert verdict.metrics["images_flagged"] == 0


def test_a_table_without_pictures_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        OrientationOrAspect().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))


def test_a_stretched_picture_is_found() -> None:
    images = pictures(40)
    images[3] = np.repeat(images[3], 2, axis=0)
    assert [f.where.record for f in OrientationOrAspect().run(measured(images)).findings] == ["r0003"]
