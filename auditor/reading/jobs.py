"""Any function that reads a stranger's file, called inside a bounded worker process and named by text.

Who asks never imports what reads: `Job(function="auditor.tables.csv_table:read", arguments=(path,))`. The function gets the
limits as its first argument, then the arguments; both they and the answer are plain values that can be pickled (numbers,
text, arrays, frames). What it raises of our own exception tree (`MedauditError`, `UnreadableFile`) is raised again by
`Answer.value`; anything else, a crash, a hang or too much memory is an `UnreadableFile` that says so: it costs one file.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor.reading.standing import STANDING
from auditor.reading.workers import MEMORY_BYTES, run_workers
from auditor.values.errors import MedauditError, UnreadableFile
from auditor.values.image import Limits


@dataclass(frozen=True, kw_only=True)
class Job:
    """One call: `function` is `module:name`; `arguments` follow the limits."""

    function: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one job gave: what its function returned, or what it raised."""

    number: int
    returned: Any = None
    raised: MedauditError | UnreadableFile | None = None

    @property
    def value(self) -> Any:
        """What the function returned.

        Raises:
            MedauditError: the function raised it.
            UnreadableFile: the function raised it, or it crashed, hung, or needed more than `limits` allow.
        """
        if self.raised is not None:
            raise self.raised
        return self.returned


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """What a worker is told: its limits, and which modules its jobs need, so that no job pays for loading them."""

    limits: Limits
    modules: tuple[str, ...] = ()
    memory_bytes: int = MEMORY_BYTES

    def measurer(self) -> _Caller:
        """Who calls the functions."""
        for module in self.modules:
            importlib.import_module(module)
        return _Caller(limits=self.limits)

    def lost(self, task: tuple[int, Job], kind: str, reason: str) -> Answer:
        """The answer of a job whose worker did not come back."""
        return Answer(number=task[0], raised=UnreadableFile(kind, reason))


@dataclass(kw_only=True)
class _Caller:
    limits: Limits

    def measure(self, task: tuple[int, Job]) -> Answer:
        """Call one function."""
        number, job = task
        try:
            return Answer(number=number, returned=_function(job.function)(self.limits, *job.arguments))
        except (MedauditError, UnreadableFile) as error:
            return Answer(number=number, raised=error)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a file that breaks its reader costs itself; the text may hold a value of it
            return Answer(number=number, raised=UnreadableFile("crashed", f"the reader failed on it ({type(error).__name__})"))


def _function(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return function


def run_jobs(
    jobs: Sequence[Job], limits: Limits, *, workers: int = 1, memory_bytes: int = MEMORY_BYTES, chunk: int = 4
) -> Iterator[Answer]:
    """Do all jobs in `workers` processes; yields the answers as they come, each with the number of its job.

    Args:
        limits: bounds per job; processor time and memory end what goes beyond them.
        workers: processes; 0 calls the functions in this process, without isolation (tests).
        memory_bytes: private memory that a worker may hold.
        chunk: jobs that a worker is given at once.
    """
    modules = tuple(dict.fromkeys(job.function.partition(":")[0] for job in jobs))
    work = Jobs(limits=limits, modules=modules, memory_bytes=memory_bytes)
    tasks = list(enumerate(jobs))
    if workers == 0:
        caller = work.measurer()
        yield from (caller.measure(task) for task in tasks)
        return
    yield from run_workers(tasks, work, workers=workers, chunk=chunk)


def in_order(
    jobs: Sequence[Job], limits: Limits, *, workers: int = 1, memory_bytes: int = MEMORY_BYTES, chunk: int = 4
) -> Iterator[Answer]:
    """`run_jobs`, in the order of the jobs."""
    waiting: dict[int, Answer] = {}
    wanted = 0
    for answer in run_jobs(jobs, limits, workers=workers, memory_bytes=memory_bytes, chunk=chunk):
        waiting[answer.number] = answer
        while wanted in waiting:
            yield waiting.pop(wanted)
            wanted += 1


def run_job(function: str, *arguments: Any, limits: Limits, workers: int = 1) -> Any:
    """One call for a prediction file or a document, in a process of its own.

    Raises:
        MedauditError: the function raised it.
        UnreadableFile: the function raised it, or it crashed, hung, or needed more memory or time than it may.
    """
    job = Job(function=function, arguments=arguments)
    (answer,) = run_jobs([job], _of_tables(limits), workers=workers, memory_bytes=_memory(limits))
    return answer.value


def run_table_job(function: str, *arguments: Any, limits: Limits) -> Any:
    """One call for a label table, in the worker that stays for the next one.

    Raises:
        MedauditError, UnreadableFile: as for `run_job`.
    """
    module = function.partition(":")[0]
    work = Jobs(limits=_of_tables(limits), modules=(module,), memory_bytes=_memory(limits))
    answer: Answer = STANDING.ask(work, (0, Job(function=function, arguments=arguments)))
    return answer.value


def _of_tables(limits: Limits) -> Limits:
    """The bounds of a file that is read whole."""
    return replace(limits, seconds=limits.table_seconds, wall_seconds=max(limits.wall_seconds, limits.table_seconds))


def _memory(limits: Limits) -> int:
    """Private memory for it: what is allowed to be read is there as bytes and as values."""
    return max(limits.memory_bytes, 3 * limits.table_bytes if limits.table_bytes > Limits().table_bytes else 0)
