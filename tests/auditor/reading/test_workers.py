import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from auditor.measuring.setup import Setup
from auditor.reading import bounds, losses, process, serving
from auditor.reading.workers import run_workers
from auditor.values.errors import MedauditError
from auditor.values.image import Limits
from auditor.values.measurement import Task


def png(path: Path, value: int) -> Task:
    Image.new("L", (8, 8), value).save(path)
    return Task(path=path.name, records=(path.name,))


def setup_of(root: Path, **limits: float) -> Setup:
    return Setup(root=root, limits=Limits(**limits), cache=None)  # type: ignore[arg-type]


def test_every_task_is_answered_once(tmp_path: Path) -> None:
    tasks = [png(tmp_path / f"{i}.png", i) for i in range(40)]
    answers = [m for group in run_workers(tasks, setup_of(tmp_path), workers=2, chunk=4) for m in group]
    assert sorted(m.record for m in answers) == sorted(t.path for t in tasks)
    assert all(m.problem is None and m.pixels is not None for m in answers)


def test_no_task_starts_no_answer(tmp_path: Path) -> None:
    assert list(run_workers([], setup_of(tmp_path), workers=2)) == []


def sabotage(fault: str, path: str) -> str:
    """A worker's start where measuring one file does something else first."""
    return (
        f"import sys; sys.path.insert(0, {process.HOME!r}); import auditor.measuring.measure as m; real = m.Measurer.begin\n"
        "def measure(self, task):\n"
        f"    if task.path == {path!r}:\n        {fault}\n"
        "    return real(self, task)\n"
        "m.Measurer.begin = measure\n"
        "from auditor.reading.serving import serve; serve()"
    )


timed = pytest.mark.skipif(not bounds.BOUNDS_PROCESSOR, reason="processor time is not bounded on Windows")
BUSY = "import hashlib; hashlib.pbkdf2_hmac('sha512', b'', b'', 1 << 30)  # one call into C, as a codec is"


FAULTS = pytest.mark.parametrize(
    ("fault", "kind", "limits"),
    [
        ("import os; os._exit(9)", "crashed", {}),
        ("import time; time.sleep(60)", "timeout", {"seconds": 0.5, "wall_seconds": 2.0}),
        pytest.param(BUSY, "timeout", {"seconds": 0.5}, marks=timed),
    ],
    ids=["dies", "blocks", "computes"],
)


@FAULTS
def test_a_worker_that_dies_blocks_or_computes_for_ever_costs_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, kind: str, limits: dict[str, float]
) -> None:
    tasks = [png(tmp_path / f"{i}.png", i) for i in range(6)]
    monkeypatch.setattr(process, "START", sabotage(fault, "2.png"))
    answers = [m for group in run_workers(tasks, setup_of(tmp_path, **limits), workers=1, chunk=6) for m in group]
    problems = {m.record: m.problem for m in answers if m.problem is not None}
    assert {record: problem[0] for record, problem in problems.items()} == {"2.png": kind}
    assert ("of computing" in problems["2.png"][1]) == (fault == BUSY)
    assert sorted(m.record for m in answers) == sorted(t.path for t in tasks)


def finish_sabotaged(fault: str, path: str) -> str:
    """A worker's start where finishing a file, alone or with others, does something else first."""
    return (
        f"import sys; sys.path.insert(0, {process.HOME!r}); import auditor.measuring.measure as m; real = m.Measurer.finish\n"
        "def finish(self, begun):\n"
        f"    if any(one.task is not None and one.task.path == {path!r} for one in begun):\n        {fault}\n"
        "    return real(self, begun)\n"
        "m.Measurer.finish = finish\n"
        "from auditor.reading.serving import serve; serve()"
    )


