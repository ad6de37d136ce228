import math

import pytest
import torch

from trainers.engine.optimiser import Average, optimiser_of, schedule
from trainers.values.recipe import Recipe


def test_the_average_is_that_computed_by_hand() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.BatchNorm1d(1))
    with torch.no_grad():
        network[0].weight.fill_(1.0)
    average, expected, mean = Average(network, 0.5), 1.0, 0.0
    for step, value in enumerate((3.0, -2.0, 5.0, 0.5, 8.0, 1.0, 2.0, 4.0, 6.0), start=1):
        with torch.no_grad():
            network[0].weight.fill_(value)
        network[1].running_mean.fill_(10 * value)
        network[1].num_batches_tracked.fill_(step)
        average.update(step)
        keep = min(0.5, (1 + step) / (10 + step))
        expected, mean = keep * expected + (1 - keep) * value, keep * mean + (1 - keep) * 10 * value
    kept = average.network.state_dict()
    assert float(kept["0.weight"]) == pytest.approx(expected, rel=1e-5)
    assert float(kept["1.running_mean"]) == pytest.approx(mean, rel=1e-5)
    assert int(kept["1.num_batches_tracked"]) == 9
    assert float(network[0].weight.detach()) == 6.0


def test_the_rate_rises_straight_and_falls_as_half_a_cosine() -> None:
    assert schedule(0, 0.1) == pytest.approx(0, abs=0.02)
    assert schedule(0.05, 0.1) == pytest.approx(0.5, abs=0.02)
    assert schedule(0.1, 0.1) == 1
    assert schedule(0.55, 0.1) == pytest.approx(0.5)
    assert schedule(1, 0.1) == pytest.approx(0)
    assert schedule(0.775, 0.1) == pytest.approx(0.5 * (1 + math.cos(0.75 * math.pi)))
    assert schedule(0, 0) == 1


def test_kernels_decay_and_norms_and_biases_do_not() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    optimiser = optimiser_of(network, Recipe(rate=0.1, weight_decay=0.5))
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    for p in network.parameters():
        p.grad = torch.zeros_like(p)
    optimiser.step()
    after = dict(network.named_parameters())
    torch.testing.assert_close(after["0.weight"].detach(), before["0.weight"] * (1 - 0.1 * 0.5))
    assert all(torch.equal(after[name].detach(), before[name]) for name in ("0.bias", "1.weight", "1.bias"))
