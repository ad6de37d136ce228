import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from auditor.values.errors import ConfigError
from trainers.engine import own_network
from trainers.engine.models import known_network, network_named
from trainers.engine.own_network import in_two_parts, trusted_network
from trainers.kinds import task_named
from trainers.values.task import LearningTask

TASK = task_named(kind="single", classes=("a", "b", "c"), channels=1, shape=(8, 8))
MASKS = task_named(kind="segmentation", classes=("background", "x", "y"), channels=1, shape=(8, 8))
CODE = """
from torch import nn
import torch

def plain(task):
    return nn.Sequential(nn.Flatten(), nn.Linear(64 * task.channels, 5), nn.ReLU(), nn.Linear(5, task.outputs))

def softened(task):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, task.outputs), nn.LogSoftmax(1))

def pixels(task):
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, task.outputs, 1))

def one_too_many(task):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, task.outputs + 1))

def broken(task):
    raise KeyError("oops")

def wide(task):
    return nn.Linear(3, task.outputs)

def text(task):
    return "no module"

number = 7
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "networks_of_mine.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "networks_of_mine", raising=False)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(("function", "task", "head"), [("plain", TASK, nn.Linear), ("pixels", MASKS, nn.Conv2d)])
def test_a_function_of_the_working_directory_makes_a_network_whose_last_layer_is_its_head(
    function: str, task: LearningTask, head: type[nn.Module]
) -> None:
    before = list(sys.path)
    network = network_named(f"networks_of_mine:{function}", task)
    assert isinstance(network.head, head)
    assert network(torch.zeros(2, 1, 8, 8)).shape[:2] == (2, task.outputs)
    assert sys.path == before


@pytest.mark.usefixtures("mine")
def test_what_comes_after_the_last_layer_stays_in_its_place() -> None:
    network = network_named("networks_of_mine:softened", TASK)
    assert isinstance(network.head, nn.Identity)
    torch.testing.assert_close(network(torch.rand(2, 1, 8, 8)).exp().sum(1), torch.ones(2))


def test_a_head_that_is_used_elsewhere_too_is_left_where_it_is() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.flat, self.last = nn.Flatten(), nn.Linear(64, 64)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(self.last(self.last(self.flat(images))))

    task = task_named(kind="multi", classes=tuple(f"c{i}" for i in range(64)), channels=1, shape=(8, 8))
    made, pictures = Twice(), torch.rand(3, 1, 8, 8)
    said = made(pictures)
    network = in_two_parts(made, task)
    assert isinstance(network.head, nn.Identity)
    torch.testing.assert_close(network(pictures), said)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("networks_of_mine:one_too_many", "gives \\(2, 4\\) for two pictures, and \\(2, 3\\) is wanted"),
        ("networks_of_mine:broken", "could not be made \\(KeyError"),
        ("networks_of_mine:wide", "does not take pictures of shape \\(1, 8, 8\\)"),
        ("networks_of_mine:text", "not a torch.nn.Module"),
        ("networks_of_mine:number", "cannot be called"),
        ("networks_of_mine:absent", "cannot be imported"),
        ("no_such_module:plain", "cannot be imported"),
        ("resnt18", "did you mean 'resnet18'"),
        ("smal", "did you mean 'small'"),
        ("unet", "cannot learn a task of kind single; one of small-cnn"),
    ],
)
def test_what_cannot_be_used_is_one_clear_error(name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        network_named(name, TASK)


def test_a_program_runs_only_where_the_user_says_so(tmp_path: Path) -> None:
    class Features(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.flatten(1)

    place = tmp_path / "mine.pt2"
    batch = torch.export.Dim("batch")
    torch.export.save(torch.export.export(Features(), (torch.zeros(2, 1, 8, 8),), dynamic_shapes=({0: batch},)), place)
    assert known_network(str(place)) == str(place)
    with pytest.raises(ConfigError, match="--trust-program"):
        trusted_network(str(place), trust_program=False)
    with pytest.raises(ConfigError, match="no such file"):
        trusted_network(str(tmp_path / "other.pt2"), trust_program=True)
    assert trusted_network(str(place), trust_program=True) == str(place)
    assert own_network.program_input(str(place)) == (1, (8, 8))
    network = network_named(str(place), TASK)
    assert network(torch.zeros(5, 1, 8, 8)).shape == (5, 3)


def test_an_installed_package_adds_networks_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"theirs": lambda task: nn.Sequential(nn.Flatten(), nn.Linear(64, task.outputs))}
    monkeypatch.setattr("trainers.engine.models.installed", lambda: made)
    monkeypatch.setattr(own_network, "installed", lambda: made)
    assert network_named("theirs", TASK)(torch.zeros(2, 1, 8, 8)).shape == (2, 3)
    with pytest.raises(ConfigError, match="did you mean 'theirs'"):
        known_network("their")
