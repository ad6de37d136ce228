"""Files of ours that come back from whoever had them: read as a stranger's. One place for their size, depth, schema and paths.

A copy, a result or a network may have passed through other hands. Its files are JSON of a known shape, described by a dataclass
or a pydantic model; what is larger, deeper or of another shape is refused in one line before anything is done. A path in such
a file is a name inside its folder, and no link on its way may lead out.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, TypeAdapter, ValidationError

from auditor.files import open_regular
from auditor.values.errors import ConfigError

T = TypeVar("T")

MOST_BYTES = 256 << 20
"""A file of ours is smaller: what is large lies beside it, in Parquet."""
MOST_VALUES = 4_000_000
"""Each takes twenty times its bytes in memory where it is a bracket. Counted by commas and brackets, also those in texts."""
MOST_DEPTH = 64
MOST_DIGITS = 18
"""Of a whole number: a larger one is no count of ours, and no number that a chart or a table can hold."""
_LONG = re.compile(r"[0-9]{19}")


def read_json(path: Path, *, most_bytes: int = MOST_BYTES) -> Any:
    """The plain values of a JSON file, of bounded size and depth.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large or too deep, or no JSON.
    """
    with open_regular(path) as stream:
        content = stream.read(most_bytes + 1)
    return values_of(content, most_bytes=most_bytes)


def values_of(content: bytes, *, most_bytes: int = MOST_BYTES) -> Any:
    """The same of the content of a file.

    Raises:
        ValueError: it is too large or too deep, or no JSON.
    """
    if len(content) > most_bytes:
        raise ValueError(f"it is larger than {most_bytes:,} bytes")
    if sum(map(content.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise ValueError(f"it holds more than {MOST_VALUES:,} values")
    try:
        text = content.decode("utf-8", "surrogatepass")
        del content  # it may be as large as all that is made of it
        document = json.loads(text, parse_int=_whole) if _LONG.search(text) else json.loads(text)
    except RecursionError:
        raise ValueError("its values are nested too deeply") from None
    except OverflowError:
        raise ValueError("a number in it is too large") from None
    except ValueError:
        raise ValueError("it is not JSON") from None
    if _is_deep(document):
        raise ValueError("its values are nested too deeply")
    return document


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise OverflowError
    return int(digits)


def checked(schema: type[T], document: object) -> T:
    """The document as a value of its schema.

    Raises:
        ValueError: it has another shape; says which field, and no value.
    """
    key: Any = schema  # mypy takes no type variable for hashable
    try:
        value: T = _adapter(key).validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        known = _names(key)
        parts = [str(part) for part in first["loc"] if isinstance(part, int) or part in known]
        why = f": {first['ctx']['error']}" if first["type"] == "value_error" else ""
        raise ValueError(f"the field {'.'.join(parts)} is wrong{why}" if parts else f"a field is wrong{why}") from None
    return value


def inside(folder: Path, name: str) -> Path:
    """The file that `name` means in `folder`, whether it is there or not.

    Raises:
        ConfigError: it means one that lies elsewhere.
    """
    path = folder / name
    if not _is_plain(name) or not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise ConfigError(f"{folder}: a file of it names a path outside of it; it is not as medaudit wrote it")
    return path


def _plain(name: str) -> str:
    if not _is_plain(name):
        raise ValueError("a path that leaves its folder")
    return name


Name = Annotated[str, AfterValidator(_plain)]
"""A path inside a folder: relative, without `..`, as both Windows and the others understand it."""


def _is_plain(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return bool(name) and "\0" not in name and name[1:2] != ":" and not {"", ".", ".."} & set(parts)


def _is_deep(document: object) -> bool:
    level = [document]
    for _ in range(MOST_DEPTH):
        level = [inner for value in level for inner in _inner(value) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inner(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


@cache
def _adapter(schema: Any) -> TypeAdapter[Any]:
    return TypeAdapter(schema)


@cache
def _names(schema: Any) -> frozenset[str]:
    """Every name of a field in the schema: what may stand in a message."""
    found = _adapter(schema).json_schema()
    return frozenset(_properties(found))


def _properties(part: object) -> list[str]:
    names: list[str] = []
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        names += list(value) if key == "properties" and isinstance(value, dict) else []
        names += _properties(value)
    return names
