from pathlib import Path

import pytest
from PIL import Image

from auditor import workers
from auditor.measure import Task
from auditor.reader import Limits
from auditor.workers import Setup, run_workers


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


@pytest.mark.parametrize(("fault", "kind"), [("import os; os._exit(9)", "crashed"), ("import time; time.sleep(60)", "timeout")])
def test_a_worker_that_dies_or_hangs_costs_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, kind: str
) -> None:
    tasks = [png(tmp_path / f"{i}.png", i) for i in range(6)]
    sabotage = (
        f"import sys; sys.path.insert(0, {workers.HOME!r}); import auditor.measure as m; real = m.Measurer.measure\n"
        "def measure(self, task):\n"
        f"    if task.path == '2.png':\n        {fault}\n"
        "    return real(self, task)\n"
        "m.Measurer.measure = measure\n"
        "from auditor.workers import serve; serve()"
    )
    monkeypatch.setattr(workers, "START", sabotage)
    limits = {"seconds": 3.0} if kind == "timeout" else {}
    answers = [m for group in run_workers(tasks, setup_of(tmp_path, **limits), workers=1, chunk=6) for m in group]
    problems = {m.record: m.problem[0] for m in answers if m.problem is not None}
    assert problems == {"2.png": kind}
    assert sorted(m.record for m in answers) == sorted(t.path for t in tasks)


def test_a_file_that_needs_too_much_memory_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [png(tmp_path / "0.png", 0), png(tmp_path / "1.png", 1)]
    greedy = (
        f"import sys; sys.path.insert(0, {workers.HOME!r}); import auditor.measure as m; real = m.Measurer.measure\n"
        "def measure(self, task):\n"
        "    if task.path == '0.png':\n        bytearray(8 << 30)\n"
        "    return real(self, task)\n"
        "m.Measurer.measure = measure\n"
        "from auditor.workers import serve; serve()"
    )
    monkeypatch.setattr(workers, "START", greedy)
    answers = [m for group in run_workers(tasks, setup_of(tmp_path), workers=1) for m in group]
    assert {m.record: m.problem[0] for m in answers if m.problem is not None} == {"0.png": "memory"}
