"""What a format is, and how outputs are written: whole or not at all. One module per format in `reports.formats`.

A format module has two names, or three; its own name is the `-o NAME:path` value:

* `SUFFIXES: tuple[str, ...]`: which `-o` suffixes mean it;
* `render(result: ScanResult, name: str) -> Mapping[str, bytes]`: file name → content; `name` is the output itself, the
  others are side files, laid beside it;
* `render_comparison(comparison: Comparison, name: str) -> Mapping[str, bytes]`, where it can show one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from auditor.files import spare_foreign, write_files
from auditor.plugins import plugin_modules
from auditor.values.corrections import Comparison
from auditor.values.errors import ConfigError
from auditor.values.results import ScanResult

_OURS = "reports.formats"
STANDARD_OUTPUT = Path("-")
"""The path that means it: `-o json:-`."""


@cache
def formats() -> Mapping[str, ModuleType]:
    """All format modules by name, ours and those of installed plug-ins (entry points `medaudit.reports`)."""
    return plugin_modules(_OURS, "medaudit.reports", names=("SUFFIXES", "render"))


def parse_output(text: str) -> tuple[str, Path]:
    """`report.html`, `csv:findings.txt` or `github:-` (standard output) → (format, path).

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
        ConfigError: two outputs (or their side files) would be one file, or one would take the place of a foreign file.
        MedauditError: a folder cannot be written.
    """
    outputs = list(outputs)
    check_places(outputs)
    return _write((path, formats()[name].render(result, path.name)) for name, path in outputs)


def write_comparison(comparison: Comparison, outputs: Iterable[tuple[str, Path]]) -> list[Path]:
    """As `write_outputs`, for a comparison.

    Raises:
        ConfigError: a format that shows no comparison, or two outputs would be one file.
        MedauditError: a folder cannot be written.
    """
    outputs = list(outputs)
    check_places(outputs)
    return _write((path, _comparison_format(name, path).render_comparison(comparison, path.name)) for name, path in outputs)


def check_places(outputs: Iterable[tuple[str, Path]]) -> None:
    """Whether outputs take the place of no file but our own; what a plug-in's format wrote cannot be told by its first bytes.

    Raises:
        ConfigError: one would.
    """
    ours = [path for name, path in outputs if formats()[name].__name__.startswith(f"{_OURS}.")]
    spare_foreign(path for path in ours if path != STANDARD_OUTPUT)


def _comparison_format(name: str, path: Path) -> ModuleType:
    module = formats()[name]
    if not hasattr(module, "render_comparison"):
        able = ", ".join(sorted(known for known, module in formats().items() if hasattr(module, "render_comparison")))
        raise ConfigError(f"-o {path}: {name} shows no comparison; formats that do: {able} (write FORMAT:path)")
    return module


def _write(rendered: Iterable[tuple[Path, Mapping[str, bytes]]]) -> list[Path]:
    plan: dict[Path, bytes] = {}
    for path, files in rendered:
        for filename, content in files.items():
            target = path.parent / filename
            if target in plan:
                raise ConfigError(f"-o {target}: two outputs would be written to this file; give each its own name")
            if path == STANDARD_OUTPUT != target:
                _refuse_side_files(filename)
            plan[target] = content
    printed = plan.pop(STANDARD_OUTPUT, b"")
    write_files(plan)
    if printed:
        _print(printed)
    return list(plan)


def _print(content: bytes) -> None:
    """To standard output as it is; as text where that takes text alone (a notebook)."""
    sys.stdout.flush()
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        sys.stdout.write(content.decode("utf-8", "replace"))
    else:
        stream.write(content)
        stream.flush()


def _refuse_side_files(filename: str) -> NoReturn:
    raise ConfigError(f"-o -: its large tables lie in files beside it ({filename.lstrip('-.')}); name a file instead of -")
