"""A network that cannot be compiled is called as it is where nobody asked for more, and the reason is told."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch._dynamo.exc import BackendCompilerFailed

from auditor.values.errors import ConfigError
from trainers.engine.compiling import Compiled, hindrance, ready

CPU = torch.device("cpu")
REASON = "Failed to find C compiler. Please specify via CC environment variable."


@pytest.fixture(autouse=True)
def tried_anew() -> Iterator[None]:
    hindrance.cache_clear()
    yield
    hindrance.cache_clear()


def failing(error: Exception) -> Callable[..., Any]:
    def call(*_: Any) -> Any:
        raise error

    return call


def counted(tries: list[str], error: Exception) -> Callable[..., Any]:
    def call(*_: Any) -> Any:
        tries.append("called")
        raise error

    return call


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def test_without_a_compiler_the_network_is_called_as_it_is_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda _: failing(RuntimeError(f"{REASON}\nand a long trace")))
    found, images = Compiled(network(), forced=False), torch.ones(4, 3)
    assert found.failed == f"{REASON} and a long trace"
    assert torch.equal(found(images), network()(images))
    assert len(list(found.parameters())) == 2


def test_a_network_that_the_compiler_does_not_understand_is_called_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    error = BackendCompilerFailed("inductor", ValueError("an odd layer"), None)
    tries: list[str] = []

    def compile_(what: Any) -> Any:
        return counted(tries, error) if isinstance(what, nn.Module) else what  # the trial goes well

    monkeypatch.setattr(torch, "compile", compile_)
    found, images = Compiled(network(), forced=False), torch.ones(4, 3)
    assert found.failed == ""
    for _ in range(2):
        assert torch.equal(found(images), network()(images))
    assert "an odd layer" in found.failed
    assert tries == ["called"]


def test_what_was_asked_for_is_an_error_and_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda _: failing(RuntimeError(REASON)))
    with pytest.raises(ConfigError, match="cannot be compiled here"):
        ready(network(), True, CPU)
    hindrance.cache_clear()
    memory = torch.OutOfMemoryError("no memory is left")
    monkeypatch.setattr(torch, "compile", lambda what: failing(memory) if isinstance(what, nn.Module) else what)
    with pytest.raises(torch.OutOfMemoryError):
        Compiled(network(), forced=False)(torch.ones(4, 3))


def test_where_it_can_be_compiled_the_compiled_one_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda what: (lambda x: what(x) + 1) if isinstance(what, nn.Module) else what)
    found, images = Compiled(network(), forced=False), torch.ones(4, 3)
    assert torch.equal(found(images), network()(images) + 1)
    assert found.failed == ""


def test_auto_compiles_on_cuda_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda what: what)
    assert isinstance(ready(network(), True, CPU), Compiled)
    assert not isinstance(ready(network(), "auto", CPU), Compiled)
    assert not isinstance(ready(network(), False, torch.device("cuda")), Compiled)
    assert isinstance(ready(network(), "auto", torch.device("cuda")), Compiled)