@FAULTS
@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(0, marks=pytest.mark.slow),
        pytest.param(2, marks=pytest.mark.slow),
        3,
        4,
        pytest.param(5, marks=pytest.mark.slow),
    ],
    ids=["first", "third", "last of its group", "next group", "last of all"],
)
def test_a_worker_that_ends_over_several_files_at_once_costs_the_guilty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, kind: str, limits: dict[str, float], bad: int
) -> None:
    tasks = [png(tmp_path / f"{i}.png", i) for i in range(6)]
    monkeypatch.setattr(process, "START", finish_sabotaged(fault, f"{bad}.png"))
    answers = [m for group in run_workers(tasks, setup_of(tmp_path, **limits), workers=1, chunk=6) for m in group]
    assert {m.record: m.problem[0] for m in answers if m.problem is not None} == {f"{bad}.png": kind}
    assert sorted(m.record for m in answers) == sorted(t.path for t in tasks)
    assert all(m.pixels is not None for m in answers if m.problem is None)


def test_files_that_were_begun_are_not_blamed_for_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fourth file ends its worker while three wait: these are read again, and only that one is tried alone."""
    tasks = [png(tmp_path / f"{i}.png", i) for i in range(6)]
    monkeypatch.setattr(process, "START", sabotage("import os; os._exit(9)", "3.png"))
    order = [m.record for group in run_workers(tasks, setup_of(tmp_path), workers=1, chunk=6) for m in group]
    assert order == ["0.png", "1.png", "2.png", "4.png", "5.png", "3.png"]


class Weighed:
    """A file that was begun and weighs so much."""

    def __init__(self, weight: int | None) -> None:
        self.weight = weight


class Grouping:
    """A worker that tells what it is given together; a file is its weight."""

    def begin(self, task: int | None) -> Weighed:
        if task == -1:
            raise MemoryError
        return Weighed(task)

    def finish(self, begun: Sequence[Weighed]) -> list[tuple[int | None, int]]:
        return [(one.weight, len(begun)) for one in begun]


def test_few_and_small_files_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "limit_processor", lambda seconds: None)

    def said(*tasks: int | None) -> list[object]:
        return list(serving.together(Grouping(), tasks, 1.0))

    held, together = serving.HELD, serving.TOGETHER
    assert said(1) == [((1, 1),)]
    assert said(None, None) == [((None, 1),), ((None, 1),)], "nothing is left to do of them"
    assert said(1, 2, 3, 4, 5) == [held] * 3 + [together] + [((n, 4),) for n in (1, 2, 3, 4)] + [((5, 1),)]
    assert said(1, None, 2) == [held, together, ((1, 2),), ((None, 2),), ((2, 1),)]
    large = serving.GROUP_BYTES + 1
    assert said(1, large, 2) == [held, together, ((1, 2),), ((large, 2),), ((2, 1),)]
    assert said(large, 1) == [((large, 1),), ((1, 1),)]
    assert said(1, -1, 2) == [held, serving.STARVED]


@timed
def test_a_file_that_waits_longer_than_it_may_compute_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine gives a worker little of its time: what counts is what the file costs, not how long it takes."""
    monkeypatch.setattr(process, "START", sabotage("import time; time.sleep(1.5)", "0.png"))
    tasks = [png(tmp_path / "0.png", 0)]
    (answers,) = run_workers(tasks, setup_of(tmp_path, seconds=0.7), workers=1)
    assert [m.problem for m in answers] == [None]


def test_the_limit_on_the_clock_is_never_shorter_than_the_one_on_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bounds.clock_limit(Limits(seconds=900)) == 900
    assert bounds.clock_limit(Limits(seconds=60, wall_seconds=70)) == (70 if bounds.BOUNDS_PROCESSOR else 60)
    monkeypatch.setattr(bounds, "BOUNDS_PROCESSOR", False)
    assert bounds.clock_limit(Limits(seconds=60)) == 60


def test_a_file_that_needs_too_much_memory_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [png(tmp_path / "0.png", 0), png(tmp_path / "1.png", 1)]
    monkeypatch.setattr(process, "START", sabotage("bytearray(8 << 30)", "0.png"))
    answers = [m for group in run_workers(tasks, setup_of(tmp_path), workers=1) for m in group]
    assert {m.record: m.problem[0] for m in answers if m.problem is not None} == {"0.png": "memory"}


ONCE = "import os, pathlib; mark = pathlib.Path({mark!r})\n        if not mark.exists():\n            mark.touch(); {fault}"


