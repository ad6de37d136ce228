import numpy as np
import pytest

from auditor.features import intensity


def measured(view):
    return dict(zip(intensity.COLUMNS, intensity.measure(view).tolist(), strict=True))


MAY_BE_NAN = {"red_mean", "green_mean", "blue_mean", "range_used_fraction"}


def test_odd_images_give_finite_numbers_where_they_apply(view_of, odd):
    name, stored = odd
    numbers = measured(view_of(stored))
    assert all(np.isfinite(v) for k, v in numbers.items() if k not in MAY_BE_NAN)
    assert np.isfinite(numbers["red_mean"]) == (name == "colour")


def test_moments_and_percentiles_are_those_of_the_grey_picture(view_of):
    gray = np.random.default_rng(0).beta(2, 5, (80, 90)).astype(np.float32)
    numbers = measured(view_of((gray * 255).astype(np.uint8), gray=gray))
    assert numbers["mean"] == pytest.approx(gray.mean(), abs=1e-4)
    assert numbers["sd"] == pytest.approx(gray.std(), abs=1e-4)
    for p in intensity.PERCENTILES:
        assert numbers[f"p{p:02d}"] == pytest.approx(np.percentile(gray, p), abs=2 / intensity.BINS)
    centred = gray.astype(np.float64) - gray.mean()
    assert numbers["skewness"] == pytest.approx((centred**3).mean() / centred.std() ** 3, abs=0.02)


def test_entropy_is_six_bits_when_all_64_bins_are_equally_full_and_none_for_one_grey_level(view_of):
    even = np.tile((np.arange(64) + 0.5) / 64, (64, 1)).astype(np.float32)
    assert measured(view_of(np.zeros((64, 64), np.uint8), gray=even))["entropy_bits"] == pytest.approx(6)
    assert measured(view_of(np.zeros((64, 64), np.uint8)))["entropy_bits"] == 0


def test_stored_levels_tell_8_bit_data_in_16_bits(view_of):
    true16 = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    assert measured(view_of(true16))["stored_levels"] == 4096
    assert measured(view_of((true16 // 16) * 257))["stored_levels"] == 256


def test_the_declared_depth_is_the_measure_of_the_range_that_is_used(view_of):
    stored = np.array([[0, 4095]], dtype=np.uint16)
    assert measured(view_of(stored, bits=12))["range_used_fraction"] == pytest.approx(1)
    assert measured(view_of(stored))["range_used_fraction"] == pytest.approx(4095 / 65535)


def test_the_shares_at_the_ends_are_counted_on_stored_values(view_of):
    stored = np.array([[0, 0, 0, 5, 9, 9, 4, 4, 4, 4]], dtype=np.int32)
    numbers = measured(view_of(stored))
    assert (numbers["at_min_fraction"], numbers["at_max_fraction"]) == (pytest.approx(0.3), pytest.approx(0.2))


def test_colour_means_are_per_channel_and_ignore_alpha(view_of):
    stored = np.zeros((4, 4, 4), dtype=np.uint8)
    stored[...] = [255, 51, 0, 7]
    numbers = measured(view_of(stored))
    assert [numbers[c] for c in ("red_mean", "green_mean", "blue_mean")] == [pytest.approx(v) for v in (1, 0.2, 0)]


def test_floats_with_nan_and_infinity_are_measured_on_what_is_finite(view_of):
    stored = np.array([[np.nan, np.inf, 1.5, 2.5, 2.5]], dtype=np.float32)
    numbers = measured(view_of(stored, gray=np.zeros((1, 5))))
    assert numbers["stored_levels"] == 2
    assert numbers["at_max_fraction"] == pytest.approx(2 / 3)
    assert np.isnan(numbers["range_used_fraction"])
    assert measured(view_of(np.full((2, 2), np.nan, np.float32), gray=np.zeros((2, 2))))["stored_levels"] == 0


def test_colour_floats_have_a_mean_per_channel(view_of):
    stored = np.zeros((3, 3, 3), dtype=np.float32)
    stored[..., 0] = 2
    numbers = measured(view_of(stored, gray=np.zeros((3, 3))))
    assert (numbers["red_mean"], numbers["blue_mean"]) == (1, 0)


def test_a_wide_range_of_32_bit_values_is_counted_on_a_sample(view_of):
    stored = np.random.default_rng(0).integers(0, 2**31 - 1, (64, 64)).astype(np.int32)
    assert measured(view_of(stored))["stored_levels"] > 4000
