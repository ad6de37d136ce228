import io
import os
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from auditor.values.errors import ConfigError
from trainers.engine.encoder_file import load_encoder, load_program, words_on
from trainers.engine.models import network_named
from trainers.kinds import task_named
from trainers.values.task import LearningTask


def task(channels: int = 1) -> LearningTask:
    return task_named(kind="single", classes=("a", "b"), channels=channels, shape=(8, 8))


def saved(path: Path, channels: int = 1, prefix: str = "", width: int = 4) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    weights = network_named("small-cnn", task(channels), width=width).encoder.state_dict()
    save_file({prefix + name: tensor.clone() for name, tensor in weights.items()}, path)
    return weights


@pytest.mark.parametrize("prefix", ["", "encoder."])
def test_an_encoder_is_loaded_and_the_head_stays(tmp_path: Path, prefix: str) -> None:
    weights = saved(tmp_path / "e.safetensors", prefix=prefix)
    network = network_named("small-cnn", task(), width=4)
    head = network.head.weight.clone()  # type: ignore[operator]
    load_encoder(network, tmp_path / "e.safetensors", task())
    assert all(torch.equal(weights[name], tensor) for name, tensor in network.encoder.state_dict().items())
    assert torch.equal(head, network.head.weight)  # type: ignore[arg-type]


def test_a_first_kernel_for_colour_sees_grey_as_colour_with_three_equal_channels(tmp_path: Path) -> None:
    saved(tmp_path / "e.safetensors", channels=3)
    grey = load_encoder(network_named("small-cnn", task(1), width=4), tmp_path / "e.safetensors", task(1)).eval()
    colour = load_encoder(network_named("small-cnn", task(3), width=4), tmp_path / "e.safetensors", task(3)).eval()
    picture = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(grey.encoder(picture), colour.encoder(picture.expand(2, 3, 8, 8)))


@pytest.mark.parametrize("head", ["fc", "classifier", "heads.head", "class_layers.out"])
def test_the_head_of_another_task_is_left_out_and_anything_else_unknown_is_refused(tmp_path: Path, head: str) -> None:
    weights = saved(tmp_path / "e.safetensors")
    more = {f"{head}.weight": torch.ones(1000, 16), f"{head}.bias": torch.ones(1000)}
    save_file({n: w.clone() for n, w in weights.items()} | more, tmp_path / "whole.safetensors")
    network = load_encoder(network_named("small-cnn", task(), width=4), tmp_path / "whole.safetensors", task())
    assert all(torch.equal(weights[name], tensor) for name, tensor in network.encoder.state_dict().items())
    save_file({n: w.clone() for n, w in weights.items()} | {"layer9.weight": torch.ones(2)}, tmp_path / "odd.safetensors")
    with pytest.raises(ConfigError, match="1 names of weights differ"):
        load_encoder(network_named("small-cnn", task(), width=4), tmp_path / "odd.safetensors", task())


def test_what_is_left_out_and_averaged_is_said(tmp_path: Path) -> None:
    network = network_named("resnet10", task_named(kind="single", classes=("a", "b"), channels=3, shape=(8, 8)))
    weights = {name: tensor.contiguous() for name, tensor in network.encoder.state_dict().items()}
    save_file(weights, tmp_path / "plain.safetensors")
    assert words_on(tmp_path / "plain.safetensors", 3) == []
    save_file(weights | {"fc.weight": torch.zeros(5, 512), "fc.bias": torch.zeros(5)}, tmp_path / "whole.safetensors")
    head, channels = words_on(tmp_path / "whole.safetensors", 1)
    assert "left out of whole.safetensors: fc.bias, fc.weight" in head
    assert "learnt pictures of three channels and is shown grey pictures" in channels
    (tmp_path / "none.safetensors").write_bytes(b"none")
    with pytest.raises(ConfigError, match="not a safetensors file"):
        words_on(tmp_path / "none.safetensors", 1)


def test_an_encoder_of_another_architecture_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "e.safetensors", width=8)
    with pytest.raises(ConfigError, match="shape"):
        load_encoder(network_named("small-cnn", task(), width=4), tmp_path / "e.safetensors", task())
    save_file({"x": torch.zeros(1)}, tmp_path / "f.safetensors")
    with pytest.raises(ConfigError, match="names of weights"):
        load_encoder(network_named("small-cnn", task(), width=4), tmp_path / "f.safetensors", task())


@pytest.mark.parametrize("name", ["e.safetensors", "e.pt2", "e.pth"])
def test_a_file_that_is_no_encoder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(ConfigError, match=name):
        load_encoder(network_named("small-cnn", task()), tmp_path / name, task(), trust_program=True)


class Halved(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = torch.nn.Conv2d(1, 5, 3, stride=2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.kernel(images).mean((2, 3))


def exported(path: Path) -> Halved:
    module = Halved()
    batch = torch.export.Dim("batch", min=1, max=1024)
    program = torch.export.export(module, (torch.zeros(3, 1, 8, 8),), dynamic_shapes=({0: batch},))
    torch.export.save(program, path)
    return module


@pytest.mark.filterwarnings("ignore")
def test_an_exported_program_becomes_the_encoder_and_learns(tmp_path: Path) -> None:
    module = exported(tmp_path / "e.pt2")
    network = load_encoder(network_named("small-cnn", task()), tmp_path / "e.pt2", task(), trust_program=True)
    pictures = torch.rand(7, 1, 8, 8)
    torch.testing.assert_close(network.encoder(pictures), module(pictures))
    assert network.train()(pictures).shape == (7, 2)
    network(pictures).sum().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.filterwarnings("ignore")
def test_a_program_that_nobody_trusts_is_not_even_opened(tmp_path: Path) -> None:
    exported(tmp_path / "e.pt2")
    for given in (tmp_path / "e.pt2", tmp_path / "gone.pt2"):
        with pytest.raises(ConfigError, match=r"runs? as you.*--trust-program"):
            load_encoder(network_named("small-cnn", task()), given, task())
        with pytest.raises(ConfigError, match=r"--trust-program"):
            load_program(given)


class Hostile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.filterwarnings("ignore")
def test_a_program_with_a_pickle_that_runs_code_is_refused_and_nothing_runs(tmp_path: Path) -> None:
    exported(tmp_path / "e.pt2")
    hostile = io.BytesIO()
    torch.save(Hostile(tmp_path / "ran"), hostile)
    writer, replaced = torch._C.PyTorchFileWriter(str(tmp_path / "h.pt2")), 0
    with zipfile.ZipFile(tmp_path / "e.pt2") as archive:
        for name in archive.namelist():
            inside = name.split("/", 1)[1]
            if inside.startswith(".data") or inside == "byteorder":
                continue  # torch's writer makes these itself
            data = hostile.getvalue() if inside.startswith("data/sample_inputs") else archive.read(name)
            replaced += data == hostile.getvalue()
            writer.write_record(inside, data, len(data))
    writer.write_end_of_file()
    before = dict(os.environ)
    with pytest.raises(ConfigError, match=r"h\.pt2"):
        load_encoder(network_named("small-cnn", task()), tmp_path / "h.pt2", task(), trust_program=True)
    assert replaced == 1
    assert not (tmp_path / "ran").exists()
    assert dict(os.environ) == before
