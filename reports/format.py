"""What a format is, and how outputs are written: whole or not at all. One module per format in `reports.formats`.

A format module has two names; its own name is the `-o NAME:path` value:

* `SUFFIXES: tuple[str, ...]`: which `-o` suffixes mean it;
* `render(result: ScanResult, name: str) -> Mapping[str, bytes]`: file name → content; `name` is the output itself, the
  others are side files, laid beside it.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import secrets
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

from auditor.errors import ConfigError, MedauditError
from auditor.types import ScanResult


@cache
def formats() -> Mapping[str, ModuleType]:
    """All format modules by name."""
    import reports.formats as package

    return {m.name: importlib.import_module(f"reports.formats.{m.name}") for m in pkgutil.iter_modules(package.__path__)}


def parse_output(text: str) -> tuple[str, Path]:
    """`report.html` or `csv:findings.txt` → (format, path).

    Raises:
        ConfigError: unknown format or suffix.
    """
    name, colon, rest = text.partition(":")
    if colon and name in formats():
        return name, Path(rest)
    path = Path(text)
    for known, module in formats().items():
        if path.suffix.lower() in module.SUFFIXES:
            return known, path
    raise ConfigError(f"-o {text}: no format has this suffix; formats: {', '.join(sorted(formats()))} (write FORMAT:path)")


def write_outputs(result: ScanResult, outputs: Iterable[tuple[str, Path]]) -> list[Path]:
    """Render every output first, then write; each file whole or not at all. Returns the written paths.

    A format module's `render(result, name)` returns {file name: bytes}; the first is the output itself, the others
    are its side files, laid beside it.

    Raises:
        MedauditError: a folder cannot be written.
    """
    plan: dict[Path, bytes] = {}
    for name, path in outputs:
        rendered: Mapping[str, bytes] = formats()[name].render(result, path.name)
        for filename, content in rendered.items():
            plan[path.parent / filename] = content
    write_files(plan)
    return list(plan)


def write_files(plan: Mapping[Path, bytes]) -> None:
    """Write files under temporary names, then rename them all.

    Raises:
        MedauditError: a folder cannot be written, the disk is full; the old files are still there.
    """
    written: list[tuple[Path, Path]] = []
    try:
        for path, content in plan.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}.tmp")
            written.append((temporary, path))
            with open(temporary, "xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        for temporary, path in written:
            os.replace(temporary, path)
    except OSError as error:
        raise MedauditError(f"{error.filename or path}: cannot be written ({error.strerror}); nothing was replaced") from error
    finally:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)
