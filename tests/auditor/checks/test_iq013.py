import numpy as np
import pytest
from builders import make_dataset
from quality_pictures import measured, pictures

from auditor.check import SkipCheck
from auditor.checks.iq013 import OffTopic


def test_a_test_pattern_is_found() -> None:
    images = pictures(40)
    images[3] = (np.indices((96, 96)).sum(axis=0) % 12 // 6 * 3000 + 500).astype(np.uint16)
    verdict = OffTopic().run(measured(images))
    assert [f.where.record for f in verdict.findings] == ["r0003"]
    assert verdict.metrics["images_flagged"] == 1


def test_clean_pictures_are_silent() -> None:
    verdict = OffTopic().run(measured(pictures(40)))
    assert verdict.findings == ()
    assert verdict.metrics["images_flagged"] == 0


def test_a_table_without_pictures_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="fewer than 20 images"):
        OffTopic().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))
