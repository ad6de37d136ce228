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
        ConfigError: unknown format or suffix, no file name, or a folder.
    """
    prefix, colon, rest = text.partition(":")
    if colon and prefix in formats():
        name, path = prefix, Path(rest)
    else:
        path = Path(text)
        by_suffix = [known for known, module in formats().items() if path.suffix.lower() in module.SUFFIXES]
        if not by_suffix:
            raise ConfigError(
                f"-o {text}: no format has this suffix; formats: {', '.join(sorted(formats()))} (write FORMAT:path)"
            )
        name = by_suffix[0]
    if path.name in ("", ".."):
        raise ConfigError(f"-o {text}: a file name is missing")
    if path.is_dir():
        raise ConfigError(f"-o {text}: this is a folder; name a file in it")
    return name, path


def write_outputs(result: ScanResult, outputs: Iterable[tuple[str, Path]]) -> list[Path]:
    """Render every output first, then write; each file whole or not at all. Returns the written paths, side files too.

    Raises:
        ConfigError: two outputs (or their side files) would be one file.
        MedauditError: a folder cannot be written.
    """
    plan: dict[Path, bytes] = {}
    for name, path in outputs:
        rendered: Mapping[str, bytes] = formats()[name].render(result, path.name)
        for filename, content in rendered.items():
            target = path.parent / filename
            if target in plan:
                raise ConfigError(f"-o {target}: two outputs would be written to this file; give each its own name")
            plan[target] = content
    write_files(plan)
    return list(plan)


def write_files(plan: Mapping[Path, bytes]) -> None:
    """Write all files under temporary names, then rename them all: no reader ever sees half a file.

    Raises:
        MedauditError: a folder cannot be written, or the disk is full; it says whether an old file was replaced.
    """
    waiting: list[tuple[Path, Path]] = []
    replaced = 0
    path = Path()
    try:
        for path, content in plan.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".medaudit-{secrets.token_hex(8)}.tmp")
            waiting.append((temporary, path))
            with temporary.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        for temporary, path in waiting:
            temporary.replace(path)
            replaced += 1
    except OSError as error:
        state = f"{replaced} of {len(plan)} files were replaced" if replaced else "nothing was replaced"
        raise MedauditError(f"{path}: cannot be written ({error.strerror}); {state}") from error
    finally:
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)
