"""federated: the shared network is what a plain re-statement of FedAvg gives, number for number; sites, statistics, FedProx."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from builders import write_folder
from torch import nn

from auditor.layout import Options, open_dataset
from auditor.stages.extract import Pass, extract
from auditor.values.corrections import Proposal
from auditor.values.dataset import Dataset
from auditor.values.errors import ConfigError
from auditor.values.results import ScanResult
from trainers.engine.bench import Bench
from trainers.engine.loop import train
from trainers.engine.merging import merged, with_statistics_of
from trainers.engine.models import first_network
from trainers.engine.randomness import private_randomness
from trainers.strategies.federated import Federated
from trainers.strategy import Case, NotApplicable
from trainers.values.recipe import Normalisation, Recipe, Trained
from trainers.values.trust import Trust

SHORT = Recipe(network="small-cnn", width=4, epochs=3, batch=8, rate=1e-2)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """64 noisy pictures of 8 × 8 in two classes, of three sites: 33, 22 and 5 pictures, four of none."""
    rng = np.random.default_rng(0)

    def picture(bright: bool) -> np.ndarray:
        return np.clip(rng.normal(150 if bright else 90, 30, (8, 8)), 0, 255).astype(np.uint8)

    root = tmp_path_factory.mktemp("sites") / "set"
    write_folder(root, {"a": [picture(False) for _ in range(32)], "b": [picture(True) for _ in range(32)]})
    dataset = extract(open_dataset(root, Options()), Pass(workers=0))[0]
    sites = np.array((["north"] * 33 + ["south"] * 22 + ["tiny"] * 5 + [None] * 4), object)[rng.permutation(64)]
    return replace(dataset, records=dataset.records.assign(site=sites))


def case_of(dataset: Dataset, work: Path, recipe: Recipe = SHORT) -> Case:
    place = np.arange(dataset.size) % 8
    trust = Trust(
        trusted=place < 2, validation=place == 0, evaluation=place == 1, training=place > 0, origin="test", self_graded=False
    )
    bench = Bench(dataset, trust, work=work, workers=0, device="cpu", recipe=recipe)
    result = ScanResult.__new__(ScanResult)  # asked for by none of this
    return Case(dataset=dataset, result=result, trust=trust, bench=bench, work=work)


def mean_of(states: list[dict[str, torch.Tensor]], sizes: list[int]) -> dict[str, torch.Tensor]:
    """By hand, in float64."""
    total = sum(sizes)
    return {
        name: sum((n / total) * state[name].double() for n, state in zip(sizes, states, strict=True)).to(value.dtype)
        if value.is_floating_point() else value
        for name, value in states[0].items()
    }  # fmt: skip


def test_it_is_federated_averaging_number_for_number(pictures: Dataset, tmp_path: Path) -> None:
    case = case_of(pictures, tmp_path)
    strategy = Federated()
    found = strategy.fit(case, strategy.propose(case), 3)

    examples = case.bench.examples(Proposal(strategy="federated", summary=""))
    site = pictures.records["site"].to_numpy()[examples.rows]
    parts = [examples.take(site == name) for name in ("north", "south")]
    with private_randomness(3, torch.device("cpu")):
        network = first_network(case.bench.task, SHORT, None)
    rows = np.concatenate([part.rows for part in parts])
    shared = network.state_dict()
    normalisation = Normalisation.of(case.bench.pictures, rows)
    statistics: list[dict[str, torch.Tensor]] = [{}, {}]
    for epoch in range(3):
        states = []
        for k, part in enumerate(parts):
            own = copy.deepcopy(network)
            own.load_state_dict({**shared, **statistics[k]})
            start = Trained(network=own, task=case.bench.task, recipe=SHORT, normalisation=normalisation, seed=3)
            fit = train(
                case.bench.pictures, part, case.bench.task, replace(SHORT, epochs=1, offset=epoch, planned=3), seed=3,
                device="cpu", start=start,
            )  # fmt: skip
            states.append(fit.network.state_dict())
            statistics[k] = {name: value.clone() for name, value in fit.network.named_buffers()}
        shared = mean_of(states, [len(part) for part in parts])

    for name, value in found.network.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(value, shared[name]), name
    assert len(found.history) == 3
    assert found.complete
    assert found.records == len(rows)


def test_one_site_of_all_records_is_plain_training(pictures: Dataset, tmp_path: Path) -> None:
    """A round of all epochs at one site, merged with nobody, is the network of plain training: the parts add up."""
    case = case_of(replace(pictures, records=pictures.records.assign(site="one")), tmp_path)
    strategy = Federated(local_epochs=3)
    with pytest.raises(NotApplicable, match="fewer than two sites"):
        strategy.propose(case)
    examples = case.bench.examples()
    plain = case.bench.train(examples, seed=0, name="plain", validation=None)
    ours = strategy.fit(case, Proposal(strategy="federated", summary=""), 0)
    for name, value in plain.network.state_dict().items():
        assert torch.equal(value, ours.network.state_dict()[name]), name


def test_the_mean_is_weighted_and_statistics_stay_where_they_are() -> None:
    one, other = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    with torch.no_grad():
        one.weight.copy_(torch.tensor([1.0, 2.0]))
        other.weight.copy_(torch.tensor([5.0, 6.0]))
        one.running_mean.copy_(torch.tensor([0.0, 8.0]))
        other.running_mean.copy_(torch.tensor([4.0, 0.0]))
    both = merged([one, other], [3, 1])
    assert both.state_dict()["weight"].tolist() == [2.0, 3.0]
    assert both.state_dict()["running_mean"].tolist() == [1.0, 6.0]
    again = with_statistics_of(both, other)
    assert again.state_dict()["weight"].tolist() == [2.0, 3.0]
    assert again.state_dict()["running_mean"].tolist() == [4.0, 0.0]
    assert one.weight.tolist() == [1.0, 2.0]


def test_a_site_is_held_near_the_shared_network(pictures: Dataset, tmp_path: Path) -> None:
    case = case_of(pictures, tmp_path)
    examples = case.bench.examples()
    start = case.bench.train(examples, seed=0, name="start", validation=None)

    def moved(mu: float) -> float:
        recipe = replace(SHORT, proximal=mu)
        fit = case.bench.train(examples, seed=1, name=f"mu-{mu}", recipe=recipe, start=start, validation=None)
        pairs = zip(fit.network.parameters(), start.network.parameters(), strict=True)
        return sum(float((now - then).detach().square().sum()) for now, then in pairs)

    free, loose, tight = moved(0), moved(1), moved(100)
    assert tight < loose / 2 < free
    with pytest.raises(ConfigError, match="mu"):
        Federated(mu=-1)


def test_small_sites_are_left_out_and_told_and_effort_counts_the_largest_alone(pictures: Dataset, tmp_path: Path) -> None:
    case = case_of(pictures, tmp_path)
    strategy = Federated()
    proposal = strategy.propose(case)
    assert "2 sites" in proposal.summary
    assert "left out" in proposal.notes[0]
    assert "north" not in proposal.summary + proposal.notes[0]
    fit = strategy.fit(case, proposal, 0)
    sizes = [len(part) for part in strategy.parts(case, case.bench.examples()).values()]
    told = strategy.conclude(case, proposal, [fit]).metrics
    assert (told["sites"], told["rounds"], told["records_of_largest"]) == (2, 3, max(sizes))
    assert strategy.effort(case).plain == pytest.approx(1 + max(sizes) / sum(sizes))
    before = len(case.bench.spent)
    (alone,) = strategy.beside(case, fit)["the largest site alone"]
    assert alone.records == max(sizes)
    samples = sum(spent.samples for spent in case.bench.spent[:before])
    assert samples == 3 * (sum(sizes) + max(sizes)), "what was planned is what was shown"