@pytest.mark.parametrize("fault", ["os.kill(os.getpid(), 9)", "raise MemoryError"], ids=["killed", "starved"])
def test_a_worker_that_is_killed_or_starved_once_costs_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    tasks = [png(tmp_path / f"{i}.png", i) for i in range(9)]
    monkeypatch.setattr(process, "START", sabotage(ONCE.format(mark=str(tmp_path / "mark"), fault=fault), "2.png"))
    answers = [m for group in run_workers(tasks, setup_of(tmp_path), workers=2, chunk=3) for m in group]
    assert (tmp_path / "mark").exists()
    assert sorted(m.record for m in answers) == sorted(t.path for t in tasks)
    assert {m.problem for m in answers} == {None}


def test_a_worker_that_cannot_start_blames_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "START", "raise SystemExit(1)")
    with pytest.raises(MedauditError, match="no worker process can be started"):
        list(run_workers([png(tmp_path / "0.png", 0)], setup_of(tmp_path), workers=1))


def test_fewer_processes_than_asked_for_do_the_work_and_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks, started, real = [png(tmp_path / f"{i}.png", i) for i in range(9)], [0], process.NURSERIES.bear

    def refuse(*arguments: Any, **options: Any) -> Any:
        started[0] += 1
        if started[0] > allowed:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return real(*arguments, **options)

    monkeypatch.setattr(process.NURSERIES, "bear", refuse)
    allowed = 1
    answers = [m for group in run_workers(tasks, setup_of(tmp_path), workers=3, chunk=3) for m in group]
    assert len(answers) == 9
    allowed, started[0] = 0, 0
    with pytest.raises(MedauditError, match="Resource temporarily unavailable"):
        list(run_workers(tasks, setup_of(tmp_path), workers=3, chunk=3))


HANGS = (
    f"import sys; sys.path.insert(0, {process.HOME!r}); import auditor.measuring.measure as m; real = m.Measurer.begin\n"
    "import hashlib\n"
    "def measure(self, task):\n"
    "    if task.path.startswith('bad'): hashlib.pbkdf2_hmac('sha512', b'', b'', 1 << 30)\n"
    "    return real(self, task)\n"
    "m.Measurer.begin = measure\n"
    "from auditor.reading.serving import serve; serve()"
)


def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: int, good: int, lost: float) -> dict[str, str | None]:
    """Why each file was not read, None where it was: so many that never end, then so many good ones."""
    monkeypatch.setattr(process, "START", HANGS)
    monkeypatch.setattr(losses, "SHORT", 0.2)
    losses.LOSSES.begin()
    tasks = [png(tmp_path / f"bad{i}.png", i) for i in range(bad)] + [png(tmp_path / f"z{i}.png", 90 + i) for i in range(good)]
    setup = setup_of(tmp_path, seconds=0.6, wall_seconds=60, lost_seconds=lost)
    answers = [m for group in run_workers(tasks, setup, workers=2, chunk=2) for m in group]
    losses.LOSSES.begin()
    assert sorted(m.record for m in answers) == sorted(t.path for t in tasks)
    return {m.record: None if m.problem is None else m.problem[1] for m in answers}


@timed
def test_files_that_never_end_share_a_budget_and_the_good_ones_behind_them_are_read(tmp_path, monkeypatch) -> None:
    told = hanging(tmp_path, monkeypatch, bad=6, good=6, lost=1.5)
    assert all(told[f"z{i}.png"] is None for i in range(6))
    whole = [r for name, r in told.items() if name.startswith("bad") and "0.6 s of computing" in str(r)]
    short = [r for name, r in told.items() if "0.2 s of computing" in str(r)]
    assert len(whole) in (3, 4)
    assert len(whole) + len(short) == 6
    assert all("raise [limits] lost-seconds" in str(r) for r in short)


@timed
def test_when_the_budget_is_spent_twice_the_rest_is_told_as_not_read(tmp_path, monkeypatch) -> None:
    told = hanging(tmp_path, monkeypatch, bad=14, good=4, lost=0.6)
    assert "not read: files before it took too long" in str(told["bad13.png"])
    assert "raise [limits] lost-seconds" in str(told["z0.png"])
    assert sum("s of computing" in str(r) for r in told.values()) <= 6
