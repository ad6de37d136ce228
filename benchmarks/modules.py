"""How the house is cut: its modules, the long ones, and those that one other module alone imports.

python benchmarks/modules.py [--list]

A module that is found by being there (a check, a format, a layout, ...) counts as imported by its collection; one that workers
load by name (`"auditor.tables.opening:table"`) as imported by whoever names it. A module with one importer is either a part
that was cut out of it because it is another thought, or a fragment that belongs back: `--list` shows them, short ones first.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("auditor", "trainers", "reports", "medaudit")
COLLECTIONS = (
    "auditor.checks", "auditor.features", "auditor.formats", "auditor.layouts", "auditor.stages", "medaudit.commands",
    "reports.formats", "trainers.strategies", "trainers.tasks",
)  # fmt: skip
"""Packages whose modules are found by being there."""
LONG, LONGISH = 300, 250


def modules(root: Path) -> dict[str, Path]:
    """Name → file, `__init__` left out."""
    files = (path for package in PACKAGES for path in sorted((root / package).rglob("*.py")) if path.stem != "__init__")
    return {".".join(path.relative_to(root).with_suffix("").parts): path for path in files}


def named_in(tree: ast.Module, known: Mapping[str, Path]) -> Iterator[str]:
    """Modules that a module imports or loads by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (name for alias in node.names if (name := f"{node.module}.{alias.name}") in known)
            if node.module in known:
                yield node.module
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (name := node.value.partition(":")[0]) in known:
            yield name


def importers(files: Mapping[str, Path]) -> dict[str, set[str]]:
    """Module → who imports it."""
    found: dict[str, set[str]] = {name: set() for name in files}
    for name, path in files.items():
        package = name.rpartition(".")[0]
        if package in COLLECTIONS:
            found[name].add(package)
        for other in named_in(ast.parse(path.read_text(encoding="utf-8")), files):
            if other != name:
                found[other].add(name)
    for package in {name.rpartition(".")[0] for name in files}:
        door = ROOT.joinpath(*package.split("."), "__init__.py")
        for other in named_in(ast.parse(door.read_text(encoding="utf-8")), files):
            found[other].add(package)
    return found


def main() -> int:
    """Count and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="name the modules with one importer, and the long ones")
    given = parser.parse_args()
    files = modules(ROOT)
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in files.items()}
    found = importers(files)
    alone = [name for name in files if len(found[name]) <= 1 and name.rpartition(".")[0] not in COLLECTIONS]
    collected = sum(name.rpartition(".")[0] in COLLECTIONS for name in files)
    long = sum(count > LONG for count in lines.values())
    longish = sum(count > LONGISH for count in lines.values())
    middle = sorted(lines.values())[len(lines) // 2]
    print(f"{len(files)} modules of {middle} lines (median), {collected} of them in collections")
    print(f"over {LONG} lines: {long}; over {LONGISH}: {longish}; outside collections with one importer at most: {len(alone)}")
    if given.list:
        for name in sorted(alone, key=lambda name: lines[name]):
            print(f"{lines[name]:4} {name} <- {', '.join(found[name]) or 'nobody'}")
        print(*(f"{lines[name]:4} {name}" for name in files if lines[name] > LONGISH), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
