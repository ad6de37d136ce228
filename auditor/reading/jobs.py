"""Any function that reads a stranger's file, called inside a bounded worker process and named by text.

Who asks never imports what reads: `Job(function="auditor.tables.csv_table:read", arguments=(path,))`. The function gets the
limits as its first argument, then the arguments; both they and the answer are plain values that can be pickled (numbers,
text, arrays, frames). What it raises of our own exception tree (`MedauditError`, `UnreadableFile`) is raised again by
`Answer.value`; anything else, a crash, a hang or too much memory is an `UnreadableFile` that says so: it costs one file.
"""

from __future__ import annotations

import importlib
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from auditor.reading.losses import REMEDY
from auditor.reading.serving import MEMORY_BYTES
from auditor.reading.standing import STANDING
from auditor.reading.workers import run_workers
from auditor.values.errors import MedauditError, UnreadableFile
from auditor.values.image import Limits

MANY = 256
"""More documents than this are read by all workers at once."""


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

    @property
    def prepared(self) -> tuple[str, ...]:
        """The modules."""
        return self.modules

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

    def prepare(self, task: tuple[int, Job]) -> None:
        """Import the module of one function."""
        importlib.import_module(task[1].function.partition(":")[0])

    def measure(self, task: tuple[int, Job]) -> Answer:
        """Call one function."""
        number, job = task
        if any(isinstance(one, Path) and _waits(one) for one in job.arguments):
            reason = "not a regular file (device, pipe or socket)"
            return Answer(number=number, raised=UnreadableFile("refused", reason))
        try:
            return Answer(number=number, returned=_function(job.function)(self.limits, *job.arguments))
        except (MedauditError, UnreadableFile) as error:
            return Answer(number=number, raised=error)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a file that breaks its reader costs itself; the text may hold a value of it
            return Answer(number=number, raised=UnreadableFile("crashed", f"the reader failed on it ({type(error).__name__})"))


def _waits(path: Path) -> bool:
    """To open it may wait for somebody, or do something: it took the place of a file since that was listed."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # the function says what is wrong with it
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


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


def run_documents(jobs: Sequence[Job], limits: Limits, *, workers: int = 1) -> Iterator[Answer]:
    """Read tables, documents and files of predictions, each within the bounds of a table; answers in the order of the jobs.

    A few are read one after the other in the worker that stays for the next ones; many in processes of their own.

    Args:
        jobs, limits, workers: as for `run_jobs`.
    """
    bounds, memory = _of_tables(limits), _memory(limits)
    if workers == 0 or len(jobs) > MANY:
        yield from in_order(jobs, bounds, workers=workers, memory_bytes=memory, chunk=64)
        return
    work = Jobs(limits=bounds, memory_bytes=memory)
    for task in enumerate(jobs):
        answer: Answer = STANDING.ask(work, task)
        yield answer


def run_job(function: str, *arguments: Any, limits: Limits, workers: int = 1) -> Any:
    """One such call.

    Raises:
        MedauditError: the function raised it.
        UnreadableFile: the function raised it, or it crashed, hung, or needed more memory or time than it may.
    """
    (answer,) = run_documents([Job(function=function, arguments=arguments)], limits, workers=workers)
    return answer.value


def told(error: UnreadableFile, otherwise: str = "") -> str:
    """Why a document was not read, and what to do: which limit to raise, or `otherwise` where no limit was met."""
    reason = error.reason.removesuffix("; the file was left out")
    if REMEDY in reason:
        return reason
    remedy = {"memory": "raise [limits] table-bytes", "timeout": "raise [limits] table-seconds"}.get(error.kind, otherwise)
    return f"{reason}; {remedy}" if remedy else reason


def _of_tables(limits: Limits) -> Limits:
    """The bounds of a file that is read whole."""
    return replace(limits, seconds=limits.table_seconds, wall_seconds=max(limits.wall_seconds, limits.table_seconds))


def _memory(limits: Limits) -> int:
    """Private memory for it: what is allowed to be read is there as bytes and as values."""
    return max(limits.memory_bytes, 3 * limits.table_bytes if limits.table_bytes > Limits().table_bytes else 0)
