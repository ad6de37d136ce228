import pytest
import torch

from auditor.values.errors import ConfigError
from trainers.engine.models import DENSE, NETWORKS, first_network, network_named
from trainers.engine.network import blocks, freeze, parameters, with_new_head
from trainers.kinds import task_named
from trainers.values.recipe import Normalisation, Recipe, Trained
from trainers.values.task import LearningTask


def task(kind: str = "single", *, shape: tuple[int, ...] = (8, 8), channels: int = 1, classes: int = 3) -> LearningTask:
    return task_named(kind=kind, classes=tuple("abcdef"[:classes]), channels=channels, shape=shape)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["small-cnn", "small", "resnet10", "resnet18"])
@pytest.mark.parametrize("shape", [(8, 8), (28, 20), (6, 8, 8)])
def test_a_network_gives_one_row_of_logits_per_picture(name: str, shape: tuple[int, ...]) -> None:
    network = network_named(name, task(shape=shape, channels=3)).eval()
    assert network(torch.zeros(2, 3, *shape)).shape == (2, 3)


def test_densenet121_takes_pictures_and_has_one_linear_head() -> None:
    network = network_named("densenet121", task(shape=(32, 32))).eval()
    assert network(torch.zeros(1, 1, 32, 32)).shape == (1, 3)
    assert isinstance(network.head, torch.nn.Linear)


@pytest.mark.parametrize("shape", [(96, 70), (70, 66, 80)])
def test_the_small_network_halves_large_pictures_first_and_ends_small(shape: tuple[int, ...]) -> None:
    network = network_named("small-cnn", task(shape=shape), width=4).eval()
    assert network(torch.zeros(1, 1, *shape)).shape == (1, 3)
    parts = list(network.encoder.children())
    assert parts[0](torch.zeros(1, 1, *shape)).shape[2:] == tuple(-(-side // 2) for side in shape)
    seen = torch.zeros(1, 1, *shape)
    for part in parts[:-1]:
        seen = part(seen)
    assert 4 <= min(seen.shape[2:]) <= 7


def test_efficientnet_takes_pictures_and_has_one_linear_head() -> None:
    network = network_named("efficientnet-b0", task(shape=(32, 32))).eval()
    assert network(torch.zeros(2, 1, 32, 32)).shape == (2, 3)
    assert isinstance(network.head, torch.nn.Linear)


@pytest.mark.parametrize("kind", ["points", "segmentation"])
def test_the_smallest_of_its_kind_goes_by_one_name(kind: str) -> None:
    network = network_named("small", task(kind, classes=2), width=4).eval()
    assert network(torch.zeros(1, 1, 8, 8)).shape[2:] == (8, 8)


@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize("shape", [(37, 50), (20, 16), (10, 17, 20)])
def test_a_network_for_masks_gives_logits_per_pixel_of_any_size(name: str, shape: tuple[int, ...]) -> None:
    network = network_named(name, task("segmentation", shape=shape), width=4).eval()
    assert network(torch.zeros(1, 1, *shape)).shape == (1, 3, *shape)


def test_a_grade_has_one_output_per_threshold_and_a_number_one() -> None:
    assert network_named("small-cnn", task("ordinal"))(torch.zeros(2, 1, 8, 8)).shape == (2, 2)
    assert network_named("small-cnn", task("continuous", classes=0))(torch.zeros(2, 1, 8, 8)).shape == (2, 1)


@pytest.mark.parametrize(("name", "kind"), [("alexnet", "single"), ("unet", "single"), ("small-cnn", "segmentation")])
def test_a_network_that_does_not_fit_is_refused(name: str, kind: str) -> None:
    with pytest.raises(ConfigError, match=name):
        network_named(name, task(kind))


def test_the_parameters_of_a_small_layer_are_counted_by_hand() -> None:
    assert parameters(torch.nn.Linear(4, 3)) == 15


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_freezing_stops_the_first_blocks_and_thawing_lets_them_learn_again(name: str) -> None:
    network = network_named(name, task("segmentation" if name in DENSE else "single", shape=(32, 32)))
    frozen = freeze(network, 1)
    first = blocks(network)[0]
    assert frozen == [first]
    assert not any(p.requires_grad for p in first.parameters())
    assert all(p.requires_grad for p in network.head.parameters())
    assert len(blocks(network)) > 1
    freeze(network, -1)
    assert {n for n, p in network.named_parameters() if p.requires_grad} == {
        n for n, _ in network.named_parameters() if n.startswith("head.")
    }
    assert freeze(network, 0) == []
    assert all(p.requires_grad for p in network.parameters())


def test_a_new_head_has_the_outputs_of_the_new_task_and_keeps_the_encoder() -> None:
    network = network_named("small-cnn", task()).eval()
    before = {name: tensor.clone() for name, tensor in network.encoder.state_dict().items()}
    with_new_head(network, task(classes=5))
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 5)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.encoder.state_dict().items())


def test_a_start_is_copied_and_its_head_kept_where_the_classes_are_the_same() -> None:
    normalisation = Normalisation(mean=(0.0,), deviation=(1.0,))
    start = Trained(
        network=network_named("small-cnn", task()), task=task(), recipe=Recipe(), normalisation=normalisation, seed=0
    )
    same, other = first_network(task(), Recipe(), start), first_network(task(classes=4), Recipe(), start)
    assert torch.equal(same.head.weight, start.network.get_submodule("head").weight)  # type: ignore[arg-type]
    assert same is not start.network
    assert other.head.out_features == 4
    assert start.network.get_submodule("head").out_features == 3


def test_the_same_seed_gives_the_same_weights() -> None:
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        made.append(network_named("small-cnn", task()).state_dict())
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])
