"""Documentation is tested: every command, option, code and changed page."""

import dataclasses
import importlib.util
import re
from pathlib import Path

import pytest
import typer

from auditor.check import check_classes
from medaudit.cli import app
from trainers.strategy import strategy_classes

DOCS = Path(__file__).parents[1] / "docs"


def commands() -> dict[str, list[str]]:
    group = typer.main.get_command(app)
    names = group.commands.items()  # type: ignore[attr-defined]
    return {name: [o for p in c.params for o in (*p.opts, *p.secondary_opts) if o.startswith("--")] for name, c in names}


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_in_the_docs(name: str) -> None:
    text = (DOCS / "command-line.md").read_text("utf-8")
    assert f"medaudit {name}" in text or f"`{name}`" in text
    for option in commands()[name]:
        assert re.search(re.escape(option) + r"\b", text), option


def test_the_docs_name_no_option_that_is_not_there() -> None:
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", (DOCS / "command-line.md").read_text("utf-8")))
    there = {option for options in commands().values() for option in options}
    there |= {"--version", "--nproc-per-node"}  # that of the group, and that of torchrun
    assert told <= there


def test_the_pages_of_checks_and_strategies_are_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_pages", DOCS / "make_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "checks.md").read_text("utf-8") == module.checks_page(), "run `python docs/make_pages.py`"
    assert (DOCS / "strategies.md").read_text("utf-8") == module.strategies_page(), "run `python docs/make_pages.py`"
    assert (DOCS / "configuration.md").read_text("utf-8") == module.configuration_page(), "run `python docs/make_pages.py`"
    assert "None |" not in module.configuration_page(), "a key has no docstring"


def test_every_strategy_says_what_it_does_and_when() -> None:
    text = (DOCS / "strategies.md").read_text("utf-8")
    for kind in strategy_classes():
        assert f"## {kind.name}\n" in text
        told = kind.__doc__ or ""
        assert all(heading in told for heading in ("## What it does", "## When", "## References")), kind.name
        options = [f.name for f in dataclasses.fields(kind)]
        assert not options or "## Options" in told, kind.name
        assert all(f"`{name}`" in told for name in options), kind.name


def test_every_code_is_in_the_page_of_checks() -> None:
    text = (DOCS / "checks.md").read_text("utf-8")
    for check in check_classes():
        assert f"## {check.code}\n" in text


def test_no_page_names_a_path_of_somebodys_machine() -> None:
    root = DOCS.parent
    for page in (*DOCS.glob("*.md"), *root.glob("*.md"), root / "Makefile", root / "pyproject.toml"):
        assert not re.search(r"(^|[^a-zA-Z.])/(work|tmp|root|home)/", page.read_text("utf-8")), page


def test_every_page_is_in_the_table_of_contents() -> None:
    told = {name for block in re.findall(r"```\{toctree\}\n(.*?)```", (DOCS / "index.md").read_text("utf-8"), re.S)
            for name in block.splitlines() if name and not name.startswith(":")}  # fmt: skip
    assert told == {page.stem for page in DOCS.glob("*.md")} - {"index"}
