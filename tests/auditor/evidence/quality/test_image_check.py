import numpy as np
import pytest
from builders import make_dataset
from quality_pictures import measured, pictures

from auditor.check import SkipCheck, check_classes
from auditor.evidence.quality.image_check import ImageCheck, apart, kinds_of

IMAGE_CHECKS = [c for c in check_classes() if issubclass(c, ImageCheck)]


def test_an_image_is_compared_with_its_own_kind() -> None:
    values = np.r_[np.zeros(30), np.ones(30)] + np.random.default_rng(0).normal(0, 0.01, 60)
    values[4] = 1.0
    kinds = np.repeat([0, 1], 30)
    flagged, median = apart(values, kinds, side="high", deviations=6, effect=0.1)
    assert np.flatnonzero(flagged).tolist() == [4]
    assert median[0] == pytest.approx(0, abs=0.02)
    assert median[40] == pytest.approx(1, abs=0.02)


def test_fewer_than_twenty_have_no_usual() -> None:
    values = np.r_[np.zeros(18), 9.0]
    flagged, median = apart(values, np.zeros(19, np.int64), side="both", deviations=6, effect=0.1)
    assert not flagged.any()
    assert np.isnan(median).all()


def test_kinds_are_modality_part_and_channels() -> None:
    metadata = {"dicom.Modality": ["CT", "MR", None, "CT"], "container.channels": [1.0, 1.0, 3.0, 1.0]}
    assert kinds_of(make_dataset(n=4, metadata=metadata)).tolist() == [0, 1, 2, 0]


@pytest.mark.slow
@pytest.mark.parametrize("check", IMAGE_CHECKS, ids=lambda c: c.code)
def test_clean_collections_are_silent_over_many_seeds(check: type[ImageCheck]) -> None:
    alarms = 0
    for seed in range(20):
        try:
            alarms += len(check().run(measured(pictures(40, seed=100 + seed))).findings)
        except SkipCheck:
            continue
    # 20 × 40 pictures: at most one in two hundred.
    assert alarms <= 4
