"""What the verdicts are worth: `benchmarks/simulated_verdicts.py`, held against what is asked of them."""

import pytest

from benchmarks.simulated_verdicts import MARGIN, verdict


@pytest.mark.slow
@pytest.mark.parametrize("share", [1.0, 0.25, 0.1])
def test_no_effect_is_seldom_called_one_and_twice_the_margin_is_found(share: float) -> None:
    nothing = [verdict(seed, 0.0, share) for seed in range(200)]
    assert nothing.count("improved") <= 10
    assert nothing.count("harmed") <= 10
    gains = [verdict(1000 + seed, 2 * MARGIN, share) for seed in range(200)]
    assert gains.count("improved") >= 160
    losses = [verdict(2000 + seed, -2 * MARGIN, share) for seed in range(200)]
    assert losses.count("improved") == 0
