import numpy as np
import pytest
from builders import make_dataset
from quality_pictures import measured, pictures

from auditor.check import SkipCheck
from auditor.checks.iq005 import EightInSixteen


def test_bytes_spread_over_sixteen_bits_are_found() -> None:
    images = pictures(40)
    images = pictures(40, side=160)
    images[3] = ((images[3] // 16) * 257).astype(np.uint16)
    verdict = EightInSixteen().run(measured(images))
    assert [f.where.record for f in verdict.findings] == ["r0003"]
    assert verdict.metrics["images_flagged"] == 1


def test_clean_pictures_are_silent() -> None:
    verdict = EightInSixteen().run(measured(pictures(40)))
    assert verdict.findings == ()
    assert verdict.metrics["images_flagged"] == 0


def test_a_table_without_pictures_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        EightInSixteen().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))


def test_bytes_kept_as_they_are_in_sixteen_bits_are_found_when_all_are() -> None:
    images = [(image // 16).astype(np.uint16) for image in pictures(40)]
    assert EightInSixteen().run(measured(images)).metrics["images_flagged"] == 40


def test_one_dark_slice_among_deep_ones_is_no_finding() -> None:
    images = pictures(40)
    images[3] = (images[3] // 16).astype(np.uint16)
    assert EightInSixteen().run(measured(images)).findings == ()


def test_eight_bit_files_are_skipped() -> None:
    with pytest.raises(SkipCheck, match="more than 8 bits"):
        EightInSixteen().run(measured([(image // 16).astype(np.uint8) for image in pictures(20)]))
