"""Values of options are what Typer makes of them, and where there is nothing to convert it makes no reader of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from medaudit.cli import app
from medaudit.plain_values import read_plainly

GIVEN = (
    ("scan", "data", "-o", "r.json", "-o", "html:x", "--label", "finding", "--root", "there", "-q"),
    ("scan", "data", "--workers", "3", "--no-cache", "--select", "LK,SP"),
    ("diff", "a", "b", "--format", "json"),
    ("fix", "data", "--strategy", "none"),
    ("split", "data", "-o", "somewhere"),
    ("explain", "LK001"),
)


def parsed(command: Any, arguments: tuple[str, ...]) -> dict[str, Any]:
    """What a command would be called with."""
    name, *rest = arguments
    group = command.make_context("medaudit", [name, *rest])
    own = command.commands[name]
    return dict(own.make_context(name, rest, parent=group).params)


@pytest.mark.parametrize("arguments", GIVEN, ids=" ".join)
def test_a_command_is_called_with_what_typer_makes_of_its_options(arguments: tuple[str, ...]) -> None:
    plain, typers = (
        parsed(read_plainly(typer.main.get_command(app)), arguments),
        parsed(typer.main.get_command(app), arguments),
    )
    assert plain == typers
    assert {name: type(value) for name, value in plain.items()} == {name: type(value) for name, value in typers.items()}


@pytest.mark.parametrize("arguments", [("scan", "data", "--workers", "many"), ("scan", "data", "--workers", "-1"), ("scan",)])
def test_what_is_refused_is_refused_in_typers_words(arguments: tuple[str, ...]) -> None:
    said = []
    for command in (read_plainly(typer.main.get_command(app)), typer.main.get_command(app)):
        with pytest.raises(typer.BadParameter) as refused:
            parsed(command, arguments)
        said.append(refused.value.format_message())
    assert said[0] == said[1]


def test_a_folder_that_must_not_be_read_is_refused_in_typers_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    said = []
    for command in (read_plainly(typer.main.get_command(app)), typer.main.get_command(app)):
        with pytest.raises(typer.BadParameter) as refused:
            parsed(command, ("scan", str(tmp_path)))
        said.append(refused.value.format_message())
    assert said[0] == said[1]


def test_a_scan_that_converts_nothing_makes_no_reader(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom medaudit.cli import main\n"
        f"assert main(['scan', {str(tmp_path / 'none')!r}, '-q', '-o', {str(tmp_path / 'r.json')!r}]) == 2\n"
        "assert 'typer._adapters' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
