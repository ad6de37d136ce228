"""No file is decoded outside the bounded workers: who decodes runs in one, and who asks knows it by name alone."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import auditor

ROOT = Path(auditor.__file__).parent
DECODING = frozenset({"open_header", "open_pixels", "read_source", "ArrayRows"})
BY_NAME = frozenset(
    {
        "auditor.evidence.labels.review_file", "auditor.evidence.masks.mask_maps", "auditor.evidence.privacy.directory",
        "auditor.evidence.raters.drawn_masks", "auditor.measuring.picture", "auditor.placement.box_lines",
        "auditor.placement.drawn",
        "auditor.stages.hash_file", "auditor.stages.kind", "auditor.tables.opening",
    }
)  # fmt: skip
"""Modules that workers load by name (`auditor.reading.jobs`)."""
BELOW = ("auditor.format", "auditor.formats", "auditor.containers")
"""What decoding is made of; it runs where it is called."""
MEASURING = "auditor.measuring.measure"
"""Called by the workers of the pass (`auditor.measuring.setup.Setup.measurer`)."""


@cache
def imports() -> dict[str, frozenset[tuple[str, str]]]:
    """Module → (module, name) of everything it imports of ours, inside functions too."""
    return {module: frozenset(_imported(path)) for module, path in _modules()}


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _imported(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("auditor"):
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.startswith("auditor"))


def below(module: str) -> bool:
    return module.startswith(BELOW)


def test_only_what_runs_in_workers_imports_what_decodes() -> None:
    decoders = {
        module
        for module, found in imports().items()
        if not below(module)
        and any((name in DECODING and below(source)) or source.startswith("auditor.formats") for source, name in found)
    }
    assert decoders <= BY_NAME | {MEASURING}
    assert MEASURING in decoders


@pytest.mark.parametrize("module", sorted(BY_NAME))
def test_who_asks_for_a_job_does_not_import_what_does_it(module: str) -> None:
    package, _, last = module.rpartition(".")
    asking = {
        name
        for name, found in imports().items()
        if name not in BY_NAME and any(source == module or (source, own) == (package, last) for source, own in found)
    }
    assert asking == set()


@pytest.mark.parametrize("module", sorted(BY_NAME))
def test_what_does_a_job_is_named_where_it_is_asked_for(module: str) -> None:
    sources = [path.read_text("utf-8") for name, path in _modules() if name != module]
    sources += [path.read_text("utf-8") for path in (ROOT.parent / "medaudit").rglob("*.py")]
    assert any(f'"{module}:' in text or f"{module}:{{" in text for text in sources)


def test_the_measurer_is_imported_by_the_side_that_sends_it_alone() -> None:
    asking = {name for name, found in imports().items() if any(source == MEASURING for source, _ in found)}
    assert asking <= {"auditor.measuring.setup", "auditor.stages.extract"}
