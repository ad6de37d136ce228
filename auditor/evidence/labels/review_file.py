"""A file of answers as the review page saved it. Runs inside the bounded workers (`auditor.reading.jobs`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from auditor.stored import checked, read_json
from auditor.values.errors import ConfigError
from auditor.values.image import Limits
from auditor.values.reviews import ANSWERS, FORMAT, VERSION, Answer, Review

MAX_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class _Answers:
    """The schema of the file."""

    answers: tuple[Answer, ...]
    flagged: Annotated[int, Field(ge=0)]
    others: Annotated[int, Field(ge=0)]
    identity: str


def read(limits: Limits, path: Path) -> Review:  # noqa: ARG001 - its own bound is smaller than that of a table
    """The answers that the review page saved.

    Raises:
        ConfigError: not there, or not such a file.
    """
    try:
        document = read_json(path, most_bytes=MAX_BYTES)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}; give the file that the review page saved") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ConfigError(f"{path}: not a file of answers; give the one that the review page saved")
    if document.get("version") != VERSION:
        raise ConfigError(f"{path}: written by another version of medaudit; review again with this one")
    try:
        told = checked(_Answers, document)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: a damaged file of answers ({error}); save it again") from None
    if not all(answer.answer in ANSWERS for answer in told.answers):
        raise ConfigError(f"{path}: a damaged file of answers (an unknown answer); save it again")
    return Review(answers=told.answers, flagged=told.flagged, others=told.others, identity=told.identity)
