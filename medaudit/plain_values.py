"""Options that are texts, paths or not given are read without Typer's readers, one of pydantic's for each of forty options.

To make them is a twentieth of what a scan of ten files costs. What needs converting (a number that was given) goes Typer's way,
and so does whatever would be refused, so that all messages are Typer's. Where Typer is another than the one known here, nothing
is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer


@dataclass(frozen=True)
class PlainValue:
    """Stands where Typer would put what reads the values of one option.

    Args:
        described: what Typer knows of the option's type.
    """

    described: Any

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value as the command receives it.

        Raises:
            typer.BadParameter: by Typer, of a value that it refuses.
        """
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        kind, plain = self.described.annotation, self.described.parameter_info.parser is None
        if plain and not several and kind is str and type(value) is str:
            return value
        if plain and several and kind == list[str] and isinstance(value, list | tuple) and all(type(v) is str for v in value):
            return list(value)
        if plain and not several and kind is Path and type(value) is str:
            found = self._path(value, param, ctx)
            if found is not None:
                return found
        return self._by_typer(value, param, ctx)

    def _path(self, value: str, param: Any, ctx: Any) -> Any:
        """With Typer's own looks at the place; None where one of them fails."""
        from typer._param_types import coerce_cli_path

        try:
            return coerce_cli_path(Path(value), self.described.parameter_info, path_type=Path, param=param, ctx=ctx)
        except typer.BadParameter:
            return None

    def _by_typer(self, value: Any, param: Any, ctx: Any) -> Any:
        from typer._coercion import build_runtime_param

        return build_runtime_param(self.described).coerce(value, param=param, ctx=ctx)


def read_plainly(command: Any) -> Any:
    """The same command, all options of which take plain values as they are; a group with its commands.

    Args:
        command: what `typer.main.get_command` made.
    """
    for own in (command, *getattr(command, "commands", {}).values()):
        for param in own.params:
            _plain(param)
        if hasattr(own, "get_help_option"):  # made when a command is called
            own.get_help_option = lambda ctx, made=own.get_help_option: _plain(made(ctx))
    return command


def _plain(param: Any) -> Any:
    described = getattr(param, "type_descriptor", None)
    known = hasattr(described, "annotation") and hasattr(described, "parameter_info")
    if known and getattr(param, "_runtime_param", param) is None:
        param._runtime_param = PlainValue(described)
    return param
