from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from trainers.rewriting.encoding_traces import COLUMNS, measure_traces


def texture(seed: int, side: int = 160) -> np.ndarray[Any, Any]:
    """Smooth shapes with noise, 8 bits."""
    rng = np.random.default_rng(seed)
    shapes = gaussian_filter(rng.normal(size=(side, side)), 6)
    shapes = (shapes - shapes.min()) / np.ptp(shapes)
    return np.clip(20 + 200 * shapes + rng.normal(0, rng.uniform(2, 8), shapes.shape), 0, 255).astype(np.uint8)


def jpeg(array: np.ndarray[Any, Any], quality: int) -> np.ndarray[Any, Any]:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def traces(array: np.ndarray[Any, Any], top: float = 255) -> dict[str, float]:
    return dict(zip(COLUMNS, measure_traces(array, top).tolist(), strict=True))


PLAIN = [traces(texture(seed)) for seed in range(6)]


def beyond(name: str, changed: list[dict[str, float]]) -> float:
    """By how many standard deviations of untouched pictures the changed ones differ."""
    before = np.array([t[name] for t in PLAIN])
    return float((np.mean([t[name] for t in changed]) - before.mean()) / (before.std() + 1e-3))


@pytest.mark.parametrize("quality", [75, 90, 95])
def test_jpeg_leaves_a_comb_in_the_coefficients(quality: int) -> None:
    changed = [traces(jpeg(texture(seed), quality)) for seed in range(6)]
    assert beyond("quantisation.noughts", changed) > 5
    assert max(beyond(f"quantisation.comb_{band}", changed) for band in ("low", "middle", "high")) > 10


def test_strong_jpeg_leaves_steps_at_its_blocks() -> None:
    changed = [traces(jpeg(texture(seed), 50)) for seed in range(6)]
    assert beyond("blocks.grid", changed) > 3
    assert beyond("blocks.best_phase", changed) > 3


def test_blocks_off_the_grid_are_seen_at_another_phase() -> None:
    changed = [traces(jpeg(texture(seed), 50)[3:, 5:]) for seed in range(6)]
    assert beyond("blocks.best_phase", changed) > 3
    assert beyond("blocks.grid", changed) < 3


def test_stretched_levels_leave_gaps_and_a_comb() -> None:
    changed = [traces(np.clip((texture(seed).astype(float) - 20) * 1.25, 0, 255).astype(np.uint8)) for seed in range(6)]
    assert beyond("levels.comb", changed) > 3
    assert beyond("levels.empty", changed) > 3


def test_eight_bits_written_as_sixteen_leave_their_step() -> None:
    changed = [traces(texture(seed).astype(np.uint16) * 257, 65535) for seed in range(3)]
    rng = np.random.default_rng(0)
    honest = [
        traces(texture(s).astype(np.uint16) * 257 + rng.integers(0, 257, (160, 160)).astype(np.uint16), 65535) for s in range(3)
    ]
    assert min(t["levels.step"] for t in changed) > 4
    assert max(t["levels.step"] for t in honest) < 2


def test_enlarging_leaves_lines_in_the_spectrum() -> None:
    changed = [
        traces(np.asarray(Image.fromarray(texture(seed)).resize((192, 192), Image.Resampling.BILINEAR))) for seed in range(6)
    ]
    assert beyond("resampling.rows", changed) > 3
    assert beyond("resampling.columns", changed) > 3


def test_what_is_shown_moves_the_traces_little() -> None:
    darker = [traces((texture(seed) // 2 * 2 // 2 + 10).astype(np.uint8)) for seed in range(20, 26)]
    assert abs(beyond("quantisation.comb_low", darker)) < 5
    assert abs(beyond("blocks.best_phase", darker)) < 3


def test_a_blank_or_tiny_picture_shows_nothing() -> None:
    assert all(np.isnan(v) for v in traces(np.full((64, 64), 9, np.uint8)).values())
    tiny = traces(texture(0)[:16, :16])
    assert np.isnan(tiny["blocks.grid"])
    assert np.isnan(tiny["resampling.rows"])


def test_colour_pictures_are_measured_too() -> None:
    gray = texture(1)
    assert traces(np.stack([gray] * 3, axis=2))["quantisation.comb_low"] == pytest.approx(
        traces(gray)["quantisation.comb_low"], abs=1e-4
    )


def test_large_pictures_cost_no_more_than_their_middle() -> None:
    whole = np.tile(texture(2), (8, 8))
    assert measure_traces(whole, 255).tolist() == measure_traces(whole[128:1152, 128:1152], 255).tolist()
