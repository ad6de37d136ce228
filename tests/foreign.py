"""A package of somebody else's that brings plug-ins, installed as pip would, and gone afterwards."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_COLLECTORS = (
    "auditor.check", "auditor.feature", "auditor.format", "auditor.layout", "auditor.naming.suffixes", "reports.format",
    "trainers.kinds", "trainers.strategy",
)  # fmt: skip
"""Modules that collect plug-ins, and remember what they found."""


@contextmanager
def installed(folder: Path, points: str, content: str, *, module: str = "foreign_plugin") -> Iterator[None]:
    """A package of one module lies on the path; what was known of plug-ins is forgotten before and after.

    Args:
        folder: empty.
        points: its entry points, as in `entry_points.txt`.
        content: of the module.
    """
    (folder / f"{module}.py").write_text(content)
    facts = folder / f"{module}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(points)
    sys.path.insert(0, str(folder))
    _forget()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(module, None)
        _forget()


def _forget() -> None:
    importlib.invalidate_caches()
    for collector in (sys.modules[name] for name in _COLLECTORS if name in sys.modules):
        for value in vars(collector).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
