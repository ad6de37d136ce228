"""Plain values as TOML, for the medaudit.toml of a copy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(content: Mapping[str, Any]) -> str:
    """Sections of text, numbers, booleans, lists and sections; empty sections are left out."""
    return "\n".join(_section(content, ()))


def _section(content: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    values = {k: v for k, v in content.items() if not isinstance(v, Mapping) and not _is_tables(v)}
    lines = [f"[{'.'.join(map(_key, path))}]"] if path and values else []
    lines += [f"{_key(key)} = {_value(value)}" for key, value in values.items()]
    lines += [""] if values else []
    for key, value in content.items():
        if isinstance(value, Mapping):
            lines += _section(value, (*path, key))
        elif _is_tables(value):
            for one in value:
                lines += [f"[[{'.'.join(map(_key, (*path, key)))}]]", *(f"{_key(k)} = {_value(v)}" for k, v in one.items()), ""]
    return lines


def _is_tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, str):
        # JSON's escapes are a subset of TOML's, which wants DEL escaped too.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
