import pytest
from builders import make_dataset
from quality_pictures import measured, pictures

from auditor.check import SkipCheck
from auditor.checks.iq011 import MostlyBackground


def test_a_speck_on_black_is_found() -> None:
    images = pictures(40)
    small = images[3][40:56, 40:56].copy()
    images[3][:] = 0
    images[3][40:56, 40:56] = small
    verdict = MostlyBackground().run(measured(images))
    assert [f.where.record for f in verdict.findings] == ["r0003"]
    assert verdict.metrics["images_flagged"] == 1


def test_clean_pictures_are_silent() -> None:
    verdict = MostlyBackground().run(measured(pictures(40)))
    assert verdict.findings == ()
    assert verdict.metrics["images_flagged"] == 0


def test_a_table_without_pictures_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        MostlyBackground().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))
