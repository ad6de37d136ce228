import numpy as np
import pytest
from builders import make_dataset
from quality_pictures import measured, pictures

from auditor.check import SkipCheck
from auditor.checks.iq008 import NoisyImage


def test_a_noisy_picture_is_found() -> None:
    images = pictures(40)
    rng = np.random.default_rng(1)
    images[3] = np.clip(images[3] + rng.normal(0, 400, images[3].shape), 1, 4095).astype(np.uint16)
    verdict = NoisyImage().run(measured(images))
    assert [f.where.record for f in verdict.findings] == ["r0003"]
    assert verdict.metrics["images_flagged"] == 1


def test_clean_pictures_are_silent() -> None:
    verdict = NoisyImage().run(measured(pictures(40)))
    assert verdict.findings == ()
    assert verdict.metrics["images_flagged"] == 0


def test_a_table_without_pictures_is_skipped() -> None:
    with pytest.raises(SkipCheck, match="no image was read"):
        NoisyImage().run(make_dataset(labels=["x", "y"] * 10, paths=[None] * 20))
