"""What every command's help ends with: commands that can be typed as they stand."""

from __future__ import annotations

import shlex

import pytest
import typer
from typer.testing import CliRunner

from medaudit.cli import COMMANDS, app
from medaudit.examples import EXAMPLES

NAMES = [name for name, _ in COMMANDS]


def test_every_command_has_examples_and_no_other() -> None:
    assert sorted(EXAMPLES) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_help_fits_a_terminal_and_ends_with_an_example(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = CliRunner().invoke(app, [name, "--help"], terminal_width=80).output.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(f"    medaudit {example}" in lines for example in EXAMPLES[name])
    assert "docs/" in lines[-1] or "docs/" in lines[-2]


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_are_commands_that_exist(name: str) -> None:
    """With options that it has, and as many arguments as it takes."""
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    for example in EXAMPLES[name]:
        called, *arguments = shlex.split(example)
        assert called == name
        command.make_context(name, arguments)
