"""A file of answers as the review page saved it. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auditor.values.errors import ConfigError
from auditor.values.image import Limits
from auditor.values.reviews import ANSWERS, FORMAT, VERSION, Answer, Review

MAX_BYTES = 64 << 20


def read(limits: Limits, path: Path) -> Review:  # noqa: ARG001
    """The answers that the review page saved.

    Raises:
        ConfigError: not there, or not such a file.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: too large for a file of answers")
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise ConfigError(f"{path}: this is not JSON; give the file that the review page saved") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ConfigError(f"{path}: not a file of answers; give the one that the review page saved")
    if document.get("version") != VERSION:
        raise ConfigError(f"{path}: written by another version of medaudit; review again with this one")
    try:
        return Review(
            answers=tuple(_answer(entry) for entry in document["answers"]),
            flagged=int(document["flagged"]), others=int(document["others"]), identity=str(document["identity"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: a damaged file of answers ({type(error).__name__}); save it again") from None


def _answer(entry: Mapping[str, Any]) -> Answer:
    if entry["answer"] not in ANSWERS:
        raise ValueError("unknown answer")
    return Answer(
        record=str(entry["record"]), given=str(entry["given"]), flagged=bool(entry["flagged"]), answer=str(entry["answer"])
    )
