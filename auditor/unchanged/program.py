"""What is running: this program to the last file, the packages beside it, the interpreter, what the environment tells them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from auditor.plugins import GROUPS
from auditor.unchanged.index import index_of

ROOMS = ("auditor", "medaudit", "reports", "trainers")
PACKAGES = (".dist-info", ".egg-info", ".egg-link", ".pth")
"""How names end that an installer leaves behind; versions stand in them."""
TOLD = ("PYTHON", "LD_", "OMP_", "OPENBLAS_", "MKL_", "OPENCV_", "MALLOC_", "MEDAUDIT_", "LANG", "LC_", "TZ", "XDG_", "HOME")
"""How variables begin that a library, or we, may go by."""


def program(environment: Mapping[str, str], search: Sequence[str]) -> bytes | None:
    """Everything about the program, its packages and this day that a result could depend on.

    Args:
        environment: the variables as they were when the scan was asked for: libraries set some while they are imported.
        search: folders in which modules are found, as they were then.

    None where a plug-in of others is installed: what it depends on nobody can know.
    """
    if not GROUPS.keys().isdisjoint(entry_points().groups):
        return None
    home = Path(__file__).resolve().parents[2]
    own = index_of([home / room for room in ROOMS], without=frozenset(("__pycache__",)))
    if own is None:
        return None
    said = (
        sys.version, sys.executable, tuple(sys.flags), os.getcwd(), *_packages(search),  # noqa: PTH109
        *sorted((name, value) for name, value in environment.items() if name.startswith(TOLD)),
        # two calendars: of here and of Greenwich
        time.localtime()[:3], time.gmtime()[:3], time.tzname, sys.getfilesystemencoding(), getattr(os, "getuid", int)(),
    )  # fmt: skip
    return own.digest + repr(said).encode("utf-8", "surrogatepass")


def _packages(search: Sequence[str]) -> list[tuple[str, str, int]]:
    """What is installed: folder of the search path, name, and when it was put there."""
    found: list[tuple[str, str, int]] = []
    for folder in search:
        if os.path.isdir(folder):  # noqa: PTH112 - what is on the path need not be a path
            with os.scandir(folder) as entries:
                found += [(folder, e.name, e.stat().st_mtime_ns) for e in entries if e.name.endswith(PACKAGES)]
    return sorted(found)
