"""Results of earlier scans in the private folder: found again by what they depended on, and believed by the user's own mark."""

from __future__ import annotations

import hmac
import io
import os
import pickle
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.files import open_regular
from auditor.private import keyed, others_write
from auditor.values import results
from auditor.values.results import ScanResult

FOLDER = "results-1"
"""The number rises when a kept result would be misread."""
MOST = 32
"""Results kept, those that were last made."""
MOST_BYTES = 64 << 20
MARK = 32
"""Bytes of the keyed digest before each result."""
PLAIN = frozenset({"list", "tuple", "dict", "float", "int", "bool", "str", "bytes", "set", "frozenset"})


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The results that one user keeps.

    Args:
        folder: private folder, as of `auditor.reading.cache`.
        key: of the user: what was not marked with it is not there.
    """

    folder: Path
    key: bytes

    def find(self, of: bytes) -> ScanResult | None:
        """The result of the scan that depended on `of`; None where there is none, or others could have put it there."""
        try:
            if others_write(self.folder) is not None or others_write(self.folder / FOLDER) is not None:
                return None
            with open_regular(self._file(of)) as stream:
                content = stream.read(MOST_BYTES + MARK + 1)
        except OSError:
            return None
        mark, value = content[:MARK], content[MARK:]
        if len(value) > MOST_BYTES or not hmac.compare_digest(mark, self._mark(of, value)):
            return None
        try:
            found = _Reader(io.BytesIO(value)).load()
        except Exception:  # noqa: BLE001 - ours, but of another day: the scan is made anew
            return None
        return found if type(found) is ScanResult else None

    def keep(self, of: bytes, result: ScanResult) -> None:
        """Keep it, whole or not at all; a disk that is full or a folder that others may write to ends the use, not the scan."""
        stream = io.BytesIO()
        try:
            _Writer(stream, protocol=5).dump(result)
            value = stream.getvalue()
            _Reader(io.BytesIO(value)).load()
        except Exception:  # noqa: BLE001 - a cell that is no plain value: nothing is kept
            return
        if len(value) > MOST_BYTES:
            return
        place = self.folder / FOLDER
        draft = place / f".{secrets.token_hex(8)}"
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            if others_write(self.folder) is not None or others_write(place) is not None:
                return
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(self._mark(of, value) + value)
            draft.replace(self._file(of))
            for old in sorted(place.iterdir(), key=lambda one: one.stat().st_mtime_ns)[:-MOST]:
                old.unlink(missing_ok=True)
        except OSError:
            draft.unlink(missing_ok=True)

    def _file(self, of: bytes) -> Path:
        return self.folder / FOLDER / keyed(self.key, "result name", of).hex()[:40]

    def _mark(self, of: bytes, value: bytes) -> bytes:
        return keyed(self.key, "result", len(of).to_bytes(8, "little") + of + value)


class _Writer(pickle.Pickler):
    """Arrays and their numbers become lists and plain numbers; tables that are shared stay shared."""

    def reducer_override(self, value: Any) -> Any:
        if type(value).__name__ in ("NAType", "NaTType"):
            return _nothing, ()
        if isinstance(value, type) or not hasattr(value, "tolist"):
            return NotImplemented
        listed = value.tolist()
        return type(listed), (listed,)


class _Reader(pickle.Unpickler):
    """Only plain values and those of `auditor.values.results` come to life."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "builtins" and name in PLAIN:
            return super().find_class(module, name)
        if module == results.__name__ and isinstance(getattr(results, name, None), type):
            return super().find_class(module, name)
        if (module, name) == (__name__, _nothing.__name__):
            return _nothing
        raise pickle.UnpicklingError(f"{module}.{name} is no value of a result")


def _nothing() -> None:
    """What is not there: of pandas' several kinds one."""
