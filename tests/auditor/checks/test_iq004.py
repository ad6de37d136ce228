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


@pytest.mark.parametrize("scale", [1.0, 1 / 65535, 1 / 4095])
def test_a_copy_in_floats_has_the_levels_of_its_whole_numbers(scale: float) -> None:
    images = pictures(40)
    for number in (3, 4, 5):
        images[number] = (images[number] * scale).astype(np.float32)
    assert LowDynamicRange().run(measured(images)).findings == ()


def test_whole_numbers_among_floats_are_not_few_because_floats_are_fine() -> None:
    rng = np.random.default_rng(0)
    images = [(image + rng.normal(0, 1, image.shape)).astype(np.float32) for image in pictures(40)]
    images[3] = pictures(40)[3]
    assert LowDynamicRange().run(measured(images)).findings == ()


def test_a_float_picture_of_a_dozen_levels_is_found() -> None:
    images = [image.astype(np.float32) for image in pictures(40)]
    images[3] = (images[3] // 300 + 40) / 7
    assert [f.where.record for f in LowDynamicRange().run(measured(images)).findings] == ["r0003"]


def test_several_pictures_are_one_finding_with_a_table() -> None:
    images = pictures(40)
    for number in (3, 7, 9):
        images[number] = (images[number] // 300 + 40).astype(np.uint16)
    verdict = LowDynamicRange().run(measured(images))
    (finding,) = verdict.findings
    assert finding.message.startswith("3 of 40 images (8%): each")
    assert sorted(verdict.tables[0].columns[0].values) == ["r0003", "r0007", "r0009"]
    assert len(LowDynamicRange(max_findings=5).run(measured(images)).findings) == 3
