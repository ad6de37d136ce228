"""Checksums that a Croissant file declares for the files of its dataset, measured.

Source: Croissant format specification 1.0 (MLCommons, 2024): `cr:FileObject` with `contentUrl` and `sha256` (or `md5`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from auditor.placement.listing import resolve_inside
from auditor.values.dataset import Problem

NAMES = ("croissant.json", "metadata.json")
"""The second only where it says that it is Croissant."""
CHECKSUM_COLUMNS = ("path", "algorithm", "state", "by")
"""`state`: `same`, `differs`, `missing`, `remote` (an address, or outside the folder) or `malformed` (no checksum)."""
LARGEST = 16 << 20
_BLOCK = 1 << 20
_LENGTHS = {"sha256": 64, "md5": 32}


def measure_checksums(root: Path) -> tuple[pd.DataFrame, tuple[Problem, ...]]:
    """One row per file object with a checksum: columns `CHECKSUM_COLUMNS`, text; and the Croissant files that cannot be read.

    Files are read in blocks and never parsed; addresses are not followed, nor links that lead out of the root.
    """
    rows: list[tuple[str, str, str, str]] = []
    problems: list[Problem] = []
    for name in NAMES:
        file = root / name
        if not file.is_file() or file.is_symlink():
            continue
        try:
            if file.stat().st_size > LARGEST:
                raise ValueError("larger than 16 MiB")
            content = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            if name == NAMES[0]:
                problems.append(Problem(kind="malformed", path=name, reason=f"not readable as JSON ({type(error).__name__})"))
            continue
        if name == NAMES[0] or "croissant" in str(content.get("conformsTo", "") if isinstance(content, dict) else "").lower():
            rows += [(path, algorithm, state, name) for path, algorithm, state in _measured(root, content)]
    frame = pd.DataFrame(rows, columns=list(CHECKSUM_COLUMNS)).astype("str")
    return frame, tuple(problems)


def _measured(root: Path, content: object) -> Iterator[tuple[str, str, str]]:
    distribution = content.get("distribution", []) if isinstance(content, dict) else []
    for item in distribution if isinstance(distribution, list) else []:
        if not isinstance(item, dict):
            continue
        kind = str(item.get("@type", ""))
        address = item.get("contentUrl")
        if not kind.endswith("FileObject") or not isinstance(address, str):
            continue
        for algorithm, length in _LENGTHS.items():
            declared = item.get(algorithm)
            if declared is None:
                continue
            text = declared.strip().lower() if isinstance(declared, str) else ""
            if len(text) != length or any(c not in "0123456789abcdef" for c in text):
                yield address, algorithm, "malformed"
            else:
                yield address, algorithm, _state(root, address, algorithm, text)


def _state(root: Path, address: str, algorithm: str, declared: str) -> str:
    inside = None if "://" in address else resolve_inside(root, address)
    if inside is None or not (root / inside).resolve().is_relative_to(root.resolve()):
        return "remote"
    file = root / inside
    if not file.is_file():
        return "missing"
    digest = hashlib.new(algorithm, usedforsecurity=False)
    try:
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError:
        return "missing"
    return "same" if digest.hexdigest() == declared else "differs"
