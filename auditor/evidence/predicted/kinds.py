"""Which of the user's files of predictions hold masks, which objects and which classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from auditor.reading.jobs import Job, run_documents, told
from auditor.values.errors import DatasetError, UnreadableFile
from auditor.values.image import Limits
from auditor.values.predictions import PredictionKind


def kinds_of(paths: Sequence[Path], limits: Limits, *, workers: int = 1) -> tuple[PredictionKind, ...]:
    """What each file holds, told by its header in a worker.

    Raises:
        DatasetError: a file cannot be read.
    """
    found: list[PredictionKind] = []
    jobs = [Job(function="auditor.evidence.predicted.kind:kind_of", arguments=(path,)) for path in paths]
    for answer in run_documents(jobs, limits, workers=workers):
        try:
            found.append(answer.value)
        except UnreadableFile as error:
            raise DatasetError(f"{paths[answer.number]}: {told(error)}") from None
    return tuple(found)
