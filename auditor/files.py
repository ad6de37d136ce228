"""Files of ours are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from auditor.values.errors import MedauditError


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
