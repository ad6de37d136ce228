import numpy as np
import pytest

from auditor.features.quality import COLUMNS, measure


def named(view) -> dict[str, float]:
    return dict(zip(COLUMNS, measure(view).tolist(), strict=True))


def test_odd_pictures_are_measured_without_a_warning(view_of, odd) -> None:
    _, stored = odd
    values = measure(view_of(stored))
    assert values.shape == (len(COLUMNS),)
    assert values.dtype == np.float32
    assert not np.isinf(values).any()


def test_white_noise_has_sharpness_nought_and_no_structure(view_of) -> None:
    noise = np.random.default_rng(0).normal(2000, 100, (256, 256)).astype(np.uint16)
    found = named(view_of(noise))
    assert found["sharpness"] == pytest.approx(0, abs=0.03)
    assert found["structure"] == pytest.approx(0, abs=0.2)
    # Noise of standard deviation 100 over a span of 2 × 2.326 × 100.
    assert found["noise_fraction"] == pytest.approx(1 / 4.65, rel=0.1)


def test_a_ramp_changes_four_times_as_much_over_four_pixels(view_of) -> None:
    ramp = (np.add.outer(np.arange(200), np.arange(200)) * 10).astype(np.uint16)
    assert named(view_of(ramp))["sharpness"] == pytest.approx(-np.log(4), abs=1e-3)


def test_the_depth_in_which_a_picture_is_stored_changes_nothing(view_of) -> None:
    picture = np.random.default_rng(1).integers(20, 230, (128, 128)).astype(np.uint8)
    deep = picture.astype(np.uint16) * 256
    low, high = named(view_of(picture, bits=8)), named(view_of(deep, bits=16))
    for name in ("mode_fraction", "structure", "span_levels", "sharpness", "noise_fraction", "clipped_high_fraction"):
        assert low[name] == pytest.approx(high[name], rel=1e-3, abs=1e-3), name
    assert np.isnan(low["eight_in_deep"])
    assert high["eight_in_deep"] == 1.0


def test_levels_between_the_percentiles_are_counted_in_steps(view_of) -> None:
    picture = np.tile(np.arange(100, dtype=np.uint16) * 7, (100, 1))
    assert named(view_of(picture, bits=16))["span_levels"] == pytest.approx(98, abs=1)


def test_floats_beyond_all_grey_levels_are_not_measured(view_of) -> None:
    wild = np.random.default_rng(2).normal(size=(64, 64)) * 1e200
    assert np.isnan(measure(view_of(wild, gray=np.zeros((64, 64))))).all()


def test_gaps_in_floats_are_passed_over(view_of) -> None:
    picture = np.random.default_rng(3).random((64, 64)).astype(np.float32)
    picture[3:9, 3:9] = np.nan
    found = named(view_of(picture, gray=np.nan_to_num(picture)))
    assert found["noise_fraction"] == pytest.approx(0.29, abs=0.03)
    assert np.isnan(found["span_levels"])  # the bins of a histogram are levels of nothing
