"""The two passes over the files of a collection that is written anew: look at all of them, then rewrite each.

Files are read one by one, in this process or in the bounded workers of `auditor.reading.workers`; never more than one image per
worker is in memory. New files are named after the content they were made from, so that an interrupted pass goes on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from auditor.format import open_header, open_pixels, read_source
from auditor.measuring.measure import Begun, Measurer
from auditor.measuring.setup import Setup
from auditor.progress import Progress
from auditor.reading.workers import run_workers
from auditor.values.errors import UnreadableFile
from auditor.values.measurement import Measurement, Task
from trainers.rewriting.encoding_traces import measure_traces
from trainers.rewriting.rewrite import SUFFIX, Form, Survey, encoded, rewritten, survey

VERSION = 2
"""Raise it when the same form gives other bytes."""


@dataclass(frozen=True, kw_only=True)
class Surveyed(Measurement):
    """A file, looked at; `source` is its format."""

    seen: Survey
    source: str


@dataclass(frozen=True, kw_only=True)
class Rewritten(Measurement):
    """A file, written anew: where, how many levels its middle frame uses, and its traces where they were asked for."""

    file: str
    levels: int
    traces: npt.NDArray[np.float32] | None


@dataclass(frozen=True, kw_only=True)
class RewriteSetup(Setup):
    """What a worker needs: without a form it looks, with one it writes into `folder`. `traced`: paths to measure traces of."""

    form: Form | None = None
    folder: Path = Path()
    traced: frozenset[str] = field(default_factory=frozenset)

    def measurer(self) -> Rewriter:
        """A rewriter in the place of the measurer."""
        return Rewriter(root=self.root, limits=self.limits, form=self.form, folder=self.folder, traced=self.traced)


@dataclass(kw_only=True)
class Rewriter(Measurer):
    """Looks at files below one root, or writes them anew; what cannot be read is answered with a problem."""

    form: Form | None = None
    folder: Path = Path()
    traced: frozenset[str] = field(default_factory=frozenset)

    def begin(self, task: Task) -> Begun:
        """Nothing waits for other files: `measure` is the whole of it."""
        return Begun(found=self._answered(task))

    def _answered(self, task: Task) -> list[Measurement]:
        """One answer, under the path of the file."""
        try:
            source = read_source(self.root / task.path, self.limits)
            header = open_header(source, self.limits)
            pixels = open_pixels(source, header, self.limits)
            if self.form is None:
                return [Surveyed(record=task.path, seen=survey(header, pixels), source=header.format)]
            array = rewritten(header, pixels, self.form)
        except UnreadableFile as error:
            return [Measurement(record=task.path, problem=(error.kind, error.reason))]
        key = hashlib.blake2b(source.content, digest_size=20, key=hashlib.sha256(f"{VERSION}{self.form}".encode()).digest())
        file = self.folder / f"{key.hexdigest()}{SUFFIX[self.form.container]}"
        if not file.exists():
            write_whole(file, encoded(array, self.form, header))
        middle = array[len(array) // 2]
        top = float((1 << self.form.stored_bits) - 1)
        return [
            Rewritten(
                record=task.path, file=str(file), levels=int(np.unique(middle).size),
                traces=measure_traces(middle, top) if task.path in self.traced else None,
            )
        ]  # fmt: skip


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(file)


def read_all(
    paths: Sequence[str], setup: RewriteSetup, *, workers: int, stage: str, progress: Progress
) -> Iterator[Measurement]:
    """One answer per path, as they come."""
    tasks = [Task(path=path, records=(path,)) for path in paths]
    progress.start(stage, len(tasks))
    try:
        found: Iterable[list[Measurement]]
        if workers == 0:
            rewriter = setup.measurer()
            found = (rewriter.measure(task) for task in tasks)
        else:
            found = run_workers(tasks, setup, workers=workers)
        for group in found:
            progress.advance(len(group))
            yield from group
    finally:
        progress.finish()
